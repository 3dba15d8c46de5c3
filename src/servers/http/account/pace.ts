import type { Clock } from '../../../base/clock.ts';
import { Refusal } from '../../../base/errors.ts';

/** How much of something one account may do: at a time, and in a while. */
export interface Pace {
  /** Runs `work`, or throws Refusal 'limit'. */
  within<T>(accountId: number, work: () => Promise<T>): Promise<T>;
}

export interface PaceLimits {
  /** At the same time. */
  readonly atOnce: number;
  /** In one window. */
  readonly perWindow: number;
  /** Milliseconds. */
  readonly windowMs: number;
  /** What is limited, for the words: "pictures". */
  readonly what: string;
}

/** Accounts that are remembered; beyond it those whose window is over go. */
const ACCOUNTS = 10_000;

export function createPace(clock: Clock, limits: PaceLimits): Pace {
  const { atOnce, perWindow, windowMs, what } = limits;
  const accounts = new Map<number, { running: number; used: number; since: number }>();
  const entry = (accountId: number): { running: number; used: number; since: number } => {
    const now = clock.monotonic();
    const known = accounts.get(accountId);
    if (known !== undefined) {
      if (now - known.since >= windowMs) Object.assign(known, { used: 0, since: now });
      return known;
    }
    if (accounts.size >= ACCOUNTS) {
      for (const [id, each] of accounts)
        if (each.running === 0 && now - each.since >= windowMs) accounts.delete(id);
    }
    const made = { running: 0, used: 0, since: now };
    accounts.set(accountId, made);
    return made;
  };
  return {
    async within(accountId, work) {
      const mine = entry(accountId);
      if (mine.running >= atOnce) throw new Refusal('limit', `At most ${atOnce} ${what} at once, please.`);
      if (mine.used >= perWindow)
        throw new Refusal('limit', `That were too many ${what} for now; try again in a while.`);
      mine.running++;
      mine.used++;
      try {
        return await work();
      } finally {
        mine.running--;
      }
    },
  };
}

export interface AccountPaces {
  readonly images: Pace;
  readonly unsubscribes: Pace;
  readonly masked: Pace;
  readonly keys: Pace;
  readonly lookups: Pace;
  readonly authorities: Pace;
}

const MINUTE = 60_000;

export function createPaces(clock: Clock): AccountPaces {
  return {
    images: createPace(clock, { atOnce: 8, perWindow: 600, windowMs: MINUTE, what: 'pictures' }),
    unsubscribes: createPace(clock, {
      atOnce: 2,
      perWindow: 60,
      windowMs: 60 * MINUTE,
      what: 'unsubscriptions',
    }),
    masked: createPace(clock, {
      atOnce: 2,
      perWindow: 60,
      windowMs: 60 * MINUTE,
      what: 'new masked addresses',
    }),
    keys: createPace(clock, { atOnce: 4, perWindow: 300, windowMs: 60 * MINUTE, what: 'keys' }),
    // Each tells a domain that somebody reads, and asks a host of its choice.
    lookups: createPace(clock, { atOnce: 2, perWindow: 60, windowMs: 60 * MINUTE, what: 'look-ups of keys' }),
    authorities: createPace(clock, { atOnce: 4, perWindow: 120, windowMs: MINUTE, what: 'certificates' }),
  };
}
