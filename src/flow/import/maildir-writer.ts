import { open, readdir, rename, unlink, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { makeDirectory } from '../../base/files.ts';
import { Flag } from '../../data/mailstore/types.ts';
import { encodeMailboxName } from '../../net/imap-client/utf7.ts';
import { smallFile } from './files.ts';
import { parseName } from './maildir.ts';
import { type FolderWriter, fileName, type MailWriter, type OutMessage } from './writer.ts';

/** Letters of flags in file names, in the order that Maildir wants (ASCII). */
const LETTERS: readonly (readonly [number, string])[] = [
  [Flag.Draft, 'D'],
  [Flag.Flagged, 'F'],
  [Flag.Answered, 'R'],
  [Flag.Seen, 'S'],
  [Flag.Deleted, 'T'],
];
/** Keywords that have a letter (a to z). */
const KEYWORDS = 26;

/**
 * Write a Maildir++ with `dovecot-keywords` and `subscriptions`. Done again, it adds what is new and renames what is
 * marked otherwise by now; octets stay as they are.
 */
export function maildirWriter(root: string): MailWriter {
  const subscribed: string[] = [];
  return {
    async open({ name, uidvalidity, subscribed: wanted }) {
      const levels = name.split('/').map((level) => encodeMailboxName(fileName(level)).replaceAll('.', '_'));
      if (wanted) subscribed.push(levels.join('.'));
      const path = name === 'INBOX' ? root : join(root, `.${levels.join('.')}`);
      for (const part of ['cur', 'new', 'tmp']) makeDirectory(join(path, part));
      if (name !== 'INBOX') await writeFile(join(path, 'maildirfolder'), '');
      return openFolder(path, uidvalidity);
    },
    async close() {
      await writeFile(join(root, 'subscriptions'), subscribed.map((name) => `${name}\n`).join(''));
    },
  };
}

async function openFolder(path: string, uidvalidity: number): Promise<FolderWriter> {
  const keywordFile = join(path, 'dovecot-keywords');
  const words = (await smallFile(keywordFile))
    .split('\n')
    .map((line) => line.replace(/^\d+ /, ''))
    .filter((word) => word !== '')
    .slice(0, KEYWORDS);
  const there = new Map<string, string>();
  for (const file of await readdir(join(path, 'cur'))) there.set(parseName(file, []).base, file);
  const letters = ({ flags, keywords }: OutMessage): string => {
    const own = LETTERS.filter(([bit]) => flags & bit).map(([, letter]) => letter);
    if (keywords.some((word) => word.toLowerCase() === '$forwarded')) own.push('P');
    for (const word of keywords) {
      if (word.toLowerCase() === '$forwarded') continue;
      if (!words.includes(word) && words.length < KEYWORDS) words.push(word);
      const index = words.indexOf(word);
      if (index !== -1) own.push(String.fromCharCode(97 + index));
    }
    return own.toSorted().join('');
  };
  return {
    async write(message, octets) {
      const { uid, receivedAt, size } = message;
      const base = `${Math.floor(receivedAt / 1000)}.V${uidvalidity}U${uid}.postern,S=${size}`;
      const file = `${base}:2,${letters(message)}`;
      const old = there.get(base);
      if (old !== undefined) {
        for await (const piece of octets) void piece;
        if (old !== file) await rename(join(path, 'cur', old), join(path, 'cur', file));
        return 'known';
      }
      await writeDurably(join(path, 'tmp', base), join(path, 'cur', file), octets, receivedAt);
      return 'written';
    },
    async close() {
      if (words.length > 0)
        await writeFile(keywordFile, words.map((word, index) => `${index} ${word}\n`).join(''));
    },
  };
}

/** A file under its name only when all of it is there, as old as the message. */
export async function writeDurably(
  temporary: string,
  path: string,
  octets: AsyncIterable<Buffer>,
  at: number,
): Promise<void> {
  await unlink(temporary).catch(() => undefined);
  const file = await open(temporary, 'wx', 0o600);
  try {
    for await (const piece of octets) await file.write(piece);
    await file.datasync();
  } finally {
    await file.close();
  }
  await utimes(temporary, at / 1000, at / 1000);
  await rename(temporary, path);
}
