import { signal, type Signal } from '@preact/signals';
import { keepFact, readFact, readObjects } from '../cache.ts';
import { call, JmapError, type ResultReference } from '../client.ts';
import type {
  Comparator,
  EmailEntry,
  EmailFilter,
  Id,
  QueryChangesResponse,
  SearchSnippet,
  Thread,
} from '../types.ts';
import { type AccountStore, ENTRY_PROPERTIES, isOffline, trimWindows } from './account.ts';
import { changedPrefix } from './prefix.ts';

/** The answer of an Email/query of any length, of which the parts that are looked at are here. */

export interface ListQuery {
  readonly filter: EmailFilter;
  readonly sort: readonly Comparator[];
  readonly collapseThreads: boolean;
  /** Ask for what was found in each. */
  readonly snippets?: boolean;
}

export interface MailWindow {
  readonly query: ListQuery;
  readonly key: string;
  /** Changes with whatever follows. */
  readonly version: Signal<number>;
  /** Undefined until the first answer. */
  total(): number | undefined;
  at(index: number): Id | undefined;
  indexOf(id: Id): number;
  snippet(id: Id): SearchSnippet | undefined;
  error(): Error | undefined;
  /** Answers are awaited. */
  loading(): boolean;
  /** Have these places known. */
  ensure(first: number, last: number): void;
  /** Take emails out of the list at once; the server's answer comes later. */
  remove(ids: ReadonlySet<Id>): void;
  /** What is here may have changed: what is looked at is asked for anew. */
  stale(): void;
  /** Every id of the query, in as many calls as it takes. `most`: stop there. */
  allIds(most: number): Promise<Id[]>;
}

/** Places of a page. */
const PAGE = 50;
/** Members of threads that are fetched with a page; the server gives 500 objects a call. */
const QUERY_IDS = 5000;
/** Pages that are asked for at once. */
const MOST_ASKING = 2;
/** Changes of a list that are followed one by one; beyond, its pages are asked for anew. */
const MOST_CHANGES = 100;

/** The window of a query; the same one for the same query. */
export function openWindow(store: AccountStore, query: ListQuery): MailWindow {
  const key = JSON.stringify(query);
  const known = store.windows.get(key);
  if (known !== undefined) {
    // Used last: it goes last.
    store.windows.delete(key);
    store.windows.set(key, known);
    return known;
  }
  const made = createWindow(store, query, key);
  store.windows.set(key, made);
  trimWindows(store);
  return made;
}

interface KeptWindow {
  readonly ids: readonly Id[];
  readonly total: number;
}

