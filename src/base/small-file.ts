import { open } from 'node:fs/promises';
import { errnoCode, errorText } from './errors.ts';

/** Octets of a file with a secret: a password, a key, a token. */
export const SECRET_FILE_BYTES = 4096;
/** Of one in PEM form: a long chain is under 20 KB, a list of all authorities under 300 KB. */
export const PEM_FILE_BYTES = 1024 * 1024;

/**
 * All of a file that should be small, whatever it is: one that has more than `most` octets (a device may have no end) is
 * refused. Throws what opening and reading throw.
 */
export async function readSmallFile(path: string, most: number = SECRET_FILE_BYTES): Promise<Buffer> {
  await using file = await open(path);
  const octets = Buffer.allocUnsafe(most + 1);
  let length = 0;
  while (length < octets.length) {
    const { bytesRead } = await file.read(octets, length);
    if (bytesRead === 0) return octets.subarray(0, length);
    length += bytesRead;
  }
  throw new Error(`it has more than ${most} octets`);
}

/** Why a file could not be read, for a person who knows its name. */
export function fileTrouble(error: unknown): string {
  return errnoCode(error) === 'ENOENT' ? 'there is no such file' : errorText(error);
}
