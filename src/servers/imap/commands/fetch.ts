import { Flag, MAX_UID, type MessageRow, type UidRange } from '../../../data/mailstore/types.ts';
import { hasRights, Right } from '../../../data/sharing/rights.ts';
import { renewRights } from '../access.ts';
import { enableCondstore } from '../condstore.ts';
import type { ContentReader } from '../../../data/mailstore/content-reader.ts';
import { isPlain, tellPlain } from '../fetch-items.ts';
import { QUICK_ROWS, quickItems, tellQuickly } from '../fetch-quick.ts';
import { openContents, tellMessage } from '../fetch-response.ts';
import { SESSION_LIMITS } from '../limits.ts';
import { openPreviews } from '../previews.ts';
import type { MailboxView } from '../mailbox-view.ts';
import { allowed, needAllowed, partlyDone } from '../message-limit.ts';
import { tellVanishedEarlier } from '../numbers.ts';
import { refresh, tellFlags } from '../refresh.ts';
import { flushIfFull, isRev2, type Session, SessionEnd, viewOf, yieldTurn } from '../session.ts';
import type { Decoder } from '../wire/decoder.ts';
import { type FetchAtt, fetchAtts } from '../wire/fetch-att.ts';
import { pageOf, type PartialRange, partialRange } from '../wire/partial.ts';
import { type SequenceSet, tidy } from '../wire/sequence-set.ts';
import { type Command, type Outcome, SELECTED } from './command.ts';

/** FETCH (RFC 9051 section 6.4.5, RFC 7162 section 3.1.4). */
export const fetch: Command = {
  name: 'FETCH',
  states: SELECTED,
  byNumber: true,
  holdsExpunges: true,
  run: (session, d) => run(session, d, false),
};

/** UID FETCH (RFC 9051 section 6.4.9). */
export const uidFetch: Command = {
  name: 'UID FETCH',
  states: SELECTED,
  run: (session, d) => run(session, d, true),
};

interface Request {
  readonly ranges: readonly UidRange[];
  readonly atts: readonly FetchAtt[];
  readonly changedSince: number | undefined;
  /** What has gone since is to be told, of these UIDs (RFC 7162 section 3.2.6). */
  readonly vanished: readonly UidRange[] | undefined;
  readonly partial: PartialRange | undefined;
}

type Want = 'envelope' | 'bodystructure' | 'content' | 'thread';

function parse(session: Session, d: Decoder, byUid: boolean): Request {
  d.sp();
  const set = d.sequenceSet();
  d.sp();
  const asked = [...fetchAtts(d)];
  const { changedSince, vanished, partial } = modifiers(session, d, byUid);
  d.end();
  const has = (kind: FetchAtt['kind']): boolean => asked.some((att) => att.kind === kind);
  // RFC 9051 section 6.4.9: UID FETCH always tells the UID; a UIDFETCH response begins with it (RFC 9586 section 3.2).
  if (byUid && !has('uid') && !session.enabled.has('UIDONLY')) asked.unshift({ kind: 'uid' });
  if (changedSince !== undefined && !has('modseq')) asked.push({ kind: 'modseq' });
  // RFC 7162 section 3.1: CONDSTORE enabling commands.
  if (changedSince !== undefined || has('modseq')) enableCondstore(session);
  const view = viewOf(session);
  return {
    ranges: view.ranges(set, byUid, session.saved),
    atts: asked,
    changedSince,
    vanished: vanished ? goneAmong(set) : undefined,
    partial,
  };
}

interface Modifiers {
  changedSince: number | undefined;
  vanished: boolean;
  partial: PartialRange | undefined;
}

/** " (CHANGEDSINCE n VANISHED PARTIAL 1:10)" (RFC 7162 sections 3.1.4.1 and 3.2.6, RFC 9394 section 3.3). */
function modifiers(session: Session, d: Decoder, byUid: boolean): Modifiers {
  const found: Modifiers = { changedSince: undefined, vanished: false, partial: undefined };
  if (!d.skip(' ')) return found;
  d.list(() => {
    const name = d.keyword('a modifier');
    if (name === 'CHANGEDSINCE') {
      d.sp();
      found.changedSince = d.number64('a mod-sequence');
    } else if (name === 'VANISHED' && byUid && session.enabled.has('QRESYNC')) found.vanished = true;
    else if (name === 'PARTIAL' && byUid) {
      d.sp();
      found.partial = partialRange(d);
    } else
      d.fail(
        byUid
          ? 'CHANGEDSINCE, PARTIAL or, with QRESYNC enabled, VANISHED before this'
          : 'CHANGEDSINCE before this',
      );
  });
  if (found.vanished && found.changedSince === undefined) d.fail('CHANGEDSINCE beside VANISHED');
  return found;
}