function createWindow(store: AccountStore, query: ListQuery, key: string): MailWindow {
  const accountId = store.id;
  const version = signal(0);
  const ids: (Id | undefined)[] = [];
  const places = new Map<Id, number>();
  const snippets = new Map<Id, SearchSnippet>();
  const fresh = new Set<number>();
  const asking = new Set<number>();
  let total: number | undefined;
  let error: Error | undefined;
  let seen = { first: 0, last: PAGE };
  let generation = 0;
  let fromCache: Promise<void> | undefined;
  /** The server has said what is in it. */
  let answered = false;
  /** State of the query (RFC 8620 section 5.5) that all fresh places are of; undefined: they are of several. */
  let state: string | undefined;
  /** So many places at the beginning are known as of `state`, less those in `hidden`. */
  let prefix = 0;
  /** Taken out here, before the server has said so. */
  const hidden = new Set<Id>();
  /** There may be changes since `state`. */
  let behind = false;
  let following = false;

  function changed(): void {
    version.value++;
  }

  function setTotal(found: number): void {
    total = found;
    if (ids.length > found) for (const id of ids.splice(found)) if (id !== undefined) places.delete(id);
  }

  function fill(position: number, found: readonly Id[]): void {
    found.forEach((id, i) => {
      const index = position + i;
      const before = ids[index];
      if (before !== undefined && places.get(before) === index) places.delete(before);
      const old = places.get(id);
      // It moved: it is not at its old place any more.
      if (old !== undefined && old !== index && ids[old] === id) ids[old] = undefined;
      ids[index] = id;
      places.set(id, index);
    });
  }

  async function fetchPage(page: number): Promise<void> {
    if (asking.has(page) || fresh.has(page)) return;
    asking.add(page);
    const asked = generation;
    let failure: unknown;
    try {
      await ask(page, asked);
      error = undefined;
    } catch (failed) {
      failure = failed;
      if (isOffline(failed)) await (fromCache ??= readCache());
      if (total === undefined || !isOffline(failed))
        error = failed instanceof Error ? failed : new Error(String(failed));
    } finally {
      asking.delete(page);
      changed();
    }
    // What is looked at by now; not again what failed, people ask for that.
    if (failure === undefined || asked !== generation) look();
  }

  /** Emails with their threads and all that is in those, as answers of calls that go out together. */
  function entriesOf(emailIds: ResultReference) {
    const began = store.edits;
    const entries = call('Email/get', { accountId, '#ids': emailIds, properties: ENTRY_PROPERTIES });
    if (!query.collapseThreads) return { began, entries, threads: undefined, members: undefined };
    const threads = call('Thread/get', { accountId, '#ids': entries.ref('/list/*/threadId') });
    const members = call('Email/get', {
      accountId,
      '#ids': threads.ref('/list/*/emailIds'),
      properties: ENTRY_PROPERTIES,
    });
    return { began, entries, threads, members };
  }

  async function know({ began, entries, threads, members }: ReturnType<typeof entriesOf>): Promise<void> {
    const { list, state: emailState } = await entries;
    const inThreads = await optional(threads);
    const all = await optional(members);
    store.put(all?.list ?? list, inThreads?.list ?? [], emailState, began);
    if (all === undefined) return;
    const have = new Set(all.list.map(({ id }) => id));
    store.put(
      list.filter(({ id }) => !have.has(id)),
      [],
      undefined,
      began,
    );
  }

  async function ask(page: number, asked: number): Promise<void> {
    const { filter, sort, collapseThreads } = query;
    // What is known of the page already is not asked for again.
    const end = (page + 1) * PAGE;
    const from = state !== undefined && prefix > page * PAGE && prefix < end ? prefix : page * PAGE;
    const found = call('Email/query', {
      accountId,
      filter,
      sort,
      collapseThreads,
      position: from,
      limit: end - from,
      calculateTotal: true,
    });
    const about = entriesOf(found.ref('/ids'));
    const marks =
      query.snippets === true
        ? call('SearchSnippet/get', { accountId, filter, '#emailIds': found.ref('/ids') })
        : undefined;
    const [answer] = await Promise.all([found, about.entries]);
    answered = true;
    for (const each of (await optional(marks))?.list ?? []) snippets.set(each.emailId, each);
    await know(about);
    const current = asked === generation;
    // From before a change of ours: what was taken out must not come back for a moment.
    if (!current && answer.ids.some((id) => hidden.has(id))) return;
    if (answer.total !== undefined) setTotal(answer.total);
    fill(answer.position, answer.ids);
    // Places of several states: changes since one of them cannot be applied to all.
    if (current && fresh.size === 0 && prefix === 0) state = answer.queryState;
    else if (state !== answer.queryState) state = undefined;
    if (current) {
      fresh.add(page);
      measure();
    }
    if (page === 0) keep();
  }

  /** How much of the beginning is known. */
  function measure(): void {
    let page = Math.floor(prefix / PAGE);
    while (fresh.has(page)) page++;
    prefix = Math.max(prefix, Math.min(page * PAGE, total ?? 0));
  }

  function keep(): void {
    void keepFact(`list/${accountId}/${key}`, { ids: ids.slice(0, 500), total });
  }

  /** Nothing is known for certain: pages are asked for anew as they are looked at. */
  function startAnew(): void {
    behind = false;
    state = undefined;
    prefix = 0;
    hidden.clear();
    fresh.clear();
  }

  /** What is looked at is known as of one state, so that changes since can be applied to it. */
  function canFollow(): boolean {
    if (state === undefined || total === undefined || query.snippets === true) return false;
    return asking.size === 0 && Math.min(seen.last, total) <= prefix;
  }

  /** Ask for what changed in the list since it was got (RFC 8620 section 5.6), rather than for all of it again. */
  async function follow(since: string): Promise<void> {
    following = true;
    behind = false;
    const asked = generation;
    const wasHidden = hidden.size;
    let failed = false;
    try {
      const { filter, sort, collapseThreads } = query;
      const changes = call('Email/queryChanges', {
        accountId,
        filter,
        sort,
        collapseThreads,
        sinceQueryState: since,
        maxChanges: MOST_CHANGES,
        calculateTotal: true,
      });
      const about = entriesOf(changes.ref('/added/*/id'));
      const answer = await changes;
      await know(about);
      // Something was taken out meanwhile: what the answer means for that is not known.
      if (asked !== generation && hidden.size !== wasHidden) behind = true;
      else apply(answer);
    } catch (error) {
      if (error instanceof JmapError) startAnew();
      else {
        behind = true;
        failed = true;
      }
    } finally {
      following = false;
      changed();
    }
    // Without a network the next word of the server makes it look again.
    if (!failed) look();
  }

  function apply({ removed, added, newQueryState, total: now }: QueryChangesResponse): void {
    const gone = new Set(removed);
    // The server has not done what is shown as done: it is shown as it is there.
    if (now === undefined || [...hidden].some((id) => !gone.has(id))) return startAnew();
    hidden.clear();
    const next = changedPrefix(ids.slice(0, prefix) as Id[], gone, added);
    ids.splice(0, ids.length, ...next);
    places.clear();
    next.forEach((id, index) => places.set(id, index));
    total = now;
    prefix = next.length;
    state = newQueryState;
    freshen();
    keep();
    return undefined;
  }

  /** Pages that lie within what is known. */
  function freshen(): void {
    fresh.clear();
    const pages = prefix === total ? Math.max(1, Math.ceil(prefix / PAGE)) : Math.floor(prefix / PAGE);
    for (let page = 0; page < pages; page++) fresh.add(page);
  }

  /** What this device kept of the list: first what is seen first, for each object is read by itself. */
  async function readCache(): Promise<void> {
    const kept = await readFact<KeptWindow>(`list/${accountId}/${key}`);
    const all = kept?.ids.filter(Boolean) ?? [];
    for (const count of all.length > PAGE ? [PAGE, all.length] : [all.length]) {
      if (answered || count === 0) return;
      await recall(all.slice(0, count));
    }
  }

  async function recall(wanted: readonly Id[]): Promise<void> {
    const found = await readObjects<EmailEntry>('entries', accountId, wanted);
    if (answered || found.length === 0) return;
    const have = new Set(found.map(({ id }) => id));
    const threadIds = [...new Set(found.map(({ threadId }) => threadId))];
    const threads = await readObjects<Thread>('threads', accountId, threadIds);
    if (answered) return;
    const members = await readObjects<EmailEntry>('entries', accountId, [
      ...new Set(threads.flatMap(({ emailIds }) => emailIds)),
    ]);
    if (answered) return;
    store.put([...found, ...members], threads);
    const shown = wanted.filter((id) => have.has(id));
    fill(0, shown);
    setTotal(shown.length);
    changed();
  }

  function look(): void {
    if (store.pending > 0 || following) return;
    if (behind) {
      if (state !== undefined && canFollow()) return void follow(state);
      startAnew();
    }
    const firstPage = Math.floor(Math.max(0, seen.first) / PAGE);
    const lastPage = Math.floor(Math.max(0, Math.max(seen.last, seen.first + 1) - 1) / PAGE);
    for (let page = firstPage; page <= lastPage; page++) {
      // Who scrolls fast passes many pages: those that are over by the time there is room are never asked for.
      if (asking.size >= MOST_ASKING) return;
      if (total === undefined ? page === firstPage : page === 0 || page * PAGE < total) void fetchPage(page);
    }
    return undefined;
  }

  return {
    query,
    key,
    version,
    total: () => (version.value, total),
    at: (index) => (version.value, ids[index]),
    indexOf: (id) => places.get(id) ?? -1,
    snippet: (id) => snippets.get(id),
    error: () => (version.value, error),
    loading: () => (version.value, asking.size > 0),
    ensure(first, last) {
      seen = { first, last };
      if (total === undefined) fromCache ??= readCache();
      look();
    },
    remove(gone) {
      const left = ids.filter((id) => id === undefined || !gone.has(id));
      const removed = ids.length - left.length;
      if (removed === 0) return;
      const before = ids.slice(0, prefix);
      for (const id of gone) if (places.has(id)) hidden.add(id);
      prefix -= before.filter((id) => id !== undefined && gone.has(id)).length;
      ids.splice(0, ids.length, ...left);
      places.clear();
      ids.forEach((id, index) => id !== undefined && places.set(id, index));
      if (total !== undefined) total -= removed;
      fresh.clear();
      generation++;
      behind = true;
      keep();
      changed();
    },
    stale() {
      generation++;
      behind = true;
      // Only what somebody looks at: the others when they are looked at again. Also what was opened while changes of ours
      // were under way, and has not asked for anything yet.
      if (store.windows.get(key) !== undefined && active.get(store) === key) look();
    },
    async allIds(most) {
      const all: Id[] = [];
      while (all.length < most) {
        const { ids: more } = await call('Email/query', {
          accountId,
          filter: query.filter,
          sort: query.sort,
          collapseThreads: query.collapseThreads,
          position: all.length,
          limit: Math.min(QUERY_IDS, most - all.length),
        });
        all.push(...more);
        if (more.length < Math.min(QUERY_IDS, most)) break;
      }
      return all.slice(0, most);
    },
  };
}

const active = new WeakMap<AccountStore, string>();

/** The window that is on the screen. */
export function setActiveWindow(store: AccountStore, window: MailWindow): void {
  active.set(store, window.key);
}

async function optional<T>(asked: Promise<T> | undefined): Promise<T | undefined> {
  try {
    return await asked;
  } catch (error) {
    // The list is shown without: threads too long for one answer, for one.
    if (error instanceof JmapError) return undefined;
    throw error;
  }
}
