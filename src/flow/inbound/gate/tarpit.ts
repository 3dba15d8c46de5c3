import type { Clock } from '../../../base/clock.ts';
import { HourTally } from './tally.ts';

/** Milliseconds a reply waits longer for each recipient too many, and at most. */
const STEP_MS = 2000;
const DELAY_MAX_MS = 10_000;

/** What to do about one reply to RCPT. */
export interface TarpitStep {
  readonly delayMs: number;
  /** Set: end the session; so many recipients were unknown. */
  readonly tooMany: number | undefined;
}

/**
 * Against guessing of addresses: unknown recipients are counted for the session, and for the network within an hour, so
 * that a new session is no new beginning. Recipients that exist count against the latter: a provider of newsletters
 * brings many of both.
 */
export class Tarpit {
  readonly #unknown: HourTally;
  readonly #known: HourTally;

  constructor(clock: Clock, max?: number) {
    this.#unknown = new HourTally(clock, max);
    this.#known = new HourTally(clock, max);
  }

  /** A recipient exists. `session`: unknown ones of the session so far. `after`: settings.tarpit_after. */
  accepted(network: string, session: number, after: number): TarpitStep {
    if (after > 0) this.#known.add(network);
    return { delayMs: delayFor(session, after), tooMany: undefined };
  }

  /** A recipient does not exist; `session` counts it already. */
  unknown(network: string, session: number, after: number): TarpitStep {
    if (after <= 0) return { delayMs: 0, tooMany: undefined };
    this.#unknown.add(network);
    const level = Math.max(session, this.#unknown.count(network) - this.#known.count(network));
    if (level >= 2 * after) return { delayMs: 0, tooMany: level };
    return { delayMs: delayFor(level, after), tooMany: undefined };
  }
}

function delayFor(level: number, after: number): number {
  if (after <= 0 || level <= after) return 0;
  return Math.min(DELAY_MAX_MS, (level - after) * STEP_MS);
}
