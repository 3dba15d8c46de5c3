import { statement } from '../db/sql.ts';

export interface PlaceRow {
  uid: number;
  email_id: number;
  modseq: number;
  created_modseq: number;
  flags: number;
  keywords: string | null;
  size: number;
  received_at: number;
  thread_id: number;
  sent_at: number | null;
}

const PLACES = `SELECT p.uid, p.email_id, p.modseq, p.created_modseq, p.flags, p.keywords, p.size, p.received_at,
  e.thread_id, e.sent_at FROM placements p JOIN emails e ON e.id = p.email_id WHERE p.mailbox_id = ?`;

export const placesAfter = statement<[mailboxId: number, after: number, limit: number], PlaceRow>(
  `${PLACES} AND p.uid > ? ORDER BY p.uid LIMIT ?`,
);

export const placesSince = statement<[mailboxId: number, modseq: number], PlaceRow>(
  `${PLACES} AND p.modseq > ?`,
);

export interface CounterRow {
  modseq: number;
  forgotten_modseq: number;
}

export const countersOf = statement<[accountId: number], CounterRow>(
  `SELECT modseq, forgotten_modseq FROM account_counters WHERE account_id = ?`,
);

export const mailboxMarks = statement<
  [accountId: number],
  { id: number; modseq: number; created_modseq: number }
>(`SELECT id, modseq, created_modseq FROM mailboxes WHERE account_id = ? ORDER BY id`);

export interface GraveRow {
  mailbox_id: number;
  uid: number;
  email_id: number;
  modseq: number;
  created_modseq: number;
}

export const gravesSince = statement<[accountId: number, modseq: number], GraveRow>(
  `SELECT mailbox_id, uid, email_id, modseq, created_modseq FROM tombstones WHERE account_id = ? AND modseq > ?`,
);

export const deadMailboxesSince = statement<
  [accountId: number, modseq: number],
  { id: number; modseq: number }
>(`SELECT id, modseq FROM dead_mailboxes WHERE account_id = ? AND modseq > ?`);

export const threadOf = statement<[emailId: number, accountId: number], { thread_id: number }>(
  `SELECT thread_id FROM emails WHERE id = ? AND account_id = ?`,
);

export const structureOf = statement<[emailId: number], { structure: string }>(
  `SELECT structure FROM emails WHERE id = ?`,
);

/**
 * Texts to sort by of the emails in a mailbox, a page after a UID. By mailbox and not by account: placements lie in this order
 * already, and the emails of an account would have to be sorted anew for every page.
 */
export const sortTexts = statement<
  [mailboxId: number, after: number, limit: number],
  { uid: number; email_id: number; subject: string; from_display: string; to_display: string }
>(
  `SELECT p.uid, k.email_id, k.subject, k.from_display, k.to_display FROM placements p
   JOIN email_keys k ON k.email_id = p.email_id WHERE p.mailbox_id = ? AND p.uid > ? ORDER BY p.uid LIMIT ?`,
);

export interface EmailRow {
  id: number;
  thread_id: number;
  received_at: number;
  sent_at: number | null;
  size: number;
  blob_id: number;
  prefix: Uint8Array;
  hidden: string | null;
  structure: string;
  blob_size: number;
}

export const emailById = statement<[emailId: number, accountId: number], EmailRow>(
  `SELECT e.id, e.thread_id, e.received_at, e.sent_at, e.size, e.blob_id, e.prefix, e.hidden, e.structure,
     b.size AS blob_size FROM emails e JOIN blobs b ON b.id = e.blob_id WHERE e.id = ? AND e.account_id = ?`,
);

export interface EmailPlaceRow {
  mailbox_id: number;
  uid: number;
  flags: number;
  keywords: string | null;
}

export const placesOfEmail = statement<[emailId: number], EmailPlaceRow>(
  `SELECT mailbox_id, uid, flags, keywords FROM placements WHERE email_id = ? ORDER BY mailbox_id, uid`,
);

export const sortOrders = statement<[accountId: number], { mailbox_id: number; sort_order: number }>(
  `SELECT o.mailbox_id, o.sort_order FROM mailboxes m JOIN jmap_sort_orders o ON o.mailbox_id = m.id
   WHERE m.account_id = ?`,
);

export const putSortOrder = statement<[mailboxId: number, sortOrder: number]>(
  `INSERT INTO jmap_sort_orders (mailbox_id, sort_order) VALUES (?, ?)
   ON CONFLICT (mailbox_id) DO UPDATE SET sort_order = excluded.sort_order`,
);

export const setSpecialUse = statement<[specialUse: string | null, modseq: number, id: number]>(
  `UPDATE mailboxes SET special_use = ?, modseq = ? WHERE id = ?`,
);

export const touchMailbox = statement<[modseq: number, id: number]>(
  `UPDATE mailboxes SET modseq = ? WHERE id = ?`,
);

export const touchMailboxes = statement<[modseq: number, accountId: number]>(
  `UPDATE mailboxes SET modseq = ? WHERE account_id = ?`,
);

export const newestAnywhere = statement<[accountId: number], { id: number | null }>(
  `SELECT MAX(id) AS id FROM emails WHERE account_id = ?`,
);

export const newestSince = statement<[mailboxId: number, modseq: number], { id: number | null }>(
  `SELECT MAX(email_id) AS id FROM placements WHERE mailbox_id = ? AND modseq > ?`,
);
