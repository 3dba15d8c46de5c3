import { errorText } from '../../base/errors.ts';
import type { SortKey } from '../../data/mailstore/sorting.ts';
import type { UidRange } from '../../data/mailstore/types.ts';
import { esearchHead } from './esearch.ts';
import { tellUnasked } from './fetch-unasked.ts';
import { SESSION_LIMITS } from './limits.ts';
import type { MailboxView } from './mailbox-view.ts';
import { runSearch } from './search/run.ts';
import { flushIfFull, type Session, SessionEnd, spend, untagged } from './session.ts';
import { sortPlace } from './sort-keys.ts';
import { SyntaxFault } from './wire/decoder.ts';
import { string } from './wire/encoder.ts';
import type { FetchAtt } from './wire/fetch-att.ts';
import type { ReturnOptions } from './wire/return-options.ts';
import type { SearchCriteria, SearchKey } from './wire/search-key.ts';
import { formatSet } from './wire/sequence-set.ts';

/** What makes a context: a search, or a sort when there are keys. */
export interface ContextRequest extends SearchCriteria {
  readonly tag: string;
  readonly byUid: boolean;
  readonly keys: readonly SortKey[] | undefined;
  /** What is fetched of messages that come (RFC 5465 section 7). */
  readonly atts: readonly FetchAtt[];
  /** Told as of one mailbox among others (RFC 7377). */
  readonly withMailbox?: boolean;
}

/** A search whose result is kept up to date (RFC 5267 section 4.3). */
export interface SearchContext extends ContextRequest {
  /** What the client knows, in its order, and ascending. */
  uids: Uint32Array;
  ascending: Uint32Array;
  /** The highest UID that was in view when it was last looked at. */
  lastUid: number;
}

/** RFC 5267 section 4.3: a tag that names a context already cannot name another. */
export function needNewTag({ contexts, tag }: Session, options: ReturnOptions | undefined): void {
  if (options?.update === true && contexts.some((each) => each.tag === tag))
    throw new SyntaxFault('expected a tag of no search that is kept up to date');
}

/** Keep a result up to date from now on, or say that it is not (RFC 5267 section 4.3.1). */
export function addContext(session: Session, request: ContextRequest, uids: ArrayLike<number>): void {
  const { contexts, view } = session;
  if (view === undefined) return;
  const messages = contexts.reduce((sum, each) => sum + each.uids.length, uids.length);
  if (contexts.length >= SESSION_LIMITS.contexts || messages > SESSION_LIMITS.contextMessages) {
    refuseUpdate(session, request.tag, 'Too much is kept up to date already');
    return;
  }
  const known = Uint32Array.from(uids);
  const ascending = request.keys === undefined ? known : known.toSorted();
  const key = frozen(view, session.saved, request.key);
  session.contexts = [...contexts, { ...request, key, uids: known, ascending, lastUid: view.lastUid }];
  view.watched = true;
}

/** RFC 5267 section 4.3: message numbers, and "$", mean the messages that they meant when the command came. */
function frozen(view: MailboxView, saved: readonly number[], key: SearchKey): SearchKey {
  const inner = (each: SearchKey): SearchKey => frozen(view, saved, each);
  switch (key.kind) {
    case 'and':
      return { kind: 'and', keys: key.keys.map(inner) };
    case 'or':
      return { kind: 'or', a: inner(key.a), b: inner(key.b) };
    case 'not':
      return { kind: 'not', key: inner(key.key) };
    case 'uid':
      if (key.set !== '$') return key;
      return uidsOf(view.ranges(key.set, true, saved, true));
    case 'seq':
      return uidsOf(view.ranges(key.set, false, saved, true));
    default:
      return key;
  }
}

function uidsOf(set: readonly UidRange[]): SearchKey {
  return set.length === 0 ? { kind: 'never' } : { kind: 'uid', set };
}

export function refuseUpdate(session: Session, tag: string, why: string): void {
  untagged(session, `NO [NOUPDATE ${string(tag)}] ${why}`);
}

/** CANCELUPDATE; false when there is no context of that tag. */
export function cancelContext(session: Session, tag: string): boolean {
  const left = session.contexts.filter((each) => each.tag !== tag);
  if (left.length === session.contexts.length) return false;
  session.contexts = left;
  if (session.view !== undefined && left.length === 0) session.view.watched = false;
  return true;
}

/** How the result of a context has changed, in the order in which it is told. */
export interface ContextChange {
  readonly context: SearchContext;
  /** Of messages that have gone, and of others; by position from the last to the first. */
  readonly gone: readonly Placed[];
  readonly left: readonly Placed[];
  /** Put in, by position from the first to the last. */
  readonly added: readonly Placed[];
  /** Those of them that have just come. */
  readonly arrived: readonly number[];
}

interface Placed {
  readonly uid: number;
  /** From 1; 0 where the order is that of the mailbox (RFC 5267 section 4.3.2). */
  readonly position: number;
}

/** What changed in all contexts by what the view has taken in. */
export async function contextChanges(session: Session, view: MailboxView): Promise<ContextChange[]> {
  const { touched, gone } = view.takeTouched();
  if (touched.length === 0 && gone.length === 0) return [];
  const changes: ContextChange[] = [];
  for (const context of session.contexts) {
    try {
      const change = await changeOf(session, view, context, touched, new Set(gone));
      if (change !== undefined) changes.push(change);
    } catch (error) {
      if (error instanceof SessionEnd) throw error;
      session.options.logger.warn({ error: errorText(error) }, 'imap: a search is no longer kept up to date');
      cancelContext(session, context.tag);
      refuseUpdate(session, context.tag, 'The search failed');
    }
  }
  return changes;
}

