import { stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { errorText } from '../../base/errors.ts';
import { Flag } from '../../data/mailstore/types.ts';
import { entriesOf, openPlain, piecesOf, smallFile } from './files.ts';
import { arrivalOf, firstFields, flagsOf, HEADER_BYTES } from './header-facts.ts';
import { withCrlf } from './line-ends.ts';
import { headOf, type Spooled, spool } from './spool.ts';
import { FOLDER_MESSAGES, type LeftMessage, type MailSource, type ReadMessage } from './types.ts';
import type { SourceFolder, SourceMessage } from './types.ts';

/** A tree of directories with one file for each message (*.eml, *.mime, *.txt of Windows and web mail exports). */

const DEPTH = 20;
const MESSAGE_FILE = /\.(?:eml|mime|mim|rfc822|msg\.txt)$/i;

/** Beside the messages of a folder: a line of JSON for each, with what a file cannot hold. Our own export writes it. */
export const EML_INDEX = '.postern.jsonl';

interface EmlFolder extends SourceFolder {
  readonly path: string;
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
  return {
    name: `EML files in ${root}`,
    async folders() {
      const found: EmlFolder[] = [];
      const into = options.into ?? [];
      const isFile = (await stat(root)).isFile();
      if (isFile) {
        const levels = into.length === 0 ? ['INBOX'] : into;
        found.push({ id: `eml:${name}#`, levels, path: root, subscribed: true });
      } else await walk(root, into, found, { root: name, depth: 0 });
      return found;
    },
    list: (folder) => listEml(folder as EmlFolder, options.unseen === true ? 0 : Flag.Seen),
    read: (folder, messages) => readEml(folder as EmlFolder, messages),
    close: async () => undefined,
  };
}

async function walk(
  path: string,
  levels: readonly string[],
  found: EmlFolder[],
  about: { readonly root: string; readonly depth: number },
): Promise<void> {
  const entries = (await entriesOf(path)).toSorted((a, b) => Buffer.compare(a.name, b.name));
  if (entries.some((entry) => entry.isFile() && MESSAGE_FILE.test(entry.name.toString('latin1')))) {
    const own = levels.length === 0 ? ['INBOX'] : levels;
    found.push({ id: `eml:${about.root}#${own.join('/')}`, levels: own, path, subscribed: true });
  }
  if (about.depth >= DEPTH) return;
  for (const entry of entries) {
    const file = entry.name.toString('utf8');
    if (!entry.isDirectory() || file.startsWith('.')) continue;
    await walk(join(path, file), [...levels, file], found, { ...about, depth: about.depth + 1 });
  }
}

async function listEml(folder: EmlFolder, otherwise: number): Promise<readonly SourceMessage[]> {
  if (
    MESSAGE_FILE.test(folder.path) &&
    (await openPlain(folder.path).then((file) => file?.close().then(() => true)))
  )
    return [
      { key: basename(folder.path), flags: otherwise, keywords: [], receivedAt: undefined, size: undefined },
    ];
  const known = indexLines(await smallFile(join(folder.path, EML_INDEX)));
  const found: SourceMessage[] = [];
  for (const entry of await entriesOf(folder.path)) {
    const file = entry.name.toString('utf8');
    if (!entry.isFile() || !MESSAGE_FILE.test(file) || found.length >= FOLDER_MESSAGES) continue;
    const line = known.get(file);
    found.push({
      key: file,
      flags: line?.flags ?? otherwise,
      keywords: line?.keywords ?? [],
      receivedAt: line?.receivedAt,
      size: undefined,
    });
  }
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
  const directory = MESSAGE_FILE.test(folder.path) ? dirname(folder.path) : folder.path;
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
