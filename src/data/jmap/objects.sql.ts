import { statement } from '../db/sql.ts';

export interface ObjectRow {
  id: number;
  created_modseq: number;
  modseq: number;
  changed_at: number;
  data: string | null;
}

export const objectsOf = statement<[accountId: number, kind: string], ObjectRow>(
  `SELECT id, created_modseq, modseq, changed_at, data FROM jmap_objects WHERE account_id = ? AND kind = ? ORDER BY id`,
);

export const objectById = statement<[accountId: number, kind: string, id: number], ObjectRow>(
  `SELECT id, created_modseq, modseq, changed_at, data FROM jmap_objects WHERE account_id = ? AND kind = ? AND id = ?`,
);

export const putObject = statement<
  [
    accountId: number,
    kind: string,
    id: number,
    created: number,
    modseq: number,
    at: number,
    data: string | null,
  ]
>(
  `INSERT INTO jmap_objects (account_id, kind, id, created_modseq, modseq, changed_at, data)
   VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (account_id, kind, id) DO UPDATE
   SET modseq = excluded.modseq, changed_at = excluded.changed_at, data = excluded.data`,
);

export const insertUpload = statement<[accountId: number, at: number], { id: number }>(
  `INSERT INTO jmap_uploads (account_id, size, complete, created_at) VALUES (?, 0, 0, ?) RETURNING id`,
);

export const uploadById = statement<[id: number, accountId: number], { size: number; complete: number }>(
  `SELECT size, complete FROM jmap_uploads WHERE id = ? AND account_id = ?`,
);

export const growUpload = statement<[octets: number, complete: number, id: number]>(
  `UPDATE jmap_uploads SET size = size + ?, complete = ? WHERE id = ?`,
);

export const insertPiece = statement<[uploadId: number, start: number, data: Uint8Array]>(
  `INSERT INTO jmap_upload_pieces (upload_id, start, data) VALUES (?, ?, ?)`,
);

export const pieceAfter = statement<[uploadId: number, from: number], { start: number; data: Uint8Array }>(
  `SELECT start, data FROM jmap_upload_pieces WHERE upload_id = ? AND start >= ? ORDER BY start LIMIT 1`,
);

export const uploadedBy = statement<[accountId: number], { octets: number | null; n: number }>(
  `SELECT CAST(SUM(size) AS BIGINT) AS octets, COUNT(*) AS n FROM jmap_uploads WHERE account_id = ?`,
);

export const oldestUploads = statement<[accountId: number, limit: number], { id: number; size: number }>(
  `SELECT id, size FROM jmap_uploads WHERE account_id = ? ORDER BY id LIMIT ?`,
);

export const expiredUploads = statement<[before: number, limit: number], { id: number }>(
  `SELECT id FROM jmap_uploads WHERE created_at < ? ORDER BY created_at LIMIT ?`,
);

export const deletePieces = statement<[uploadId: number]>(
  `DELETE FROM jmap_upload_pieces WHERE upload_id = ?`,
);
export const deleteUpload = statement<[id: number]>(`DELETE FROM jmap_uploads WHERE id = ?`);

const deletePiecesOf = statement<[accountId: number]>(
  `DELETE FROM jmap_upload_pieces WHERE upload_id IN (SELECT id FROM jmap_uploads WHERE account_id = ?)`,
);
const deleteUploadsOf = statement<[accountId: number]>(`DELETE FROM jmap_uploads WHERE account_id = ?`);
const deleteCountersOf = statement<[accountId: number]>(`DELETE FROM jmap_counters WHERE account_id = ?`);
const deleteObjectsOf = statement<[accountId: number]>(`DELETE FROM jmap_objects WHERE account_id = ?`);

/** An account is deleted for good. */
export const forgetAccountStatements = [deletePiecesOf, deleteUploadsOf, deleteObjectsOf, deleteCountersOf];
