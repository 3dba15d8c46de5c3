import { statement } from '../db/sql.ts';

/** A page of UIDs after one. */
export const uidsAfter = statement<[mailboxId: number, after: number, limit: number], { uid: number }>(
  `SELECT uid FROM placements WHERE mailbox_id = ? AND uid > ? ORDER BY uid LIMIT ?`,
);

export const firstUnseen = statement<[mailboxId: number], { uid: number }>(
  `SELECT uid FROM placements WHERE mailbox_id = ? AND (flags & 1) = 0 ORDER BY uid LIMIT 1`,
);

function keywordTextsOf(from: string): string {
  return `SELECT DISTINCT keywords FROM ${from} WHERE mailbox_id = ? AND keywords IS NOT NULL`;
}

/** SQLite takes the index of the few rows that have keywords only when told. */
export const keywordTexts = statement<[mailboxId: number], { keywords: string }>({
  sqlite: keywordTextsOf('placements INDEXED BY placements_keywords'),
  postgres: keywordTextsOf('placements'),
});

export const uidsByFlags = statement<
  [mailboxId: number, after: number, all: number, all: number, none: number, limit: number],
  { uid: number }
>(
  `SELECT uid FROM placements WHERE mailbox_id = ? AND uid > ? AND (flags & ?) = ? AND (flags & ?) = 0
   ORDER BY uid LIMIT ?`,
);

export const keywordsByFlags = statement<
  [mailboxId: number, after: number, all: number, all: number, none: number, limit: number],
  { uid: number; keywords: string | null }
>(
  `SELECT uid, keywords FROM placements WHERE mailbox_id = ? AND uid > ? AND (flags & ?) = ? AND (flags & ?) = 0
   ORDER BY uid LIMIT ?`,
);

export const expungedSince = statement<[mailboxId: number, modseq: number], { uid: number }>(
  `SELECT uid FROM tombstones WHERE mailbox_id = ? AND modseq > ? ORDER BY uid`,
);

export const changedSince = statement<
  [mailboxId: number, modseq: number],
  { uid: number; modseq: number; flags: number; keywords: string | null }
>(
  `SELECT uid, modseq, flags, keywords FROM placements WHERE mailbox_id = ? AND modseq > ?
   ORDER BY uid`,
);

/** Something when more rows than `few` changed after a modseq. */
export const changedBeyond = statement<[mailboxId: number, modseq: number, few: number], { modseq: number }>(
  `SELECT modseq FROM placements WHERE mailbox_id = ? AND modseq > ? ORDER BY modseq LIMIT 1 OFFSET ?`,
);

/** Something when more rows than `few` went after a modseq. */
export const expungedBeyond = statement<[mailboxId: number, modseq: number, few: number], { modseq: number }>(
  `SELECT modseq FROM tombstones WHERE mailbox_id = ? AND modseq > ? ORDER BY modseq LIMIT 1 OFFSET ?`,
);

/** Orphans with the place each lay in last. */
export const orphansOf = statement<
  [accountId: number, limit: number],
  { email_id: number; orphaned_at: number; mailbox_id: number | null; uid: number | null }
>(
  `SELECT o.id AS email_id, o.orphaned_at, t.mailbox_id, t.uid
   FROM (SELECT id, orphaned_at FROM emails WHERE account_id = ? AND orphaned_at IS NOT NULL
         ORDER BY orphaned_at DESC, id DESC LIMIT ?) o
   LEFT JOIN tombstones t ON t.email_id = o.id AND NOT EXISTS (SELECT 1 FROM tombstones l
     WHERE l.email_id = o.id AND (l.modseq > t.modseq
       OR (l.modseq = t.modseq AND (l.mailbox_id < t.mailbox_id OR (l.mailbox_id = t.mailbox_id AND l.uid > t.uid)))))
   ORDER BY o.orphaned_at DESC, o.id DESC`,
);

/** What is deleted and not expunged yet; SQLite must be told of the index, see placements.sql.ts. */
export const deletedSize = statement<[mailboxId: number], { octets: number }>({
  sqlite: `SELECT COALESCE(SUM(size), 0) AS octets FROM placements INDEXED BY placements_deleted
    WHERE mailbox_id = ? AND (flags & 8) <> 0`,
  postgres: `SELECT COALESCE(SUM(size), 0) AS octets FROM placements WHERE mailbox_id = ? AND (flags & 8) <> 0`,
});
