import type { Worker } from 'node:worker_threads';
import type { Clock, Timer } from '../../base/clock.ts';
import { errorText, Refusal } from '../../base/errors.ts';
import type { Logger } from '../../base/log.ts';
import { spawnThread } from '../../base/threads.ts';
import { RUN_MS, TOO_LONG } from './engine.ts';
import type {
  Checked,
  EngineCall,
  FromThread,
  RunJob,
  RunPort,
  RunResult,
  ScriptEngine,
  ToThread,
} from './engine-types.ts';

/** Scripts that run at a time, all together and of one owner; the others wait without a clock that runs. */
const RUNNING_MAX = 8;
const RUNNING_OF_OWNER = 2;
/** Scripts that may wait; beyond it they count as failed rather than hold up the mail for minutes. */
const WAITING_MAX = 1000;
/** Times that a script is begun: it may have been running when another one brought the thread down. */
const TRIES_MAX = 3;
/** MiB of the thread's heap: a bug must not take the memory of the server. */
const HEAP_MIB = 512;

export interface ScriptThreadOptions {
  readonly clock: Clock;
  readonly logger: Logger;
}

interface Job {
  readonly owner: number;
  readonly call: EngineCall;
  readonly port: RunPort | undefined;
  readonly done: (result: RunResult | Checked) => void;
  readonly broken: (error: Error) => void;
  tries: number;
  timer: Timer | undefined;
}

/** Runs scripts in a thread of its own: no script, however bad, holds up anybody but itself. */
export function createScriptThread(options: ScriptThreadOptions): ScriptEngine {
  return new ScriptThread(options);
}

class ScriptThread implements ScriptEngine {
  readonly #options: ScriptThreadOptions;
  readonly #running = new Map<number, Job>();
  #waiting: Job[] = [];
  #worker: Worker | undefined;
  #serial = 0;
  #closed = false;

  constructor(options: ScriptThreadOptions) {
    this.#options = options;
  }

  async run(owner: number, job: RunJob, port: RunPort): Promise<RunResult> {
    if (this.#isFull()) return { kind: 'failed', why: 'too many scripts wait to be run' };
    return (await this.#call(owner, { kind: 'run', job }, port)) as RunResult;
  }

  async check(owner: number, text: string): Promise<Checked> {
    if (this.#isFull())
      throw new Refusal('unavailable', 'Too many scripts wait to be read; try again later.');
    const result = (await this.#call(owner, { kind: 'check', text }, undefined)) as Checked | RunResult;
    if ('errors' in result) return result;
    throw new Refusal('unavailable', 'The script could not be read in time; try again later.');
  }

  async close(): Promise<void> {
    this.#closed = true;
    const worker = this.#worker;
    this.#worker = undefined;
    for (const job of [...this.#running.values(), ...this.#waiting]) this.#fail(job, 'the server stops');
    this.#running.clear();
    this.#waiting = [];
    await worker?.terminate();
  }

  #isFull(): boolean {
    return this.#closed || this.#waiting.length >= WAITING_MAX;
  }

  #call(owner: number, call: EngineCall, port: RunPort | undefined): Promise<RunResult | Checked> {
    return new Promise((done, broken) => {
      this.#waiting.push({ owner, call, port, done, broken, tries: 0, timer: undefined });
      this.#next();
    });
  }

  /** Begin what may be begun, in the order it came. */
  #next(): void {
    while (!this.#closed && this.#running.size < RUNNING_MAX) {
      const at = this.#waiting.findIndex(({ owner }) => this.#runningOf(owner) < RUNNING_OF_OWNER);
      const [job] = at < 0 ? [] : this.#waiting.splice(at, 1);
      if (job === undefined) return;
      this.#begin(job);
    }
  }

  #runningOf(owner: number): number {
    let count = 0;
    for (const job of this.#running.values()) if (job.owner === owner) count++;
    return count;
  }

  #begin(job: Job): void {
    const id = ++this.#serial;
    job.tries += 1;
    job.timer = this.#options.clock.setTimer(RUN_MS, () => this.#overtime(id));
    this.#running.set(id, job);
    this.#worker ??= this.#start();
    post(this.#worker, { id, call: job.call });
  }

  #start(): Worker {
    const worker = spawnThread(import.meta.url, './sieve.thread', {
      name: 'sieve',
      resourceLimits: { maxOldGenerationSizeMb: HEAP_MIB },
    });
    worker.unref();
    worker.on('message', (message: FromThread) => this.#told(worker, message));
    worker.on('error', (error) => {
      this.#options.logger.error({ error: error.stack ?? error.message }, 'sieve: the thread failed');
    });
    worker.once('exit', () => this.#ended(worker));
    return worker;
  }

  #told(worker: Worker, message: FromThread): void {
    const job = this.#running.get(message.id);
    if (job === undefined || worker !== this.#worker) return;
    if ('question' in message) {
      void answer(worker, job, message);
      return;
    }
    this.#running.delete(message.id);
    job.timer?.cancel();
    if ('bug' in message) job.broken(new Error(message.bug));
    else job.done(message.value);
    this.#next();
  }

  /** Nothing short of a new thread stops a script: the others that ran begin again. */
  #overtime(id: number): void {
    const job = this.#running.get(id);
    if (job === undefined) return;
    this.#running.delete(id);
    this.#fail(job, TOO_LONG);
    const worker = this.#worker;
    if (worker === undefined) return;
    this.#options.logger.error(
      { account: job.owner },
      'sieve: a script took too long; the thread is replaced',
    );
    this.#ended(worker);
    void worker.terminate();
  }

  #ended(worker: Worker): void {
    if (this.#worker !== worker) return;
    this.#worker = undefined;
    const again = [...this.#running.values()];
    this.#running.clear();
    for (const job of again) job.timer?.cancel();
    const given = again.filter(({ tries }) => tries >= TRIES_MAX);
    this.#waiting.unshift(...again.filter((job) => !given.includes(job)));
    for (const job of given) this.#fail(job, 'the thread that runs scripts came down');
    this.#next();
  }

  #fail(job: Job, why: string): void {
    job.timer?.cancel();
    job.done({ kind: 'failed', why });
  }
}

function post(worker: Worker, message: ToThread): void {
  worker.postMessage(message, []);
}

type Question = Extract<FromThread, { readonly question: number }>;

async function answer(worker: Worker, { port }: Job, { id, question, name, args }: Question): Promise<void> {
  try {
    // The thread asks what `RunPort` has, with the arguments that it has.
    const ask = port?.[name] as ((...args: readonly unknown[]) => Promise<unknown>) | undefined;
    const value = await ask?.(...args);
    // A view would take all that it is a view of along.
    const own = value instanceof Uint8Array ? new Uint8Array(value) : undefined;
    if (own === undefined) post(worker, { id, question, value });
    else worker.postMessage({ id, question, value: own } satisfies ToThread, [own.buffer]);
  } catch (error) {
    post(worker, { id, question, failed: errorText(error) });
  }
}
