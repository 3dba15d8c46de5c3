import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { type FileHandle, open, unlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Refusal } from '../../base/errors.ts';
import { randomToken } from '../../base/ids.ts';

/** Octets of a message that are kept in memory; a larger one goes through a temporary file. */
const MEMORY_BYTES = 1024 * 1024;
/** Octets of a message that is brought over: what another system once took is not refused for being large. */
export const IMPORT_MESSAGE_BYTES = 256 * 1024 * 1024;

/** A message that was read whole: its size is known, and it can be read again. */
export interface Spooled {
  readonly size: number;
  /** SHA-256. */
  readonly digest: Buffer;
  chunks(): AsyncIterable<Buffer>;
  dispose(): Promise<void>;
}

/** Take in octets of unknown number. Refusal 'too-large'. `head` is told the first pieces. */
export async function spool(source: AsyncIterable<Buffer>): Promise<Spooled> {
  const hash = createHash('sha256');
  let pieces: Buffer[] = [];
  let size = 0;
  let file: { readonly handle: FileHandle; readonly path: string } | undefined;
  try {
    for await (const piece of source) {
      size += piece.length;
      if (size > IMPORT_MESSAGE_BYTES)
        throw new Refusal('too-large', `it has more than ${IMPORT_MESSAGE_BYTES} octets`);
      hash.update(piece);
      if (file !== undefined) await file.handle.write(piece);
      else pieces.push(Buffer.from(piece));
      if (file === undefined && size > MEMORY_BYTES) {
        const path = join(tmpdir(), `postern-import-${randomToken(16)}`);
        file = { handle: await open(path, 'wx', 0o600), path };
        await file.handle.write(Buffer.concat(pieces));
        pieces = [];
      }
    }
  } catch (error) {
    await file?.handle.close();
    if (file !== undefined) await unlink(file.path).catch(() => undefined);
    throw error;
  }
  await file?.handle.close();
  const path = file?.path;
  return {
    size,
    digest: hash.digest(),
    chunks: () => (path === undefined ? fromMemory(pieces) : fromFile(path)),
    async dispose() {
      pieces = [];
      if (path !== undefined) await unlink(path).catch(() => undefined);
    },
  };
}

async function* fromMemory(pieces: readonly Buffer[]): AsyncGenerator<Buffer> {
  yield* pieces;
}

async function* fromFile(path: string): AsyncGenerator<Buffer> {
  for await (const piece of createReadStream(path)) yield piece as Buffer;
}

/** At most `max` octets from the start of a message. */
export async function headOf(message: Spooled, max: number): Promise<Buffer> {
  const pieces: Buffer[] = [];
  let size = 0;
  for await (const piece of message.chunks()) {
    pieces.push(piece);
    size += piece.length;
    if (size >= max) break;
  }
  return Buffer.concat(pieces).subarray(0, max);
}
