import { open, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Refusal } from '../../base/errors.ts';
import { unreadable } from './file-words.ts';

/** Octets of one file that are read: larger messages are judged by their beginning, larger mailboxes in part. */
const FILE_MAX = 256 * 1024 * 1024;
/** Folders below the one that was named. */
const DEPTH_MAX = 16;

export interface MailFile {
  /** As it was found; "mbox#3" for the third message of a mailbox file. */
  readonly path: string;
  readonly octets: Buffer;
}

/**
 * The messages of files and folders (subfolders too), in the order of their names: a file is one message, or several
 * when its name ends in "mbox". Hidden files are left out, as are those of a Maildir's tmp.
 * @throws Refusal 'bad-input' for what cannot be read
 */
export async function* mailFiles(paths: readonly string[]): AsyncGenerator<MailFile> {
  for (const path of paths) {
    for await (const file of filesBelow(path, 0)) yield* messagesOf(file);
  }
}

/** Paths of the files, without reading them. */
export async function mailPaths(paths: readonly string[]): Promise<string[]> {
  const found: string[] = [];
  for (const path of paths) for await (const file of filesBelow(path, 0)) found.push(file);
  return found;
}

async function* filesBelow(path: string, depth: number): AsyncGenerator<string> {
  try {
    if (!(await stat(path)).isDirectory()) {
      yield path;
      return;
    }
    if (depth > DEPTH_MAX) return;
    const names = (await readdir(path)).filter((name) => !name.startsWith('.'));
    names.sort((a, b) => (a < b ? -1 : 1));
    for (const name of names) {
      if (name !== 'tmp' || !names.includes('cur')) yield* filesBelow(join(path, name), depth + 1);
    }
  } catch (error) {
    if (error instanceof Refusal) throw error;
    throw unreadable(path, error);
  }
}

export async function* messagesOf(path: string): AsyncGenerator<MailFile> {
  const octets = await readBounded(path);
  if (!isMailbox(path)) {
    yield { path, octets: withoutSeparator(octets) };
    return;
  }
  let number = 0;
  for (const message of splitMbox(octets)) yield { path: `${path}#${++number}`, octets: message };
}

/** By its name: a message whose text has a line that begins with "From " is still one message. */
function isMailbox(path: string): boolean {
  return /(?:^|[./])mbox$/i.test(path);
}

/** A message that was cut out of a mailbox file keeps the line that began it there. */
function withoutSeparator(octets: Buffer): Buffer {
  if (octets.subarray(0, 5).toString('latin1') !== 'From ') return octets;
  return octets.subarray(octets.indexOf(10) + 1);
}

async function readBounded(path: string): Promise<Buffer> {
  const file = await open(path, 'r').catch((error: unknown) => {
    throw unreadable(path, error);
  });
  try {
    const { size } = await file.stat();
    const octets = Buffer.alloc(Math.min(size, FILE_MAX));
    const { bytesRead } = await file.read(octets, 0, octets.length, 0);
    return octets.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}

/** Messages of a mailbox file: each begins after a "From " line that follows an empty line. */
function* splitMbox(octets: Buffer): Generator<Buffer> {
  let at = 0;
  while (at < octets.length) {
    const lineEnd = octets.indexOf(10, at);
    if (lineEnd < 0) return;
    let next = octets.indexOf('\nFrom ', lineEnd, 'latin1');
    while (next > 0 && !emptyLineBefore(octets, next)) next = octets.indexOf('\nFrom ', next + 1, 'latin1');
    const end = next < 0 ? octets.length : next + 1;
    yield octets.subarray(lineEnd + 1, end);
    at = end;
  }
}

function emptyLineBefore(octets: Buffer, newline: number): boolean {
  return octets[newline - 1] === 10 || (octets[newline - 1] === 13 && octets[newline - 2] === 10);
}
