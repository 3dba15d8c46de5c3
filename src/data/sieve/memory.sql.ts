import { statement } from '../db/sql.ts';

export const remembered = statement<[accountId: number, key: string, now: number], { expires_at: number }>(
  'SELECT expires_at FROM sieve_memory WHERE account_id = ? AND key = ? AND expires_at > ?',
);

/** Nothing is changed where it is remembered and has not expired. */
export const rememberOnce = statement<[accountId: number, key: string, expiresAt: number, now: number]>(
  `INSERT INTO sieve_memory (account_id, key, expires_at) VALUES (?, ?, ?)
   ON CONFLICT (account_id, key) DO UPDATE SET expires_at = excluded.expires_at
   WHERE sieve_memory.expires_at <= ?`,
);

export const remember = statement<[accountId: number, key: string, expiresAt: number]>(
  `INSERT INTO sieve_memory (account_id, key, expires_at) VALUES (?, ?, ?)
   ON CONFLICT (account_id, key) DO UPDATE SET expires_at = excluded.expires_at`,
);

/** At most so many rows, so that others wait only for a moment. */
export const forgetExpired = statement<[now: number, limit: number]>(
  `DELETE FROM sieve_memory WHERE (account_id, key) IN
     (SELECT account_id, key FROM sieve_memory WHERE expires_at <= ? LIMIT ?)`,
);

export const dayOf = statement<
  [accountId: number, day: number],
  { redirects: number; replies: number; remembered: number }
>('SELECT redirects, replies, remembered FROM sieve_days WHERE account_id = ? AND day = ?');

export const countDay = statement<
  [accountId: number, day: number, redirects: number, replies: number, remembered: number]
>(
  `INSERT INTO sieve_days (account_id, day, redirects, replies, remembered) VALUES (?, ?, ?, ?, ?)
   ON CONFLICT (account_id, day) DO UPDATE SET redirects = sieve_days.redirects + excluded.redirects,
     replies = sieve_days.replies + excluded.replies, remembered = sieve_days.remembered + excluded.remembered`,
);

export const forgetDays = statement<[before: number]>('DELETE FROM sieve_days WHERE day < ?');
