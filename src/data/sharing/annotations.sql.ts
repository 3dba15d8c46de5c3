import { statement } from '../db/sql.ts';

/** Annotations (RFC 5464) of mailboxes and of the server. `viewer` 0: shared. */

export interface AnnotationRow {
  viewer: number;
  entry: string;
  value: Uint8Array;
}

export const ofMailbox = statement<[mailboxId: number, viewer: number], AnnotationRow>(
  `SELECT viewer, entry, value FROM mailbox_annotations WHERE mailbox_id = ? AND viewer IN (0, ?)
   ORDER BY viewer, entry`,
);

export const ofServer = statement<[viewer: number], AnnotationRow>(
  `SELECT viewer, entry, value FROM server_annotations WHERE viewer IN (0, ?) ORDER BY viewer, entry`,
);

export const putOfMailbox = statement<
  [mailboxId: number, viewer: number, entry: string, modseq: number, value: Uint8Array]
>(
  `INSERT INTO mailbox_annotations (mailbox_id, viewer, entry, modseq, value) VALUES (?, ?, ?, ?, ?)
   ON CONFLICT (mailbox_id, viewer, entry) DO UPDATE SET value = excluded.value, modseq = excluded.modseq`,
);

export const putOfServer = statement<[viewer: number, entry: string, modseq: number, value: Uint8Array]>(
  `INSERT INTO server_annotations (viewer, entry, modseq, value) VALUES (?, ?, ?, ?)
   ON CONFLICT (viewer, entry) DO UPDATE SET value = excluded.value, modseq = excluded.modseq`,
);

export const raiseMailbox = statement<[modseq: number, mailboxId: number]>(
  `UPDATE mailboxes SET modseq = ? WHERE id = ?`,
);

/** What is said of one mailbox is said of another too. */
export const copyOfMailbox = statement<[targetId: number, modseq: number, sourceId: number]>(
  `INSERT INTO mailbox_annotations (mailbox_id, viewer, entry, modseq, value)
   SELECT CAST(? AS BIGINT), viewer, entry, CAST(? AS BIGINT), value FROM mailbox_annotations WHERE mailbox_id = ?`,
);

export const deleteOfMailbox = statement<[mailboxId: number, viewer: number, entry: string]>(
  `DELETE FROM mailbox_annotations WHERE mailbox_id = ? AND viewer = ? AND entry = ?`,
);

export const deleteOfServer = statement<[viewer: number, entry: string]>(
  `DELETE FROM server_annotations WHERE viewer = ? AND entry = ?`,
);

/** Octets and entries that count towards somebody: their private ones everywhere. */
export const usedPrivately = statement<[viewer: number, viewer2: number], { octets: number }>(
  `SELECT (SELECT COALESCE(SUM(LENGTH(entry) + LENGTH(value)), 0) FROM mailbox_annotations WHERE viewer = ?)
     + (SELECT COALESCE(SUM(LENGTH(entry) + LENGTH(value)), 0) FROM server_annotations WHERE viewer = ?) AS octets`,
);

/** The shared ones of an account's mailboxes. */
export const usedShared = statement<[accountId: number], { octets: number }>(
  `SELECT COALESCE(SUM(LENGTH(n.entry) + LENGTH(n.value)), 0) AS octets
   FROM mailboxes m JOIN mailbox_annotations n ON n.mailbox_id = m.id AND n.viewer = 0 WHERE m.account_id = ?`,
);

export const privateCount = statement<[mailboxId: number, viewer: number], { n: number }>(
  `SELECT COUNT(*) AS n FROM mailbox_annotations WHERE mailbox_id = ? AND viewer = ?`,
);

export const serverCount = statement<[viewer: number], { n: number }>(
  `SELECT COUNT(*) AS n FROM server_annotations WHERE viewer = ?`,
);

export interface MarkRow {
  mailbox_id: number;
  viewer: number;
  entry: string;
  modseq: number;
}

/** Which annotations of an owner's mailboxes somebody sees, and when each was set. */
export const marksOfOwner = statement<[ownerId: number, viewer: number], MarkRow>(
  `SELECT n.mailbox_id, n.viewer, n.entry, n.modseq FROM mailboxes m
   JOIN mailbox_annotations n ON n.mailbox_id = m.id WHERE m.account_id = ? AND n.viewer IN (0, ?)`,
);

export const marksOfServer = statement<[viewer: number], MarkRow>(
  `SELECT 0 AS mailbox_id, viewer, entry, modseq FROM server_annotations WHERE viewer IN (0, ?)`,
);
