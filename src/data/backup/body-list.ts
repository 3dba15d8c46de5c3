import { ftruncateSync, readSync, writeSync } from 'node:fs';
import type { DatabaseSync } from 'node:sqlite';
import { Refusal } from '../../base/errors.ts';
import { parsePlace } from '../blobs/place.ts';
import { bodyFiles } from './backup.sql.ts';
import type { IndexLine } from './index-lines.ts';

/** Which bodies lie outside of the database, and what an earlier backup has of them. */

/** Octets of the list that are read or written at a time. */
const PIECE_BYTES = 1024 * 1024;

/**
 * Write the list of bodies to a file, so that the transaction need not last until they are read: "name size" in a line,
 * in the order of names, for a segment the octets up to its last body. Returns the sum of the octets.
 */
export function spoolBodies(db: DatabaseSync, file: number): number {
  // The reading of the database may have begun anew.
  ftruncateSync(file);
  let position = 0;
  let sum = 0;
  let lines = '';
  let last: { name: string; size: number } | undefined;
  const end = (): void => {
    if (last === undefined) return;
    lines += `${last.name} ${last.size}\n`;
    sum += last.size;
    if (lines.length > PIECE_BYTES) flush();
  };
  const flush = (): void => {
    position += writeAll(file, Buffer.from(lines, 'latin1'), position);
    lines = '';
  };
  for (const row of db.prepare(bodyFiles.text.sqlite).iterate()) {
    const { file: name, size } = row as { file: string; size: number };
    const place = parsePlace(name);
    const body =
      place === undefined
        ? { name: `bodies/${name.slice(0, 2)}/${name}`, size }
        : { name: `bodies/segments/${place.segment}`, size: place.offset + size };
    if (body.name !== last?.name) end();
    last = body.name === last?.name ? { ...body, size: Math.max(body.size, last.size) } : body;
  }
  end();
  flush();
  return sum;
}

/** What an earlier backup has of a body. */
export interface EarlierBody {
  readonly size: number;
  readonly chunks: readonly string[];
}

type Line = Pick<IndexLine, 'path' | 'size' | 'chunks'>;

/**
 * Asks an index for a body; to be asked in the order of names, which is that of the index too. What comes behind damage
 * in it counts as not there: then it is read anew.
 */
export async function earlierBodies(
  lines: AsyncIterable<Line>,
): Promise<(path: string) => Promise<EarlierBody>> {
  const files = wholeBodies(lines);
  let next = await files.next();
  return async (path) => {
    while (next.done !== true && bodyName(next.value.path) < bodyName(path)) next = await files.next();
    return next.done !== true && next.value.path === path ? next.value : { size: 0, chunks: [] };
  };
}

/** The lines of one file follow each other. */
async function* wholeBodies(lines: AsyncIterable<Line>): AsyncGenerator<Line, undefined> {
  let file: { path: string; size: number; chunks: string[] } | undefined;
  try {
    for await (const { path, size, chunks } of lines) {
      if (!path.startsWith('bodies/')) continue;
      if (file?.path === path) {
        file.chunks.push(...chunks);
        continue;
      }
      if (file !== undefined) yield file;
      file = { path, size, chunks: [...chunks] };
    }
  } catch (error) {
    if (!(error instanceof Refusal) || error.kind === 'unavailable') throw error;
    return undefined;
  }
  if (file !== undefined) yield file;
  return undefined;
}

function bodyName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

function writeAll(file: number, octets: Buffer, position: number): number {
  let at = 0;
  while (at < octets.length) at += writeSync(file, octets, at, octets.length - at, position + at);
  return at;
}

/** The lines of an open text file from its beginning on, read piece by piece. */
export function* linesOf(file: number): Generator<string> {
  const octets = Buffer.allocUnsafe(PIECE_BYTES);
  let rest = '';
  for (let position = 0; ; ) {
    const count = readSync(file, octets, 0, octets.length, position);
    if (count === 0) break;
    position += count;
    const lines = (rest + octets.toString('latin1', 0, count)).split('\n');
    rest = lines.pop() ?? '';
    yield* lines;
  }
  if (rest !== '') yield rest;
}
