import { Refusal } from '../../../base/errors.ts';
import { MAX_ANNOTATIONS, MAX_ENTRY_BYTES, type Annotation } from '../../../data/sharing/annotations.ts';
import { hasRights, Right } from '../../../data/sharing/rights.ts';
import { needMailbox } from '../access.ts';
import { refuse } from '../replies.ts';
import { flushIfFull, loginOf, type Session, untagged, usesUtf8 } from '../session.ts';
import { filterKey, filterOf } from '../search/filters.ts';
import { type Decoder, SyntaxFault } from '../wire/decoder.ts';
import { mailbox as mailboxText, string } from '../wire/encoder.ts';
import { type Command, LOGGED_IN } from './command.ts';

/** An entry of RFC 5464 section 3.2. `entry` is "" for the scope as a whole, which only a depth makes sense of. */
export interface EntryName {
  readonly scope: 'private' | 'shared';
  readonly entry: string;
  /** As the client wrote it. */
  readonly given: string;
}

interface Options {
  maxSize: number;
  depth: 0 | 1 | 'infinity';
}

/** Names are without regard to case, in visible ASCII, without wildcards, empty levels or a slash at the end. */
export function entryName(d: Decoder): EntryName {
  const given = d.astring('an entry').toString('latin1');
  const match = /^\/(private|shared)((?:\/[!-$&-)+-.0-~]+)*)$/.exec(given.toLowerCase());
  if (match === null || given.length > MAX_ENTRY_BYTES)
    return d.fail('an entry below /private or /shared before this');
  const [, scope, entry = ''] = match;
  return { scope: scope === 'shared' ? 'shared' : 'private', entry, given };
}

/** entries: one, or several in parentheses. */
export function entryNames(d: Decoder): readonly EntryName[] {
  let count = 0;
  const next = (): EntryName => {
    if (++count > MAX_ANNOTATIONS)
      throw refuse('limit', 'LIMIT', `At most ${MAX_ANNOTATIONS} entries are taken`);
    return entryName(d);
  };
  return d.atList ? d.list(next) : [next()];
}

/** "(MAXSIZE n DEPTH 0|1|infinity)" */
function options(d: Decoder): Options {
  const found: Options = { maxSize: Number.POSITIVE_INFINITY, depth: 0 };
  d.list(() => {
    const name = d.keyword('an option');
    d.sp();
    if (name === 'MAXSIZE') found.maxSize = d.number('a size');
    else if (name === 'DEPTH') found.depth = depthOf(d);
    else d.fail('MAXSIZE or DEPTH before this');
  });
  return found;
}

