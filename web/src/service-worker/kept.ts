/** What the worker remembers between two pushes (IndexedDB; it may be ended at any time). */

export interface Kept {
  readonly notices: 'sender-and-subject' | 'count';
  readonly language: string;
  /** Mail received later than this has not been told of yet; ms since the epoch. */
  readonly toldUntil: number;
}

const NAME = 'postern-worker';
const STORE = 'kept';
const KEY = 'settings';

function open(): Promise<IDBDatabase> {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(NAME, 1);
    request.onupgradeneeded = () => request.result.createObjectStore(STORE);
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error ?? new Error('IndexedDB cannot be opened'));
  });
}

async function run<T>(mode: IDBTransactionMode, ask: (store: IDBObjectStore) => IDBRequest<T>): Promise<T> {
  const database = await open();
  try {
    return await new Promise<T>((resolve, reject) => {
      const request = ask(database.transaction(STORE, mode).objectStore(STORE));
      request.onsuccess = () => resolve(request.result);
      request.onerror = () => reject(request.error ?? new Error('IndexedDB failed'));
    });
  } finally {
    database.close();
  }
}

export async function readKept(): Promise<Kept> {
  const found = await run<Partial<Kept> | undefined>('readonly', (store) => store.get(KEY)).catch(
    () => undefined,
  );
  // Nothing is known: say little.
  return { notices: 'count', language: 'en', toldUntil: Date.now() - 60_000, ...found };
}

export async function writeKept(change: Partial<Kept>): Promise<void> {
  const before = await readKept();
  await run('readwrite', (store) => store.put({ ...before, ...change }, KEY)).catch(() => undefined);
}

export async function forgetKept(): Promise<void> {
  await run('readwrite', (store) => store.delete(KEY)).catch(() => undefined);
}
