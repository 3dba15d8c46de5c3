import { statement } from '../db/sql.ts';

/** What the contract suites look at behind the store's back. */

export const pendingOf = statement<[accountId: number], { email_id: number; label: string; cause: string }>(
  'SELECT email_id, label, cause FROM spam_training WHERE account_id = ? ORDER BY id',
);

export const learnedOf = statement<[accountId: number], { email_id: number; label: string }>(
  'SELECT email_id, label FROM spam_learned WHERE account_id = ? ORDER BY email_id',
);

export const correspondentsOf = statement<[accountId: number], { address: string; sent: number }>(
  'SELECT address, sent FROM correspondents WHERE account_id = ? ORDER BY address',
);

const TABLES = [
  'spam_training',
  'spam_learned',
  'correspondents',
  'sent_message_ids',
  'sender_lists',
  'vault_recipients',
  'known_logins',
  'account_holds',
  'account_volume',
  'complaints',
];

/** Tables that still name an account. */
export const tablesNaming = TABLES.concat('spam_models').map((table) => ({
  table,
  rows: statement<[accountId: number], { count: number }>(
    `SELECT COUNT(*) AS count FROM ${table} WHERE ${table === 'spam_models' ? 'owner' : 'account_id'} = ?`,
  ),
}));

export const sentIdsOf = statement<[accountId: number], { count: number }>(
  'SELECT COUNT(*) AS count FROM sent_message_ids WHERE account_id = ?',
);
