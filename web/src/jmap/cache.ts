import type { Id } from './types.ts';

/**
 * What this device keeps of the mail, so that the list is there at once and recent mail can be read offline. All of it
 * goes at sign-out. Where the browser keeps nothing (private windows), everything works without.
 */

const NAME = 'postern-mail';
const VERSION = 1;
/** Kinds of objects and how many of each are kept; those used longest ago go first. */
const MOST = { entries: 1500, bodies: 200, threads: 800 } as const;
export type Kind = keyof typeof MOST;

interface Kept {
  readonly key: string;
  /** When it was kept or used last. */
  readonly at: number;
  readonly value: unknown;
}

let opening: Promise<IDBDatabase | undefined> | undefined;
/** Nobody is signed in any more: answers that come late are not kept. */
let over = false;

/** Somebody is signed in: from here on things are kept, until `clearCache`. */
export function beginCache(): void {
  over = false;
}

function open(): Promise<IDBDatabase | undefined> {
  opening ??= new Promise((resolve) => {
    let request: IDBOpenDBRequest;
    try {
      request = indexedDB.open(NAME, VERSION);
    } catch {
      resolve(undefined);
      return;
    }
    request.onupgradeneeded = () => {
      const db = request.result;
      db.createObjectStore('facts');
      for (const kind of Object.keys(MOST))
        db.createObjectStore(kind, { keyPath: 'key' }).createIndex('at', 'at');
    };
    request.onsuccess = () => {
      // Another page is signing out.
      request.result.onversionchange = () => {
        request.result.close();
        opening = undefined;
      };
      resolve(request.result);
    };
    request.onerror = () => resolve(undefined);
    request.onblocked = () => resolve(undefined);
  });
  return opening;
}

function done<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error ?? new Error('the browser keeps nothing'));
  });
}

async function within<T>(
  store: string,
  mode: IDBTransactionMode,
  run: (store: IDBObjectStore) => Promise<T>,
): Promise<T | undefined> {
  if (over) return undefined;
  const db = await open();
  if (db === undefined) return undefined;
  try {
    return await run(db.transaction(store, mode).objectStore(store));
  } catch {
    // Full or closed: it is a cache.
    return undefined;
  }
}

/** One value by name: the session, the mailboxes, the beginning of a list. */
export async function readFact<T>(name: string): Promise<T | undefined> {
  return (await within('facts', 'readonly', (store) => done(store.get(name)))) as T | undefined;
}

export async function keepFact(name: string, value: unknown): Promise<void> {
  await within('facts', 'readwrite', (store) => done(store.put(value, name)));
}

const keyOf = (accountId: Id, id: Id): string => `${accountId}/${id}`;

export async function readObjects<T>(kind: Kind, accountId: Id, ids: readonly Id[]): Promise<T[]> {
  const found = await within(kind, 'readonly', (store) =>
    Promise.all(ids.map((id) => done<Kept | undefined>(store.get(keyOf(accountId, id))))),
  );
  return (found ?? []).flatMap((kept) => (kept === undefined ? [] : [kept.value as T]));
}

/** Keep objects; those of the same id are replaced. Now and then what is too much goes. */
export async function keepObjects(
  kind: Kind,
  accountId: Id,
  objects: readonly { readonly id: Id }[],
): Promise<void> {
  if (objects.length === 0) return;
  const at = Date.now();
  await within(kind, 'readwrite', async (store) => {
    for (const value of objects) store.put({ key: keyOf(accountId, value.id), at, value } satisfies Kept);
    const count = await done(store.count());
    if (count > MOST[kind] * 1.2) await prune(store, count - MOST[kind]);
  });
}

export async function dropObjects(kind: Kind, accountId: Id, ids: readonly Id[]): Promise<void> {
  await within(kind, 'readwrite', async (store) => {
    for (const id of ids) store.delete(keyOf(accountId, id));
  });
}

function prune(store: IDBObjectStore, count: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const request = store.index('at').openCursor();
    let left = count;
    request.onerror = () => reject(request.error ?? new Error('the cache cannot be read'));
    request.onsuccess = () => {
      const cursor = request.result;
      if (cursor === null || left-- === 0) return resolve();
      cursor.delete();
      cursor.continue();
    };
  });
}

/** Keep nothing, and nothing more until `beginCache`. */
export async function clearCache(): Promise<void> {
  over = true;
  if (opening === undefined) return deleteCache();
  const db = await open();
  opening = undefined;
  db?.close();
  return deleteCache();
}

async function deleteCache(): Promise<void> {
  await new Promise<void>((resolve) => {
    try {
      const request = indexedDB.deleteDatabase(NAME);
      request.onsuccess = request.onerror = request.onblocked = () => resolve();
    } catch {
      resolve();
    }
  });
}
