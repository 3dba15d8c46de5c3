import { statement } from '../db/sql.ts';

/** Rows that still name an account. */
export const rowsOfAccount = statement<
  [id: number, id2: number, id3: number, id4: number, id5: number, id6: number],
  { rows: number }
>(
  `SELECT (SELECT COUNT(*) FROM accounts WHERE id = ?) + (SELECT COUNT(*) FROM account_counters WHERE account_id = ?)
     + (SELECT COUNT(*) FROM credentials WHERE account_id = ?) + (SELECT COUNT(*) FROM sender_grants WHERE account_id = ?)
     + (SELECT COUNT(*) FROM mailboxes WHERE account_id = ?) + (SELECT COUNT(*) FROM emails WHERE account_id = ?) AS rows`,
);
