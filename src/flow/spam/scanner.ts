import type { Worker } from 'node:worker_threads';
import type { Clock, Timer } from '../../base/clock.ts';
import type { Logger } from '../../base/log.ts';
import { spawnThread } from '../../base/threads.ts';
import type { Sample } from './facts/sample.ts';
import type { Learn, Question, ScanAnswer, ScanCall, Scanned } from './scan-types.ts';

/** Milliseconds one message may take before the thread is given up: a bug, for everything in it is bounded. */
const ANSWER_MS = 20_000;
/** Messages that may wait; beyond it they go unjudged rather than wait for minutes. */
const WAITING_MAX = 1000;
/** Octets of their samples, for the same reason: a thousand large ones would be half a gigabyte. */
const WAITING_BYTES_MAX = 64 * 1024 * 1024;
/** Models of accounts kept in the thread, beside the site's. */
const MODELS_KEPT = 64;

/** Judges messages in a thread of its own. */
export interface Scanner {
  /** Undefined when it cannot be done now: the message is delivered as if the content said nothing. */
  judge(question: Question): Promise<Scanned | undefined>;
  /** Learn one message in the models of `owners`. Rejects when it cannot. Between lessons and `save` only one may learn. */
  learn(lesson: Learn): Promise<void>;
  /** The models of these owners as they are now, to be stored; they stay in the thread until then. */
  save(owners: readonly number[]): Promise<readonly SavedModel[]>;
  /** Start the thread and load the site's model, so that the first message does not wait for that. Never rejects. */
  warm(): Promise<void>;
  /** End the thread, with its memory, until it is needed again; not while it works or has learned what is not stored. */
  rest(): void;
  /** Owners whose models the thread must be told of again: their next use asks `models` for them. */
  forget(owner: number): void;
  close(): Promise<void>;
}

export interface SavedModel {
  readonly owner: number;
  readonly model: Uint8Array;
  readonly ham: number;
  readonly spam: number;
}

export interface ScannerOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  /** The stored model of an owner (0: the site); undefined when it has none. */
  readonly models: (owner: number) => Promise<Uint8Array | undefined>;
}

interface Waiting {
  resolve(value: unknown): void;
  reject(error: Error): void;
}

export function createScanner(options: ScannerOptions): Scanner {
  return new ThreadScanner(options);
}

class ThreadScanner implements Scanner {
  readonly #options: ScannerOptions;
  readonly #waiting = new Map<number, Waiting>();
  /** Models the thread has, the least recently used first. */
  readonly #loaded = new Map<number, Promise<void>>();
  /** Owners that have learned what is not stored yet: their models must not be dropped. */
  readonly #unsaved = new Set<number>();
  /** Octets of samples that wait. */
  #waitingBytes = 0;
  #worker: Worker | undefined;
  #watch: Timer | undefined;
  #serial = 0;
  #closed = false;

  constructor(options: ScannerOptions) {
    this.#options = options;
  }

