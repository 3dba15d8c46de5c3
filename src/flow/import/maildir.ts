import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { errorText } from '../../base/errors.ts';
import { Flag } from '../../data/mailstore/types.ts';
import { decodeMailboxName } from '../../net/imap-client/utf7.ts';
import { entriesOf, openPlain, piecesOf, smallFile } from './files.ts';
import { withCrlf } from './line-ends.ts';
import { type Spooled, spool } from './spool.ts';
import { FOLDER_MESSAGES, type LeftMessage, type MailSource, NoMail, type ReadMessage } from './types.ts';
import type { SourceFolder, SourceMessage } from './types.ts';
import { unpacked } from './unpack.ts';

/** Maildir and Maildir++ as Dovecot, Courier and qmail keep them; nothing in them is changed. */

/** Files that are read at a time. */
const AHEAD = 8;
/** Levels of directories that are looked into for folders (Dovecot's LAYOUT=fs). */
const DEPTH = 20;
/** Flags of file names (https://cr.yp.to/proto/maildir.html), "P" (passed) being a keyword. */
const LETTERS: Readonly<Record<string, number>> = {
  S: Flag.Seen,
  R: Flag.Answered,
  F: Flag.Flagged,
  T: Flag.Deleted,
  D: Flag.Draft,
};

interface MaildirFolder extends SourceFolder {
  readonly path: string;
}

interface MaildirMessage extends SourceMessage {
  readonly path: string;
}

/** `name`: names the directory for ever; the directory's own path unless it lies elsewhere today. */
export function maildirSource(root: string, name = root): MailSource {
  return {
    name: `Maildir ${root}`,
    async folders() {
      const subscribed = new Set(
        (await smallFile(join(root, 'subscriptions'))).split('\n').map((line) => line.trim()),
      );
      const found: MaildirFolder[] = [];
      await walk(root, [], found, 0, { name, subscribed });
      if (found.length === 0) {
        // ENOENT where there is not even the directory.
        await stat(root);
        throw new NoMail('looked for a directory with a directory "cur" in it, there and below');
      }
      return found;
    },
    list: (folder) => listFolder(folder as MaildirFolder),
    read: (folder, messages) => readAll(folder as MaildirFolder, messages as readonly MaildirMessage[]),
    close: async () => undefined,
  };
}

async function walk(
  path: string,
  levels: readonly string[],
  found: MaildirFolder[],
  depth: number,
  about: { readonly name: string; readonly subscribed: ReadonlySet<string> },
): Promise<void> {
  const entries = (await entriesOf(path)).filter((entry) => entry.isDirectory());
  const names = entries.map((entry) => entry.name);
  if (names.some((name) => name.equals(Buffer.from('cur')))) {
    const own = levels.length === 0 ? ['INBOX'] : levels;
    const text = own.join('.');
    found.push({
      id: `maildir:${about.name}#${own.join('/')}`,
      levels: own,
      path,
      subscribed: about.subscribed.has(text) || about.subscribed.has(own.join('/')) || own[0] === 'INBOX',
      specialUse: undefined,
    });
  }
  if (depth >= DEPTH) return;
  for (const name of names.toSorted(Buffer.compare)) {
    const text = name.toString('latin1');
    if (['cur', 'new', 'tmp', '.', '..'].includes(text)) continue;
    const dotted = text.startsWith('.');
    // Maildir++: ".A.B" lies beside the inbox; other dots of LAYOUT=fs are part of a name.
    const below = dotted
      ? text
          .slice(1)
          .split('.')
          .filter((level) => level !== '')
          .map((level) => decodeMailboxName(Buffer.from(level, 'latin1')))
      : [decodeMailboxName(name)];
    if (below.length === 0) continue;
    await walk(join(path, name.toString('utf8')), [...levels, ...below], found, depth + 1, about);
  }
}

async function listFolder(folder: MaildirFolder): Promise<readonly SourceMessage[]> {
  const keywords = keywordNames(await smallFile(join(folder.path, 'dovecot-keywords')));
  const order = uidOrder(await smallFile(join(folder.path, 'dovecot-uidlist')));
  const found: MaildirMessage[] = [];
  const seen = new Set<string>();
  for (const part of ['cur', 'new']) {
    for (const entry of await entriesOf(join(folder.path, part))) {
      if (found.length >= FOLDER_MESSAGES) break;
      const file = entry.name.toString('latin1');
      if (entry.isDirectory() || file.startsWith('.')) continue;
      const { base, flags, words } = parseName(file, keywords);
      // A flag changed while the directory was read: the message shows under both names.
      if (seen.has(base)) continue;
      seen.add(base);
      const size = /,S=(\d{1,15})(?:,|$)/.exec(base)?.[1];
      found.push({
        key: base,
        flags,
        keywords: words,
        path: join(folder.path, part, entry.name.toString('utf8')),
        receivedAt: undefined,
        size: size === undefined ? undefined : Number(size),
      });
    }
  }
  const rank = (message: SourceMessage): number => order.get(message.key) ?? Number.MAX_SAFE_INTEGER;
  return found.toSorted(
    (a, b) => rank(a) - rank(b) || timeOf(a.key) - timeOf(b.key) || (a.key < b.key ? -1 : 1),
  );
}