/** The UIDs of which a client asks what has gone: "*" is no UID that is in view, for the highest may have gone. */
function goneAmong(set: SequenceSet): readonly UidRange[] {
  return set === '$' ? [] : tidy(set, MAX_UID);
}

/** RFC 9394 section 3.3: a page of the messages that a set means. */
function pageOfRanges(
  view: MailboxView,
  ranges: readonly UidRange[],
  partial: PartialRange,
): readonly UidRange[] {
  const { start, end } = pageOf(partial, view.countIn(ranges));
  const page: UidRange[] = [];
  let before = 0;
  for (const range of ranges) {
    const count = view.countIn([range]);
    const first = view.firstSeqFrom(range.from);
    const from = first + Math.max(0, start - before);
    const to = first + Math.min(count, end - before) - 1;
    if (from <= to) page.push({ from: view.uidAt(from), to: view.uidAt(to) });
    before += count;
  }
  return page;
}

/** The parts of rows that these items need. */
export function wants(atts: readonly FetchAtt[]): Want[] {
  const want = new Set<Want>();
  for (const { kind } of atts) {
    if (kind === 'envelope' || kind === 'bodystructure') want.add(kind);
    else if (kind === 'threadid') want.add('thread');
    else if (
      kind === 'section' ||
      kind === 'binary' ||
      kind === 'binary-size' ||
      kind === 'body' ||
      kind === 'preview'
    )
      want.add('content');
  }
  return [...want];
}

function setsSeen(atts: readonly FetchAtt[]): boolean {
  return atts.some((att) => (att.kind === 'section' || att.kind === 'binary') && !att.peek);
}

async function run(session: Session, d: Decoder, byUid: boolean): Promise<Outcome> {
  const { ranges: asked, atts, changedSince, vanished, partial } = parse(session, d, byUid);
  const view = viewOf(session);
  const page = partial === undefined ? asked : pageOfRanges(view, asked, partial);
  // RFC 9738 section 3.1: a page that is too large is not the page that was asked for.
  if (partial !== undefined) needAllowed(session, view.countIn(page));
  const { ranges, code } = allowed(session, view, page);
  if (vanished !== undefined && changedSince !== undefined)
    await tellVanishedEarlier(session, changedSince, vanished);
  const want = wants(atts);
  const setting = setsSeen(atts) && !view.readOnly;
  const size = want.length > 0 ? SESSION_LIMITS.contentRowsPerPage : SESSION_LIMITS.rowsPerPage;
  let quick = setting || changedSince !== undefined ? undefined : quickItems(session, atts);
  let told = 0;
  let failure: unknown;
  const pages = new Pages(view.chunks(ranges, quick === undefined ? size : QUICK_ROWS));
  for (let range = pages.next(); range !== undefined; range = pages.next()) {
    // Others have a turn between pages.
    if (pages.taken > 1) await yieldTurn();
    // A large answer must not go on after the right to read was taken away.
    if (view.rightsStale) await renewRights(session);
    if (quick !== undefined) {
      const { told: count, rest, stuck } = await tellQuickly(session, quick, range);
      told += count;
      await flushIfFull(session);
      if (rest === undefined || !stuck) {
        pages.putBack(rest);
        continue;
      }
      // Little is at hand, it seems: what is not, is read in pages.
      if (count === 0) quick = undefined;
      range = rest;
    }
    const rows = await session.options.store.read.run('mailstore.fetch', {
      mailboxId: view.mailboxId,
      ranges: [range],
      want,
      limit: size,
      ...(changedSince !== undefined && { changedSince }),
    });
    pages.putBack(rows.length < size ? undefined : restOf(range, rows));
    if (isPlain(atts)) await tellPlain(session, rows, atts);
    else {
      const problem = await tellRows(session, rows, atts, setting, byUid);
      failure ??= problem;
    }
    told += rows.length;
  }
  await refresh(session);
  if (failure !== undefined) throw failure;
  const missing = !byUid && changedSince === undefined && told < view.countIn(ranges);
  return partlyDone(session, code, missing, 'Only the last messages are told of');
}

