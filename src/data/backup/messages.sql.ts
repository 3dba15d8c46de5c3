import { statement } from '../db/sql.ts';

/** A message where it lies, with all that is needed to read its octets. */
export interface PlacedRow {
  mailbox_id: number;
  address: string;
  mailbox: string;
  uidvalidity: number;
  uid: number;
  modseq: number;
  flags: number;
  keywords: string | null;
  received_at: number;
  size: number;
  trace: string | null;
  hidden: string | null;
  prefix: Uint8Array;
  envelope: Uint8Array;
  blob_size: number;
  encoding: string;
  file: string | null;
  data: Uint8Array | null;
}

const columns = `m.id AS mailbox_id, a.address, m.name AS mailbox, m.uidvalidity, p.uid, p.modseq, p.flags, p.keywords,
  p.received_at, p.size, e.trace, e.hidden, e.prefix, e.envelope, b.size AS blob_size, b.encoding, b.file, b.data`;
const joined = `placements p JOIN emails e ON e.id = p.email_id JOIN blobs b ON b.id = e.blob_id
  JOIN mailboxes m ON m.id = p.mailbox_id JOIN accounts a ON a.id = m.account_id`;

/** Messages of a mailbox behind a UID, in UID order. */
export const messagesAfter = statement<[mailboxId: number, uid: number, limit: number], PlacedRow>(
  `SELECT ${columns} FROM ${joined} WHERE p.mailbox_id = ? AND p.uid > ? ORDER BY p.uid LIMIT ?`,
);

/** One message. */
export const messageAt = statement<[mailboxId: number, uid: number], PlacedRow>(
  `SELECT ${columns} FROM ${joined} WHERE p.mailbox_id = ? AND p.uid = ?`,
);

export interface MailboxRow {
  id: number;
  address: string;
  name: string;
  special_use: string | null;
  subscribed: number;
  uidvalidity: number;
  uidnext: number;
  messages: number;
}

/** Mailboxes behind an id, in the order of ids, of accounts that are not removed. */
export const mailboxesAfter = statement<[id: number, limit: number], MailboxRow>(
  `SELECT m.id, a.address, m.name, m.special_use, m.subscribed, m.uidvalidity, m.uidnext, m.messages
    FROM mailboxes m JOIN accounts a ON a.id = m.account_id WHERE m.id > ? AND a.status <> 'removed'
    ORDER BY m.id LIMIT ?`,
);

/** Mailboxes of an account, by name. */
export const mailboxesOf = statement<[address: string], MailboxRow>(
  `SELECT m.id, a.address, m.name, m.special_use, m.subscribed, m.uidvalidity, m.uidnext, m.messages
    FROM mailboxes m JOIN accounts a ON a.id = m.account_id WHERE a.address = ? AND a.status <> 'removed'
    ORDER BY m.name`,
);

/** Bodies outside of the database that a mailbox needs. */
export const bodiesOfMailbox = statement<[mailboxId: number], { file: string; size: number }>(
  `SELECT b.file, b.size FROM placements p JOIN emails e ON e.id = p.email_id JOIN blobs b ON b.id = e.blob_id
    WHERE p.mailbox_id = ? AND b.file IS NOT NULL`,
);

/** After a restore: room between what clients may have seen and what they will be given. */
export const leapAccounts = statement<[gap: number]>('UPDATE account_counters SET modseq = modseq + ?');
export const leapMailboxes = statement<[below: number, uids: number]>(
  `UPDATE mailboxes SET uidnext = CASE WHEN uidnext < ? THEN uidnext + ? ELSE uidnext END,
    modseq = (SELECT c.modseq FROM account_counters c WHERE c.account_id = mailboxes.account_id)`,
);
export const leapPlacements = statement<[]>(
  'UPDATE placements SET modseq = (SELECT m.modseq FROM mailboxes m WHERE m.id = placements.mailbox_id)',
);
/**
 * Ids that clients keep (OBJECTID, JMAP) and that stand in addresses which browsers remember: those given out since the backup
 * must not become names of something else. PostgreSQL is restored by its own means.
 */
export const leapIds = statement<[gap: number]>({
  sqlite: `UPDATE sqlite_sequence SET seq = seq + ?
    WHERE name IN ('emails', 'mailboxes', 'jmap_uploads', 'sieve_scripts')`,
  postgres: 'SELECT CAST(? AS BIGINT)',
});
export const holdQueue = statement<[reason: string]>(
  'UPDATE queue_messages SET hold_reason = ? WHERE settled_at IS NULL AND hold_reason IS NULL',
);
export const holdRecipients = statement<[]>(
  `UPDATE queue_recipients SET state = 'held', lease = NULL, lease_until = NULL WHERE state IN ('queued', 'leased')`,
);
export const waitingInQueue = statement<[], { count: number }>(
  `SELECT COUNT(*) AS count FROM queue_recipients WHERE state IN ('queued', 'leased')`,
);
