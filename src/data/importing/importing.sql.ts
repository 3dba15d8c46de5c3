import { statement } from '../db/sql.ts';

export interface ImportedColumns {
  key: string;
  mailbox_id: number;
  uid: number;
  flags: number;
  keywords: string | null;
  size: number;
  digest: Uint8Array;
}

export interface KnownColumns extends ImportedColumns {
  /** Of the placement; NULL when it is not there any more. */
  now_flags: number | null;
  now_keywords: string | null;
}

export const sourceByName = statement<[accountId: number, source: string], { id: number }>(
  'SELECT id FROM import_sources WHERE account_id = ? AND source = ?',
);

export const insertSource = statement<[accountId: number, source: string, at: number], { id: number }>(
  'INSERT INTO import_sources (account_id, source, created_at) VALUES (?, ?, ?) RETURNING id',
);

const COLUMNS = 'key, mailbox_id, uid, flags, keywords, size, digest';

export const importedByKey = statement<[sourceId: number, key: string], ImportedColumns>(
  `SELECT ${COLUMNS} FROM imported WHERE source_id = ? AND key = ? ORDER BY mailbox_id`,
);

export const insertImported = statement<
  [
    sourceId: number,
    key: string,
    mailboxId: number,
    uid: number,
    flags: number,
    keywords: string | null,
    size: number,
    digest: Uint8Array,
  ]
>(
  `INSERT INTO imported (source_id, ${COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
   ON CONFLICT (source_id, key, mailbox_id) DO NOTHING`,
);

export const updateImportedFlags = statement<
  [flags: number, keywords: string | null, sourceId: number, key: string]
>('UPDATE imported SET flags = ?, keywords = ? WHERE source_id = ? AND key = ?');

export const deleteImported = statement<[sourceId: number, key: string, mailboxId: number]>(
  'DELETE FROM imported WHERE source_id = ? AND key = ? AND mailbox_id = ?',
);

/** A message with these octets that another source brought into the mailbox, still there, not yet this source's. */
export const twinOf = statement<[mailboxId: number, digest: Uint8Array, sourceId: number], { uid: number }>(
  `SELECT i.uid FROM imported i JOIN placements p ON p.mailbox_id = i.mailbox_id AND p.uid = i.uid
   WHERE i.mailbox_id = ? AND i.digest = ? AND NOT EXISTS (SELECT 1 FROM imported o
     WHERE o.source_id = ? AND o.mailbox_id = i.mailbox_id AND o.digest = i.digest AND o.uid = i.uid)
   ORDER BY i.uid LIMIT 1`,
);

export const knownAfter = statement<
  [sourceId: number, afterKey: string, sameKey: string, afterMailbox: number, limit: number],
  KnownColumns
>(
  `SELECT i.key, i.mailbox_id, i.uid, i.flags, i.keywords, i.size, i.digest, p.flags AS now_flags,
     p.keywords AS now_keywords
   FROM imported i LEFT JOIN placements p ON p.mailbox_id = i.mailbox_id AND p.uid = i.uid
   WHERE i.source_id = ? AND (i.key > ? OR (i.key = ? AND i.mailbox_id > ?))
   ORDER BY i.key, i.mailbox_id LIMIT ?`,
);

export const deleteImportedOf = statement<[accountId: number]>(
  'DELETE FROM imported WHERE source_id IN (SELECT id FROM import_sources WHERE account_id = ?)',
);
export const deleteSourcesOf = statement<[accountId: number]>(
  'DELETE FROM import_sources WHERE account_id = ?',
);

export const forgetAccountStatements = [deleteImportedOf, deleteSourcesOf] as const;
