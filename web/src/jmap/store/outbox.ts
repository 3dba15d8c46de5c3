import { api, ApiError } from '../../base/http.ts';
import { offline } from '../../base/session.ts';
import { addChange, dropChange, readChanges } from '../changes.ts';
import { call, JmapError, probe } from '../client.ts';
import type { EmailEntry, Id, Patch, SetError } from '../types.ts';
import { type AccountStore, ENTRY_PROPERTIES } from './account.ts';
import { fitOf, type Patches } from './patch.ts';

/**
 * Changes of mail that the server has not got, or not surely, in the order in which they were made. They are done when it
 * answers again, as far as they still fit: what somebody did later on another device is not undone by them.
 */

/** What somebody wants to become of emails: one of these. */
export interface Wish {
  readonly patches?: readonly (readonly [Id, Patch])[];
  /** Destroyed for good. */
  readonly destroy?: There;
  /** Away until then, in milliseconds since the epoch. */
  readonly snooze?: There & { readonly until: number };
}

/** Emails that are meant as long as they lie where they did; undefined: wherever they are. */
interface There {
  readonly ids: readonly Id[];
  readonly lyingIn: Id | undefined;
}

interface Queued extends Wish {
  readonly accountId: Id;
}

function sizeOf({ patches, destroy, snooze }: Wish): number {
  return patches?.length ?? (destroy ?? snooze)?.ids.length ?? 0;
}

/** Objects of one Email/get or Email/set. */
const CHUNK = 500;
/** Tries to change emails while mail keeps coming in between. */
const TRIES = 5;

/** Told how many emails are as the server has them, and not as they were changed here. */
export const onDropped = new Set<(count: number) => void>();

/** A change as it is kept. */
export function queuedOf(store: AccountStore, wish: Wish): unknown {
  return { accountId: store.id, ...wish } satisfies Queued;
}

/** Keep a change until the server can be reached; false: this browser keeps nothing. */
export function queue(store: AccountStore, wish: Wish): Promise<boolean> {
  return addChange(queuedOf(store, wish));
}

async function waiting(store: AccountStore): Promise<{ key: IDBValidKey; value: Queued }[]> {
  return (await readChanges<Queued>()).filter(({ value }) => value.accountId === store.id);
}

export async function isWaiting(store: AccountStore): Promise<boolean> {
  return (await waiting(store)).length > 0;
}

/** Accounts that changes wait for. */
export async function waitingAccounts(): Promise<readonly Id[]> {
  return (await readChanges<Queued>()).map(({ value }) => value.accountId);
}

/** Have a change done after those that wait already, or wait with them. `unkept`: this browser keeps nothing. */
export async function queueBehind(store: AccountStore, wish: Wish): Promise<'done' | 'waits' | 'unkept'> {
  if (!(await queue(store, wish))) return 'unkept';
  if (offline.value) {
    void probe();
    return 'waits';
  }
  return (await replay(store)) ? 'done' : 'waits';
}

/** Do what waits, by one page at a time; false: some of it waits on. Call it in turn with other changes. */
export function replay(store: AccountStore): Promise<boolean> {
  const run = async (): Promise<boolean> => {
    for (const { key, value } of await waiting(store)) {
      try {
        const dropped = await perform(store, value);
        if (dropped > 0) for (const fn of onDropped) fn(dropped);
      } catch (error) {
        if (isPassing(error)) return false;
        for (const fn of onDropped) fn(sizeOf(value));
      }
      await dropChange(key);
    }
    return true;
  };
  // Browsers have locks only where pages come by TLS.
  const locks = (navigator as Partial<Navigator>).locks;
  return locks === undefined ? run() : locks.request('postern-changes', run);
}

/** It may be done another time: nobody answers, nobody is signed in, too much at once, something is broken. */
function isPassing(error: unknown): boolean {
  if (error instanceof JmapError) return /^server(?:Fail|PartialFail|Unavailable)$/.test(error.type);
  if (!(error instanceof ApiError)) return false;
  const { status } = error;
  return status === 0 || status === 401 || status === 429 || status >= 500;
}

