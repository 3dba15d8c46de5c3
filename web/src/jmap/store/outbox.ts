import { ApiError } from '../../base/http.ts';
import { offline } from '../../base/session.ts';
import { addChange, dropChange, readChanges } from '../changes.ts';
import { call, JmapError, probe } from '../client.ts';
import type { EmailEntry, Id, Patch } from '../types.ts';
import { type AccountStore, ENTRY_PROPERTIES } from './account.ts';
import { fitOf, type Patches } from './patch.ts';

/**
 * Changes of mail that the server has not got, or not surely, in the order in which they were made. They are done when it
 * answers again, as far as they still fit: what somebody did later on another device is not undone by them.
 */

interface Queued {
  readonly accountId: Id;
  readonly patches: readonly (readonly [Id, Patch])[];
}

/** Objects of one Email/get or Email/set. */
const CHUNK = 500;
/** Tries to change emails while mail keeps coming in between. */
const TRIES = 5;

/** Told how many emails are as the server has them, and not as they were changed here. */
export const onDropped = new Set<(count: number) => void>();

/** A change as it is kept. */
export function queuedOf(store: AccountStore, patches: readonly (readonly [Id, Patch])[]): unknown {
  return { accountId: store.id, patches } satisfies Queued;
}

/** Keep a change until the server can be reached; false: this browser keeps nothing. */
export function queue(store: AccountStore, patches: readonly (readonly [Id, Patch])[]): Promise<boolean> {
  return addChange(queuedOf(store, patches));
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
export async function queueBehind(
  store: AccountStore,
  patches: Patches,
): Promise<'done' | 'waits' | 'unkept'> {
  if (!(await queue(store, [...patches]))) return 'unkept';
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
        const dropped = await perform(store, value.patches);
        if (dropped > 0) for (const fn of onDropped) fn(dropped);
      } catch (error) {
        if (isPassing(error)) return false;
        for (const fn of onDropped) fn(value.patches.length);
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
async function perform(store: AccountStore, patches: readonly (readonly [Id, Patch])[]): Promise<number> {
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
