import { errorText } from '../../base/errors.ts';
import type { SortKey } from '../../data/mailstore/sorting.ts';
import { SESSION_LIMITS } from './limits.ts';
import type { MailboxView } from './mailbox-view.ts';
import { runSearch } from './search/run.ts';
import { flushIfFull, type Session, SessionEnd, spend, untagged } from './session.ts';
import { sortPlace } from './sort-keys.ts';
import { string } from './wire/encoder.ts';
import type { SearchCriteria, SearchKey } from './wire/search-key.ts';
import { formatSet } from './wire/sequence-set.ts';

/** What makes a context: a search, or a sort when there are keys. */
export interface ContextRequest {
  readonly tag: string;
  readonly criteria: SearchCriteria;
  readonly byUid: boolean;
  readonly keys: readonly SortKey[] | undefined;
}

/** A search whose result is kept up to date (RFC 5267 section 4.3). */
export interface SearchContext extends ContextRequest {
  /** What the client knows, in its order. */
  uids: Uint32Array;
}

/** Keep a result up to date from now on, or say that it is not (RFC 5267 section 4.3.1). */
export function addContext(session: Session, request: ContextRequest, uids: ArrayLike<number>): void {
  const { contexts, view } = session;
  if (view === undefined) return;
  const messages = contexts.reduce((sum, each) => sum + each.uids.length, uids.length);
  const refused =
    contexts.length >= SESSION_LIMITS.contexts || messages > SESSION_LIMITS.contextMessages
      ? 'Too much is kept up to date already'
      : contexts.some(({ tag }) => tag === request.tag)
        ? 'A search of this tag is kept up to date already'
        : undefined;
  if (refused !== undefined) {
    refuseUpdate(session, request.tag, refused);
    return;
  }
  session.contexts = [...contexts, { ...request, uids: Uint32Array.from(uids) }];
  view.watched = true;
}

function refuseUpdate(session: Session, tag: string, why: string): void {
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

/** How the result of a context has changed. */
export interface ContextChange {
  readonly context: SearchContext;
  /** Taken out, by position from the last to the first. */
  readonly removed: readonly Placed[];
  /** Put in, by position from the first to the last. */
  readonly added: readonly Placed[];
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
  const known = new Set(context.uids);
  const out = new Set<number>();
  for (const uid of gone) if (known.has(uid)) out.add(uid);
  for (const uid of asked) if (known.has(uid) && !matching.has(uid)) out.add(uid);
  const fresh = [...matching].filter((uid) => !known.has(uid));
  await spend(session, 20 * context.uids.length);
  if (out.size === 0 && fresh.length === 0) return undefined;
  const sorted = context.keys !== undefined;
  const removed: Placed[] = [];
  for (let at = context.uids.length - 1; at >= 0; at--) {
    const uid = context.uids[at] ?? 0;
    if (out.has(uid)) removed.push({ uid, position: sorted ? at + 1 : 0 });
  }
  const kept = context.uids.filter((uid) => !out.has(uid));
  context.uids = fresh.length === 0 ? kept : await inOrder(session, view, context, [...kept, ...fresh]);
  return { context, removed, added: placesOf(context.uids, new Set(fresh), sorted) };
}

function placesOf(uids: Uint32Array, fresh: ReadonlySet<number>, sorted: boolean): Placed[] {
  const added: Placed[] = [];
  if (fresh.size === 0) return added;
  for (const [at, uid] of uids.entries()) {
    if (fresh.has(uid)) added.push({ uid, position: sorted ? at + 1 : 0 });
  }
  return added;
}

async function matchingOf(
  session: Session,
  view: MailboxView,
  { criteria }: SearchContext,
  uids: readonly number[],
): Promise<readonly number[]> {
  const set: SearchKey = { kind: 'uid', set: view.rangesOf(uids) };
  const key: SearchKey = { kind: 'and', keys: [set, criteria.key] };
  return (await runSearch(session, { charset: criteria.charset, key }, view)).uids;
}

async function inOrder(
  session: Session,
  view: MailboxView,
  { keys }: SearchContext,
  uids: readonly number[],
): Promise<Uint32Array> {
  const ascending = Uint32Array.from(uids).toSorted();
  if (keys === undefined) return ascending;
  return session.options.store.read.run('mailstore.sort', {
    ...sortPlace(session, view),
    uids: ascending,
    keys,
  });
}

/** Messages of one response. */
const PER_RESPONSE = 500;

/** ADDTO or REMOVEFROM of the contexts that changed (RFC 5267 sections 4.3.2 and 4.3.3). */
export async function tellChanges(
  session: Session,
  view: MailboxView,
  changes: readonly ContextChange[],
  word: 'ADDTO' | 'REMOVEFROM',
): Promise<void> {
  for (const { context, removed, added } of changes) {
    const placed = word === 'ADDTO' ? added : removed.toReversed();
    // Sorted ones leave from the last position on, so that each position is right when it is told.
    const ordered = word === 'ADDTO' || context.keys === undefined ? placed : removed;
    for (let at = 0; at < ordered.length; at += PER_RESPONSE) {
      const page = ordered.slice(at, at + PER_RESPONSE);
      untagged(
        session,
        `ESEARCH (TAG ${string(context.tag)})${context.byUid ? ' UID' : ''} ${word} (${pairs(view, context, page)})`,
      );
      await flushIfFull(session);
    }
  }
}

function pairs(view: MailboxView, context: SearchContext, page: readonly Placed[]): string {
  const number = (uid: number): number => (context.byUid ? uid : view.seqOf(uid));
  if (context.keys === undefined) return `0 ${formatSet(page.map(({ uid }) => number(uid)))}`;
  return page.map(({ uid, position }) => `${position} ${number(uid)}`).join(' ');
}
