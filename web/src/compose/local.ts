import { type Ending, me, WRITING } from '../base/session.ts';
import type { Draft } from './draft.ts';

/** What this device keeps of messages that are being written or wait to be sent (IndexedDB). */

const NAME = WRITING;
const VERSION = 1;

export interface KeptDraft {
  readonly key: string;
  /** Whose it is. */
  readonly account: string;
  readonly draft: Draft;
  /** The server has not got all of it. */
  readonly dirty: boolean;
  readonly changedAt: number;
}

export interface OutboxEntry {
  readonly key: string;
  readonly account: string;
  readonly draft: Draft;
  /** To be sent then, in ms; undefined: at once. */
  readonly sendAt: number | undefined;
  readonly queuedAt: number;
  /** The server refused it, for this reason; it waits for the person. */
  readonly problem?: string;
}

/** A window holds the lock of its draft for as long as it is open, in whatever tab. */
export function lockName(key: string): string {
  return `postern-draft-${key}`;
}

let opening: Promise<IDBDatabase> | undefined;

function open(): Promise<IDBDatabase> {
  opening ??= new Promise<IDBDatabase>((resolve, reject) => {
    const request = indexedDB.open(NAME, VERSION);
    request.onupgradeneeded = () => {
      request.result.createObjectStore('drafts', { keyPath: 'key' });
      request.result.createObjectStore('outbox', { keyPath: 'key' });
    };
    request.onsuccess = () => {
      // Another tab wants to delete or change it.
      request.result.onversionchange = () => {
        request.result.close();
        opening = undefined;
      };
      resolve(request.result);
    };
    request.onerror = () => reject(request.error ?? new Error('IndexedDB cannot be opened'));
  }).catch((error: unknown) => {
    opening = undefined;
    throw error;
  });
  return opening;
}

type StoreName = 'drafts' | 'outbox';

async function run<T>(
  store: StoreName,
  mode: IDBTransactionMode,
  ask: (store: IDBObjectStore) => IDBRequest<T>,
): Promise<T> {
  const database = await open();
  return new Promise((resolve, reject) => {
    const transaction = database.transaction(store, mode);
    const request = ask(transaction.objectStore(store));
    transaction.oncomplete = () => resolve(request.result);
    transaction.onerror = () => reject(transaction.error ?? new Error('IndexedDB failed'));
    transaction.onabort = () => reject(transaction.error ?? new Error('IndexedDB has no room'));
  });
}

/** Accounts that were signed out of here: what still runs for them keeps nothing any more. */
const left = new Set<string>();

/** Keep a draft of an account; of the one that is signed in, unless a window that began earlier says which. */
export async function keepDraft(
  draft: Draft,
  dirty: boolean,
  account: string = me.value?.address ?? '',
): Promise<void> {
  if (account === '' || (left.has(account) && me.value?.address !== account)) return;
  const kept: KeptDraft = {
    key: draft.key,
    account,
    draft,
    dirty,
    changedAt: Date.now(),
  };
  await run('drafts', 'readwrite', (store) => store.put(kept));
}

export async function keptDraft(key: string): Promise<KeptDraft | undefined> {
  const found = await run<KeptDraft | undefined>('drafts', 'readonly', (store) => store.get(key));
  return found?.account === me.value?.address ? found : undefined;
}

export async function keptDrafts(): Promise<KeptDraft[]> {
  const all = await run<KeptDraft[]>('drafts', 'readonly', (store) => store.getAll());
  return all.filter(({ account }) => account === me.value?.address);
}

export async function dropDraft(key: string): Promise<void> {
  await run('drafts', 'readwrite', (store) => store.delete(key));
}

export async function putOutbox(entry: OutboxEntry): Promise<void> {
  await run('outbox', 'readwrite', (store) => store.put(entry));
}

export async function outboxEntries(): Promise<OutboxEntry[]> {
  const all = await run<OutboxEntry[]>('outbox', 'readonly', (store) => store.getAll());
  return all
    .filter(({ account }) => account === me.value?.address)
    .toSorted((a, b) => a.queuedAt - b.queuedAt);
}

export async function dropOutbox(key: string): Promise<void> {
  await run('outbox', 'readwrite', (store) => store.delete(key));
}

/** At sign-out nothing of it stays on the device; where the session ended by itself, what only this device has. */
export async function forgetLocal(how: Ending, account: string | undefined): Promise<void> {
  if (how === 'left' && account !== undefined) left.add(account);
  if (how === 'ended' && (await keepUnsaved())) return;
  const database = await opening?.catch(() => undefined);
  database?.close();
  opening = undefined;
  await new Promise<void>((resolve) => {
    const request = indexedDB.deleteDatabase(NAME);
    request.onsuccess = () => resolve();
    request.onerror = () => resolve();
    request.onblocked = () => resolve();
  });
}

/** What the server has goes; true: something is left. */
async function keepUnsaved(): Promise<boolean> {
  try {
    const drafts = await run<KeptDraft[]>('drafts', 'readonly', (store) => store.getAll());
    const waiting = await run<number>('outbox', 'readonly', (store) => store.count());
    for (const { key, dirty } of drafts) if (!dirty) await dropDraft(key);
    return waiting > 0 || drafts.some(({ dirty }) => dirty);
  } catch {
    return false;
  }
}

/** Whoever signs in finds nothing here of another who did not come back. */
export async function dropOthers(): Promise<void> {
  const own = me.value?.address;
  if (own === undefined) return;
  for (const store of ['drafts', 'outbox'] as const) {
    const all = await run<{ key: string; account: string }[]>(store, 'readonly', (each) => each.getAll());
    for (const { key, account } of all)
      if (account !== own) await run(store, 'readwrite', (each) => each.delete(key));
  }
}
