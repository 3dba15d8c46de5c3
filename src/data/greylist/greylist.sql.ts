import { statement } from '../db/sql.ts';

export interface GreylistRow {
  readonly network: string;
  readonly domain: string;
  readonly first_at: number;
  readonly last_at: number;
  readonly tries: number;
  readonly passed_at: number | null;
}

export const entryOf = statement<[network: string, domain: string], GreylistRow>(
  'SELECT network, domain, first_at, last_at, tries, passed_at FROM greylist WHERE network = ? AND domain = ?',
);

/** A pair begins, or begins anew. */
export const putEntry = statement<
  [network: string, domain: string, firstAt: number, lastAt: number, tries: number, passedAt: number | null]
>(
  `INSERT INTO greylist (network, domain, first_at, last_at, tries, passed_at) VALUES (?, ?, ?, ?, ?, ?)
   ON CONFLICT (network, domain) DO UPDATE SET first_at = excluded.first_at, last_at = excluded.last_at,
     tries = excluded.tries, passed_at = excluded.passed_at`,
);

/** Waiting pairs last seen before the first time, and all last seen before the second. */
export const forgetOld = statement<[waitingBefore: number, before: number]>(
  'DELETE FROM greylist WHERE last_at < ? AND (passed_at IS NULL OR last_at < ?)',
);

/** When the pair was last seen that stands at this place, the newest being at 0. */
export const lastSeenAt = statement<[place: number], { last_at: number }>(
  'SELECT last_at FROM greylist ORDER BY last_at DESC LIMIT 1 OFFSET ?',
);

export const forgetBefore = statement<[before: number]>('DELETE FROM greylist WHERE last_at < ?');
