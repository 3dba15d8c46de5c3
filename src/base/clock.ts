/**
 * Time as an argument. Nothing outside this file reads the time or sets a timer (`npm run check` enforces it),
 * so a test can run a week of retries and expiries in minutes.
 */

export interface Timer {
  /** Stop the timer; a cancelled timer never fires. Cancelling twice is harmless. */
  cancel(): void;
  /** Start the full delay again from now, cheaper than cancel + setTimer. */
  refresh(): void;
}

export interface Clock {
  /** Milliseconds since the Unix epoch. May jump when the machine's time is set. */
  now(): number;
  /** Milliseconds from an arbitrary origin, never going backwards: for measuring durations. */
  monotonic(): number;
  /** Call `fn` once after `ms` milliseconds. Delays beyond the platform's 2^31-1 ms limit are honoured. */
  setTimer(ms: number, fn: () => void): Timer;
  /** Resolve after `ms` milliseconds, or at once when `signal` aborts (it never rejects). */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

/** The longest delay setTimeout takes; longer ones would fire at once. */
const MAX_TIMEOUT_MS = 2 ** 31 - 1;

class SystemTimer implements Timer {
  readonly #ms: number;
  readonly #fn: () => void;
  #left: number;
  #handle: NodeJS.Timeout;
  #cancelled = false;

  constructor(ms: number, fn: () => void) {
    this.#ms = ms;
    this.#fn = fn;
    this.#left = ms;
    this.#handle = this.#arm();
  }

  #arm(): NodeJS.Timeout {
    const step = Math.min(Math.max(this.#left, 0), MAX_TIMEOUT_MS);
    this.#left -= step;
    return setTimeout(() => {
      if (this.#left > 0) this.#handle = this.#arm();
      else this.#fn();
    }, step);
  }

  cancel(): void {
    this.#cancelled = true;
    clearTimeout(this.#handle);
  }

  refresh(): void {
    if (this.#cancelled) return;
    if (this.#ms <= MAX_TIMEOUT_MS) {
      this.#handle.refresh();
      return;
    }
    clearTimeout(this.#handle);
    this.#left = this.#ms;
    this.#handle = this.#arm();
  }
}

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  setTimer: (ms, fn) => new SystemTimer(ms, fn),
  sleep(ms, signal) {
    return new Promise((resolve) => {
      if (signal?.aborted) {
        resolve();
        return;
      }
      const done = (): void => {
        timer.cancel();
        signal?.removeEventListener('abort', done);
        resolve();
      };
      const timer = new SystemTimer(ms, done);
      signal?.addEventListener('abort', done, { once: true });
    });
  },
};

/** Run `fn` every `ms` milliseconds until cancelled; a run that takes longer delays the next, runs never overlap. */
export function every(clock: Clock, ms: number, fn: () => void | Promise<void>): { cancel(): void } {
  let stopped = false;
  let timer: Timer | undefined;
  const arm = (): void => {
    if (stopped) return;
    timer = clock.setTimer(ms, () => {
      void Promise.resolve(fn()).finally(arm);
    });
  };
  arm();
  return {
    cancel() {
      stopped = true;
      timer?.cancel();
    },
  };
}
