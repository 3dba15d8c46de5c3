import { signal, type Signal } from '@preact/signals';
import { ApiError } from '../../base/http.ts';
import { dropObjects, keepFact, keepObjects, readFact, readObjects } from '../cache.ts';
import { call, JmapError } from '../client.ts';
import type { Email, EmailEntry, Id, Mailbox, Thread } from '../types.ts';
import type { MailWindow } from './window.ts';

/** The mail of one account as far as it is known here, kept true by the server's changes. */

/** What lists show of an email. */
export const ENTRY_PROPERTIES = [
  'id',
  'threadId',
  'mailboxIds',
  'keywords',
  'size',
  'receivedAt',
  'from',
  'to',
  'subject',
  'preview',
  'hasAttachment',
] as const;

/** Emails of which it is known when they were changed here: only reads under way ask for it. */
const MOST_TOUCHED = 5000;
/** Emails kept in memory. */
const MOST_EMAILS = 8000;
/** Changes that are followed one by one; beyond, everything is asked for anew. */
const MOST_CHANGES = 400;
/** Windows kept ready. */
const MOST_WINDOWS = 12;

export interface AccountStore {
  readonly id: Id;
  readonly mailboxes: Signal<ReadonlyMap<Id, Mailbox>>;
  /** What is known of an email; read within a component, it draws anew when that changes. */
  email(id: Id): EmailEntry | undefined;
  /** The same without being told of changes. */
  peek(id: Id): EmailEntry | undefined;
  thread(id: Id): readonly Id[] | undefined;
  /**
   * Know these; `state`: the Email state they were got at; `began`: `edits` when they were asked for. Emails that were
   * changed here since, or are being changed, stay as they are shown: what was read may be from before that.
   */
  put(emails: readonly EmailEntry[], threads?: readonly Thread[], state?: string, began?: number): void;
  /** Emails are being changed, until what is returned is called. */
  changing(ids: Iterable<Id>): () => void;
  forget(ids: readonly Id[]): void;
  /** Have emails known that are not yet. */
  need(ids: readonly Id[]): Promise<void>;
  needThread(id: Id): Promise<readonly Id[]>;
  loadMailboxes(): Promise<void>;
  /** The mailboxes as this device kept them; false: it kept none. */
  recallMailboxes(): Promise<boolean>;
  /** Follow what has changed on the server. */
  sync(): Promise<void>;
  /** Have what is shown asked for anew. */
  refresh(): void;
  readonly windows: Map<string, MailWindow>;
  /** Changes of ours under way: lists are not asked for meanwhile, they would show what was. */
  pending: number;
  /** Changes of ours that have begun or ended so far. */
  edits: number;
  /** What changed at the server was read while a change of ours was under way, and is to be read again after it. */
  behind: boolean;
  /** Mailboxes that were counted anew here: where others had done the same before us, that is once too often. */
  readonly doubtful: Set<Id>;
  /** Told of emails that came. */
  readonly onArrival: Set<(emails: readonly EmailEntry[]) => void>;
}

