import { readObjects } from '../cache.ts';
import { call } from '../client.ts';
import type { EmailEntry, Id, Thread } from '../types.ts';
import { type AccountStore, isOffline } from './account.ts';

/** What a change asks of emails and threads, of as many as a mailbox has: the store has no room for all of them. */

/** What a change asks of an email. */
export type Marks = Pick<EmailEntry, 'id' | 'threadId' | 'mailboxIds' | 'keywords'>;
const PROPERTIES = ['id', 'threadId', 'mailboxIds', 'keywords'];

/** Objects of one get. */
const CHUNK = 500;
/** Up to here they are got as lists show them, and kept. */
const FEW = 1000;

function chunks<T>(all: readonly T[]): T[][] {
  return Array.from({ length: Math.ceil(all.length / CHUNK) }, (_, i) =>
    all.slice(i * CHUNK, (i + 1) * CHUNK),
  );
}

/** The marks of emails; without those that are gone, and without a network those that this device did not keep. */
export async function marksOf(store: AccountStore, ids: readonly Id[]): Promise<ReadonlyMap<Id, Marks>> {
  const found = new Map<Id, Marks>();
  const missing: Id[] = [];
  const take = (id: Id): boolean => {
    const known = store.peek(id);
    if (known !== undefined) found.set(id, known);
    return known !== undefined;
  };
  for (const id of ids) if (!take(id)) missing.push(id);
  if (missing.length <= FEW) {
    await store.need(missing);
    for (const id of missing) take(id);
    return found;
  }
  const { id: accountId } = store;
  const asked = chunks(missing).map((part) =>
    call('Email/get', { accountId, ids: part, properties: PROPERTIES }),
  );
  for (const { list } of await Promise.all(asked)) for (const each of list) found.set(each.id, each);
  return found;
}

/** The emails of threads; without a network, of those that this device kept. */
export async function membersOf(
  store: AccountStore,
  threadIds: Iterable<Id>,
): Promise<ReadonlyMap<Id, readonly Id[]>> {
  const found = new Map<Id, readonly Id[]>();
  const missing: Id[] = [];
  for (const id of threadIds) {
    const known = store.thread(id);
    if (known === undefined) missing.push(id);
    else found.set(id, known);
  }
  const { id: accountId } = store;
  let got: readonly Thread[];
  try {
    const asked = chunks(missing).map((ids) => call('Thread/get', { accountId, ids }));
    got = (await Promise.all(asked)).flatMap(({ list }) => list);
  } catch (error) {
    if (!isOffline(error)) throw error;
    got = await readObjects<Thread>('threads', accountId, missing);
  }
  if (got.length <= FEW) store.put([], got);
  for (const { id, emailIds } of got) found.set(id, emailIds);
  return found;
}
