import type { IntakeCase } from './case.ts';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** Milliseconds until the first new try, twice as long after each, and at most. */
const FIRST_RETRY_MS = 15 * SECOND;
const LONGEST_RETRY_MS = HOUR;
/** Milliseconds that mail waits for DNS to say who sent it (port 25 has its senders come again for as long as they like). */
export const PATIENCE_MS = 4 * HOUR;
/** Milliseconds after which the removal of what we had no time to remove is made up for. */
const REMOVE_AGAIN_MS = MINUTE;
/** Milliseconds that a recipient is tried where the queue has no limit. */
const GIVE_UP_MS = 5 * DAY;

/** Milliseconds to wait after so many failed tries. */
export function backoffMs(attempts: number): number {
  return Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** Math.min(attempts, 20));
}

/** When an object that has to wait is tried again. */
export function retryAt({ deps, before }: IntakeCase): number {
  return deps.clock.now() + backoffMs(before?.attempts ?? 0);
}

/** When an object that everybody has is to be removed, if that is not done at once. */
export function removalAt({ deps, source }: IntakeCase, guessed: boolean): number {
  const { keep_minutes: keep, guessed_days: days } = source.settings;
  const kept = guessed ? days * DAY : keep * MINUTE;
  return deps.clock.now() + Math.max(kept, REMOVE_AGAIN_MS);
}

/** Whether it may be removed as soon as everybody has it. */
export function removesAtOnce({ source }: IntakeCase): boolean {
  return source.settings.keep_minutes === 0;
}

/** Whether recipients that could not be reached for so long are given up: as the queue does it. */
export function isOver({ deps, receivedAt }: IntakeCase): boolean {
  return deps.clock.now() - receivedAt > (deps.settings.expireAfterMs ?? GIVE_UP_MS);
}
