import type { Dirent } from 'node:fs';
import { join } from 'node:path';
import { entriesOf, smallFile } from './files.ts';
import { isSeparator } from './mbox-lines.ts';

/** Which files of a folder are messages, one each: told by their names, else by how they begin. */

const NAMED = /\.(?:eml|mime|mim|rfc822|msg\.txt)$/i;
/** Said of a folder in which there is none. */
export const SOUGHT =
  'files whose names end in .eml, .mime, .mim, .rfc822 or .msg.txt, and others that begin with the header of a message';
/** Octets from the start of a file whose name tells nothing. */
const SNIFF = 8 * 1024;
/** One of these is in the header of every message that was ever sent or received. */
const TELLING = new Set(['from', 'received', 'return-path']);
/** Names that are told; the rest is counted. */
const NAMES = 5;

export type FileKind = 'message' | 'mbox' | 'other';

export async function kindOf(path: string): Promise<FileKind> {
  if (NAMED.test(path)) return 'message';
  const start = await smallFile(path, SNIFF).catch(() => undefined);
  // What may not be read fails by itself, with its reason, when it is read.
  if (start === undefined) return 'message';
  if (isSeparator(Buffer.from(start.slice(0, start.indexOf('\n') + 1), 'latin1'))) return 'mbox';
  return beginsWithHeader(start) ? 'message' : 'other';
}

function beginsWithHeader(start: string): boolean {
  const end = /\r?\n\r?\n/.exec(start)?.index;
  const lines = start.slice(0, end).split(/\r?\n/);
  // What the piece that was read ends with may be half a line.
  if (end === undefined && start.length === SNIFF) lines.pop();
  let telling = false;
  for (const [i, line] of lines.entries()) {
    if (i > 0 && (/^[ \t]/.test(line) || line === '')) continue;
    const name = /^([!-9;-~]{1,100}):/.exec(line)?.[1];
    if (name === undefined) return false;
    telling ||= TELLING.has(name.toLowerCase());
  }
  return telling;
}

export interface FolderFiles {
  readonly messages: readonly string[];
  /** Why files were left out; undefined: none was. Hidden ones are not spoken of. */
  readonly left: { readonly why: string; readonly missed: boolean } | undefined;
}

export async function filesIn(
  path: string,
  entries: readonly Dirent<Buffer>[] | undefined = undefined,
): Promise<FolderFiles> {
  const messages: string[] = [];
  const [mboxes, others]: [string[], string[]] = [[], []];
  for (const entry of entries ?? (await entriesOf(path))) {
    const file = entry.name.toString('utf8');
    if (!entry.isFile() || (file.startsWith('.') && !NAMED.test(file))) continue;
    const kind = await kindOf(join(path, file));
    (kind === 'message' ? messages : kind === 'mbox' ? mboxes : others).push(file);
  }
  const whys = [
    ...(others.length === 0 ? [] : [`no messages: ${listed(others)}`]),
    ...(mboxes.length === 0 ? [] : [`mbox files, which "postern import mbox" brings: ${listed(mboxes)}`]),
  ];
  const left = whys.length === 0 ? undefined : { why: whys.join('; '), missed: mboxes.length > 0 };
  return { messages, left };
}

function listed(names: readonly string[]): string {
  const more = names.length - NAMES;
  return `${names.slice(0, NAMES).join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}