/** Make one change as far as it fits; how many emails it was not made of. Throws `ApiError`. */
async function perform(store: AccountStore, { patches = [], destroy, snooze }: Wish): Promise<number> {
  if (destroy !== undefined) return performThere(store, destroy, (ids) => destroyNow(store, ids));
  if (snooze !== undefined) {
    const { until } = snooze;
    // What would have come back by now never went.
    return until <= Date.now() ? 0 : performThere(store, snooze, (ids) => snoozeNow(ids, until));
  }
  const dropped: EmailEntry[] = [];
  let gone = 0;
  for (let at = 0; at < patches.length; at += CHUNK) {
    const outcome = await performChunk(store, new Map(patches.slice(at, at + CHUNK)));
    dropped.push(...outcome.dropped);
    gone += outcome.gone.length;
    store.forget(outcome.gone);
  }
  if (dropped.length + gone === 0) return 0;
  // They are shown as they are now, and counted so.
  store.put(dropped);
  await store.loadMailboxes().catch(() => undefined);
  return dropped.length + gone;
}

/** Destroy emails for good, those that there are; why the server keeps some of them. */
export async function destroyNow(store: AccountStore, ids: readonly Id[]): Promise<readonly SetError[]> {
  const { notDestroyed } = await call('Email/set', { accountId: store.id, destroy: ids });
  return Object.values(notDestroyed ?? {}).filter(({ type }) => type !== 'notFound');
}

/** Put emails of our own away until then. */
export async function snoozeNow(emailIds: readonly Id[], until: number): Promise<readonly SetError[]> {
  await api('POST', '/account/v1/snooze', { emailIds, until });
  return [];
}

/** Do it with those that lie where they did; how many do not, or were refused. */
async function performThere(
  store: AccountStore,
  { ids, lyingIn }: There,
  run: (ids: readonly Id[]) => Promise<readonly SetError[]>,
): Promise<number> {
  let dropped = 0;
  for (let at = 0; at < ids.length; at += CHUNK) {
    const { list } = await call('Email/get', {
      accountId: store.id,
      ids: ids.slice(at, at + CHUNK),
      properties: ENTRY_PROPERTIES,
    });
    const meant = list.filter(({ mailboxIds }) => lyingIn === undefined || mailboxIds[lyingIn] === true);
    store.put(list.filter((each) => !meant.includes(each)));
    dropped += list.length - meant.length;
    if (meant.length > 0) dropped += (await run(meant.map(({ id }) => id))).length;
  }
  if (dropped > 0) await store.loadMailboxes().catch(() => undefined);
  return dropped;
}

interface Outcome {
  /** As the server has them. */
  readonly dropped: readonly EmailEntry[];
  /** Destroyed meanwhile. */
  readonly gone: readonly Id[];
}

async function performChunk(store: AccountStore, patches: Patches): Promise<Outcome> {
  for (let attempt = 1; ; attempt++) {
    const { list, state } = await call('Email/get', {
      accountId: store.id,
      ids: [...patches.keys()],
      properties: ENTRY_PROPERTIES,
    });
    const found = new Map(list.map((each) => [each.id, each]));
    const gone = [...patches.keys()].filter((id) => !found.has(id));
    const dropped: EmailEntry[] = [];
    const update: Record<Id, Patch> = {};
    for (const each of list) {
      const patch = patches.get(each.id) ?? {};
      const fit = fitOf(each, patch);
      if (fit === 'fits') update[each.id] = patch;
      else if (fit === 'gone') dropped.push(each);
    }
    if (Object.keys(update).length === 0) return { dropped, gone };
    try {
      // What was looked at must not have changed since.
      const ifInState = attempt < TRIES ? state : null;
      const { notUpdated } = await call('Email/set', { accountId: store.id, ifInState, update });
      for (const id of Object.keys(notUpdated ?? {})) {
        const email = found.get(id);
        if (email !== undefined) dropped.push(email);
      }
      return { dropped, gone };
    } catch (error) {
      if (!(error instanceof JmapError) || isPassing(error)) throw error;
      if (error.type !== 'stateMismatch' || attempt === TRIES) return { dropped: list, gone };
    }
  }
}
