import { statement } from '../db/sql.ts';

export interface FlagRow {
  uid: number;
  modseq: number;
  flags: number;
  keywords: string | null;
}

export const flagsInRange = statement<[mailboxId: number, from: number, to: number], FlagRow>(
  `SELECT uid, modseq, flags, keywords FROM placements WHERE mailbox_id = ? AND uid BETWEEN ? AND ? ORDER BY uid`,
);

/** System flags of a range at once; rows that are so already keep their modseq. */
export const maskFlags = statement<
  [
    keep: number,
    add: number,
    modseq: number,
    mailboxId: number,
    from: number,
    to: number,
    unchangedSince: number,
    keep: number,
    add: number,
  ]
>(
  `UPDATE placements SET flags = (flags & ?) | ?, modseq = ? WHERE mailbox_id = ? AND uid BETWEEN ? AND ?
     AND modseq <= ? AND ((flags & ?) | ?) <> flags`,
);

/** Flags and keywords of a run of rows that all change and get the same keywords. */
export const setFlags = statement<
  [
    keep: number,
    add: number,
    keywords: string | null,
    modseq: number,
    mailboxId: number,
    from: number,
    to: number,
  ]
>(
  `UPDATE placements SET flags = (flags & ?) | ?, keywords = ?, modseq = ?
   WHERE mailbox_id = ? AND uid BETWEEN ? AND ?`,
);

/** What `maskFlags` without an unchangedSince comes to: rows there are, rows that change, and differences of the counters. */
export const countMasked = statement<
  [
    keep: number,
    add: number,
    keep: number,
    add: number,
    keep: number,
    add: number,
    mailboxId: number,
    from: number,
    to: number,
  ],
  { count: number; changed: number; unseen: number; deleted: number }
>(
  `SELECT COUNT(*) AS count,
     CAST(COALESCE(SUM(CASE WHEN ((flags & ?) | ?) <> flags THEN 1 ELSE 0 END), 0) AS BIGINT) AS changed,
     CAST(COALESCE(SUM((flags & 1) - (((flags & ?) | ?) & 1)), 0) AS BIGINT) AS unseen,
     CAST(COALESCE(SUM(((((flags & ?) | ?) & 8) - (flags & 8)) / 8), 0) AS BIGINT) AS deleted
   FROM placements WHERE mailbox_id = ? AND uid BETWEEN ? AND ?`,
);
