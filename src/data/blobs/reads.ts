import { point } from '../catalogue.ts';
import type { ReadTx } from '../db/sql.ts';
import { type BlobRow, blobById, blobFileKnown } from './blobs.sql.ts';

export const reads = {
  'blobs.row': point(
    (tx: ReadTx, args: { id: number }): Promise<BlobRow | undefined> => tx.get(blobById, args.id),
  ),
  /** Whether a row refers to this file of the blob store. */
  'blobs.fileKnown': point(
    async (tx: ReadTx, args: { file: string }): Promise<boolean> =>
      (await tx.get(blobFileKnown, args.file)) !== undefined,
  ),
} as const;
