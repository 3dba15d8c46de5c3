import type { Clock } from '../../base/clock.ts';
import { errorText } from '../../base/errors.ts';
import { Flag, type SpecialUse } from '../../data/mailstore/types.ts';
import {
  type FetchedRow,
  type ImapClient,
  type ListedMailbox,
  type Namespaces,
  parseInternalDate,
} from '../../net/imap-client/client.ts';
import { ImapFailure } from '../../net/imap-client/failure.ts';
import { isList, textOf, type Value } from '../../net/imap-client/response.ts';
import { decodeMailboxName } from '../../net/imap-client/utf7.ts';
import { labelPlaces } from './gmail.ts';
import { type Spooled, spool } from './spool.ts';
import { FOLDER_MESSAGES, type LeftMessage, type MailSource, type Place, type ReadMessage } from './types.ts';
import type { PassedFolder, SourceFolder, SourceMessage } from './types.ts';

/** An account of another IMAP server. It is only read: mailboxes are opened by EXAMINE, bodies fetched by PEEK. */

/** Messages and octets asked for in one FETCH: what has come waits in memory until all have. */
const PER_FETCH = 50;
const FETCH_BYTES = 4 * 1024 * 1024;
/** Times a connection is made anew while a folder is read, and the first wait between two (ms), doubled each time. */
const ATTEMPTS = 8;
const FIRST_WAIT_MS = 1000;

interface ImapFolder extends SourceFolder {
  readonly wire: string;
}

interface ImapMessage extends SourceMessage {
  readonly uid: number;
}

export interface ImapSourceOptions {
  /** "alice@old.example.org:993": part of what messages are remembered by, so it stays the same. */
  readonly name: string;
  readonly connect: () => Promise<ImapClient>;
  readonly clock: Clock;
  /** Folders wanted, by their names here; undefined: all. */
  readonly wants?: (levels: readonly string[]) => boolean;
  /** Also folders of other people and of everybody that the account may read. */
  readonly shared?: boolean;
}

export function imapSource(options: ImapSourceOptions): MailSource {
  const session = new Session(options);
  let passed: readonly PassedFolder[] = [];
  return {
    name: `IMAP ${options.name}`,
    async folders() {
      const listed = await session.again((client) => listFolders(client, session, options));
      passed = listed.passed;
      return listed.found;
    },
    passed: () => passed,
    list: (folder) => session.again((client) => listMessages(client, session, folder as ImapFolder)),
    read: (folder, messages) =>
      readMessages(session, folder as ImapFolder, messages as readonly ImapMessage[]),
    close: () => session.close(),
  };
}

/** A connection that is made anew when it is lost. */
class Session {
  readonly #options: ImapSourceOptions;
  #client: ImapClient | undefined;
  /** Wire name of the mailbox that is open. */
  opened: string | undefined;

  constructor(options: ImapSourceOptions) {
    this.#options = options;
  }

  async client(): Promise<ImapClient> {
    if (this.#client === undefined || this.#client.closed) {
      this.opened = undefined;
      this.#client = await this.#options.connect();
    }
    return this.#client;
  }

  /** Do it, again on a new connection when one is lost or the server asks for patience. */
  async again<T>(work: (client: ImapClient) => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await work(await this.client());
      } catch (error) {
        await this.patience(error, attempt);
      }
    }
  }

  /** Wait before the next attempt; throws what cannot be mended by waiting. */
  async patience(error: unknown, attempt: number): Promise<void> {
    if (!(error instanceof ImapFailure) || !isPassing(error) || attempt >= ATTEMPTS) throw error;
    await this.drop();
    await this.#options.clock.sleep(FIRST_WAIT_MS * 2 ** (attempt - 1));
  }

  async open(client: ImapClient, wire: string): Promise<number> {
    const opened = await client.open(wire);
    this.opened = wire;
    return opened.uidvalidity;
  }

  async drop(): Promise<void> {
    const client = this.#client;
    this.#client = undefined;
    this.opened = undefined;
    await client?.logout();
  }

  close(): Promise<void> {
    return this.drop();
  }
}

/** Whether another attempt later may do. */
function isPassing({ kind, code }: ImapFailure): boolean {
  return kind === 'lost' || code === 'THROTTLED' || code === 'UNAVAILABLE' || code === 'LIMIT';
}

/** Attributes of RFC 6154 that have a mailbox of ours. */
const USES: ReadonlyMap<string, SpecialUse> = new Map(
  (['\\Archive', '\\Drafts', '\\Junk', '\\Sent', '\\Trash', '\\All', '\\Flagged'] as const).map((use) => [
    use.toLowerCase(),
    use,
  ]),
);

/** What every account has (RFC 9051 section 5.1), also where a server does not list it (Cyrus with "." in a user's name). */
const INBOX: ListedMailbox = { wire: 'INBOX', levels: ['INBOX'], delimiter: '', attributes: [] };

