import type { Worker } from 'node:worker_threads';
import { refusalFromData } from '../base/errors.ts';
import type { Logger } from '../base/log.ts';
import { onQuiet } from '../base/quiet.ts';
import { spawnThread } from '../base/threads.ts';
import { readCatalogue, runRead } from './db/read.ts';
import type { ReadAnswer } from './db/reader.thread.ts';
import { openSqlite, SqliteSession, storeUnavailable } from './db/sqlite.ts';
import type { ReadArgs, Reader, ReadName, ReadResult } from './store.ts';

/** Long reads that may wait; beyond it they are refused. */
const WAITING_MAX = 1024;

interface Waiting {
  resolve(value: unknown): void;
  reject(error: Error): void;
}

/** The `Reader`: point reads in place on a connection of this thread, long ones in a reader thread started on first use. */
export class ThreadReader implements Reader {
  readonly #path: string;
  readonly #logger: Logger;
  readonly #session: SqliteSession;
  readonly #waiting = new Map<number, Waiting>();
  readonly #quiet: { cancel(): void };
  #worker: Worker | undefined;
  #nextId = 1;
  #closing = false;

  /** The database must exist and have its schema (the writer opens first). */
  constructor(options: { path: string; logger: Logger }) {
    this.#path = options.path;
    this.#logger = options.logger;
    this.#session = new SqliteSession(openSqlite(options.path, 'reader'));
    this.#quiet = onQuiet(() => this.#session.shrink());
  }

  run<N extends ReadName>(name: N, args: ReadArgs<N>): Promise<ReadResult<N>> {
    if (readCatalogue[name]?.weight === 'long') return this.#inThread(name, args) as Promise<ReadResult<N>>;
    return runRead(this.#session, name, args) as Promise<ReadResult<N>>;
  }

  /** A number that is another one after each commit of the writer, as far as a read would see it now. */
  state(): number {
    return this.#session.dataVersion();
  }

  #inThread(name: string, args: unknown): Promise<unknown> {
    return new Promise((resolve, reject) => {
      if (this.#closing || this.#waiting.size >= WAITING_MAX) {
        reject(storeUnavailable());
        return;
      }
      const id = this.#nextId++;
      this.#waiting.set(id, { resolve, reject });
      (this.#worker ??= this.#start()).postMessage({ id, name, args });
    });
  }

  #start(): Worker {
    const worker = spawnThread(import.meta.url, './db/reader.thread', {
      workerData: { path: this.#path },
      name: 'reader',
    });
    worker.on('message', (answer: ReadAnswer) => {
      const waiting = this.#waiting.get(answer.id);
      this.#waiting.delete(answer.id);
      if (waiting === undefined) return;
      if ('value' in answer) waiting.resolve(answer.value);
      else if ('refusal' in answer) waiting.reject(refusalFromData(answer.refusal));
      else waiting.reject(new Error(answer.bug));
    });
    worker.on('error', (error) =>
      this.#logger.error({ error: error.stack ?? error.message }, 'store: reader thread failed'),
    );
    worker.once('exit', () => {
      if (this.#worker === worker) this.#worker = undefined;
      for (const waiting of this.#waiting.values()) waiting.reject(storeUnavailable());
      this.#waiting.clear();
    });
    worker.unref();
    return worker;
  }

  async close(): Promise<void> {
    this.#closing = true;
    this.#quiet.cancel();
    await this.#worker?.terminate();
    this.#session.db.close();
  }
}