async function changeOf(
  session: Session,
  view: MailboxView,
  context: SearchContext,
  touched: readonly number[],
  gone: ReadonlySet<number>,
): Promise<ContextChange | undefined> {
  const asked = touched.filter((uid) => !gone.has(uid) && view.seqOf(uid) > 0);
  const matching = new Set(asked.length === 0 ? [] : await matchingOf(session, view, context, asked));
  const known = (uid: number): boolean => stands(context.ascending, uid);
  const fresh = new Set([...matching].filter((uid) => !known(uid)));
  const arrived = [...fresh].filter((uid) => uid > context.lastUid);
  context.lastUid = view.lastUid;
  const outGone = await takeOut(session, context, new Set([...gone].filter(known)));
  const outLeft = await takeOut(
    session,
    context,
    new Set(asked.filter((uid) => !matching.has(uid) && known(uid))),
  );
  if (outGone.length + outLeft.length + fresh.size === 0) return undefined;
  if (fresh.size > 0) context.ascending = Uint32Array.from([...context.ascending, ...fresh]).toSorted();
  context.uids = await inOrder(session, view, context);
  return { context, gone: outGone, left: outLeft, added: await placesOf(session, context, fresh), arrived };
}

/** Take messages out of a result: where they stood, from the last to the first, so that each is right when it is told. */
async function takeOut(
  session: Session,
  context: SearchContext,
  out: ReadonlySet<number>,
): Promise<readonly Placed[]> {
  if (out.size === 0) return [];
  const places = await placesOf(session, context, out);
  context.ascending = context.ascending.filter((uid) => !out.has(uid));
  context.uids = context.uids.filter((uid) => !out.has(uid));
  return places.toReversed();
}

/** Whether a number is in an ascending list. */
function stands(list: Uint32Array, wanted: number): boolean {
  let low = 0;
  let high = list.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((list[middle] ?? 0) < wanted) low = middle + 1;
    else high = middle;
  }
  return list[low] === wanted;
}

const PER_TURN = 4096;
const STEPS_PER_NUMBER = 10;

/** Where some messages stand in the result, by position. */
async function placesOf(
  session: Session,
  context: SearchContext,
  wanted: ReadonlySet<number>,
): Promise<Placed[]> {
  if (context.keys === undefined)
    return [...wanted].toSorted((a, b) => a - b).map((uid) => ({ uid, position: 0 }));
  const places: Placed[] = [];
  const { uids } = context;
  for (let at = 0; at < uids.length && places.length < wanted.size; at++) {
    const uid = uids[at] ?? 0;
    if (wanted.has(uid)) places.push({ uid, position: at + 1 });
    if (at % PER_TURN === 0) await spend(session, PER_TURN * STEPS_PER_NUMBER);
  }
  return places;
}

async function matchingOf(
  session: Session,
  view: MailboxView,
  criteria: SearchCriteria,
  uids: readonly number[],
): Promise<readonly number[]> {
  const set: SearchKey = { kind: 'uid', set: view.rangesOf(uids) };
  const key: SearchKey = { kind: 'and', keys: [set, criteria.key] };
  return (await runSearch(session, { charset: criteria.charset, key }, view)).uids;
}

async function inOrder(
  session: Session,
  view: MailboxView,
  { keys, ascending }: SearchContext,
): Promise<Uint32Array> {
  if (keys === undefined) return ascending;
  const place = sortPlace(session, view);
  return session.options.store.read.run('mailstore.sort', { ...place, uids: ascending, keys });
}

/** Messages of one response. */
const PER_RESPONSE = 500;

/**
 * ADDTO or REMOVEFROM of the contexts that changed (RFC 5267 sections 4.3.2 and 4.3.3). RFC 5465 section 7: what was
 * asked for of messages that have come is told before.
 */
export async function tellChanges(
  session: Session,
  view: MailboxView,
  changes: readonly ContextChange[],
  which: 'gone' | 'left' | 'added',
): Promise<void> {
  for (const change of changes) {
    const { context, arrived } = change;
    if (which === 'added' && context.atts.length > 0 && arrived.length > 0)
      await tellUnasked(session, view, view.rangesOf(arrived), context.atts);
    const placed = change[which];
    const word = which === 'added' ? 'ADDTO' : 'REMOVEFROM';
    const head = esearchHead(session, view, context.tag, context.byUid, context.withMailbox === true);
    for (let at = 0; at < placed.length; at += PER_RESPONSE) {
      const page = placed.slice(at, at + PER_RESPONSE);
      session.out.line(`${head} ${word} (${pairs(view, context, page)})`);
      await flushIfFull(session);
    }
  }
}

function pairs(view: MailboxView, context: SearchContext, page: readonly Placed[]): string {
  const number = (uid: number): number => (context.byUid ? uid : view.seqOf(uid));
  if (context.keys === undefined) {
    const numbers = page.map(({ uid }) => number(uid)).toSorted((a, b) => a - b);
    return `0 ${formatSet(numbers)}`;
  }
  return page.map(({ uid, position }) => `${position} ${number(uid)}`).join(' ');
}