function atOptions(d: Decoder): boolean {
  return /^\( *(?:MAXSIZE|DEPTH) /i.test(d.rest().toString('latin1', 0, 100));
}

function depthOf(d: Decoder): Options['depth'] {
  const text = d.keyword('0, 1 or infinity');
  if (text === '0') return 0;
  if (text === '1') return 1;
  return text === 'INFINITY' ? 'infinity' : d.fail('0, 1 or infinity before this');
}

/** GETMETADATA (RFC 5464 section 4.2). */
export const getMetadata: Command = {
  name: 'GETMETADATA',
  states: LOGGED_IN,
  capabilities: ['METADATA', 'METADATA-SERVER'],
  async run(session, d) {
    d.sp();
    let { maxSize, depth }: Options = { maxSize: Number.POSITIVE_INFINITY, depth: 0 };
    if (d.atList) {
      ({ maxSize, depth } = options(d));
      d.sp();
    }
    const name = d.mailbox();
    d.sp();
    // The examples of RFC 5464 have the options here, and so have clients.
    if (atOptions(d)) {
      ({ maxSize, depth } = options(d));
      d.sp();
    }
    const wanted = entryNames(d);
    d.end();
    const target = await targetOf(session, name, 0);
    const longest = await tellAnnotations(session, target, wanted, { maxSize, depth });
    // RFC 5464 section 4.2.1.
    return longest === 0 ? undefined : { code: `METADATA LONGENTRIES ${longest}`, text: 'Some are longer' };
  },
};

/** A mailbox with annotations; id 0 and no name for the server. */
export interface Annotated {
  readonly id: number;
  readonly name: string;
  readonly specialUse: string | undefined;
}

/** Any of these lets its holder have annotations of a mailbox that it sees (RFC 5464 section 3.3). */
const ANNOTATING = Right.Read | Right.Seen | Right.Write | Right.Insert | Right.Post;

export function mayAnnotate(rights: number): boolean {
  return hasRights(rights, Right.Lookup) && (rights & ANNOTATING) !== 0;
}

async function targetOf(session: Session, name: string, needed: number): Promise<Annotated> {
  if (name === '') return { id: 0, name: '', specialUse: undefined };
  const { mailbox, rights } = await needMailbox(session, name, Right.Lookup | needed);
  if (!mayAnnotate(rights))
    throw refuse('not-permitted', 'NOPERM', 'You may not have annotations of this mailbox');
  return mailbox;
}

/** The METADATA response with what was asked for. The size of the largest value that was left out, 0 for none. */
export async function tellAnnotations(
  session: Session,
  target: Annotated,
  wanted: readonly EntryName[],
  { maxSize, depth }: Options,
): Promise<number> {
  const { accountId } = loginOf(session);
  const { id, name } = target;
  const stored = await session.options.store.read.run('sharing.annotations', { accountId, mailboxId: id });
  const all = id === 0 ? withContact(session, stored) : withSpecialUse(target, stored);
  const told = new Map<string, string>();
  let longest = 0;
  for (const { scope, entry, given } of wanted) {
    let there = false;
    for (const one of all) {
      if (one.scope !== scope || !reaches(entry, one.entry, depth)) continue;
      there ||= one.entry === entry;
      if (one.value.length > maxSize) {
        longest = Math.max(longest, one.value.length);
        continue;
      }
      told.set(`/${scope}${one.entry}`, valueText(one.value));
    }
    // RFC 5464 section 4.2: what was asked for by name and is not there is NIL.
    if (!there && depth === 0 && entry !== '') told.set(given.toLowerCase(), 'NIL');
  }
  if (told.size > 0) {
    session.out.text(`* METADATA ${mailboxText(name, usesUtf8(session))} (`);
    let first = true;
    for (const [entry, value] of told) {
      session.out.text(`${first ? '' : ' '}${entry} ${value}`);
      first = false;
    }
    session.out.line(')');
    await flushIfFull(session);
  }
  return longest;
}

/** Whether an entry is the one that was named, or below it and not deeper than that. */
function reaches(named: string, entry: string, depth: Options['depth']): boolean {
  if (entry === named) return true;
  if (depth === 0 || !entry.startsWith(`${named}/`)) return false;
  return depth === 'infinity' || !entry.includes('/', named.length + 1);
}

function valueText(value: Uint8Array): string {
  const octets = Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('latin1');
  // literal8 (RFC 3516) where there is NUL.
  return octets.includes('\0') ? `~{${octets.length}}\r\n${octets}` : string(octets);
}

/** RFC 5464 section 6.2.1: whom to turn to, unless an administrator has named somebody else. */
function withContact(session: Session, stored: readonly Annotation[]): readonly Annotation[] {
  if (stored.some(({ scope, entry }) => scope === 'shared' && entry === '/admin')) return stored;
  const { address } = loginOf(session);
  const domain = address.slice(address.lastIndexOf('@') + 1);
  return [...stored, { scope: 'shared', entry: '/admin', value: Buffer.from(`mailto:postmaster@${domain}`) }];
}

/** Where a mailbox's special use stands among its annotations (RFC 6154 section 4). */
const SPECIAL_USE = '/specialuse';

function withSpecialUse({ specialUse }: Annotated, stored: readonly Annotation[]): readonly Annotation[] {
  const others = stored.filter(({ scope, entry }) => scope !== 'private' || entry !== SPECIAL_USE);
  if (specialUse === undefined) return others;
  return [...others, { scope: 'private', entry: SPECIAL_USE, value: Buffer.from(specialUse) }];
}

/** SETMETADATA (RFC 5464 section 4.3). */
export const setMetadata: Command = {
  name: 'SETMETADATA',
  states: LOGGED_IN,
  async run(session, d) {
    d.sp();
    const name = d.mailbox();
    d.sp();
    let count = 0;
    const changes = d.list(() => {
      if (++count > MAX_ANNOTATIONS)
        throw refuse('limit', 'METADATA TOOMANY', `At most ${MAX_ANNOTATIONS} entries are taken`);
      const { scope, entry } = entryName(d);
      if (entry === '') d.fail('an entry below /private or /shared before this');
      d.sp();
      const value = d.skip('NIL') ? null : Buffer.from(d.string('a string or NIL'));
      return { scope, entry, value };
    });
    d.end();
    const shared = changes.some((change) => change.scope === 'shared');
    // RFC 5464 section 3.3: what all see takes the right to change the mailbox.
    const { id: mailboxId } = await targetOf(session, name, shared ? Right.Write : 0);
    if (mailboxId === 0) for (const change of changes) needFilter(session, change);
    else if (changes.some(({ scope, entry }) => scope === 'private' && entry === SPECIAL_USE))
      throw refuse('not-permitted', 'CANNOT', 'A special use is given by CREATE');
    const { accountId } = loginOf(session);
    await session.options.store.write.run('sharing.annotate', { accountId, mailboxId, changes });
    return undefined;
  },
};

/** A search that is kept under a name must be one (RFC 5466 section 3.2): it is better told of now than when it is used. */
function needFilter(
  session: Session,
  change: { readonly entry: string; readonly value: Buffer | null },
): void {
  if (change.value === null || filterOf(change.entry) === undefined) return;
  try {
    filterKey(session, change.value);
  } catch (error) {
    if (error instanceof SyntaxFault) throw new Refusal('bad-input', `No search: ${error.message}`);
    throw error;
  }
}

/** Options of LIST RETURN (METADATA ...) (RFC 9590), which has none. */
export const LIST_METADATA: Options = { maxSize: Number.POSITIVE_INFINITY, depth: 0 };

/** An untagged METADATA response that only says which entries changed (RFC 5464 section 4.4.2). */
export function tellChangedEntries(session: Session, name: string, entries: readonly string[]): void {
  untagged(session, `METADATA ${mailboxText(name, usesUtf8(session))} ${entries.join(' ')}`);
}
