import { statement } from '../db/sql.ts';

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
