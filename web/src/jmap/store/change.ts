import { call, JmapError, probe } from '../client.ts';
import { whileUnderWay } from '../leaving.ts';
import type { EmailEntry, Id, Keywords, Mailbox, Patch, SetError } from '../types.ts';
import { type AccountStore, isOffline } from './account.ts';
import {
  destroyNow,
  isWaiting,
  queue,
  queueBehind,
  queuedOf,
  replay,
  snoozeNow,
  waitingAccounts,
  type Wish,
} from './outbox.ts';
import { applyPatch, inversePatch, type Patches } from './patch.ts';
import type { Marks } from './marks.ts';

export { patchKeyword, type Patches } from './patch.ts';

/** Changes of keywords and mailboxes: shown at once, taken back where the server refuses, kept while it cannot be reached. */

/** Objects of one Email/set. */
const CHUNK = 500;

const isSeen = (keywords: Keywords): boolean => keywords['$seen'] === true;

/** Counts of mailboxes as they will be when an email has become another. */
function recount(mailboxes: Map<Id, Mailbox>, doubtful: Set<Id>, before: Marks, after: Marks): void {
  for (const id of new Set([...Object.keys(before.mailboxIds), ...Object.keys(after.mailboxIds)])) {
    const mailbox = mailboxes.get(id);
    if (mailbox === undefined) continue;
    const [was, is] = [before.mailboxIds[id] === true, after.mailboxIds[id] === true];
    const unread = Number(is && !isSeen(after.keywords)) - Number(was && !isSeen(before.keywords));
    const total = Number(is) - Number(was);
    if (unread === 0 && total === 0) continue;
    doubtful.add(id);
    mailboxes.set(id, {
      ...mailbox,
      totalEmails: Math.max(0, mailbox.totalEmails + total),
      unreadEmails: Math.max(0, mailbox.unreadEmails + unread),
    });
  }
}

type KnownMarks = (id: Id) => Marks | undefined;

function applyHere(store: AccountStore, patches: Patches, known?: KnownMarks): void {
  const mailboxes = new Map(store.mailboxes.value);
  const changed: EmailEntry[] = [];
  for (const [id, patch] of patches) {
    const shown = store.peek(id);
    const before = shown ?? known?.(id);
    if (before === undefined) continue;
    recount(mailboxes, store.doubtful, before, applyPatch(before, patch));
    if (shown !== undefined) changed.push(applyPatch(shown, patch));
  }
  store.put(changed, [], undefined, Number.POSITIVE_INFINITY);
  store.mailboxes.value = mailboxes;
}

export interface Changed {
  /** What takes it back. */
  readonly undo: Patches;
  /** It waits until the server can be reached. */
  readonly queued: boolean;
}

/** Some of it was refused; what was done can still be undone. */
export class ChangeRefused extends JmapError {
  readonly refused: number;
  readonly undo: Patches;

  constructor(error: SetError, refused: number, undo: Patches) {
    super(error.type, 'Email/set', error.description);
    this.refused = refused;
    this.undo = undo;
  }
}

/**
 * Change emails; of those that the store does not know, `marks` tells what they are. Rejects with `ChangeRefused` when the server did not do all of it, with
 * `ApiError` when it failed; what was not done is then shown as before.
 */
export async function changeEmails(
  store: AccountStore,
  patches: Patches,
  marks?: KnownMarks,
): Promise<Changed> {
  const undo = new Map<Id, Patch>();
  for (const [id, patch] of patches) {
    const known = store.peek(id) ?? marks?.(id);
    if (known === undefined) continue;
    const inverse = inversePatch(known, patch);
    if (Object.keys(inverse).length > 0) undo.set(id, inverse);
  }
  applyHere(store, patches, marks);
  const end = store.changing(patches.keys());
  let queued = false;
  try {
    const change = inTurn(store, () => send(store, patches, undo));
    const changed = await whileUnderWay(queuedOf(store, { patches: [...patches] }), change);
    ({ queued } = changed);
    return changed;
  } finally {
    // What the server would show now is without what waits: it is asked when that is done.
    end();
    lookAgain(store, !queued);
  }
}

/** A change has ended. */
function lookAgain(store: AccountStore, look = true): void {
  if (store.pending > 0 || !look) return;
  store.refresh();
  if (!store.behind) return;
  store.behind = false;
  void store.sync().catch(() => undefined);
}

const turns = new WeakMap<AccountStore, Promise<unknown>>();

