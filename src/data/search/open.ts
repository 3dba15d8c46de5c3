import { join } from 'node:path';
import type { Worker } from 'node:worker_threads';
import type { Clock, Timer } from '../../base/clock.ts';
import { Refusal } from '../../base/errors.ts';
import { makeDirectory } from '../../base/files.ts';
import type { Logger } from '../../base/log.ts';
import { spawnThread } from '../../base/threads.ts';
import type { Changes } from '../store.ts';
import type { FromSearch, SearchDatabase, SearchThreadData, ToSearch } from './thread-messages.ts';
import type { SearchAnswer, SearchIndex, SearchQuery, SearchState, SearchTotals } from './types.ts';

export interface SearchOptions {
  readonly database: SearchDatabase;
  /** The data directory: bodies are read from it, indexes lie in `search/` below it. */
  readonly data: string;
  readonly changes: Pick<Changes, 'onAnyAccount'>;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Told of each query: how long it took (ms), and whether the index helped. */
  readonly onQuery?: ((ms: number, answered: boolean) => void) | undefined;
}

/** Milliseconds for which changes are gathered before the thread hears of them: no search depends on it. */
const TELL_MS = 1000;
/** Milliseconds after which the thread starts, when nobody searches before. */
const START_MS = 10_000;
/** Milliseconds after which a thread that has ended is started again, when nobody searches. */
const RESTART_MS = 30_000;
/** Queries that may wait; beyond it a search reads the messages. */
const WAITING_MAX = 256;

type Ask =
  Extract<ToSearch, { id: number }> extends infer M
    ? M extends { id: number }
      ? Omit<M, 'id'>
      : never
    : never;

interface Waiting {
  resolve(value: unknown): void;
  reject(error: Error): void;
}

/** The index of this process, in a thread of its own. The schema must be there. */
export function openSearch(options: SearchOptions): SearchIndex {
  return new ThreadSearch(options);
}

class ThreadSearch implements SearchIndex {
  readonly #options: SearchOptions;
  readonly #directory: string;
  readonly #waiting = new Map<number, Waiting>();
  readonly #changed = new Set<number>();
  readonly #unwatch: () => void;
  #worker: Worker | undefined;
  #ended: Promise<void> = Promise.resolve();
  #nextId = 1;
  #tell: Timer | undefined;
  #restart: Timer | undefined;
  #closing = false;

  constructor(options: SearchOptions) {
    this.#options = options;
    this.#directory = join(options.data, 'search');
    makeDirectory(this.#directory);
    this.#unwatch = options.changes.onAnyAccount((account) => this.#note(account));
    this.#restart = options.clock.setTimer(START_MS, () => this.#revive());
  }

  #note(account: number): void {
    this.#changed.add(account);
    this.#tell ??= this.#options.clock.setTimer(TELL_MS, () => {
      this.#tell = undefined;
      const accounts = [...this.#changed];
      this.#changed.clear();
      // A thread that starts later looks for what has changed by itself.
      this.#worker?.postMessage({ kind: 'changed', accounts } satisfies ToSearch);
    });
  }

  #start(): Worker {
    const { database, data, logger, clock } = this.#options;
    this.#restart?.cancel();
    const workerData: SearchThreadData = { database, data, directory: this.#directory };
    const worker = spawnThread(import.meta.url, './search.thread', { workerData, name: 'search' });
    this.#worker = worker;
    worker.on('message', (message: FromSearch) => this.#take(message));
    worker.on('error', (error) =>
      logger.error({ error: error.stack ?? error.message }, 'search: thread failed'),
    );
    this.#ended = new Promise((resolve) => {
      worker.once('exit', () => {
        if (this.#worker === worker) this.#worker = undefined;
        for (const waiting of this.#waiting.values())
          waiting.reject(new Error('the search thread has ended'));
        this.#waiting.clear();
        if (!this.#closing) this.#restart = clock.setTimer(RESTART_MS, () => this.#revive());
        resolve();
      });
    });
    worker.unref();
    return worker;
  }

  #revive(): void {
    if (!this.#closing && this.#worker === undefined) this.#start();
  }

  #take(message: FromSearch): void {
    if (message.kind === 'ready') return;
    if (message.kind === 'log') {
      this.#options.logger[message.level](message.fields, message.text);
      return;
    }
    const waiting = this.#waiting.get(message.id);
    this.#waiting.delete(message.id);
    if (message.kind === 'answer') waiting?.resolve(message.value);
    else waiting?.reject(new Error(message.error));
  }

  #ask<T>(message: Ask): Promise<T> {
    return new Promise((resolve, reject) => {
      if (this.#closing || this.#waiting.size >= WAITING_MAX) {
        reject(new Error('the search index is not there, or has too much to do'));
        return;
      }
      const id = this.#nextId++;
      this.#waiting.set(id, { resolve: resolve as (value: unknown) => void, reject });
      (this.#worker ?? this.#start()).postMessage({ ...message, id });
    });
  }

  async find(accountId: number, query: SearchQuery): Promise<SearchAnswer | 'scan'> {
    const { clock, logger, onQuery } = this.#options;
    const start = clock.monotonic();
    const answer = await this.#ask<SearchAnswer | 'scan'>({ kind: 'find', accountId, query }).catch(
      (error: unknown) => {
        logger.debug({ error: String(error) }, 'search: no answer from the index');
        return 'scan' as const;
      },
    );
    onQuery?.(clock.monotonic() - start, answer !== 'scan');
    return answer;
  }

  async rebuild(accountId?: number): Promise<void> {
    await this.#ask({ kind: 'rebuild', accountId });
  }

  states(accountIds: readonly number[]): Promise<readonly SearchState[]> {
    return this.#ask({ kind: 'states', accountIds });
  }

  totals(): Promise<SearchTotals> {
    if (this.#worker === undefined)
      return Promise.reject(
        new Refusal('unavailable', 'The search index is not open yet; try again in a moment.'),
      );
    return this.#ask({ kind: 'totals' });
  }

  async close(): Promise<void> {
    this.#closing = true;
    this.#unwatch();
    this.#tell?.cancel();
    this.#restart?.cancel();
    this.#worker?.postMessage({ kind: 'close' } satisfies ToSearch);
    await this.#ended;
  }
}
