import { statement } from '../db/sql.ts';

/** Wishes of an account that wait at most; the oldest are dropped. */
export const MAX_PENDING = 10_000;

type Range = [mailboxId: number, from: number, to: number];
const IN_RANGE = 'mailbox_id = ? AND uid BETWEEN ? AND ?';

export const withdrawRange = statement<[accountId: number, ...Range]>(
  `DELETE FROM spam_training WHERE account_id = ?
     AND email_id IN (SELECT email_id FROM placements WHERE ${IN_RANGE})`,
);

/** Of a range larger than what may wait, the newest. */
export const wishRange = statement<
  [accountId: number, label: string, cause: string, at: number, ...Range],
  never
>(
  `INSERT INTO spam_training (account_id, email_id, label, cause, at)
   SELECT CAST(? AS BIGINT), email_id, CAST(? AS TEXT), CAST(? AS TEXT), CAST(? AS BIGINT)
   FROM (SELECT email_id, MAX(uid) AS uid FROM placements WHERE ${IN_RANGE}
     GROUP BY email_id ORDER BY MAX(uid) DESC LIMIT ${MAX_PENDING}) newest ORDER BY uid`,
);

export const withdraw = statement<[accountId: number, emailId: number]>(
  `DELETE FROM spam_training WHERE account_id = ? AND email_id = ?`,
);

/** Nothing for an email that is gone, or another account's. */
export const wish = statement<
  [label: string, cause: string, at: number, emailId: number, accountId: number],
  never
>(
  `INSERT INTO spam_training (account_id, email_id, label, cause, at)
   SELECT account_id, id, CAST(? AS TEXT), CAST(? AS TEXT), CAST(? AS BIGINT) FROM emails
   WHERE id = ? AND account_id = ?`,
);

export const dropOldest = statement<[accountId: number, accountId: number]>(
  `DELETE FROM spam_training WHERE account_id = ? AND id <= (SELECT id FROM spam_training WHERE account_id = ?
     ORDER BY id DESC LIMIT 1 OFFSET ${MAX_PENDING})`,
);

export interface ContentRow {
  email_id: number;
  blob_id: number;
  prefix: Uint8Array;
  hidden: string | null;
  structure: string;
  blob_size: number;
}

const CONTENT = 'e.id AS email_id, e.blob_id, e.prefix, e.hidden, e.structure, b.size AS blob_size';

export const pending = statement<
  [limit: number],
  ContentRow & {
    id: number;
    account_id: number;
    label: string;
    cause: string;
    at: number;
    learned: string | null;
  }
>(
  `SELECT t.id, t.account_id, t.label, t.cause, t.at, l.label AS learned, ${CONTENT}
   FROM (SELECT id, account_id, email_id, label, cause, at FROM spam_training ORDER BY id LIMIT ?) t
   JOIN emails e ON e.id = t.email_id JOIN blobs b ON b.id = e.blob_id
   LEFT JOIN spam_learned l ON l.account_id = t.account_id AND l.email_id = t.email_id
   ORDER BY t.id`,
);

/** A wish that was replaced while it was learned has another id by now, and stays. */
export const settleWish = statement<[id: number]>(`DELETE FROM spam_training WHERE id = ?`);

export const markLearned = statement<[label: string, at: number, emailId: number, accountId: number], never>(
  `INSERT INTO spam_learned (account_id, email_id, label, at)
   SELECT account_id, id, CAST(? AS TEXT), CAST(? AS BIGINT) FROM emails WHERE id = ? AND account_id = ?
   ON CONFLICT (account_id, email_id) DO UPDATE SET label = excluded.label, at = excluded.at`,
);

export const forgetLearned = statement<[accountId: number, emailId: number]>(
  `DELETE FROM spam_learned WHERE account_id = ? AND email_id = ?`,
);

type KeptParams = [accountId: number, savedBefore: number, receivedAfter: number, limit: number];

/** Flags 8 and 16: \Deleted and \Draft. */
function kept(where: string) {
  return statement<KeptParams, ContentRow>(
    `SELECT ${CONTENT} FROM (
       SELECT DISTINCT p.email_id FROM mailboxes m JOIN placements p ON p.mailbox_id = m.id
       JOIN emails d ON d.id = p.email_id
       WHERE m.account_id = ? AND ${where} AND (p.flags & 24) = 0 AND p.saved_at < ? AND p.received_at >= ?
         AND NOT EXISTS (SELECT 1 FROM spam_learned l WHERE l.account_id = m.account_id AND l.email_id = p.email_id)
         AND NOT EXISTS (SELECT 1 FROM spam_training t WHERE t.account_id = m.account_id AND t.email_id = p.email_id)
       ORDER BY p.email_id DESC LIMIT ?) k
     JOIN emails e ON e.id = k.email_id JOIN blobs b ON b.id = e.blob_id ORDER BY e.id DESC`,
  );
}

/** Read, and left where mail is kept. */
export const keptInbox = kept(
  `COALESCE(m.special_use, '') NOT IN ('\\Junk', '\\Trash', '\\Drafts', '\\Sent') AND (p.flags & 1) <> 0`,
);

/** Put there by the delivery that brought it (which has its fields before the octets), not by a client. */
export const keptJunk = kept(
  `m.special_use = '\\Junk' AND p.created_modseq = d.created_modseq AND OCTET_LENGTH(d.prefix) > 0`,
);
