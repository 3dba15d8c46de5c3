import { createHash, type Hash } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { errorText } from '../../base/errors.ts';
import { Flag } from '../../data/mailstore/types.ts';
import { entriesOf, openPlain, piecesOf, smallFile } from './files.ts';
import { labelPlaces, takeoutLabels } from './gmail.ts';
import { arrivalOf, firstFields, flagsOf } from './header-facts.ts';
import { isSeparator, LineCutter, separatorTime } from './mbox-lines.ts';
import { MboxMessage } from './mbox-message.ts';
import { spool } from './spool.ts';
import { FOLDER_MESSAGES, type LeftMessage, type MailSource, NoMail, type ReadMessage } from './types.ts';
import type { SourceFolder, SourceMessage } from './types.ts';

/** mbox files: one, or a tree of them as mutt, Dovecot and Thunderbird (Name beside Name.sbd) keep it. */

const DEPTH = 20;
/** Octets of a hash that name a message. */
const KEY_OCTETS = 16;
/** Where an mbox tells the flags of a message. */
const STATUS_FIELDS = ['status', 'x-status', 'x-mozilla-status'];
/** First lines of a file that tell whether it is an mbox. */
const SNIFF = 1000;

interface MboxFolder extends SourceFolder {
  readonly path: string;
}

interface MboxEntry extends SourceMessage {
  /** Octets of the file that are the message, the line "From " left out. */
  readonly start: number;
  readonly end: number;
  readonly receivedAt: number | undefined;
}

/**
 * `into`: levels of the folder that a single file becomes; undefined: its name tells. `seen`: messages of which nothing is
 * told count as read; else as unread, since that is how an mbox tells of new mail.
 */
export function mboxSource(
  root: string,
  { into, seen }: { into?: readonly string[]; seen?: boolean } = {},
  name = root,
): MailSource {
  return {
    name: `mbox ${root}`,
    async folders() {
      const found: MboxFolder[] = [];
      const add = (path: string, levels: readonly string[]): void => {
        const id = `mbox:${name}#${levels.join('/')}`;
        found.push({ id, levels, path, subscribed: true });
      };
      if ((await stat(root)).isFile()) add(root, into ?? [folderName(basename(root))]);
      else await walk(root, into ?? [], add, 0);
      if (found.length === 0) throw new NoMail('looked for files that begin with a line "From ... date"');
      return found;
    },
    list: (folder) => listMbox((folder as MboxFolder).path, seen === true ? Flag.Seen : 0),
    read: (folder, messages) => readMbox((folder as MboxFolder).path, messages as readonly MboxEntry[]),
    close: async () => undefined,
  };
}

function folderName(file: string): string {
  const bare = file.replace(/\.(?:mbox|mbx|sbd)$/i, '');
  return /^(?:inbox|mbox)$/i.test(bare) ? 'INBOX' : bare;
}

async function walk(
  path: string,
  levels: readonly string[],
  add: (path: string, levels: readonly string[]) => void,
  depth: number,
): Promise<void> {
  const entries = (await entriesOf(path)).toSorted((a, b) => Buffer.compare(a.name, b.name));
  for (const entry of entries) {
    const file = entry.name.toString('utf8');
    if (file.startsWith('.')) continue;
    const below = [...levels, folderName(file)];
    // Apple Mail exports a directory "Name.mbox" with a file "mbox" in it.
    if (entry.isDirectory() && depth < DEPTH) await walk(join(path, file), below, add, depth + 1);
    else if (entry.isFile() && (await isMbox(join(path, file))))
      add(join(path, file), file === 'mbox' && levels.length > 0 ? levels : below);
  }
}

async function isMbox(path: string): Promise<boolean> {
  const start = await smallFile(path, SNIFF);
  return isSeparator(Buffer.from(start.slice(0, start.indexOf('\n') + 1), 'latin1'));
}

