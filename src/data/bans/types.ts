/** What the brakes against password guessing work with. Times are milliseconds since the epoch unless said otherwise. */

/** A network may not log in at all; an account cannot be logged in to from places that it does not know. */
export type BanKind = 'network' | 'account';

/** guessing: by the counters. manual: an administrator's. */
export type BanCause = 'guessing' | 'manual';

export interface Ban {
  readonly kind: BanKind;
  /** The network in its one spelling, or the primary address of the account. */
  readonly subject: string;
  readonly cause: BanCause;
  /** The administrator's words, or what happened. */
  readonly reason: string;
  /** How many in a row of this subject, each twice as long; 0 for a manual one, which is no part of the row. */
  readonly offences: number;
  readonly since: number;
  readonly until: number;
}

export interface Exemption {
  readonly network: string;
  readonly note: string;
  readonly since: number;
}

/** The site's wishes; flow/spam/settings.ts `bans` has this shape. */
export interface BanSettings {
  readonly enabled: boolean;
  /** Failed logins of one network within `window_s` seconds that ban it. */
  readonly failures: number;
  readonly window_s: number;
  /** Seconds of the first ban. */
  readonly first_s: number;
  readonly exempt: readonly string[];
}

/** Where an account logged in from. */
export interface KnownPlace {
  readonly accountId: number;
  /** An IPv4 address or an IPv6 /64. */
  readonly network: string;
  readonly lastAt: number;
}

/** A ban as the client it refuses is told of it. */
export interface BanNotice {
  readonly ban: Ban;
  /** One sentence without a full stop, for a reply: why, and until when. */
  readonly text: string;
}

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

/** Milliseconds that an earlier ban counts for the length of the next, from its end; also the longest ban. */
export const BAN_MEMORY_MS = 30 * DAY;
/** Milliseconds of the longest brake on an account: its owner may be in a new place, and has done nothing wrong. */
export const ACCOUNT_BAN_MAX_MS = 60 * MINUTE;
/** Milliseconds since the last login from a place in which the account knows it. */
export const KNOWN_MS = 30 * DAY;

/** How long the ban number `offences` of a subject is: twice the one before, up to `maxMs`. */
export function banLength(firstMs: number, offences: number, maxMs: number = BAN_MEMORY_MS): number {
  const most = Math.max(firstMs, maxMs);
  // 2^40 times a second is over any maximum; more would only lose precision.
  return Math.min(firstMs * 2 ** Math.min(Math.max(offences, 1) - 1, 40), Math.min(most, BAN_MEMORY_MS));
}
