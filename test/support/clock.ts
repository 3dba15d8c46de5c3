import type { Clock, Timer } from '../../src/base/clock.ts';

/**
 * A clock for whole servers: it stands still until told to move, then fires timers in order and lets what they start
 * (promises, other threads' answers) come to rest before the next one. So a test runs a week in moments.
 */
export interface TestClock extends Clock {
  /** Move on by `ms` milliseconds. Resolves when everything due on the way has run. */
  advance(ms: number): Promise<void>;
  /** Timers set and not yet fired or cancelled. */
  readonly timers: number;
  /** How to wait until what a timer started has come to rest; by default a few turns and a millisecond. */
  settleWith(settle: () => Promise<void>): void;
}

interface Entry {
  at: number;
  readonly ms: number;
  readonly order: number;
  readonly fn: () => void;
}

/** Turns of the event loop after each timer. */
const TURNS = 3;
/** Milliseconds of real time after a timer's turns, for what waits for another thread. */
const BREATH_MS = 1;

/** `togetherMs`: what is due within so many milliseconds fires with the last of it, before it comes to rest: long times go faster so. */
export function testClock(startMs = Date.UTC(2030, 0, 1), togetherMs?: number): TestClock {
  let passed = 0;
  let serial = 0;
  const entries = new Set<Entry>();
  let settle = breathe;

  function setTimer(ms: number, fn: () => void): Timer {
    const entry: Entry = { at: passed + Math.max(0, ms), ms, order: serial++, fn };
    entries.add(entry);
    return {
      cancel: () => void entries.delete(entry),
      refresh() {
        if (entries.has(entry)) entry.at = passed + entry.ms;
      },
    };
  }

  return {
    now: () => startMs + passed,
    monotonic: () => passed,
    setTimer,
    sleep(ms, signal) {
      return new Promise((resolve) => {
        if (signal?.aborted === true) return resolve();
        const done = (): void => {
          timer.cancel();
          signal?.removeEventListener('abort', done);
          resolve();
        };
        const timer = setTimer(ms, done);
        signal?.addEventListener('abort', done, { once: true });
      });
    },
    async advance(ms) {
      const until = passed + ms;
      for (;;) {
        const [first, ...others] = [...entries]
          .filter((entry) => entry.at <= until)
          .toSorted((a, b) => a.at - b.at || a.order - b.order);
        if (first === undefined) break;
        const late = first.at + (togetherMs ?? 0);
        const due = togetherMs === undefined ? [first] : [first, ...others.filter(({ at }) => at <= late)];
        passed = Math.max(passed, due.at(-1)?.at ?? 0);
        // One that fires may cancel another.
        for (const entry of due) if (entries.delete(entry)) entry.fn();
        await settle();
      }
      passed = until;
      await settle();
    },
    get timers() {
      return entries.size;
    },
    settleWith(own) {
      settle = own;
    },
  };
}

async function breathe(): Promise<void> {
  for (let turn = 0; turn < TURNS; turn++) await new Promise((resolve) => setImmediate(resolve));
  await new Promise((resolve) => setTimeout(resolve, BREATH_MS));
}
