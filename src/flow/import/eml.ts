import { stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { errorText } from '../../base/errors.ts';
import { Flag } from '../../data/mailstore/types.ts';
import { entriesOf, openPlain, piecesOf, smallFile } from './files.ts';
import { arrivalOf, firstFields, flagsOf, HEADER_BYTES } from './header-facts.ts';
import { withCrlf } from './line-ends.ts';
import { parseName } from './maildir.ts';
import { filesIn, kindOf, SOUGHT } from './message-files.ts';
import { headOf, type Spooled, spool } from './spool.ts';
import { FOLDER_MESSAGES, type LeftMessage, type MailSource, NoMail, type ReadMessage } from './types.ts';
import type { PassedFolder, SourceFolder, SourceMessage } from './types.ts';

/** A tree of directories with one file for each message, as Windows, web mail and programs of Unix export it. */

const DEPTH = 20;

/** Beside the messages of a folder: a line of JSON for each, with what a file cannot hold. Our own export writes it. */
export const EML_INDEX = '.postern.jsonl';

interface EmlFolder extends SourceFolder {
  readonly path: string;
  /** `path` is the one message. */
  readonly single?: boolean;
}

export interface EmlIndexLine {
  readonly file: string;
  readonly flags: number;
  readonly keywords: readonly string[];
  readonly receivedAt: number;
}

/** `unseen`: messages of which nothing is told count as unread; else as read. */
export function emlSource(
  root: string,
  options: { into?: readonly string[]; unseen?: boolean } = {},
  name = root,
): MailSource {
  let passed: readonly PassedFolder[] = [];
  return {
    name: `EML files in ${root}`,
    async folders() {
      const found: EmlFolder[] = [];
      const left: PassedFolder[] = [];
      const into = options.into ?? [];
      if ((await stat(root)).isFile()) found.push(await singleFile(root, into, name));
      else await walk(root, into, { root: name, found, left }, 0);
      if (found.length === 0) {
        const whys = left.map(({ folder, why }) => `. ${folder}: ${why}`);
        throw new NoMail(`looked for ${SOUGHT}${whys.join('')}`);
      }
      passed = left;
      return found;
    },
    passed: () => passed,
    list: (folder) => listEml(folder as EmlFolder, options.unseen === true ? 0 : Flag.Seen),
    read: (folder, messages) => readEml(folder as EmlFolder, messages),
    close: async () => undefined,
  };
}

async function singleFile(path: string, into: readonly string[], name: string): Promise<EmlFolder> {
  const kind = await kindOf(path);
  if (kind === 'mbox') throw new NoMail('the file is an mbox, which "postern import mbox" brings');
  if (kind === 'other') throw new NoMail('the file does not begin with the header of a message');
  const levels = into.length === 0 ? ['INBOX'] : into;
  return { id: `eml:${name}#`, levels, path, subscribed: true, single: true };
}

interface Walk {
  readonly root: string;
  readonly found: EmlFolder[];
  readonly left: PassedFolder[];
}

async function walk(path: string, levels: readonly string[], about: Walk, depth: number): Promise<void> {
  const entries = (await entriesOf(path)).toSorted((a, b) => Buffer.compare(a.name, b.name));
  const own = levels.length === 0 ? ['INBOX'] : levels;
  const folder = own.join('/');
  const directories = entries.filter((entry) => entry.isDirectory()).map(({ name }) => name.toString('utf8'));
  if (directories.includes('cur') && directories.includes('new')) {
    const why = `a Maildir, which "postern import maildir" brings with its flags: ${path}`;
    about.left.push({ folder, why, missed: true });
    return;
  }
  const { messages, left } = await filesIn(path, entries);
  if (left !== undefined) about.left.push({ folder, ...left });
  if (messages.length > 0)
    about.found.push({ id: `eml:${about.root}#${folder}`, levels: own, path, subscribed: true });
  if (depth >= DEPTH) return;
  for (const name of directories)
    if (!name.startsWith('.')) await walk(join(path, name), [...levels, name], about, depth + 1);
}

async function listEml(folder: EmlFolder, otherwise: number): Promise<readonly SourceMessage[]> {
  const nothing = { flags: otherwise, keywords: [], receivedAt: undefined, size: undefined };
  if (folder.single === true) return [{ key: basename(folder.path), ...nothing }];
  const known = indexLines(await smallFile(join(folder.path, EML_INDEX)));
  const { messages } = await filesIn(folder.path);
  const found = messages.slice(0, FOLDER_MESSAGES).map((file): SourceMessage => {
    const line = known.get(file);
    if (line !== undefined) {
      const { flags, keywords, receivedAt } = line;
      return { key: file, flags, keywords, receivedAt, size: undefined };
    }
    // Out of a Maildir: the name ends in the flags.
    return {
      key: file,
      ...nothing,
      ...(/[:;!]2,[A-Za-z]*$/.test(file) && { flags: parseName(file, []).flags }),
    };
  });
  return found.toSorted((a, b) => a.key.localeCompare(b.key, 'en', { numeric: true }));
}

function indexLines(latin1: string): ReadonlyMap<string, EmlIndexLine> {
  const lines = new Map<string, EmlIndexLine>();
  for (const text of Buffer.from(latin1, 'latin1').toString('utf8').split('\n')) {
    if (text === '') continue;
    try {
      const { file, flags, keywords, receivedAt } = JSON.parse(text) as Partial<EmlIndexLine>;
      if (typeof file !== 'string' || typeof flags !== 'number' || typeof receivedAt !== 'number') continue;
      const words = Array.isArray(keywords) ? keywords.filter((word) => typeof word === 'string') : [];
      lines.set(file, { file, flags, keywords: words, receivedAt });
    } catch {
      // Half a line of an export that was cut off.
    }
  }
  return lines;
}

async function* readEml(
  folder: EmlFolder,
  messages: readonly SourceMessage[],
): AsyncGenerator<ReadMessage | LeftMessage> {
  const directory = folder.single === true ? dirname(folder.path) : folder.path;
  for (const message of messages) {
    let octets: Spooled | undefined;
    try {
      const file = await openPlain(join(directory, message.key));
      const changedAt = Math.floor((await file?.stat())?.mtimeMs ?? 0);
      octets = file && (await spool(withCrlf(piecesOf(file))));
      if (octets === undefined) yield { key: message.key, why: 'it was removed meanwhile' };
      else if (octets.size === 0) yield { key: message.key, why: 'it is empty' };
      else yield await withFacts(message, octets, changedAt);
    } catch (error) {
      yield { key: message.key, why: errorText(error) };
    }
  }
}

/** Thunderbird's files tell their flags themselves. */
async function withFacts(message: SourceMessage, octets: Spooled, changedAt: number): Promise<ReadMessage> {
  if (message.receivedAt !== undefined) return { message, octets, receivedAt: message.receivedAt };
  const fields = firstFields(await headOf(octets, HEADER_BYTES));
  const receivedAt = arrivalOf(fields) ?? changedAt;
  if (!fields.has('x-mozilla-status') && !fields.has('x-status')) return { message, octets, receivedAt };
  const { flags, keywords } = flagsOf(fields);
  return { message: { ...message, flags, keywords }, octets, receivedAt };
}
