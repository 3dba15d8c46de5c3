import { closeSync, openSync, readSync } from 'node:fs';
import type { DatabaseSync } from 'node:sqlite';
import { Refusal } from '../../base/errors.ts';
import { openSqlite } from '../db/sqlite.ts';
import { framePage, isRun, type LogEnd, pageOfFrame, parseLogEnd, sameEnd, wal } from './wal.ts';

/** Looks at the log's end before and after a transaction begins; on a busy server some meet a commit in between. */
const BEGIN_ATTEMPTS = 2000;
/** Octets of the log read at a time for its frames' headers. */
const SCAN_BYTES = 1024 * 1024;

/** The log began anew under our eyes: nothing is lost, but the reading must begin again. */
export class LogRestarted extends Error {}

/**
 * The pages of a database as they stood at one moment, while others write it. Not in a process that has the same
 * database open in another way: closing a file ends all locks this process holds on it (POSIX), SQLite's too.
 */
export interface DatabaseSnapshot {
  /** A connection in a read transaction of this very moment. */
  readonly db: DatabaseSync;
  readonly pageBytes: number;
  readonly pages: number;
  /** The octets of `count` pages from `first` (1 is the first) on. Throws `LogRestarted`. */
  read(first: number, count: number): Buffer;
  close(): void;
}

/**
 * Begin to read a database. As long as the snapshot is open its transaction keeps SQLite from writing newer pages into
 * the file and from beginning the log anew, so the moment is the file with the frames of the log up to its end laid over
 * it. The log grows meanwhile.
 */
export function openDatabaseSnapshot(path: string): DatabaseSnapshot {
  const db = openSqlite(path, 'reader');
  const files: number[] = [];
  const close = (): void => {
    // The connection first: it is its locks that the closing of the files would take away.
    db.close();
    for (const file of files.splice(0)) closeSync(file);
  };
  try {
    const pageBytes = Number(db.prepare('PRAGMA page_size').get()?.page_size);
    const file = openSync(path, 'r');
    files.push(file);
    const log = openIfThere(`${path}-wal`);
    if (log !== undefined) files.push(log);
    const end = begin(db, path, files);
    const frames = log === undefined ? new Map<number, number>() : framesOf(log, end, pageBytes);
    const pages = Number(db.prepare('PRAGMA page_count').get()?.page_count);
    if (end.frames > 0 && end.pages !== pages)
      throw new Refusal('unavailable', `${path} has ${pages} pages, but its log says ${end.pages}`);
    return {
      db,
      pageBytes,
      pages,
      close,
      read: (first, count) => readPages({ file, log, end, frames, pageBytes, pages }, first, count),
    };
  } catch (error) {
    close();
    throw error;
  }
}

/** Begin a transaction; resolves to the log's end as the transaction sees it. */
function begin(db: DatabaseSync, path: string, files: number[]): LogEnd {
  db.exec('BEGIN');
  // The first statement takes the snapshot; it also makes the index when nobody else has.
  db.prepare('SELECT COUNT(*) FROM sqlite_schema').get();
  const index = openIfThere(`${path}-shm`);
  if (index === undefined) throw new Refusal('unavailable', `${path} has no index of its log`);
  files.push(index);
  for (let attempt = 0; attempt < BEGIN_ATTEMPTS; attempt++) {
    db.exec('ROLLBACK');
    const before = parseLogEnd(readAt(index, 0, 96));
    db.exec('BEGIN');
    db.prepare('SELECT COUNT(*) FROM sqlite_schema').get();
    const after = parseLogEnd(readAt(index, 0, 96));
    if (before !== undefined && after !== undefined && sameEnd(before, after)) return after;
  }
  throw new Refusal('unavailable', `${path} is written without a pause; try again`);
}

/** The last frame of each page. */
function framesOf(log: number, end: LogEnd, pageBytes: number): Map<number, number> {
  const frames = new Map<number, number>();
  if (end.frames === 0) return frames;
  const frameBytes = wal.frameHeaderBytes + pageBytes;
  const atOnce = Math.max(1, Math.floor(SCAN_BYTES / frameBytes));
  for (let first = 1; first <= end.frames; first += atOnce) {
    const count = Math.min(atOnce, end.frames - first + 1);
    const octets = readAt(log, framePage(first, pageBytes) - wal.frameHeaderBytes, count * frameBytes);
    for (let i = 0; i < count; i++) {
      const page = pageOfFrame(
        octets.subarray(i * frameBytes, i * frameBytes + wal.frameHeaderBytes),
        end.salt,
      );
      if (page === undefined) throw new LogRestarted();
      frames.set(page, first + i);
    }
  }
  return frames;
}

interface Reading {
  readonly file: number;
  readonly log: number | undefined;
  readonly end: LogEnd;
  readonly frames: ReadonlyMap<number, number>;
  readonly pageBytes: number;
  readonly pages: number;
}

function readPages(
  { file, log, end, frames, pageBytes, pages }: Reading,
  first: number,
  count: number,
): Buffer {
  const wanted = Math.min(count, pages - first + 1);
  const octets = Buffer.alloc(wanted * pageBytes);
  readInto(file, octets, (first - 1) * pageBytes);
  let laid = false;
  for (let i = 0; i < wanted; i++) {
    const frame = frames.get(first + i);
    if (frame === undefined || log === undefined) continue;
    const page = octets.subarray(i * pageBytes, (i + 1) * pageBytes);
    if (readInto(log, page, framePage(frame, pageBytes)) !== pageBytes) throw new LogRestarted();
    laid = true;
  }
  // A log that had been written back whole before we began may begin anew; its header goes first.
  if (laid && log !== undefined && !isRun(readAt(log, 0, wal.headerBytes), end.salt))
    throw new LogRestarted();
  return octets;
}

function openIfThere(path: string): number | undefined {
  try {
    return openSync(path, 'r');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** Up to `length` octets from a position on; fewer where the file ends. */
function readAt(file: number, position: number, length: number): Buffer {
  const octets = Buffer.alloc(length);
  return octets.subarray(0, readInto(file, octets, position));
}

function readInto(file: number, octets: Buffer, position: number): number {
  let at = 0;
  while (at < octets.length) {
    const count = readSync(file, octets, at, octets.length - at, position + at);
    if (count === 0) break;
    at += count;
  }
  return at;
}
