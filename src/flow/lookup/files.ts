import type { BigIntStats } from 'node:fs';
import { open, stat } from 'node:fs/promises';
import { errnoCode, errorText } from '../../base/errors.ts';
import type { ReadText } from '../../mail/lookup/open.ts';
import { TABLE_BYTES } from '../../mail/lookup/types.ts';

/** Stamps of files by their paths, as they were when they were read: another stamp, another content. '' for none. */
export type Stamps = ReadonlyMap<string, string>;

/** Whether all files are still as they were. */
export async function unchanged(stamps: Stamps): Promise<boolean> {
  for (const [path, stamp] of stamps) {
    const now = await stat(path, { bigint: true }).then(stampOf, () => '');
    if (now !== stamp) return false;
  }
  return true;
}

function stampOf({ ino, size, mtimeNs, ctimeNs }: BigIntStats): string {
  return `${ino} ${size} ${mtimeNs} ${ctimeNs}`;
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  EACCES: 'this user may not read it; give it to the user the server runs as',
  EPERM: 'this user may not read it; give it to the user the server runs as',
  EISDIR: 'it is a directory',
  ENOTDIR: 'there is no such file',
};

/** The text of a table, as far as a table may be long. Every file that is asked for gets its stamp. */
export function tableReader(stamps: Map<string, string> = new Map()): ReadText {
  return async (path) => {
    stamps.set(path, '');
    try {
      await using file = await open(path, 'r');
      const found = await file.stat({ bigint: true });
      stamps.set(path, stampOf(found));
      if (!found.isFile()) return { problem: 'it is no regular file' };
      if (found.size > TABLE_BYTES)
        return { problem: `the table is larger than ${TABLE_BYTES / 1024 / 1024} MiB` };
      const octets = Buffer.alloc(Number(found.size));
      const { bytesRead } = await file.read(octets, 0, octets.length, 0);
      if (octets.subarray(0, bytesRead).includes(0)) {
        return { problem: 'it is no text; name the file from which the database was made' };
      }
      return { text: octets.toString('utf8', 0, bytesRead) };
    } catch (error) {
      return { problem: REASONS[errnoCode(error) ?? ''] ?? `it cannot be read: ${errorText(error)}` };
    }
  };
}
