import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { promisify } from 'node:util';
import { zstdDecompress } from 'node:zlib';
import { FileBlobStore } from '../blobs/file.ts';
import { openSqlite, SqliteReadTx, SqliteSession } from '../db/sqlite.ts';
import { parseHidden } from '../mailstore/rows.ts';
import type { PlacedRow } from './messages.sql.ts';

const decompress = promisify(zstdDecompress);

/** A data directory, looked at and never changed: a live one or a restored one. */
export interface DataDirectory {
  readonly db: DatabaseSync;
  readonly tx: SqliteReadTx;
  /** The stored octets of a message, in pieces. */
  stored(row: PlacedRow): AsyncIterable<Buffer>;
  /** The octets as its reader sees them: what we put before them, and without what is hidden. */
  seen(row: PlacedRow): AsyncIterable<Buffer>;
  close(): void;
}

export function openDataDirectory(directory: string): DataDirectory {
  const db = openSqlite(join(directory, 'mail.db'), 'reader');
  const bodies = FileBlobStore.look(join(directory, 'bodies'));

  async function* stored(row: PlacedRow): AsyncGenerator<Buffer> {
    if (row.file !== null) {
      yield* bodies.read(row.file, 0, row.blob_size);
      return;
    }
    const data = Buffer.from(row.data ?? new Uint8Array());
    yield row.encoding === 'zstd'
      ? await decompress(data, { maxOutputLength: Math.max(1, row.blob_size) })
      : data;
  }

  async function* seen(row: PlacedRow): AsyncGenerator<Buffer> {
    yield Buffer.from(row.prefix);
    const hidden = parseHidden(row.hidden);
    let at = 0;
    for await (const piece of stored(row)) {
      yield* shown(piece, at, hidden);
      at += piece.length;
    }
    if (at !== row.blob_size) throw new Error(`a body has ${at} octets instead of ${row.blob_size}`);
  }

  return { db, tx: new SqliteReadTx(new SqliteSession(db)), stored, seen, close: () => db.close() };
}

/** What of a piece, which begins at `at`, lies in no hidden range; the ranges are ascending and disjoint. */
function* shown(
  piece: Buffer,
  at: number,
  hidden: readonly (readonly [number, number])[],
): Generator<Buffer> {
  let from = 0;
  for (const [start, end] of hidden) {
    const [first, last] = [start - at, end - at];
    if (last <= from || first >= piece.length) continue;
    if (first > from) yield piece.subarray(from, first);
    from = Math.max(from, Math.min(last, piece.length));
  }
  if (from < piece.length) yield piece.subarray(from);
}
