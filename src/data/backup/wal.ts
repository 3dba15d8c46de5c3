/**
 * What of SQLite's write-ahead log belongs to a moment. The formats of the log and of its index are SQLite's published
 * ones (sqlite.org/walformat.html); integers of the log are big-endian, those of the index in the machine's order.
 */

const WAL_HEADER_BYTES = 32;
const FRAME_HEADER_BYTES = 24;
const SALT = { start: 16, end: 24 } as const;
/** The first copy of the index' header; the second follows at once. */
const INDEX_HEADER_BYTES = 48;
const LITTLE_ENDIAN = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;

/** The end of the log as its index says: what a transaction that begins now sees. */
export interface LogEnd {
  /** Frames of the log that count. */
  readonly frames: number;
  /** Pages of the database. */
  readonly pages: number;
  /** Which run of the log the frames belong to. */
  readonly salt: Buffer;
}

/** Undefined: a writer is just about to change it, or it is not there yet. */
export function parseLogEnd(index: Buffer): LogEnd | undefined {
  if (index.length < 2 * INDEX_HEADER_BYTES) return undefined;
  const header = index.subarray(0, INDEX_HEADER_BYTES);
  if (!header.equals(index.subarray(INDEX_HEADER_BYTES, 2 * INDEX_HEADER_BYTES)) || header[12] !== 1)
    return undefined;
  const number = (at: number): number => (LITTLE_ENDIAN ? header.readUInt32LE(at) : header.readUInt32BE(at));
  return { frames: number(16), pages: number(20), salt: Buffer.from(header.subarray(32, 40)) };
}

export function sameEnd(a: LogEnd, b: LogEnd): boolean {
  return a.frames === b.frames && a.pages === b.pages && a.salt.equals(b.salt);
}

/** Where the octets of a frame's page begin in the log; frames count from 1. */
export function framePage(frame: number, pageBytes: number): number {
  return WAL_HEADER_BYTES + (frame - 1) * (FRAME_HEADER_BYTES + pageBytes) + FRAME_HEADER_BYTES;
}

/** Whether the log still is the run that has this salt. */
export function isRun(header: Buffer, salt: Buffer): boolean {
  return header.length >= WAL_HEADER_BYTES && header.subarray(SALT.start, SALT.end).equals(salt);
}

/** The page of a frame by its header; undefined: the frame belongs to another run. */
export function pageOfFrame(header: Buffer, salt: Buffer): number | undefined {
  return header.subarray(8, 16).equals(salt) ? header.readUInt32BE(0) : undefined;
}

export const wal = { headerBytes: WAL_HEADER_BYTES, frameHeaderBytes: FRAME_HEADER_BYTES } as const;
