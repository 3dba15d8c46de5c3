import type { WriteFunction } from '../catalogue.ts';
import type { WriteTx } from '../db/sql.ts';
import type { NewBlob } from '../mailstore/types.ts';
import { bodiesOfSegment, insertBlob, moveBlob, segmentUse } from './blobs.sql.ts';
import { placesOf } from './place.ts';
import { SEGMENT_FROM_BYTES } from './segments.ts';

/** Octets moved out of a segment in one write: others wait meanwhile. */
const MOVE_BYTES = 4 * 1024 * 1024;
/** Bodies looked at in one write. */
const MOVE_BODIES = 128;

/** Store the octets of a message: in a row, a segment, or the file they were written to already. Returns the row's id. */
export async function storeBlob(tx: WriteTx, blob: NewBlob): Promise<number> {
  const { size, encoding, data } = blob;
  // Memory that was handed over to an earlier write is empty now.
  if (encoding === 'raw' && data !== undefined && data.length !== size)
    throw new Error(`a body of ${size} octets came with ${data.length}`);
  const name =
    data !== undefined && encoding === 'raw' && data.length >= SEGMENT_FROM_BYTES
      ? tx.segments?.append(data)
      : undefined;
  const inRow = name === undefined ? (data ?? null) : null;
  const row = await tx.get(insertBlob, size, encoding, name ?? blob.file ?? null, tx.now, inRow);
  if (row === undefined) throw new Error('a blob was not stored');
  return row.id;
}

/** `active`: it still grows, nothing was moved; `done`: no row names the segment any more. */
export type MoveOut = 'active' | 'more' | 'done';

/**
 * Move some of the bodies that are left in a segment to the end of the active one. Reads the octets and writes them
 * again, so it is bounded.
 */
async function moveOut(tx: WriteTx, { segment }: { segment: string }): Promise<MoveOut> {
  const { segments } = tx;
  if (segments === undefined || segments.isActive(segment)) return 'active';
  const { from, to } = placesOf(segment);
  const bodies = await tx.all(bodiesOfSegment, from, to, MOVE_BODIES);
  let room = MOVE_BYTES;
  for (const { id, size, file } of bodies) {
    if (room <= 0) return 'more';
    await tx.run(moveBlob, segments.append(segments.read(file, size)), id);
    room -= size;
  }
  return bodies.length < MOVE_BODIES ? 'done' : 'more';
}

/** Whether a segment may be deleted: no row names it and none ever will. */
async function mayRemove(tx: WriteTx, { segment }: { segment: string }): Promise<boolean> {
  const { from, to } = placesOf(segment);
  return tx.segments?.isActive(segment) === false && (await tx.get(segmentUse, from, to))?.bodies === 0;
}

type Write<R> = WriteFunction<{ segment: string }, R>;

export const writes = {
  'blobs.moveOut': moveOut as Write<MoveOut>,
  'blobs.mayRemoveSegment': mayRemove as Write<boolean>,
} as const;