async function listFolders(
  client: ImapClient,
  session: Session,
  options: ImapSourceOptions,
): Promise<{ readonly found: readonly SourceFolder[]; readonly passed: readonly PassedFolder[] }> {
  const listed = await client.list();
  // One that has the extension and fails at it says nothing about whose the folders are.
  const namespaces = await client.namespaces().catch(refusedOnly);
  const subscribed = new Set((await client.list('LSUB').catch(() => [])).map(({ wire }) => wire));
  const gmail = client.capabilities.has('X-GM-EXT-1');
  const found: ImapFolder[] = [];
  const passed: PassedFolder[] = [];
  const listsInbox = listed.some(({ wire }) => wire.toUpperCase() === 'INBOX');
  for (const box of listsInbox ? listed : [...listed, INBOX]) {
    const folder = folderOf(box, subscribed);
    if (folder === undefined || (gmail && !isGmailRoot(folder))) continue;
    if (!gmail && (folder.specialUse === '\\All' || folder.specialUse === '\\Flagged')) continue;
    if (options.wants !== undefined && !options.wants(folder.levels)) continue;
    const name = folder.levels.join('/');
    const own = isOwn(box, namespaces);
    if (!own && options.shared !== true) {
      passed.push({
        folder: name,
        why: 'it is not of this account (--shared brings such folders too)',
        missed: false,
      });
      continue;
    }
    try {
      const uidvalidity = await session.open(client, box.wire);
      found.push({ ...folder, id: `imap:${options.name}/${name}?${uidvalidity}` });
    } catch (error) {
      refusedOnly(error);
      if (box !== INBOX) passed.push({ folder: name, why: errorText(error), missed: own });
    }
  }
  if (!listsInbox && found.some(({ wire }) => wire === INBOX.wire))
    passed.push({ folder: '*', why: 'the server does not list the inbox, and may hide more', missed: true });
  return { found, passed };
}

/** For what may be refused and then does without; throws all else, and what waiting may mend. */
function refusedOnly(error: unknown): undefined {
  if (!(error instanceof ImapFailure) || error.kind !== 'refused' || isPassing(error)) throw error;
  return undefined;
}

/** By the longest prefix of RFC 2342 that the name begins with; where none says otherwise, it is the account's. */
function isOwn({ wire, delimiter }: ListedMailbox, namespaces: Namespaces | undefined): boolean {
  if (namespaces === undefined || wire.toUpperCase() === 'INBOX') return true;
  const longest = (prefixes: readonly string[]): number =>
    prefixes
      .filter((prefix) => `${wire}${delimiter}`.startsWith(prefix))
      .reduce((most, { length }) => Math.max(most, length), -1);
  return longest(namespaces.own) >= longest([...namespaces.others, ...namespaces.shared]);
}

function folderOf(
  { wire, levels, attributes }: ListedMailbox,
  subscribed: ReadonlySet<string>,
): Omit<ImapFolder, 'id'> | undefined {
  const lower = attributes.map((attribute) => attribute.toLowerCase());
  if (lower.includes('\\noselect') || lower.includes('\\nonexistent') || levels.length === 0)
    return undefined;
  const specialUse = lower.map((attribute) => USES.get(attribute)).find((use) => use !== undefined);
  const inbox = wire.toUpperCase() === 'INBOX';
  return {
    wire,
    levels: inbox ? ['INBOX'] : levels,
    specialUse: inbox ? undefined : specialUse,
    subscribed: inbox || subscribed.has(wire),
  };
}

/** Gmail shows a message in each of its labels: All Mail has each once, except what is spam or deleted. */
function isGmailRoot({ specialUse }: Omit<ImapFolder, 'id'>): boolean {
  return specialUse === '\\All' || specialUse === '\\Junk' || specialUse === '\\Trash';
}

async function listMessages(
  client: ImapClient,
  session: Session,
  folder: ImapFolder,
): Promise<readonly SourceMessage[]> {
  await session.open(client, folder.wire);
  const labelled = client.capabilities.has('X-GM-EXT-1') && folder.specialUse === '\\All';
  const items = `UID FLAGS INTERNALDATE RFC822.SIZE${labelled ? ' X-GM-LABELS' : ''}`;
  const found = new Map<number, ImapMessage>();
  await client.fetch('1:*', items, (uid, row) => {
    // Flags alone may come unasked, for messages that are known already.
    if (row.has('RFC822.SIZE') && found.size < FOLDER_MESSAGES) found.set(uid, messageOf(uid, row, labelled));
  });
  return [...found.values()].toSorted((a, b) => a.uid - b.uid);
}

