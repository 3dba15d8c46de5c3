import type { Clock, Timer } from '../../src/base/clock.ts';

/** A clock that stands still until told to move: timers fire in order while it passes their time. */
export interface ManualClock extends Clock {
  /** Move on by `ms` milliseconds, firing what is due on the way. */
  advance(ms: number): void;
  /** Timers set and not yet fired or cancelled. */
  readonly timers: number;
}

interface Entry {
  at: number;
  readonly ms: number;
  readonly fn: () => void;
}

export function manualClock(startMs = Date.UTC(2030, 0, 1)): ManualClock {
  let passed = 0;
  const entries = new Set<Entry>();

  function setTimer(ms: number, fn: () => void): Timer {
    const entry: Entry = { at: passed + ms, ms, fn };
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
        if (signal?.aborted) return resolve();
        const timer = setTimer(ms, resolve);
        signal?.addEventListener('abort', () => {
          timer.cancel();
          resolve();
        });
      });
    },
    advance(ms) {
      const until = passed + ms;
      for (;;) {
        const due = [...entries].filter((entry) => entry.at <= until).toSorted((a, b) => a.at - b.at)[0];
        if (due === undefined) break;
        passed = Math.max(passed, due.at);
        entries.delete(due);
        due.fn();
      }
      passed = until;
    },
    get timers() {
      return entries.size;
    },
  };
}
