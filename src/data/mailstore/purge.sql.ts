import { statement } from '../db/sql.ts';

export interface DyingEmail {
  id: number;
  account_id: number;
  blob_id: number;
}

export const orphansBefore = statement<[before: number, limit: number], DyingEmail>(
  `SELECT id, account_id, blob_id FROM emails WHERE orphaned_at IS NOT NULL AND orphaned_at < ? ORDER BY orphaned_at LIMIT ?`,
);

export const orphanToRestore = statement<
  [id: number, accountId: number],
  { size: number; received_at: number }
>(`SELECT size, received_at FROM emails WHERE id = ? AND account_id = ? AND orphaned_at IS NOT NULL`);

export const restoreEmail = statement<[id: number]>(`UPDATE emails SET orphaned_at = NULL WHERE id = ?`);

/** Where an email lay last, and how it was marked. */
export const lastTombstone = statement<[emailId: number], { flags: number; keywords: string | null }>(
  `SELECT flags, keywords FROM tombstones WHERE email_id = ? ORDER BY modseq DESC, mailbox_id, uid DESC LIMIT 1`,
);

export const deleteEmail = statement<[id: number]>(`DELETE FROM emails WHERE id = ?`);

/** Delete the octets of a message unless someone still holds them. */
export const deleteUnusedBlob = statement<[id: number], { file: string | null }>(
  `DELETE FROM blobs WHERE id = ?
     AND NOT EXISTS (SELECT 1 FROM emails e WHERE e.blob_id = blobs.id)
     AND NOT EXISTS (SELECT 1 FROM queue_messages q WHERE q.blob_id = blobs.id)
     AND NOT EXISTS (SELECT 1 FROM vault v WHERE v.blob_id = blobs.id)
   RETURNING file`,
);

/** The oldest tombstones. */
export const tombstonesBefore = statement<
  [before: number, limit: number],
  { mailbox_id: number; uid: number; modseq: number; account_id: number }
>(
  `SELECT mailbox_id, uid, modseq, account_id FROM tombstones WHERE expunged_at < ? ORDER BY expunged_at LIMIT ?`,
);

export const deleteTombstone = statement<[mailboxId: number, uid: number]>(
  `DELETE FROM tombstones WHERE mailbox_id = ? AND uid = ?`,
);

export const forgetUpTo = statement<[modseq: number, mailboxId: number, modseq: number]>(
  `UPDATE mailboxes SET forgotten_modseq = ? WHERE id = ? AND forgotten_modseq < ?`,
);

/** The same for an account as a whole: its deleted mailboxes have no row of their own to say it. */
export const forgetAccountUpTo = statement<[modseq: number, accountId: number, modseq: number]>(
  `UPDATE account_counters SET forgotten_modseq = ? WHERE account_id = ? AND forgotten_modseq < ?`,
);

/** Deleted mailboxes that are about to be forgotten. */
export const deadBefore = statement<[before: number], { account_id: number; modseq: number }>(
  `SELECT account_id, MAX(modseq) AS modseq FROM dead_mailboxes WHERE died_at < ? AND subscribed = 0
   GROUP BY account_id ORDER BY account_id`,
);

export const deleteDeadMailboxes = statement<[before: number]>(
  `DELETE FROM dead_mailboxes WHERE died_at < ? AND subscribed = 0`,
);

export const emailsOfAccount = statement<[accountId: number, limit: number], DyingEmail>(
  `SELECT id, account_id, blob_id FROM emails WHERE account_id = ? LIMIT ?`,
);

export const orphanEmailsOfAccount = statement<[at: number, accountId: number]>(
  `UPDATE emails SET orphaned_at = ? WHERE account_id = ? AND orphaned_at IS NULL`,
);

export const deletePlacementsOfAccount = statement<[accountId: number]>(
  `DELETE FROM placements WHERE mailbox_id IN (SELECT id FROM mailboxes WHERE account_id = ?)`,
);
export const deleteTombstonesOfAccount = statement<[accountId: number]>(
  `DELETE FROM tombstones WHERE account_id = ?`,
);
export const deleteMailboxesOfAccount = statement<[accountId: number]>(
  `DELETE FROM mailboxes WHERE account_id = ?`,
);
export const deleteDeadMailboxesOfAccount = statement<[accountId: number]>(
  `DELETE FROM dead_mailboxes WHERE account_id = ?`,
);
export const deleteReferencesOfAccount = statement<[accountId: number]>(
  `DELETE FROM thread_refs WHERE account_id = ?`,
);
export const clearUsage = statement<[accountId: number]>(
  `UPDATE account_counters SET used = 0, emails = 0 WHERE account_id = ?`,
);
