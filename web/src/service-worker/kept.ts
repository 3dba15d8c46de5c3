/** What the worker remembers between two pushes (IndexedDB; it may be ended at any time). */

export interface Kept {
  readonly notices: 'sender-and-subject' | 'count';
  readonly language: string;
  /** Account that `emailState` is of. */
  readonly accountId: string | undefined;
  /** State of its emails (RFC 8620 section 5.1) up to which all has been told; undefined: nothing is known. */
  readonly emailState: string | undefined;
}

const NAME = 'postern-worker';
const STORE = 'kept';
const KEY = 'settings';
/** Nothing is known: say little. */
const USUAL: Kept = { notices: 'count', language: 'en', accountId: undefined, emailState: undefined };

function open(): Promise<IDBDatabase> {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(NAME, 1);
    request.onupgradeneeded = () => request.result.createObjectStore(STORE);
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error ?? new Error('IndexedDB cannot be opened'));
  });
}

/** One transaction; what is written is there when it resolves. */
async function run<T>(mode: IDBTransactionMode, ask: (store: IDBObjectStore) => IDBRequest<T>): Promise<T> {
  const database = await open();
  try {
    return await new Promise<T>((resolve, reject) => {
      const transaction = database.transaction(STORE, mode);
      const request = ask(transaction.objectStore(STORE));
      transaction.oncomplete = () => resolve(request.result);
      transaction.onabort = () => reject(transaction.error ?? new Error('IndexedDB failed'));
    });
  } finally {
    database.close();
  }
}

export async function readKept(): Promise<Kept> {
  const found = await run<Partial<Kept> | undefined>('readonly', (store) => store.get(KEY)).catch(
    () => undefined,
  );
  return { ...USUAL, ...found };
}

/** Change some of it, in one transaction: what another has written meanwhile stays. */
export async function changeKept(change: Partial<Kept>): Promise<void> {
  await run<Partial<Kept> | undefined>('readwrite', (store) => {
    const found: IDBRequest<Partial<Kept> | undefined> = store.get(KEY);
    found.onsuccess = () => store.put({ ...found.result, ...change }, KEY);
    return found;
  }).catch(() => undefined);
}

export async function forgetKept(): Promise<void> {
  await run('readwrite', (store) => store.delete(KEY)).catch(() => undefined);
}
