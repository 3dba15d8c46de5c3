import { computed, signal } from '@preact/signals';
import { navigate, route } from '../base/router.ts';
import type { AccountStore } from '../jmap/store/account.ts';
import { accountStore, ownStore, ready } from '../jmap/store/stores.ts';
import { type MailWindow, openWindow, setActiveWindow } from '../jmap/store/window.ts';
import type { Id, Mailbox } from '../jmap/types.ts';
import { labels } from './labels.ts';
import {
  type Chips,
  comparators,
  filterOf,
  isGone,
  mailboxOf,
  NO_CHIPS,
  type Place,
  readPlace,
  type Sort,
  withRole,
  writePlace,
} from './place.ts';
import { type ParsedSearch, parseSearch } from './search/parse.ts';

/** What the mail pages show, all of it by way of the path or of signals here. */

export const place = computed<Place>(() => {
  const { parts, query } = route.value;
  return readPlace(parts[0] === 'mail' || parts.length === 0 ? parts : ['mail'], query);
});

/** The account whose mail is shown; undefined until the session is known. */
export const store = computed<AccountStore | undefined>(() => {
  if (!ready.value) return undefined;
  const { accountId } = place.value;
  return accountId === undefined ? ownStore() : accountStore(accountId);
});

/** The mailbox whose mail is shown: of the path, or of a search that names one. Undefined: mail of several. */
export const mailbox = computed<Mailbox | undefined>(() => {
  const all = store.value?.mailboxes.value;
  if (all === undefined) return undefined;
  const { everywhere, named } = search.value;
  if (!everywhere) return mailboxOf(place.value, all);
  return named.length === 1 ? all.get(named[0] ?? '') : undefined;
});

/** The mailbox of the path is not there any more. */
export const gone = computed(
  () => store.value !== undefined && isGone(place.value, store.value.mailboxes.value),
);

export const chips = signal<Chips>(NO_CHIPS);
export const sort = signal<Sort>('newest');
/** Conversations, or each message by itself. */
export const conversations = signal(localStorage.getItem('postern.conversations') !== 'off');

const search = computed<ParsedSearch>(() => {
  const { q } = place.value;
  if (q === '' || store.value === undefined)
    return { filter: undefined, everywhere: false, named: [], unknown: [] };
  return parseSearch(q, {
    mailboxes: structure.value,
    labels: labels.value,
    now: Math.floor(Date.now() / 60_000) * 60_000,
  });
});
export const unknownOperators = computed(() => search.value.unknown);

/** The mailboxes without their counts: a list is not another one because mail came. */
const structure = computed<ReadonlyMap<Id, Mailbox>>(
  (() => {
    let before: ReadonlyMap<Id, Mailbox> = new Map();
    return () => {
      const now = store.value?.mailboxes.value ?? new Map<Id, Mailbox>();
      const same =
        now.size === before.size &&
        [...now.values()].every((each) => {
          const old = before.get(each.id);
          return old?.name === each.name && old.role === each.role && old.parentId === each.parentId;
        });
      if (!same) before = now;
      return before;
    };
  })(),
);

/** What the list shows. */
export const list = computed<MailWindow | undefined>(() => {
  const from = store.value;
  if (from === undefined) return undefined;
  const at: Place = { ...place.value, threadId: undefined };
  if (gone.value && !search.value.everywhere) return undefined;
  const scope = search.value.everywhere ? { ...at, mailbox: 'all' } : at;
  const { filter: searched, named } = search.value;
  const filter = filterOf(scope, structure.value, searched, chips.value, named.length > 0);
  const window = openWindow(from, {
    filter,
    sort: comparators(sort.value),
    collapseThreads: conversations.value,
    ...(search.value.filter !== undefined && { snippets: true }),
  });
  setActiveWindow(from, window);
  return window;
});

/** Rows that are marked for an action, by the id of the email they stand for. */
export const selected = signal<ReadonlySet<Id>>(new Set());
/** All of the list is meant, also what has not been fetched. */
export const allSelected = signal(false);
/** The row that the keyboard is at. */
export const cursor = signal<Id | undefined>(undefined);
/** Folders are shown on a phone. */
export const foldersShown = signal(false);

export function clearSelection(): void {
  if (selected.value.size > 0) selected.value = new Set();
  allSelected.value = false;
}

export function openThread(threadId: Id | undefined, replace = false): void {
  navigate(writePlace({ ...place.value, threadId }), { replace });
}

export function openMailbox(name: string, accountId?: Id): void {
  navigate(writePlace({ accountId, mailbox: name, threadId: undefined, q: '' }));
}

export function openSearch(q: string, everywhere: boolean): void {
  const { accountId, mailbox: current } = place.value;
  navigate(writePlace({ accountId, mailbox: everywhere ? 'all' : current, threadId: undefined, q }));
}

export function roleId(from: AccountStore, role: Parameters<typeof withRole>[1]): Id | undefined {
  return withRole(from.mailboxes.value, role)?.id;
}

/** What the mailbox that is shown lets us do; in lists over several, the server says no where it must. */
export const rights = computed(() => mailbox.value?.myRights ?? ALL_RIGHTS);
const ALL_RIGHTS = { mayRemoveItems: true, maySetKeywords: true } as const;

/** A row shows who a message goes to rather than who it is from. */
export const showsRecipients = computed(
  () => mailbox.value?.role === 'sent' || mailbox.value?.role === 'drafts',
);
