import { MessageChannel, type MessagePort, receiveMessageOnPort, type Worker } from 'node:worker_threads';
import type { Clock } from '../base/clock.ts';
import { type RefusalData, refusalFromData } from '../base/errors.ts';
import type { Logger } from '../base/log.ts';
import { spawnThread } from '../base/threads.ts';
import type { ChangeHub } from './changes.ts';
import type { GroupOutcome, WriteAnswer, WriteBatch, WriteRequest } from './db/group.ts';
import { storeUnavailable } from './db/sqlite.ts';
import type { WriteArgs, WriteName, WriteResult, Writer } from './store.ts';

/** Milliseconds before a store that failed is opened again, doubled up to the second figure while it keeps failing. */
const REOPEN_FIRST_MS = 200;
const REOPEN_MOST_MS = 15_000;
/** Writes that may wait for the store; more are refused, so that a stuck disk sheds load instead of filling memory. */
const WAITING_MAX = 4096;

type Answered = Pick<GroupOutcome, 'answers' | 'after'>;

interface Waiting {
  resolve(value: unknown): void;
  reject(error: Error): void;
}

/** The `Writer` whose transactions run in the store thread. When the store fails it is reopened; callers get 'unavailable'. */
export class ThreadWriter implements Writer {
  readonly #path: string;
  readonly #segments: string;
  readonly #hub: ChangeHub;
  readonly #logger: Logger;
  readonly #clock: Clock;
  readonly #waiting = new Map<number, Waiting>();
  #outbox: Outgoing[] = [];
  #nextId = 1;
  #port: MessagePort | undefined;
  #worker: Worker | undefined;
  #closing = false;
  /** A store thread ended by itself: the next one has a failed commit behind it. */
  #failed = false;
  #reopenMs = REOPEN_FIRST_MS;
  /** Bugs and reopenings so far, for metrics and tests. */
  reopened = 0;

  private constructor(options: WriterOptions) {
    this.#path = options.path;
    this.#segments = options.segments;
    this.#hub = options.hub;
    this.#logger = options.logger;
    this.#clock = options.clock;
  }

  /** Open the database, bring its schema up to date, and resolve when it takes writes. */
  static async open(options: WriterOptions): Promise<ThreadWriter> {
    const writer = new ThreadWriter(options);
    await writer.#start();
    return writer;
  }

  run<N extends WriteName>(
    name: N,
    args: WriteArgs<N>,
    given: readonly ArrayBuffer[] = [],
  ): Promise<WriteResult<N>> {
    return new Promise((resolve, reject) => {
      if (this.#port === undefined || this.#waiting.size >= WAITING_MAX) {
        reject(storeUnavailable());
        return;
      }
      const id = this.#nextId++;
      this.#waiting.set(id, { resolve: resolve as (value: unknown) => void, reject });
      // Requests of one turn of the event loop cross in one message: fewer messages, larger groups.
      if (this.#outbox.length === 0) setImmediate(() => this.#post());
      this.#outbox.push({ request: { id, name, args }, given });
    });
  }

  #post(): void {
    const outbox = this.#outbox;
    this.#outbox = [];
    if (outbox.length === 0) return;
    if (this.#port === undefined) {
      this.#rejectAll();
      return;
    }
    const port = this.#port;
    try {
      this.#postTo(port, outbox);
    } catch {
      // One of them cannot cross (memory that was handed over before): that one fails, not its neighbours.
      for (const each of outbox) this.#postAlone(port, each);
    }
  }

  #postTo(port: MessagePort, outbox: readonly Outgoing[]): void {
    const batch: WriteBatch = { now: this.#clock.now(), requests: outbox.map(({ request }) => request) };
    port.postMessage(
      batch,
      outbox.flatMap(({ given }) => given),
    );
  }

