import { long, point, single } from '../catalogue.ts';
import type { ReadTx } from '../db/sql.ts';
import { type BlobRow, blobById, blobFileKnown, segmentUse } from './blobs.sql.ts';
import { placesOf } from './place.ts';

export const reads = {
  'blobs.row': single(
    (tx: ReadTx, args: { id: number }): Promise<BlobRow | undefined> => tx.get(blobById, args.id),
  ),
  /** Whether a row refers to this file of the blob store. */
  'blobs.fileKnown': point(
    async (tx: ReadTx, args: { file: string }): Promise<boolean> =>
      (await tx.get(blobFileKnown, args.file)) !== undefined,
  ),
  /** Bodies in a segment that rows name, and their octets. */
  'blobs.segmentUse': long(
    async (tx: ReadTx, { segment }: { segment: string }): Promise<{ bodies: number; bytes: number }> => {
      const { from, to } = placesOf(segment);
      return (await tx.get(segmentUse, from, to)) ?? { bodies: 0, bytes: 0 };
    },
  ),
} as const;
