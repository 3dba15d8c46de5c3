import type { Clock } from '../../../base/clock.ts';
import { Refusal } from '../../../base/errors.ts';
import { KeyedTurns } from '../../../base/keyed-turns.ts';

/** How much of something one account may do: at a time, and in a while. */
export interface Pace {
  /** Runs `work` when there is room for it, or throws Refusal 'limit'. */
  within<T>(accountId: number, work: () => Promise<T>): Promise<T>;
}

export interface PaceLimits {
  /** At the same time; some more wait for their turn (a page asks for all its pictures at once). */
  readonly atOnce: number;
  /** How many wait; 8 when absent. */
  readonly waiting?: number;
  /** In one window. */
  readonly perWindow: number;
  /** Milliseconds. */
  readonly windowMs: number;
  /** What is limited, for the words: "pictures". */
  readonly what: string;
}

/** Accounts that are remembered; beyond it those whose window is over go. */
const ACCOUNTS = 10_000;
const WAITING = 8;

export function createPace(clock: Clock, limits: PaceLimits): Pace {
  const { atOnce, waiting = WAITING, perWindow, windowMs, what } = limits;
  const turns = new KeyedTurns(atOnce, waiting);
  const accounts = new Map<number, { used: number; since: number }>();
  const entry = (accountId: number): { used: number; since: number } => {
    const now = clock.monotonic();
    const known = accounts.get(accountId);
    if (known !== undefined) {
      if (now - known.since >= windowMs) Object.assign(known, { used: 0, since: now });
      return known;
    }
    if (accounts.size >= ACCOUNTS) {
      for (const [id, each] of accounts) if (now - each.since >= windowMs) accounts.delete(id);
    }
    const made = { used: 0, since: now };
    accounts.set(accountId, made);
    return made;
  };
  return {
    async within(accountId, work) {
      const mine = entry(accountId);
      if (mine.used >= perWindow)
        throw new Refusal('limit', `That were too many ${what} for now; try again in a while.`);
      const turn = turns.take(accountId);
      if (turn === undefined) throw new Refusal('limit', `At most ${atOnce} ${what} at once, please.`);
      mine.used++;
      const end = await turn;
      try {
        return await work();
      } finally {
        end();
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
    images: createPace(clock, {
      atOnce: 8,
      waiting: 100,
      perWindow: 600,
      windowMs: MINUTE,
      what: 'pictures',
    }),
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
