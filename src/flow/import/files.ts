import { constants, type Dirent } from 'node:fs';
import { type FileHandle, open, readdir } from 'node:fs/promises';
import { errnoCode } from '../../base/errors.ts';

/** Octets read at a time. */
const PIECE = 64 * 1024;
/** Octets of small files that describe others (lists of keywords, of subscriptions, of UIDs). */
const LIST_BYTES = 256 * 1024 * 1024;

/**
 * Open a file for reading, as what lies in people's own directories is to be opened: no link is followed and no pipe
 * waited for. Undefined when it is not there or no file.
 */
export async function openPlain(path: string): Promise<FileHandle | undefined> {
  let file: FileHandle;
  try {
    file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    if (['ENOENT', 'ELOOP', 'ENXIO', 'ENOTDIR'].includes(errnoCode(error) ?? '')) return undefined;
    throw error;
  }
  if ((await file.stat()).isFile()) return file;
  await file.close();
  return undefined;
}

/** Octets [start, end) of an open file; it is closed at the end. */
export async function* piecesOf(
  file: FileHandle,
  start = 0,
  end = Number.POSITIVE_INFINITY,
): AsyncGenerator<Buffer> {
  try {
    for (let at = start; at < end; ) {
      const length = Math.min(PIECE, end - at);
      const { buffer, bytesRead } = await file.read(Buffer.allocUnsafe(length), 0, length, at);
      if (bytesRead === 0) return;
      at += bytesRead;
      yield buffer.subarray(0, bytesRead);
    }
  } finally {
    await file.close();
  }
}

/** A whole small file as latin1 text; '' when there is none. */
export async function smallFile(path: string, max = LIST_BYTES): Promise<string> {
  const file = await openPlain(path);
  if (file === undefined) return '';
  const pieces: Buffer[] = [];
  for await (const piece of piecesOf(file, 0, max)) pieces.push(piece);
  return Buffer.concat(pieces).toString('latin1');
}

/** What is in a directory; nothing when there is none. */
export async function entriesOf(path: string): Promise<Dirent<Buffer>[]> {
  try {
    return await readdir(path, { withFileTypes: true, encoding: 'buffer' });
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes(errnoCode(error) ?? '')) return [];
    throw error;
  }
}
