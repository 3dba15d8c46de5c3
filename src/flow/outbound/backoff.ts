const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

/** Waits after the first, second, ... failed attempt; the last one repeats. Greylisting is mostly over by the second. */
const WAITS = [MINUTE, 5 * MINUTE, 15 * MINUTE, 30 * MINUTE, HOUR, 2 * HOUR, 4 * HOUR] as const;
/** Part of a wait by which it varies either way, so that messages deferred together do not come back together. */
const JITTER = 0.15;

/** Milliseconds to wait after `attempts` failed attempts; `random` in [0, 1). */
export function backoff(attempts: number, random: number): number {
  const wait = WAITS[Math.min(Math.max(attempts, 1), WAITS.length) - 1] ?? 4 * HOUR;
  return Math.round(wait * (1 - JITTER + 2 * JITTER * random));
}
