import type { Clock } from '../../../base/clock.ts';
import { Refusal } from '../../../base/errors.ts';
import { WindowCounts } from '../../../data/bans/counters.ts';
import { canonicalAddress, clientNetwork } from '../../../net/ip.ts';

const MINUTE = 60_000;
/** Subjects whose requests are counted at a time. */
const SUBJECTS = 20_000;

/** How often something may be done by one subject: an address, an account. */
const PACES = {
  /** Requests to sign in, from an address. The guard of logins counts wrong passwords besides. */
  signIn: { most: 120, windowMs: 5 * MINUTE },
  /** Second factors and confirmations tried of an account, wherever they come from: a code has six digits. */
  secondFactor: { most: 15, windowMs: 30 * MINUTE },
  /** Clients that an address registers. */
  register: { most: 20, windowMs: 60 * MINUTE },
  /** Requests for tokens, from an address. */
  token: { most: 300, windowMs: 5 * MINUTE },
  /** Requests of clients to be let in, from an address. */
  authorize: { most: 120, windowMs: 5 * MINUTE },
} as const;
export type PaceName = keyof typeof PACES;

export interface Paces {
  /** Count one, or throw Refusal 'limit' when there were too many. */
  count(name: PaceName, subject: string | number): void;
}

export function createPaces(clock: Clock): Paces {
  // Each by itself: strangers with many addresses make nobody forget the codes that were tried of an account.
  const all = new Map(Object.keys(PACES).map((name) => [name, new WindowCounts(SUBJECTS)]));
  return {
    count(name, subject) {
      const { most, windowMs } = PACES[name];
      const counts = all.get(name);
      if (counts === undefined) return;
      const key = subjectOf(subject);
      if (counts.count(key, clock.now(), windowMs) >= most)
        throw new Refusal('limit', 'Too many attempts; try again in half an hour.');
      counts.add(key, clock.now(), windowMs);
    },
  };
}

/** Who has one IPv6 address has 2^64 of them. */
function subjectOf(subject: string | number): string {
  const address = typeof subject === 'string' ? canonicalAddress(subject) : undefined;
  return address === undefined ? String(subject) : clientNetwork(address);
}
