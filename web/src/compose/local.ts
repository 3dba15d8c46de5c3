import { me, onForget } from '../base/session.ts';
import type { Draft } from './draft.ts';

/** What this device keeps of messages that are being written or wait to be sent (IndexedDB). */

const NAME = 'postern-compose';
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

export async function keepDraft(draft: Draft, dirty: boolean): Promise<void> {
  const kept: KeptDraft = {
    key: draft.key,
    account: me.value?.address ?? '',
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

/** At sign-out nothing of it stays on the device. */
export async function forgetLocal(): Promise<void> {
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

onForget.add(forgetLocal);
