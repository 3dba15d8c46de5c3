import { statement } from '../db/sql.ts';

export interface OwnEmailRow {
  email_id: number;
  trace: string | null;
  received_at: number;
  blob_id: number;
  prefix: Uint8Array;
  hidden: string | null;
  structure: string;
  blob_size: number;
  orphaned_at: number | null;
}

export const ownEmail = statement<[emailId: number, accountId: number], OwnEmailRow>(
  `SELECT e.id AS email_id, e.trace, e.received_at, e.blob_id, e.prefix, e.hidden, e.structure, e.orphaned_at,
     b.size AS blob_size FROM emails e JOIN blobs b ON b.id = e.blob_id WHERE e.id = ? AND e.account_id = ?`,
);

export const mailboxesOfEmail = statement<
  [emailId: number],
  { id: number; name: string; special_use: string | null; saved_at: number; keywords: string | null }
>(
  `SELECT m.id, m.name, m.special_use, p.saved_at, p.keywords FROM placements p JOIN mailboxes m ON m.id = p.mailbox_id
   WHERE p.email_id = ? ORDER BY p.saved_at DESC, m.id`,
);

export interface DeletedRow {
  email_id: number;
  orphaned_at: number;
  received_at: number;
  size: number;
  envelope: Uint8Array;
  mailbox_id: number | null;
  flags: number | null;
}

/** Emails that lie nowhere, newest first, after one of them; with the place each lay in last. */
export const deletedAfter = statement<
  [accountId: number, at: number, sameAt: number, id: number, limit: number],
  DeletedRow
>(
  `SELECT o.id AS email_id, o.orphaned_at, o.received_at, o.size, o.envelope, t.mailbox_id, t.flags
   FROM (SELECT id, orphaned_at, received_at, size, envelope FROM emails
         WHERE account_id = ? AND orphaned_at IS NOT NULL AND (orphaned_at < ? OR (orphaned_at = ? AND id < ?))
         ORDER BY orphaned_at DESC, id DESC LIMIT ?) o
   LEFT JOIN tombstones t ON t.email_id = o.id AND NOT EXISTS (SELECT 1 FROM tombstones l
     WHERE l.email_id = o.id AND (l.modseq > t.modseq
       OR (l.modseq = t.modseq AND (l.mailbox_id < t.mailbox_id OR (l.mailbox_id = t.mailbox_id AND l.uid > t.uid)))))
   ORDER BY o.orphaned_at DESC, o.id DESC`,
);

export const deletedOne = statement<[emailId: number, accountId: number], { mailbox_id: number | null }>(
  `SELECT (SELECT t.mailbox_id FROM tombstones t WHERE t.email_id = e.id
     ORDER BY t.modseq DESC, t.mailbox_id, t.uid DESC LIMIT 1) AS mailbox_id
   FROM emails e WHERE e.id = ? AND e.account_id = ? AND e.orphaned_at IS NOT NULL`,
);
