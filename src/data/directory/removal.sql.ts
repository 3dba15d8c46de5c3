import { statement } from '../db/sql.ts';

/** Deleting for good what an account had. */

export const deletePlacements = statement<[accountId: number]>(
  'DELETE FROM placements WHERE mailbox_id IN (SELECT id FROM mailboxes WHERE account_id = ?)',
);

export const emailsOf = statement<[accountId: number, limit: number], { id: number; blob_id: number }>(
  'SELECT id, blob_id FROM emails WHERE account_id = ? LIMIT ?',
);

export const deleteEmail = statement<[id: number]>('DELETE FROM emails WHERE id = ?');

export const deleteTombstones = statement<[accountId: number]>('DELETE FROM tombstones WHERE account_id = ?');
export const deleteDeadMailboxes = statement<[accountId: number]>('DELETE FROM dead_mailboxes WHERE account_id = ?');
export const deleteThreadRefs = statement<[accountId: number]>('DELETE FROM thread_refs WHERE account_id = ?');
export const deleteMailboxes = statement<[accountId: number]>('DELETE FROM mailboxes WHERE account_id = ?');
export const deleteCredential = statement<[accountId: number]>('DELETE FROM credentials WHERE account_id = ?');
export const deleteGrants = statement<[accountId: number]>('DELETE FROM sender_grants WHERE account_id = ?');
export const deleteCounters = statement<[accountId: number]>('DELETE FROM account_counters WHERE account_id = ?');
export const deleteAccount = statement<[id: number]>('DELETE FROM accounts WHERE id = ?');

export const removedBefore = statement<[before: number, limit: number], { id: number }>(
  `SELECT id FROM accounts WHERE status = 'removed' AND removed_at < ? ORDER BY removed_at LIMIT ?`,
);