  #postAlone(port: MessagePort, outgoing: Outgoing): void {
    try {
      this.#postTo(port, [outgoing]);
    } catch (error) {
      const { id } = outgoing.request;
      this.#waiting.get(id)?.reject(error as Error);
      this.#waiting.delete(id);
    }
  }

  async #start(): Promise<void> {
    const channel = new MessageChannel();
    const worker = spawnThread(import.meta.url, './db/store.thread', {
      workerData: {
        path: this.#path,
        segments: this.#segments,
        port: channel.port2,
        afterFailure: this.#failed,
      },
      transferList: [channel.port2],
      name: 'store',
    });
    await new Promise<void>((resolve, reject) => {
      worker.once('error', reject);
      worker.once('exit', (code) =>
        reject(new Error(`the store thread ended with ${code} before it was ready`)),
      );
      worker.on('message', (message: { ready?: Ready; refused?: RefusalData; broken?: string }) => {
        if (message.refused !== undefined) reject(refusalFromData(message.refused));
        if (message.ready !== undefined) {
          tellUpgrade(this.#logger, message.ready);
          resolve();
        }
        if (message.broken !== undefined)
          this.#logger.error({ reason: message.broken }, 'store: commit failed, reopening');
      });
    });
    worker.removeAllListeners('error');
    worker.removeAllListeners('exit');
    this.#worker = worker;
    this.#port = channel.port1;
    channel.port1.on('message', (outcome: Answered) => this.#answered(outcome));
    worker.on('error', (error) =>
      this.#logger.error({ error: error.stack ?? error.message }, 'store: thread failed'),
    );
    worker.once('exit', () => this.#exited(channel.port1));
  }

  #answered({ answers, after }: Answered): void {
    this.#reopenMs = REOPEN_FIRST_MS;
    for (const answer of answers) {
      const waiting = this.#waiting.get(answer.id);
      this.#waiting.delete(answer.id);
      if (waiting !== undefined) deliverAnswer(waiting, answer);
    }
    this.#hub.publish(after);
  }

  #exited(port: MessagePort): void {
    // What it committed before it failed is answered so: whoever is told 'unavailable' brings the same again.
    for (let left = receiveMessageOnPort(port); left !== undefined; left = receiveMessageOnPort(port))
      this.#answered(left.message as Answered);
    port.close();
    this.#port = undefined;
    this.#worker = undefined;
    this.#rejectAll();
    if (this.#closing) return;
    this.#failed = true;
    this.#reopenLater();
  }

  #reopenLater(): void {
    this.#clock.setTimer(this.#reopenMs, () => {
      if (this.#closing) return;
      this.#reopenMs = Math.min(this.#reopenMs * 2, REOPEN_MOST_MS);
      this.#start().then(
        () => {
          this.reopened++;
          this.#logger.warn({}, 'store: open again');
        },
        (error: unknown) => {
          this.#logger.error({ error: String(error) }, 'store: cannot be opened, will try again');
          this.#reopenLater();
        },
      );
    });
  }

  #rejectAll(): void {
    for (const waiting of this.#waiting.values()) waiting.reject(storeUnavailable());
    this.#waiting.clear();
    this.#outbox = [];
  }

  /**
   * Finish what was asked for, then close the database. A store that failed a moment ago is opened once more first, so
   * that what it refused cannot come back at the next start. `before`: runs when nothing is written any more.
   */
  async close(before: () => Promise<void> = () => Promise.resolve()): Promise<void> {
    this.#closing = true;
    if (this.#worker === undefined && this.#failed) {
      await this.#start().catch((error: unknown) => {
        this.#logger.error({ error: String(error) }, 'store: cannot be opened to close it in order');
      });
    }
    const worker = this.#worker;
    this.#post();
    await this.#drained();
    await before();
    if (worker === undefined) return;
    const gone = new Promise<void>((resolve) => worker.once('exit', () => resolve()));
    this.#port?.postMessage('close');
    await gone;
  }

  /** Resolves when no write waits for an answer any more. */
  async #drained(): Promise<void> {
    while (this.#waiting.size > 0 && this.#port !== undefined) {
      await new Promise<void>((resolve) => setImmediate(resolve));
    }
  }
}

/** What the thread says when it takes writes: from and to which schema it brought the database. */
interface Ready {
  readonly from: number;
  readonly to: number;
  /** Where the database lies as it was before. */
  readonly kept: string | undefined;
}

function tellUpgrade(logger: Logger, { from, to, kept }: Ready): void {
  if (from !== 0 && from !== to) logger.info({ from, to, kept }, 'store: the database is upgraded');
}

interface Outgoing {
  readonly request: WriteRequest;
  /** What of it is handed over and not copied. */
  readonly given: readonly ArrayBuffer[];
}

interface WriterOptions {
  readonly path: string;
  /** The directory of segments. */
  readonly segments: string;
  readonly hub: ChangeHub;
  readonly logger: Logger;
  readonly clock: Clock;
}

function deliverAnswer(waiting: Waiting, answer: WriteAnswer): void {
  if (answer.ok) waiting.resolve(answer.value);
  else if ('refusal' in answer) waiting.reject(refusalFromData(answer.refusal));
  else waiting.reject(new Error(answer.bug));
}