/** Tell of rows with more than they have themselves. The error of the first that could not be told. */
async function tellRows(
  session: Session,
  rows: readonly MessageRow[],
  atts: readonly FetchAtt[],
  setting: boolean,
  byUid: boolean,
): Promise<unknown> {
  let failure: unknown;
  const contents = await openContents(session, rows, atts);
  const previews = await openPreviews(session, rows, atts, contents);
  // Last: whatever is marked must be told, and nothing between may fail.
  const marking = setting && hasRights(viewOf(session).rights, Right.Seen);
  const seen = marking ? await markSeen(session, rows) : undefined;
  for (const [at, row] of rows.entries()) {
    const marked = seen?.get(row.uid);
    const items = marked === undefined ? atts : withFlags(session, atts);
    const preview = previews.get(row.emailId);
    const problem = await tryMessage(session, marked ?? row, items, contents[at], preview);
    failure ??= problem;
    // It is marked as read all the same, and nothing else will tell of this change of our own.
    if (problem !== undefined && marked !== undefined)
      tellFlags(session, marked, byUid || session.enabled.has('CONDSTORE') || isRev2(session));
    await flushIfFull(session);
  }
  return failure;
}

/** What of a range lies behind rows. */
function restOf({ to }: UidRange, rows: readonly MessageRow[]): UidRange | undefined {
  const from = (rows.at(-1)?.uid ?? to) + 1;
  return from > to ? undefined : { from, to };
}

/** Ranges one after the other, with what was left of the last one before the next. */
class Pages {
  readonly #chunks: Iterator<UidRange>;
  #rest: UidRange | undefined;
  /** How many were taken. */
  taken = 0;

  constructor(chunks: Iterator<UidRange>) {
    this.#chunks = chunks;
  }

  next(): UidRange | undefined {
    const { done, value } =
      this.#rest === undefined ? this.#chunks.next() : { done: false, value: this.#rest };
    this.#rest = undefined;
    if (done === true) return undefined;
    this.taken++;
    return value;
  }

  putBack(rest: UidRange | undefined): void {
    this.#rest = rest;
  }
}

/** A message that cannot be shown does not keep the others from it; the command then ends with its error. */
async function tryMessage(
  session: Session,
  row: MessageRow,
  atts: readonly FetchAtt[],
  content: ContentReader | undefined,
  preview: string | undefined,
): Promise<unknown> {
  try {
    await tellMessage(session, row, atts, content, preview);
    return undefined;
  } catch (error) {
    if (error instanceof SessionEnd || session.inLiteral) throw error;
    return error;
  }
}

/** RFC 9051 section 6.4.5: reading a body sets \Seen, and the client is told. The rows that this changed. */
async function markSeen(session: Session, rows: readonly MessageRow[]): Promise<Map<number, MessageRow>> {
  const changed = new Map<number, MessageRow>();
  const unseen = rows.filter((row) => (row.flags & Flag.Seen) === 0);
  if (unseen.length === 0) return changed;
  const view = viewOf(session);
  const result = await session.options.store.write.run('mailstore.storeFlags', {
    accountId: view.accountId,
    mailboxId: view.mailboxId,
    ranges: view.rangesOf(unseen.map((row) => row.uid)),
    mode: 'add',
    set: { flags: Flag.Seen, keywords: [] },
  });
  // Somebody else may have been first: then the number is that of their change, which is yet to be told.
  if (result.changed > 0) view.madeChange(result.modseq);
  else view.dirty = true;
  view.supersede(result.rows);
  const after = new Map(result.rows.map((row) => [row.uid, row]));
  for (const row of unseen) {
    const now = after.get(row.uid);
    if (now !== undefined) changed.set(row.uid, { ...row, ...now });
  }
  return changed;
}

function withFlags(session: Session, atts: readonly FetchAtt[]): readonly FetchAtt[] {
  const more: FetchAtt[] = [];
  if (!atts.some((att) => att.kind === 'flags')) more.push({ kind: 'flags' });
  const has = (kind: FetchAtt['kind']): boolean => atts.some((att) => att.kind === kind);
  // RFC 7162 section 3.2.4: a FETCH that has set \Seen tells UID and MODSEQ too.
  if (session.enabled.has('CONDSTORE') && !has('modseq')) more.push({ kind: 'modseq' });
  if (session.enabled.has('CONDSTORE') && !has('uid') && !session.enabled.has('UIDONLY'))
    more.push({ kind: 'uid' });
  return [...atts, ...more];
}
