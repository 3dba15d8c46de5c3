import { effect, signal } from '@preact/signals';
import { me, offline, onForget } from '../../base/session.ts';
import { clearCache, keepFact, readFact } from '../cache.ts';
import { adoptSession, loadSession, ownAccountId, reachability, resetClient, session } from '../client.ts';
import { onStateChange, startPush } from '../push.ts';
import type { Id, Session } from '../types.ts';
import { type AccountStore, createAccountStore, isOffline } from './account.ts';
import { replayOutbox } from './change.ts';

/** The accounts of the session: our own, and those of others that were shared with us. */

const stores = new Map<Id, AccountStore>();
/** The session is known and the mailboxes of our own account are here. */
export const ready = signal(false);
let starting: Promise<void> | undefined;
let stopPush: (() => void) | undefined;

export function accountStore(id: Id): AccountStore {
  let found = stores.get(id);
  if (found === undefined) stores.set(id, (found = createAccountStore(id)));
  return found;
}

export function ownStore(): AccountStore {
  return accountStore(ownAccountId());
}

/** Accounts of others in the session. */
export function sharedAccounts(): { readonly id: Id; readonly name: string; readonly readOnly: boolean }[] {
  const all = Object.entries(session.value?.accounts ?? {});
  return all
    .filter(([, { isPersonal }]) => !isPersonal)
    .map(([id, { name, isReadOnly }]) => ({ id, name, readOnly: isReadOnly }));
}

/** Begin: session, mailboxes, the server's word of changes. Once, however often it is called. */
export function startMail(): Promise<void> {
  starting ??= start().catch((error: unknown) => {
    starting = undefined;
    throw error;
  });
  return starting;
}

async function start(): Promise<void> {
  const owner = me.value?.address ?? '';
  if ((await readFact<string>('owner')) !== owner) {
    await clearCache();
    await keepFact('owner', owner);
  }
  try {
    void keepFact('session', await loadSession());
  } catch (error) {
    const kept = isOffline(error) ? await readFact<Session>('session') : undefined;
    if (kept === undefined) throw error;
    adoptSession(kept);
  }
  await ownStore().loadMailboxes();
  ready.value = true;
  for (const { id } of sharedAccounts())
    void accountStore(id)
      .loadMailboxes()
      .catch(() => undefined);
  stopPush = startPush();
  void replayOutbox();
}

onStateChange.add((changed) => {
  const ids = changed === undefined ? [...stores.keys()] : Object.keys(changed);
  for (const id of ids) {
    const types = changed?.[id];
    if (types !== undefined && !('Email' in types || 'Mailbox' in types || 'Thread' in types)) continue;
    if (stores.has(id))
      void accountStore(id)
        .sync()
        .catch(() => undefined);
  }
});

reachability.add((reached) => {
  if (offline.value === !reached) return;
  offline.value = !reached;
});

let wasOffline = offline.value;
effect(() => {
  const now = offline.value;
  if (wasOffline && !now && ready.peek()) {
    void replayOutbox().then(() => {
      for (const store of stores.values()) void store.sync().catch(() => undefined);
    });
  }
  wasOffline = now;
});

/** Forget all of it, here and on this device. */
export async function forgetMail(): Promise<void> {
  stopPush?.();
  stopPush = undefined;
  starting = undefined;
  ready.value = false;
  stores.clear();
  resetClient();
  await clearCache();
}

onForget.add(forgetMail);
