import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import type { Clock } from './clock.ts';
import { collectGarbage, onQuiet, watchForQuiet } from './quiet.ts';

/** A clock whose one timer is fired by hand, each time two seconds later. */
function stepping() {
  let now = 0;
  let fire: (() => void) | undefined;
  const clock = {
    monotonic: () => now,
    setTimer(_: number, fn: () => void) {
      fire = fn;
      return { cancel: () => undefined, refresh: () => undefined };
    },
  } as unknown as Clock;
  return {
    clock,
    async step(): Promise<void> {
      now += 2000;
      fire?.();
      // The timer is set anew after promises, and what is told crosses the event loop.
      for (let i = 0; i < 5; i++) await turn();
    },
  };
}

test('who listens is told once when work has ended, and again only after more of it', async () => {
  const { clock, step } = stepping();
  let spent = 0;
  let told = 0;
  const listening = onQuiet(() => told++);
  const watching = watchForQuiet(clock, () => spent);
  for (let i = 0; i < 5; i++) {
    spent += 1500;
    await step();
  }
  assert.equal(told, 0, 'while there is work');
  for (let i = 0; i < 5; i++) {
    spent += 10;
    await step();
  }
  assert.equal(told, 1);
  for (let i = 0; i < 30; i++) await step();
  assert.equal(told, 1, 'nothing was done since');
  spent += 5000;
  for (let i = 0; i < 4; i++) await step();
  assert.equal(told, 2);
  watching.cancel();
  listening.cancel();
});

test('garbage goes when it is told to', () => {
  collectGarbage();
  let kept: unknown = Array.from({ length: 100_000 }, (_, n) => ({ n }));
  collectGarbage();
  const before = process.memoryUsage().heapUsed;
  kept = undefined;
  collectGarbage();
  assert.ok(before - process.memoryUsage().heapUsed > 2e6, String(kept));
});

test('a thread that listens ends when it has nothing else to do', async () => {
  const worker = new Worker(
    `import(${JSON.stringify(new URL('./quiet.ts', import.meta.url).href)}).then(({ onQuiet }) => onQuiet(() => undefined))`,
    { eval: true },
  );
  const code = await new Promise((resolve) => worker.once('exit', resolve));
  assert.equal(code, 0);
});