/** What is known of the message that is being passed. */
interface Open {
  readonly separator: Buffer;
  readonly start: number;
  readonly message: MboxMessage;
  readonly hash: Hash;
}

async function listMbox(path: string, otherwise: number): Promise<readonly MboxEntry[]> {
  const file = await openPlain(path);
  if (file === undefined) return [];
  const cutter = new LineCutter();
  const found: MboxEntry[] = [];
  const copies = new Map<string, number>();
  let open: Open | undefined;
  let at = 0;
  let afterBlank = true;
  const close = (end: number): void => {
    if (open === undefined) return;
    const entry = entryOf(open, end, copies, otherwise);
    if (entry !== undefined && found.length < FOLDER_MESSAGES) found.push(entry);
    open = undefined;
  };
  const take = (lines: ReturnType<LineCutter['push']>): void => {
    for (const line of lines) {
      const end = at + line.octets.length;
      if (line.begins && afterBlank && isSeparator(line.octets)) {
        close(at);
        const hash = createHash('sha256');
        open = { separator: Buffer.from(line.octets), start: end, message: new MboxMessage(), hash };
      } else if (open !== undefined) {
        for (const octets of open.message.push(line)) open.hash.update(octets);
      }
      afterBlank =
        line.begins && (line.octets.length === 1 || (line.octets.length === 2 && line.octets[0] === 13));
      at = end;
    }
  };
  for await (const piece of piecesOf(file)) take(cutter.push(piece));
  take(cutter.end());
  close(at);
  return found;
}

/** The same octets twice in a file are two messages. What stands before a message says nothing: files are rewritten. */
function entryOf(
  open: Open,
  end: number,
  copies: Map<string, number>,
  otherwise: number,
): MboxEntry | undefined {
  const fields = firstFields(open.message.header);
  const { flags, keywords, expunged } = flagsOf(fields);
  // Pine and Dovecot keep a message in front that is none; Thunderbird leaves deleted ones until it compacts.
  if (
    expunged ||
    fields.has('x-imap') ||
    (fields.has('x-imapbase') && /internal data/i.test(fields.get('subject') ?? ''))
  )
    return undefined;
  const digest = open.hash.digest().subarray(0, KEY_OCTETS).toString('hex');
  const copy = (copies.get(digest) ?? 0) + 1;
  copies.set(digest, copy);
  const labels = takeoutLabels(fields);
  const labelled = labels === undefined ? undefined : labelPlaces(labels.labels);
  const told = labels !== undefined || STATUS_FIELDS.some((name) => fields.has(name));
  return {
    key: copy === 1 ? digest : `${digest}.${copy}`,
    flags: told ? flags | (labels?.flags ?? 0) : otherwise,
    keywords,
    start: open.start,
    end,
    receivedAt: separatorTime(open.separator) ?? arrivalOf(fields),
    size: end - open.start,
    ...(labelled !== undefined && { places: labelled }),
  };
}

async function* readMbox(
  path: string,
  messages: readonly MboxEntry[],
): AsyncGenerator<ReadMessage | LeftMessage> {
  for (const message of messages) {
    try {
      const octets = await spool(messageOctets(path, message));
      if (octets.size === 0) yield { key: message.key, why: 'it is empty' };
      else yield { message, octets, receivedAt: message.receivedAt ?? 0 };
    } catch (error) {
      yield { key: message.key, why: errorText(error) };
    }
  }
}

async function* messageOctets(path: string, { start, end }: MboxEntry): AsyncGenerator<Buffer> {
  const file = await openPlain(path);
  if (file === undefined) return;
  const cutter = new LineCutter();
  const message = new MboxMessage();
  for await (const piece of piecesOf(file, start, end)) {
    const out = cutter.push(piece).flatMap((line) => message.push(line));
    if (out.length > 0) yield Buffer.concat(out);
  }
  const rest = cutter.end().flatMap((line) => message.push(line));
  if (rest.length > 0) yield Buffer.concat(rest);
}
