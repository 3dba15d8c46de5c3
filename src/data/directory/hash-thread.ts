import type { Worker } from 'node:worker_threads';
import type { Clock, Timer } from '../../base/clock.ts';
import { spawnThread } from '../../base/threads.ts';
import type { HashAnswer, HashQuestion } from './imported-hash.thread.ts';

/** Milliseconds without a question after which the thread ends: imported hashes are checked once each. */
const IDLE_MS = 60_000;

interface Waiting {
  resolve(matches: boolean): void;
  reject(error: Error): void;
}

/** Checks one hash. */
export interface HashThread {
  (password: string, hash: string): Promise<boolean>;
  /** End the thread if it runs; a later check starts it anew. */
  close(): void;
}

/**
 * Checks imported hashes in a thread of its own, started at the first one, because they block for up to a second.
 * A check rejects when the thread dies.
 */
export function createHashThread(clock: Clock): HashThread {
  const waiting = new Map<number, Waiting>();
  let worker: Worker | undefined;
  let idle: Timer | undefined;
  let serial = 0;

  function start(): Worker {
    const made = spawnThread(import.meta.url, './imported-hash.thread', { name: 'hashes' });
    made.unref();
    made.on('message', (answer: HashAnswer) => {
      const asked = waiting.get(answer.id);
      waiting.delete(answer.id);
      asked?.resolve(answer.matches);
      if (waiting.size === 0) rest(made);
    });
    made.on('error', () => fail(made));
    made.on('exit', () => fail(made));
    return made;
  }

  function rest(of: Worker): void {
    of.unref();
    idle?.cancel();
    idle = clock.setTimer(IDLE_MS, () => {
      if (worker !== of || waiting.size > 0) return;
      worker = undefined;
      void of.terminate();
    });
  }

  function fail(of: Worker): void {
    if (worker !== of) return;
    worker = undefined;
    for (const { reject } of waiting.values()) reject(new Error('the thread that checks hashes ended'));
    waiting.clear();
  }

  const check = (password: string, hash: string): Promise<boolean> =>
    new Promise((resolve, reject) => {
      idle?.cancel();
      worker ??= start();
      worker.ref();
      const question: HashQuestion = { id: serial++, password, hash };
      waiting.set(question.id, { resolve, reject });
      worker.postMessage(question);
    });
  return Object.assign(check, {
    close() {
      idle?.cancel();
      const running = worker;
      if (running === undefined) return;
      fail(running);
      void running.terminate();
    },
  });
}
