import { statement } from '../db/sql.ts';

function newIdsFrom(table: string): string {
  return `SELECT id FROM ${table} WHERE account_id = ? AND id > ? ORDER BY id LIMIT ?`;
}

/** SQLite would read the rows of everybody's mail since then; an account's own entries are few and small. */
export const newIds = statement<[accountId: number, after: number, limit: number], { id: number }>({
  sqlite: newIdsFrom('emails INDEXED BY emails_account'),
  postgres: newIdsFrom('emails'),
});

export const accountsWithMail = statement<[], { account_id: number }>(
  `SELECT account_id FROM account_counters WHERE emails > 0 ORDER BY account_id`,
);

/** The last change of an account's mail, and whether it has any. */
export const mailOf = statement<[accountId: number], { modseq: number; emails: number }>(
  `SELECT modseq, emails FROM account_counters WHERE account_id = ?`,
);

export const emailUids = statement<
  [mailboxId: number, after: number, limit: number],
  { uid: number; email_id: number }
>(`SELECT uid, email_id FROM placements WHERE mailbox_id = ? AND uid > ? ORDER BY uid LIMIT ?`);