function messageOf(uid: number, row: FetchedRow, labelled: boolean): ImapMessage {
  const { flags, keywords } = flagsOf(row.get('FLAGS'));
  const labels = row.get('X-GM-LABELS');
  const places: readonly Place[] | undefined =
    labelled && isList(labels) ? labelPlaces(labels.map(labelText)) : undefined;
  return {
    key: String(uid),
    uid,
    flags,
    keywords,
    receivedAt: parseInternalDate(textOf(row.get('INTERNALDATE'))),
    size: Number(textOf(row.get('RFC822.SIZE'))),
    ...(places !== undefined && { places }),
  };
}

/** Gmail writes labels as mailbox names; those of the system are atoms with a backslash, or quoted with one. */
function labelText(value: Value): string {
  return decodeMailboxName(Buffer.from(textOf(value), 'latin1'));
}

const FLAGS: Readonly<Record<string, number>> = {
  '\\seen': Flag.Seen,
  '\\answered': Flag.Answered,
  '\\flagged': Flag.Flagged,
  '\\deleted': Flag.Deleted,
  '\\draft': Flag.Draft,
};

/** System flags as bits, keywords beside them; \Recent and what else begins with a backslash is not kept. */
export function flagsOf(value: Value): { flags: number; keywords: string[] } {
  let flags = 0;
  const keywords: string[] = [];
  for (const each of isList(value) ? value : []) {
    const name = textOf(each);
    const bit = FLAGS[name.toLowerCase()];
    if (bit !== undefined) flags |= bit;
    else if (name !== '' && !name.startsWith('\\')) keywords.push(name);
  }
  return { flags, keywords };
}

async function* readMessages(
  session: Session,
  folder: ImapFolder,
  messages: readonly ImapMessage[],
): AsyncGenerator<ReadMessage | LeftMessage> {
  let attempt = 1;
  for (let at = 0; at < messages.length; ) {
    const wanted = messages.slice(at, at + fetchCount(messages, at));
    const read = new Map<number, Spooled>();
    let failure: unknown;
    try {
      const client = await session.client();
      if (session.opened !== folder.wire) await session.open(client, folder.wire);
      await fetchBodies(client, wanted, read);
    } catch (error) {
      failure = error;
    }
    let taken = 0;
    for (const message of wanted) {
      const octets = read.get(message.uid);
      // What the server did not send before it broke off is asked for again; what it left out is gone.
      if (octets === undefined && failure !== undefined) break;
      taken++;
      if (octets === undefined) yield { key: message.key, why: 'it was removed meanwhile' };
      else if (octets.size === 0) yield { key: message.key, why: 'it is empty' };
      else yield { message, octets, receivedAt: message.receivedAt ?? 0 };
    }
    for (const { uid } of wanted.slice(taken)) await read.get(uid)?.dispose();
    at += taken;
    if (taken > 0) attempt = 1;
    if (failure === undefined) continue;
    if (failure instanceof ImapFailure && failure.kind === 'refused' && failure.code === undefined) {
      const message = wanted[taken];
      if (message !== undefined) yield { key: message.key, why: errorText(failure) };
      at++;
      continue;
    }
    await session.patience(failure, attempt++);
  }
}

function fetchCount(messages: readonly ImapMessage[], from: number): number {
  let octets = 0;
  let count = 0;
  while (count < PER_FETCH && from + count < messages.length) {
    octets += messages[from + count]?.size ?? 0;
    if (count > 0 && octets > FETCH_BYTES) break;
    count++;
  }
  return count;
}

/** Bodies by UID. The UID may stand before or behind the body in a response. */
async function fetchBodies(
  client: ImapClient,
  wanted: readonly ImapMessage[],
  read: Map<number, Spooled>,
): Promise<void> {
  let body: Spooled | undefined;
  // Short bodies that came as quoted strings.
  const pending: [number, Buffer][] = [];
  await client.fetch(
    uidSet(wanted.map(({ uid }) => uid)),
    'UID BODY.PEEK[]',
    (uid, row) => {
      const value = row.get('BODY[]');
      const octets = body;
      body = undefined;
      if (octets !== undefined && !read.has(uid)) read.set(uid, octets);
      else if (Buffer.isBuffer(value) && value.length > 0) pending.push([uid, value]);
    },
    async (_before, _size, octets) => {
      await body?.dispose();
      body = await spool(octets);
    },
  );
  for (const [uid, value] of pending) read.set(uid, await spool(one(value)));
}

async function* one(octets: Buffer): AsyncGenerator<Buffer> {
  yield octets;
}

/** "1:3,7": runs that no other message lies between cannot be known, so only what follows directly is joined. */
export function uidSet(uids: readonly number[]): string {
  const parts: string[] = [];
  for (let at = 0; at < uids.length; ) {
    const from = uids[at] ?? 0;
    let to = from;
    while (uids[at + 1] === to + 1) to = uids[++at] ?? to;
    parts.push(from === to ? String(from) : `${from}:${to}`);
    at++;
  }
  return parts.join(',');
}
