import { statement } from '../db/sql.ts';

/** Mailboxes of that use with anything in them, of accounts that are not removed, in the order of their ids. */
export const mailboxesOfUse = statement<
  [specialUse: string, after: number, limit: number],
  { id: number; account_id: number; address: string }
>(
  `SELECT m.id, m.account_id, a.address FROM mailboxes m JOIN accounts a ON a.id = m.account_id
   WHERE m.special_use = ? AND m.id > ? AND m.messages > 0 AND a.status <> 'removed' ORDER BY m.id LIMIT ?`,
);

export const savedBefore = statement<[mailboxId: number, before: number, limit: number], { uid: number }>(
  'SELECT uid FROM placements WHERE mailbox_id = ? AND saved_at < ? ORDER BY uid LIMIT ?',
);

export interface QuotaRow {
  id: number;
  address: string;
  quota: number;
  used: number;
  told: number | null;
}

/** Accounts that use this share (percent) of their quota or more, and those that were told once. */
export const fillingAccounts = statement<[percent: number, after: number, limit: number], QuotaRow>(
  `SELECT a.id, a.address, a.quota, c.used, t.percent AS told FROM accounts a
   JOIN account_counters c ON c.account_id = a.id LEFT JOIN quota_told t ON t.account_id = a.id
   WHERE a.status <> 'removed' AND ((a.quota > 0 AND c.used * 100 >= a.quota * ?) OR t.percent IS NOT NULL)
     AND a.id > ? ORDER BY a.id LIMIT ?`,
);

export const toldOf = statement<[accountId: number], { percent: number }>(
  'SELECT percent FROM quota_told WHERE account_id = ?',
);

export const putTold = statement<[accountId: number, percent: number, at: number]>(
  `INSERT INTO quota_told (account_id, percent, told_at) VALUES (?, ?, ?)
   ON CONFLICT (account_id) DO UPDATE SET percent = excluded.percent, told_at = excluded.told_at`,
);

export const deleteTold = statement<[accountId: number]>('DELETE FROM quota_told WHERE account_id = ?');
