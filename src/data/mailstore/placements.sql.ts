import { statement } from '../db/sql.ts';

export interface PlacedRow {
  uid: number;
  flags: number;
  size: number;
}

/** Two forms of each: all rows of a range, or those with \Deleted, which an index of their own finds. */
const DELETED = ' AND (flags & 8) <> 0';

type Range = [mailboxId: number, from: number, to: number];

function inRange(only: string): string {
  return `WHERE mailbox_id = ? AND uid BETWEEN ? AND ?${only}`;
}

function listStatement(only: string) {
  return statement<Range, PlacedRow>(`SELECT uid, flags, size FROM placements ${inRange(only)} ORDER BY uid`);
}

export const listPlaced = { all: listStatement(''), deleted: listStatement(DELETED) };

function buryStatement(only: string) {
  return statement<[accountId: number, modseq: number, at: number, ...Range]>(
    `INSERT INTO tombstones (mailbox_id, uid, email_id, account_id, modseq, flags, keywords, expunged_at)
     SELECT mailbox_id, uid, email_id, CAST(? AS BIGINT), CAST(? AS BIGINT), flags, keywords, CAST(? AS BIGINT)
     FROM placements ${inRange(only)}`,
  );
}

export const buryPlaced = { all: buryStatement(''), deleted: buryStatement(DELETED) };

function removeStatement(only: string) {
  return statement<Range>(`DELETE FROM placements ${inRange(only)}`);
}

export const removePlaced = { all: removeStatement(''), deleted: removeStatement(DELETED) };

/** Emails whose last placement went under this modseq become orphans. */
export const orphanEmails = statement<[at: number, mailboxId: number, modseq: number], { size: number }>(
  `UPDATE emails SET orphaned_at = ? WHERE orphaned_at IS NULL
     AND id IN (SELECT email_id FROM tombstones WHERE mailbox_id = ? AND modseq = ?)
     AND NOT EXISTS (SELECT 1 FROM placements p WHERE p.email_id = emails.id)
   RETURNING size`,
);

/** Place the emails of a range into a mailbox, UIDs counting up from `base` + 1 in the order of the source. */
export const copyPlaced = statement<
  [targetId: number, base: number, modseq: number, createdModseq: number, savedAt: number, ...Range]
>(
  `INSERT INTO placements (mailbox_id, uid, email_id, modseq, created_modseq, flags, keywords, size, received_at,
     saved_at)
   SELECT CAST(? AS BIGINT), CAST(? AS BIGINT) + ROW_NUMBER() OVER (ORDER BY uid), email_id, CAST(? AS BIGINT),
     CAST(? AS BIGINT), flags, keywords, size, received_at, CAST(? AS BIGINT)
   FROM placements ${inRange('')}`,
);