  async judge(question: Question): Promise<Scanned | undefined> {
    const bytes = question.sample.header.buffer.byteLength;
    if (this.#closed || this.#waiting.size >= WAITING_MAX) return undefined;
    if (this.#waitingBytes + bytes > WAITING_BYTES_MAX) return undefined;
    this.#waitingBytes += bytes;
    try {
      await this.#load(question.owners);
      return (await this.#call({ kind: 'judge', question }, transferable(question.sample))) as Scanned;
    } catch (error) {
      this.#options.logger.error({ error: String(error) }, 'filter: a message could not be judged');
      return undefined;
    } finally {
      this.#waitingBytes -= bytes;
    }
  }

  async learn(lesson: Learn): Promise<void> {
    for (const owner of lesson.owners) this.#unsaved.add(owner);
    await this.#load(lesson.owners);
    await this.#call({ kind: 'learn', lesson }, transferable(lesson.sample));
  }

  async save(owners: readonly number[]): Promise<readonly SavedModel[]> {
    const models = (await this.#call({ kind: 'save', owners }, [])) as SavedModel[];
    for (const owner of owners) this.#unsaved.delete(owner);
    return models;
  }

  async warm(): Promise<void> {
    await this.#load([]).catch(() => undefined);
  }

  rest(): void {
    const worker = this.#worker;
    if (worker === undefined || this.#waiting.size > 0 || this.#unsaved.size > 0) return;
    this.#ended(worker, 'the filter rests');
    void worker.terminate();
  }

  forget(owner: number): void {
    this.#unsaved.delete(owner);
    if (!this.#loaded.delete(owner)) return;
    this.#worker?.postMessage({ id: 0, call: { kind: 'forget', owner } });
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#watch?.cancel();
    const worker = this.#worker;
    this.#worker = undefined;
    await worker?.terminate();
  }

  /** Give the thread the models it does not have; the site's, owner 0, always. */
  async #load(owners: readonly number[]): Promise<void> {
    const wanted = new Set([0, ...owners]);
    for (const owner of wanted) {
      const loading = this.#loaded.get(owner) ?? this.#loadOne(owner);
      this.#loaded.delete(owner);
      this.#loaded.set(owner, loading);
    }
    for (const owner of this.#loaded.keys()) {
      if (this.#loaded.size <= MODELS_KEPT) break;
      if (!wanted.has(owner) && !this.#unsaved.has(owner)) this.forget(owner);
    }
    await Promise.all([...wanted].map((owner) => this.#loaded.get(owner)));
  }

  async #loadOne(owner: number): Promise<void> {
    try {
      const model = await this.#options.models(owner);
      await this.#call({ kind: 'load', owner, model }, []);
    } catch (error) {
      this.#loaded.delete(owner);
      throw error;
    }
  }

  #call(call: ScanCall, transfer: readonly ArrayBuffer[]): Promise<unknown> {
    return new Promise((resolve, reject) => {
      if (this.#closed) {
        reject(new Error('the filter is closed'));
        return;
      }
      const worker = (this.#worker ??= this.#start());
      const id = ++this.#serial;
      this.#waiting.set(id, { resolve, reject });
      this.#watch ??= this.#options.clock.setTimer(ANSWER_MS, () => this.#stuck());
      if (this.#waiting.size === 1) this.#watch.refresh();
      try {
        worker.postMessage({ id, call }, [...transfer]);
      } catch (error) {
        this.#waiting.delete(id);
        reject(error instanceof Error ? error : new Error(String(error)));
      }
    });
  }

  #start(): Worker {
    const worker = spawnThread(import.meta.url, './scan.thread', { name: 'filter' });
    worker.unref();
    worker.on('message', (answer: ScanAnswer) => this.#answered(answer));
    worker.on('error', (error) => {
      this.#options.logger.error({ error: error.stack ?? error.message }, 'filter: its thread failed');
    });
    worker.once('exit', () => this.#ended(worker, 'its thread ended'));
    return worker;
  }

  #answered(answer: ScanAnswer): void {
    const waiting = this.#waiting.get(answer.id);
    this.#waiting.delete(answer.id);
    if (this.#waiting.size === 0) {
      this.#watch?.cancel();
      this.#watch = undefined;
    } else this.#watch?.refresh();
    if (waiting === undefined) return;
    if ('bug' in answer) waiting.reject(new Error(answer.bug));
    else waiting.resolve(answer.value);
  }

  /** Nothing came back for a long time: a fresh thread may do better with the next message. */
  #stuck(): void {
    this.#watch = undefined;
    const worker = this.#worker;
    if (worker === undefined) return;
    this.#ended(worker, `no answer for ${ANSWER_MS / 1000} s`);
    void worker.terminate();
  }

  #ended(worker: Worker, why: string): void {
    if (this.#worker !== worker) return;
    this.#worker = undefined;
    this.#loaded.clear();
    this.#unsaved.clear();
    this.#watch?.cancel();
    this.#watch = undefined;
    const waiting = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const { reject } of waiting) reject(new Error(why));
  }
}

/** The one buffer that the pieces of a sample lie in. */
function transferable({ header }: Sample): ArrayBuffer[] {
  return header.buffer instanceof ArrayBuffer ? [header.buffer] : [];
}