export function createAccountStore(accountId: Id): AccountStore {
  const emails = new Map<Id, Signal<EmailEntry | undefined>>();
  const threads = new Map<Id, Signal<readonly Id[] | undefined>>();
  let emailState: string | undefined;
  let mailboxState: string | undefined;
  let syncing: Promise<void> | undefined;
  let syncAgain = false;

  function cell<T>(map: Map<Id, Signal<T | undefined>>, id: Id): Signal<T | undefined> {
    let found = map.get(id);
    if (found === undefined) map.set(id, (found = signal<T | undefined>(undefined)));
    return found;
  }

  /** When they were last changed here, by `edits`; infinite while they are. */
  const touched = new Map<Id, number>();
  const underChange = new Map<Id, number>();

  function changing(given: Iterable<Id>): () => void {
    const ids = [...given];
    store.pending++;
    store.edits++;
    for (const id of ids) {
      underChange.set(id, (underChange.get(id) ?? 0) + 1);
      touched.set(id, Number.POSITIVE_INFINITY);
    }
    return () => {
      store.pending--;
      store.edits++;
      for (const id of ids) {
        const left = (underChange.get(id) ?? 1) - 1;
        if (left > 0) underChange.set(id, left);
        else underChange.delete(id);
        touched.delete(id);
        touched.set(id, left > 0 ? Number.POSITIVE_INFINITY : store.edits);
      }
      for (const [id, at] of touched) {
        if (touched.size <= MOST_TOUCHED || at === Number.POSITIVE_INFINITY) break;
        touched.delete(id);
      }
    };
  }

  function put(
    read: readonly EmailEntry[],
    found: readonly Thread[] = [],
    state?: string,
    began = store.edits,
  ): void {
    // The oldest state there is: what changed since is asked for, also what is known already.
    emailState ??= state;
    const list = read.filter(
      ({ id }) => (touched.get(id) ?? 0) <= began || emails.get(id)?.peek() === undefined,
    );
    if (list.length < read.length && store.pending > 0) store.behind = true;
    for (const each of list) cell(emails, each.id).value = each;
    for (const { id, emailIds } of found) cell(threads, id).value = emailIds;
    void keepObjects('entries', accountId, list);
    void keepObjects('threads', accountId, found);
    for (const id of emails.keys()) {
      if (emails.size <= MOST_EMAILS) break;
      emails.delete(id);
    }
  }

  function forget(ids: readonly Id[]): void {
    for (const id of ids) {
      const known = emails.get(id);
      if (known !== undefined) known.value = undefined;
      emails.delete(id);
    }
    void dropObjects('entries', accountId, ids);
    void dropObjects('bodies', accountId, ids);
  }

  const keptAs = `mailboxes/${accountId}`;

  async function recallMailboxes(): Promise<boolean> {
    if (store.mailboxes.value.size > 0) return true;
    const list = await readFact<readonly Mailbox[]>(keptAs);
    // The server's answer may have come meanwhile.
    if (list !== undefined && store.mailboxes.value.size === 0) store.mailboxes.value = byId(list);
    return store.mailboxes.value.size > 0;
  }

  async function loadMailboxes(): Promise<void> {
    try {
      const { list, state } = await call('Mailbox/get', { accountId, ids: null });
      mailboxState = state;
      store.mailboxes.value = byId(list);
      void keepFact(keptAs, list);
    } catch (error) {
      if (!(isOffline(error) && (await recallMailboxes()))) throw error;
    }
  }

  async function need(ids: readonly Id[]): Promise<void> {
    const missing = ids.filter((id) => emails.get(id)?.peek() === undefined);
    if (missing.length === 0) return;
    try {
      for (let at = 0; at < missing.length; at += 500) {
        const part = missing.slice(at, at + 500);
        const { edits } = store;
        const { list, state } = await call('Email/get', {
          accountId,
          ids: part,
          properties: ENTRY_PROPERTIES,
        });
        put(list, [], state, edits);
      }
    } catch (error) {
      if (!isOffline(error)) throw error;
      put(await readObjects<EmailEntry>('entries', accountId, missing));
    }
  }

  async function needThread(id: Id): Promise<readonly Id[]> {
    try {
      const { edits } = store;
      const asked = call('Thread/get', { accountId, ids: [id] });
      const members = call('Email/get', {
        accountId,
        '#ids': asked.ref('/list/*/emailIds'),
        properties: ENTRY_PROPERTIES,
      });
      const [{ list }, found] = await Promise.all([asked, members]);
      put(found.list, list, found.state, edits);
      return list[0]?.emailIds ?? [];
    } catch (error) {
      if (!isOffline(error)) throw error;
      const [kept] = await readObjects<Thread>('threads', accountId, [id]);
      if (kept === undefined) throw error;
      put(await readObjects<EmailEntry>('entries', accountId, kept.emailIds), [kept]);
      return kept.emailIds;
    }
  }

  function refresh(): void {
    for (const each of store.windows.values()) each.stale();
  }

  async function follow(): Promise<void> {
    await Promise.all([followMailboxes(), followEmails()]);
  }

  async function followMailboxes(): Promise<void> {
    if (mailboxState === undefined) return loadMailboxes();
    try {
      const { edits } = store;
      const doubtful = [...store.doubtful];
      const changes = call('Mailbox/changes', { accountId, sinceState: mailboxState });
      const updated = call('Mailbox/get', { accountId, '#ids': changes.ref('/updated') });
      const created = call('Mailbox/get', { accountId, '#ids': changes.ref('/created') });
      const counted = doubtful.length > 0 ? [call('Mailbox/get', { accountId, ids: doubtful })] : [];
      const [{ destroyed, newState, hasMoreChanges }, ...found] = await Promise.all([
        changes,
        updated,
        created,
        ...counted,
      ]);
      if (store.edits === edits && store.pending === 0) for (const id of doubtful) store.doubtful.delete(id);
      const all = new Map(store.mailboxes.value);
      for (const id of destroyed) all.delete(id);
      for (const { list } of found) for (const each of list) all.set(each.id, each);
      mailboxState = newState;
      store.mailboxes.value = all;
      void keepFact(`mailboxes/${accountId}`, [...all.values()]);
      if (hasMoreChanges) await loadMailboxes();
    } catch (error) {
      if (!(error instanceof JmapError)) throw error;
      await loadMailboxes();
    }
    return undefined;
  }

  async function followEmails(): Promise<void> {
    if (emailState === undefined) return refresh();
    try {
      const changes = await call('Email/changes', {
        accountId,
        sinceState: emailState,
        maxChanges: MOST_CHANGES,
      });
      if (changes.hasMoreChanges) return startAnew();
      const { created, updated, destroyed } = changes;
      forget(destroyed);
      const wanted = [...created, ...updated.filter((id) => emails.has(id))];
      if (wanted.length > 0 && !(await learn(wanted, new Set(created)))) {
        if (store.pending === 0) syncAgain = true;
        else store.behind = true;
        return undefined;
      }
      // Only now: where that failed, the next look asks for the same changes.
      emailState = changes.newState;
      if (created.length + updated.length + destroyed.length > 0) refresh();
    } catch (error) {
      if (!(error instanceof JmapError)) throw error;
      startAnew();
    }
    return undefined;
  }

  /**
   * Emails that changed or came, and the threads that are shown and have them. False when a change of ours was under way:
   * what was read may be from before it, and would show for a moment what is so no longer.
   */
  async function learn(ids: readonly Id[], created: ReadonlySet<Id>): Promise<boolean> {
    const { edits } = store;
    const asked = call('Email/get', { accountId, ids, properties: ENTRY_PROPERTIES });
    const inThreads = call('Thread/get', { accountId, '#ids': asked.ref('/list/*/threadId') });
    const [{ list }, found] = await Promise.all([asked, inThreads]);
    if (store.edits !== edits || store.pending > 0) return false;
    put(
      list,
      found.list.filter(({ id }) => threads.has(id)),
    );
    const arrived = list.filter(({ id }) => created.has(id));
    if (arrived.length > 0) for (const fn of store.onArrival) fn(arrived);
    return true;
  }

  function startAnew(): void {
    emailState = undefined;
    for (const each of emails.values()) each.value = undefined;
    emails.clear();
    threads.clear();
    refresh();
  }

  const store: AccountStore = {
    id: accountId,
    mailboxes: signal(new Map()),
    windows: new Map(),
    pending: 0,
    edits: 0,
    behind: false,
    doubtful: new Set(),
    onArrival: new Set(),
    email: (id) => cell(emails, id).value,
    peek: (id) => emails.get(id)?.peek(),
    thread: (id) => cell(threads, id).value,
    put,
    changing,
    forget,
    need,
    needThread,
    loadMailboxes,
    recallMailboxes,
    refresh,
    sync() {
      if (syncing !== undefined) {
        syncAgain = true;
        return syncing;
      }
      syncing = follow().finally(() => {
        syncing = undefined;
        if (!syncAgain) return;
        syncAgain = false;
        void store.sync().catch(() => undefined);
      });
      return syncing;
    },
  };
  return store;
}

/** Windows used longest ago go. */
export function trimWindows({ windows }: AccountStore): void {
  for (const key of windows.keys()) {
    if (windows.size <= MOST_WINDOWS) return;
    windows.delete(key);
  }
}

export function isOffline(error: unknown): boolean {
  return error instanceof ApiError && error.kind === 'offline';
}

export function byId<T extends { readonly id: Id }>(list: readonly T[]): Map<Id, T> {
  return new Map(list.map((each) => [each.id, each]));
}

/** What an entry is of a whole email. */
export function entryOf(email: Email): EmailEntry {
  const { id, threadId, mailboxIds, keywords, size, receivedAt, from, to, subject, preview, hasAttachment } =
    email;
  return { id, threadId, mailboxIds, keywords, size, receivedAt, from, to, subject, preview, hasAttachment };
}