/**
 * One after the other: requests that are under way at once may overtake each other, and the last wish would not be the last.
 * None waits for ever: a request without a sign of life is given up (base/patience.ts), and its change waits in the outbox.
 */
function inTurn<T>(store: AccountStore, work: () => Promise<T>): Promise<T> {
  const mine = (turns.get(store) ?? Promise.resolve()).then(work);
  turns.set(
    store,
    mine.catch(() => undefined),
  );
  return mine;
}

async function send(store: AccountStore, patches: Patches, undo: Map<Id, Patch>): Promise<Changed> {
  const all = [...patches];
  // What waits goes first: it was meant first.
  if (await isWaiting(store)) {
    const outcome = await queueBehind(store, { patches: all });
    if (outcome !== 'unkept') return { undo, queued: outcome === 'waits' };
  }
  let refused: Readonly<Record<Id, SetError>> = {};
  for (let at = 0; at < all.length; at += CHUNK) {
    const chunk = all.slice(at, at + CHUNK);
    try {
      const answer = await call('Email/set', { accountId: store.id, update: Object.fromEntries(chunk) });
      refused = { ...refused, ...answer.notUpdated };
      // Others had done it before: no word of a change will come, and what was counted here is to be looked at.
      if (answer.newState === answer.oldState) store.behind = true;
    } catch (error) {
      const rest = all.slice(at);
      if (isOffline(error) && (await queue(store, { patches: rest }))) return { undo, queued: true };
      takeBack(store, undo, new Set(rest.map(([id]) => id)));
      throw error;
    }
  }
  const ids = new Set(Object.keys(refused));
  const [first] = Object.values(refused);
  if (first === undefined) return { undo, queued: false };
  takeBack(store, undo, ids);
  throw new ChangeRefused(first, ids.size, undo);
}

function takeBack(store: AccountStore, undo: Map<Id, Patch>, ids: ReadonlySet<Id>): void {
  applyHere(store, new Map([...undo].filter(([id]) => ids.has(id))));
  for (const id of ids) undo.delete(id);
}

/** Do what waits, and what will when it is its turn, of these accounts and of all others that something waits for. */
export async function replayOutbox(
  known: Iterable<AccountStore>,
  storeOf: (accountId: Id) => AccountStore,
): Promise<void> {
  const all = new Set([...known, ...(await waitingAccounts()).map(storeOf)]);
  for (const store of all) await inTurn(store, () => replayHere(store));
}

async function replayHere(store: AccountStore): Promise<void> {
  if (!(await isWaiting(store))) return;
  const end = store.changing([]);
  let done = false;
  try {
    done = await replay(store);
  } finally {
    end();
    lookAgain(store, done);
  }
}

/** Destroy for good those that lie in `lyingIn` (undefined: wherever); true: that waits until the server can be reached. */
export async function destroyEmails(store: AccountStore, ids: readonly Id[], lyingIn?: Id): Promise<boolean> {
  const queued = await wishOrWait(store, ids, { destroy: { ids, lyingIn } }, async () => {
    for (let at = 0; at < ids.length; at += CHUNK) {
      const part = ids.slice(at, at + CHUNK);
      const [error] = await destroyNow(store, part);
      if (error !== undefined) throw new JmapError(error.type, 'Email/set', error.description);
      store.forget(part);
    }
  });
  if (queued) store.forget(ids);
  return queued;
}

/** Put emails of our own away; true: that waits until the server can be reached. */
export async function snoozeEmails(
  store: AccountStore,
  ids: readonly Id[],
  until: number,
  lyingIn: Id | undefined,
): Promise<boolean> {
  return wishOrWait(store, ids, { snooze: { ids, lyingIn, until } }, () => snoozeNow(ids, until));
}

async function wishOrWait(
  store: AccountStore,
  ids: readonly Id[],
  wish: Wish,
  now: () => Promise<unknown>,
): Promise<boolean> {
  const end = store.changing(ids);
  let queued = false;
  try {
    const work = inTurn(store, () => nowOrLater(store, wish, now));
    queued = await whileUnderWay(queuedOf(store, wish), work);
    return queued;
  } finally {
    end();
    lookAgain(store, !queued);
  }
}

async function nowOrLater(store: AccountStore, wish: Wish, now: () => Promise<unknown>): Promise<boolean> {
  if (await isWaiting(store)) {
    const outcome = await queueBehind(store, wish);
    if (outcome !== 'unkept') return outcome === 'waits';
  }
  try {
    await now();
    return false;
  } catch (error) {
    if (!isOffline(error) || !(await queue(store, wish))) throw error;
    void probe();
    return true;
  }
}
