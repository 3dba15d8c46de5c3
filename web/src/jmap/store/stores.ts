import { effect, signal } from '@preact/signals';
import { confirm } from '../../base/dialog.tsx';
import { texts } from '../../base/i18n.ts';
import { type Ending, me, offline, onForget, signOutGuards } from '../../base/session.ts';
import { beginCache, clearCache, keepFact, readFact } from '../cache.ts';
import { dropChangesOfOthers, forgetChanges, readChanges } from '../changes.ts';
import {
  adoptSession,
  loadSession,
  ownAccountId,
  probe,
  reachability,
  resetClient,
  session,
} from '../client.ts';
import { onStateChange, startPush } from '../push.ts';
import type { Id, Session } from '../types.ts';
import { type AccountStore, createAccountStore, isOffline } from './account.ts';
import { replayOutbox } from './change.ts';

/** The accounts of the session: our own, and those of others that were shared with us. */

const stores = new Map<Id, AccountStore>();
/** The session is known and the mailboxes of our own account are here. */
export const ready = signal(false);
/** Milliseconds that what nobody waits for leaves to the list. */
const AFTER_LIST_MS = 400;
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
  beginCache();
  // What was kept for somebody else goes; nothing of it is read before that.
  const before = await readFact<string>('owner');
  if (before !== undefined && before !== owner) {
    await clearCache();
    beginCache();
  }
  const known: Promise<unknown> = begin().catch((error: unknown) => error ?? new Error('unknown'));
  if (before === owner) await recall();
  else void keepFact('owner', owner);
  const failed = await known;
  // With what was kept on the screen, push and the next look mend what failed now.
  if (failed !== undefined && !ready.value) throw failed;
  ready.value = true;
  for (const { id } of sharedAccounts()) {
    const shared = accountStore(id);
    void shared.recallMailboxes();
    shared.loadMailboxes().catch(() => undefined);
  }
  // After the list is drawn: it is what somebody waits for.
  const later = setTimeout(() => {
    stopPush = startPush();
    dropChangesOfOthers()
      .then(() => replayOutbox(stores.values(), accountStore))
      .catch(() => undefined);
  }, AFTER_LIST_MS);
  stopPush = () => clearTimeout(later);
}

/** Session and mailboxes, asked for at once: who is signed in is known, and that is all they need. */
async function begin(): Promise<void> {
  const asked = loadSession();
  const mailboxes = ownStore().loadMailboxes();
  mailboxes.catch(() => undefined);
  try {
    void keepFact('session', await asked);
  } catch (error) {
    const kept = isOffline(error) ? await readFact<Session>('session') : undefined;
    if (kept === undefined) throw error;
    adoptSession(kept);
  }
  await mailboxes;
}

/** Where this device kept the mailboxes, the list is shown at once, and mended by the answers that come. */
async function recall(): Promise<void> {
  if (!(await ownStore().recallMailboxes())) return;
  const kept = await readFact<Session>('session');
  if (kept === undefined) return;
  adoptSession(kept);
  ready.value = true;
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
    void replayOutbox(stores.values(), accountStore)
      .catch(() => undefined)
      .then(() => {
        for (const store of stores.values()) void store.sync().catch(() => undefined);
      });
  }
  wasOffline = now;
});

/** Milliseconds before the first and the longest wait until it is found out whether the server answers again. */
const PROBE_FIRST_MS = 4000;
const PROBE_LONGEST_MS = 60_000;

/** While it does not, it is asked now and then: nothing else may, where the line for news is still open. */
effect(() => {
  if (!offline.value) return undefined;
  let wait = PROBE_FIRST_MS;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const plan = (): void => {
    timer = setTimeout(() => void (navigator.onLine ? probe() : Promise.resolve(false)).then(plan), wait);
    wait = Math.min(2 * wait, PROBE_LONGEST_MS);
  };
  plan();
  return () => clearTimeout(timer);
});

/** Forget all of it, here and on this device. */
export async function forgetMail(how: Ending = 'left'): Promise<void> {
  stopPush?.();
  stopPush = undefined;
  starting = undefined;
  ready.value = false;
  stores.clear();
  resetClient();
  await Promise.all([clearCache(), forgetChanges(how)]);
}

onForget.add(forgetMail);

/** What was done and is not on the server would be lost: it is asked first. */
async function maySignOut(): Promise<boolean> {
  const { length: count } = await readChanges();
  if (count === 0) return true;
  const t = texts('base');
  return confirm({
    title: t('signOutChangesTitle'),
    sentence: t('signOutChanges', { count }),
    yes: t('signOut'),
    danger: true,
  });
}
signOutGuards.add(maySignOut);
