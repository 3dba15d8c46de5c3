import { statement } from '../db/sql.ts';

/** What stands in an account's counters after a write took its modseq. */
export interface CountersRow {
  modseq: number;
  used: number;
  emails: number;
  uidvalidity: number;
}

/** Take the next modseq. Under PostgreSQL this also locks the account's mail until the commit. */
export const takeModseq = statement<[accountId: number], CountersRow>(
  `UPDATE account_counters SET modseq = modseq + 1 WHERE account_id = ?
   RETURNING modseq, used, emails, uidvalidity`,
);

/** Take the next modseq and room for one email, when the account exists and its quota allows it. */
export const takeRoom = statement<
  [size: number, accountId: number, size: number, ignoreQuota: number],
  { modseq: number }
>(
  `UPDATE account_counters SET modseq = modseq + 1, used = used + ?, emails = emails + 1
   WHERE account_id = ? AND EXISTS (SELECT 1 FROM accounts a WHERE a.id = account_counters.account_id
     AND a.status <> 'removed' AND ((a.quota = 0 OR account_counters.used + ? <= a.quota)
       AND (a.quota_messages = 0 OR account_counters.emails < a.quota_messages) OR ? = 1))
   RETURNING modseq`,
);

/** Wait for the account's other writers, change nothing. */
export const lockAccountOf = statement<[mailboxId: number]>(
  `UPDATE account_counters SET modseq = modseq WHERE account_id = (SELECT account_id FROM mailboxes WHERE id = ?)`,
);

/** Wait for the account's other writers, change nothing. */
export const lockAccount = statement<[accountId: number]>(
  'UPDATE account_counters SET modseq = modseq WHERE account_id = ?',
);

export const addUsage = statement<[octets: number, emails: number, accountId: number]>(
  `UPDATE account_counters SET used = used + ?, emails = emails + ? WHERE account_id = ?`,
);

export const setUidvalidity = statement<[uidvalidity: number, accountId: number]>(
  `UPDATE account_counters SET uidvalidity = ? WHERE account_id = ?`,
);

export const addCounters = statement<[accountId: number]>(
  `INSERT INTO account_counters (account_id, modseq, used, emails, uidvalidity) VALUES (?, 1, 0, 0, 0)
   ON CONFLICT (account_id) DO NOTHING`,
);

export const accountAlive = statement<[accountId: number], { id: number }>(
  `SELECT id FROM accounts WHERE id = ? AND status <> 'removed'`,
);

export const quotaOf = statement<
  [accountId: number],
  { used: number; emails: number; quota: number; quota_messages: number }
>(
  `SELECT c.used, c.emails, a.quota, a.quota_messages FROM account_counters c JOIN accounts a ON a.id = c.account_id
   WHERE c.account_id = ?`,
);