/** Seconds that begin a unique name. */
function timeOf(name: string): number {
  return Number(/^\d{1,12}/.exec(name)?.[0] ?? 0);
}

/** A file name cut into its unique part and its flags; `names` are the keywords of the letters a to z. */
export function parseName(
  file: string,
  names: readonly (string | undefined)[],
): { base: string; flags: number; words: string[] } {
  const at = file.search(/[:;!]2,/);
  const base = at === -1 ? file : file.slice(0, at);
  let flags = 0;
  const words: string[] = [];
  for (const letter of at === -1 ? '' : file.slice(at + 3)) {
    if (letter === ',') break;
    flags |= LETTERS[letter] ?? 0;
    if (letter === 'P') words.push('$Forwarded');
    const index = letter.charCodeAt(0) - 97;
    const word = index >= 0 && index < 26 ? names[index] : undefined;
    if (word !== undefined) words.push(word);
  }
  return { base, flags, words };
}

/** `dovecot-keywords`: "0 $Label1" a line, the number being that of the letter. */
function keywordNames(text: string): (string | undefined)[] {
  const names: (string | undefined)[] = [];
  for (const line of text.split('\n', 200)) {
    const found = /^(\d{1,2}) (\S{1,200})$/.exec(line.trim());
    if (found !== null) names[Number(found[1])] = found[2];
  }
  return names;
}

/** `dovecot-uidlist`: UIDs by unique names, the order in which clients saw the messages. */
function uidOrder(text: string): ReadonlyMap<string, number> {
  const order = new Map<string, number>();
  for (const line of text.split('\n')) {
    const colon = line.indexOf(' :');
    const uid = /^\d{1,10}/.exec(line)?.[0];
    if (colon === -1 || uid === undefined) continue;
    order.set(parseName(line.slice(colon + 2), []).base, Number(uid));
  }
  return order;
}

/** Some files are read ahead: each costs several turns through the thread pool, and most are small. */
async function* readAll(
  folder: MaildirFolder,
  messages: readonly MaildirMessage[],
): AsyncGenerator<ReadMessage | LeftMessage> {
  const ahead: Promise<ReadMessage | LeftMessage>[] = [];
  try {
    for (let next = 0; next < messages.length || ahead.length > 0; ) {
      const message = messages[next];
      if (message !== undefined && ahead.length < AHEAD) {
        ahead.push(readOne(folder, message));
        next++;
        continue;
      }
      const first = await ahead[0];
      ahead.shift();
      if (first !== undefined) yield first;
    }
  } finally {
    // Whoever stops early leaves no temporary files behind.
    for (const read of await Promise.all(ahead)) if ('octets' in read) await read.octets.dispose();
  }
}

/** Never throws: what cannot be read is told of. */
async function readOne(folder: MaildirFolder, message: MaildirMessage): Promise<ReadMessage | LeftMessage> {
  const { key } = message;
  try {
    const read = (await readFile(message.path)) ?? (await readRenamed(folder, message));
    if (read === undefined) return { key, why: 'it was removed meanwhile' };
    return read.octets.size === 0 ? { key, why: 'it is empty' } : { message, ...read };
  } catch (error) {
    return { key, why: errorText(error) };
  }
}

/** Maildir keeps the time of arrival as that of the file. */
async function readFile(path: string): Promise<{ octets: Spooled; receivedAt: number } | undefined> {
  const file = await openPlain(path);
  if (file === undefined) return undefined;
  const receivedAt = Math.floor((await file.stat()).mtimeMs);
  return { octets: await spool(withCrlf(unpacked(piecesOf(file)))), receivedAt };
}

/** A program changed its flags, or moved it from `new` to `cur`, since the folder was listed. */
async function readRenamed(folder: MaildirFolder, { key }: MaildirMessage): ReturnType<typeof readFile> {
  for (const entry of await entriesOf(join(folder.path, 'cur'))) {
    if (parseName(entry.name.toString('latin1'), []).base === key)
      return readFile(join(folder.path, 'cur', entry.name.toString('utf8')));
  }
  return undefined;
}
