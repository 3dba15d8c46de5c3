import { statement } from '../db/sql.ts';

export interface ContactRow {
  name: string;
  address: string;
  sent: number;
  last_at: number;
}

/** Those written to most and last come first; an account has 5,000 at most (data/spam/senders.sql.ts). */
export const contactsOf = statement<[accountId: number, limit: number], ContactRow>(
  `SELECT name, address, sent, last_at FROM correspondents WHERE account_id = ? AND hidden = 0
   ORDER BY sent DESC, last_at DESC, address LIMIT ?`,
);

export const hideContact = statement<[accountId: number, address: string]>(
  'UPDATE correspondents SET hidden = 1 WHERE account_id = ? AND address = ? AND hidden = 0',
);

export const nameContact = statement<[name: string, accountId: number, address: string]>(
  'UPDATE correspondents SET name = ? WHERE account_id = ? AND address = ?',
);

/** What others call themselves counts where the account has no name for them. */
export const nameUnnamed = statement<[name: string, accountId: number, address: string]>(
  `UPDATE correspondents SET name = ? WHERE account_id = ? AND address = ? AND name = ''`,
);
