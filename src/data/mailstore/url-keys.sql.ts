import { statement } from '../db/sql.ts';

export const urlKeyOf = statement<[mailboxId: number, accountId: number], { secret: Uint8Array }>(
  `SELECT secret FROM mailbox_url_keys WHERE mailbox_id = ? AND account_id = ?`,
);

/** Nothing when there is one. */
export const insertUrlKey = statement<[mailboxId: number, accountId: number, secret: Uint8Array]>(
  `INSERT INTO mailbox_url_keys (mailbox_id, account_id, secret) VALUES (?, ?, ?)
   ON CONFLICT (mailbox_id, account_id) DO NOTHING`,
);

export const deleteUrlKey = statement<[mailboxId: number, accountId: number]>(
  `DELETE FROM mailbox_url_keys WHERE mailbox_id = ? AND account_id = ?`,
);

export const deleteUrlKeys = statement<[accountId: number]>(
  `DELETE FROM mailbox_url_keys WHERE account_id = ?`,
);
