import { CHANGES, type Ending, me } from '../base/session.ts';
import { forgetLeft, takeLeft } from './leaving.ts';

/**
 * Changes of mail that the server has not got, oldest first (IndexedDB). They are nobody's mail but ids and marks, and the
 * only trace of what somebody did: where a session ends by itself they stay, as what is being written does, until the same
 * person signs in again.
 */

const VERSION = 1;
const STORE = 'changes';

interface Kept<T> {
  readonly owner: string;
  readonly value: T;
}

function done<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error ?? new Error('the browser keeps nothing'));
  });
}

/** Undefined where the browser keeps nothing. */
async function within<T>(
  mode: IDBTransactionMode,
  run: (store: IDBObjectStore) => Promise<T>,
): Promise<T | undefined> {
  let db: IDBDatabase | undefined;
  try {
    const opening = indexedDB.open(CHANGES, VERSION);
    opening.onupgradeneeded = () => opening.result.createObjectStore(STORE, { autoIncrement: true });
    db = await done(opening);
    return await run(db.transaction(STORE, mode).objectStore(STORE));
  } catch {
    return undefined;
  } finally {
    // Held open it would be in the way of the page that signs out.
    db?.close();
  }
}

async function all<T>(): Promise<{ readonly key: IDBValidKey; readonly kept: Kept<T> }[]> {
  const found = await within('readonly', async (store) => {
    const [keys, values] = await Promise.all([done(store.getAllKeys()), done(store.getAll())]);
    return keys.map((key, i) => ({ key, kept: values[i] as Kept<T> }));
  });
  return found ?? [];
}

let taking: Promise<void> = Promise.resolve();

/** Those of who is signed in, with what a page that was left had under way. */
export async function readChanges<T>(): Promise<{ readonly key: IDBValidKey; readonly value: T }[]> {
  taking = taking.then(() => takeLeft(addChange));
  await taking;
  const owner = me.value?.address;
  return (await all<T>()).flatMap(({ key, kept }) =>
    kept.owner === owner ? [{ key, value: kept.value }] : [],
  );
}

/** False: this browser keeps nothing, or nobody is signed in. */
export async function addChange(value: unknown): Promise<boolean> {
  const owner = me.value?.address;
  if (owner === undefined) return false;
  return (
    (await within('readwrite', (store) => done(store.add({ owner, value } satisfies Kept<unknown>)))) !==
    undefined
  );
}

export async function dropChange(key: IDBValidKey): Promise<void> {
  await within('readwrite', (store) => done(store.delete(key)));
}

/** Whoever signs in finds nothing here of another who did not come back. */
export async function dropChangesOfOthers(): Promise<void> {
  const owner = me.value?.address;
  for (const { key, kept } of await all()) if (kept.owner !== owner) await dropChange(key);
}

/** At sign-out nothing stays; where the session ended by itself, what waits does. */
export async function forgetChanges(how: Ending): Promise<void> {
  if (how === 'left') forgetLeft();
  if (how === 'ended' && (await all()).length > 0) return;
  await new Promise<void>((resolve) => {
    try {
      const request = indexedDB.deleteDatabase(CHANGES);
      request.onsuccess = request.onerror = request.onblocked = () => resolve();
    } catch {
      resolve();
    }
  });
}
