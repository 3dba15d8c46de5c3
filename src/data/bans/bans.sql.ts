import { statement } from '../db/sql.ts';

/** Bans, exemptions, and the places that accounts are known to log in from. */

export interface BanRow {
  kind: string;
  subject: string;
  cause: string;
  offences: number;
  created_at: number;
  until: number;
}

const BAN = 'kind, subject, cause, offences, created_at, until';

export const insertBan = statement<
  [kind: string, subject: string, cause: string, offences: number, now: number, until: number]
>('INSERT INTO bans (kind, subject, cause, offences, created_at, until) VALUES (?, ?, ?, ?, ?, ?)');

/** Not lifted, and over after a time: the rows that count for the next ban, and those that hold. */
export const bansAfter = statement<[after: number, limit: number], BanRow>(
  `SELECT ${BAN} FROM bans WHERE until > ? AND lifted_at IS NULL ORDER BY until DESC LIMIT ?`,
);

export const bansOfSubject = statement<[kind: string, subject: string, after: number], BanRow>(
  `SELECT ${BAN} FROM bans WHERE kind = ? AND subject = ? AND until > ? AND lifted_at IS NULL ORDER BY until DESC`,
);

/** All of a subject at once: what is lifted does not make the next ban longer either. */
export const liftBans = statement<[now: number, by: string, kind: string, subject: string, after: number]>(
  `UPDATE bans SET lifted_at = ?, lifted_by = ?
   WHERE kind = ? AND subject = ? AND until > ? AND lifted_at IS NULL`,
);

export const deleteBansBefore = statement<[before: number, limit: number]>(
  'DELETE FROM bans WHERE id IN (SELECT id FROM bans WHERE until < ? ORDER BY until LIMIT ?)',
);

export const allExemptions = statement<[], { network: string; note: string; created_at: number }>(
  'SELECT network, note, created_at FROM ban_exemptions ORDER BY network',
);

export const exemptionOf = statement<[network: string], { note: string }>(
  'SELECT note FROM ban_exemptions WHERE network = ?',
);

export const putExemption = statement<[network: string, note: string, now: number]>(
  `INSERT INTO ban_exemptions (network, note, created_at) VALUES (?, ?, ?)
   ON CONFLICT (network) DO UPDATE SET note = excluded.note`,
);

export const deleteExemption = statement<[network: string]>('DELETE FROM ban_exemptions WHERE network = ?');

/** Of an account that is still there: it may have been removed for good since it logged in. */
export const putKnownLogin = statement<[accountId: number, network: string, at: number, sameId: number]>(
  `INSERT INTO known_logins (account_id, network, last_at)
   SELECT CAST(? AS BIGINT), CAST(? AS TEXT), CAST(? AS BIGINT) WHERE EXISTS (SELECT 1 FROM accounts WHERE id = ?)
   ON CONFLICT (account_id, network) DO UPDATE SET last_at = excluded.last_at
   WHERE excluded.last_at > known_logins.last_at`,
);

export const knownLoginsAfter = statement<
  [after: number, accountId: number, sameId: number, network: string, limit: number],
  { account_id: number; network: string; last_at: number }
>(
  `SELECT account_id, network, last_at FROM known_logins
   WHERE last_at > ? AND (account_id > ? OR (account_id = ? AND network > ?))
   ORDER BY account_id, network LIMIT ?`,
);

export const deleteKnownBefore = statement<[before: number]>('DELETE FROM known_logins WHERE last_at < ?');
