import { type SqlValue, type Statement, statement } from '../db/sql.ts';

export interface PlacedRow {
  uid: number;
  flags: number;
  size: number;
}

type Range = [mailboxId: number, from: number, to: number];

const IN_RANGE = 'WHERE mailbox_id = ? AND uid BETWEEN ? AND ?';

/**
 * Two forms of a statement on a range: all rows, or those with \Deleted. The few of those have an index, which SQLite
 * must be told of: without statistics it takes the primary key and reads the whole mailbox.
 */
function bothForms<P extends readonly SqlValue[], R>(
  text: (from: string, where: string) => string,
): { all: Statement<P, R>; deleted: Statement<P, R> } {
  const deleted = `${IN_RANGE} AND (flags & 8) <> 0`;
  return {
    all: statement<P, R>(text('placements', IN_RANGE)),
    deleted: statement<P, R>({
      sqlite: text('placements INDEXED BY placements_deleted', deleted),
      postgres: text('placements', deleted),
    }),
  };
}

export const listPlaced = bothForms<Range, PlacedRow>(
  (from, where) => `SELECT uid, flags, size FROM ${from} ${where} ORDER BY uid`,
);

export const buryPlaced = bothForms<[accountId: number, modseq: number, at: number, ...Range], never>(
  (from, where) =>
    `INSERT INTO tombstones (mailbox_id, uid, email_id, account_id, modseq, flags, keywords, expunged_at, created_modseq)
     SELECT mailbox_id, uid, email_id, CAST(? AS BIGINT), CAST(? AS BIGINT), flags, keywords, CAST(? AS BIGINT), created_modseq
     FROM ${from} ${where}`,
);

export const removePlaced = bothForms<Range, never>((from, where) => `DELETE FROM ${from} ${where}`);

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
   FROM placements ${IN_RANGE}`,
);
