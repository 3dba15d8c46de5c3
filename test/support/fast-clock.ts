import { type Clock, systemClock, type Timer } from '../../src/base/clock.ts';

/** A clock that runs `factor` times as fast from a moment on: real timers, real processes, a day of retries in minutes. */
export function fastClock(factor: number, beginMs: number): Clock {
  return {
    now: () => beginMs + (systemClock.now() - beginMs) * factor,
    monotonic: () => systemClock.monotonic() * factor,
    setTimer: (ms, fn): Timer => systemClock.setTimer(ms / factor, fn),
    sleep: (ms, signal) => systemClock.sleep(ms / factor, signal),
  };
}
