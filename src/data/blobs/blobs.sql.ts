import { statement } from '../db/sql.ts';

export const insertBlob = statement<
  [size: number, encoding: string, file: string | null, createdAt: number, data: Uint8Array | null],
  { id: number }
>(`INSERT INTO blobs (size, encoding, file, created_at, data) VALUES (?, ?, ?, ?, ?) RETURNING id`);

export interface BlobRow {
  size: number;
  encoding: string;
  data: Uint8Array | null;
  file: string | null;
}

export const blobById = statement<[id: number], BlobRow>(
  'SELECT size, encoding, data, file FROM blobs WHERE id = ?',
);

export const blobFileKnown = statement<[file: string], { id: number }>('SELECT id FROM blobs WHERE file = ?');

/** How much of a segment is in use. */
export const segmentUse = statement<[from: string, to: string], { bodies: number; bytes: number }>(
  `SELECT COUNT(*) AS bodies, CAST(COALESCE(SUM(size), 0) AS BIGINT) AS bytes FROM blobs WHERE file >= ? AND file < ?`,
);

/** The first bodies of a segment. */
export const bodiesOfSegment = statement<
  [from: string, to: string, limit: number],
  { id: number; size: number; file: string }
>(`SELECT id, size, file FROM blobs WHERE file >= ? AND file < ? ORDER BY file LIMIT ?`);

export const moveBlob = statement<[file: string, id: number]>('UPDATE blobs SET file = ? WHERE id = ?');
