import { texts } from '../base/i18n.ts';
import { toast } from '../base/toast.tsx';
import type { AccountStore } from '../jmap/store/account.ts';
import { type Marks, marksOf, membersOf } from '../jmap/store/marks.ts';
import type { Id } from '../jmap/types.ts';
import { inScope, movable } from './conversation.ts';
import { allSelected, cursor, list, mailbox, place, roleId, selected, store } from './state.ts';

/** What an action is about: emails, and the rows that stand for them. */
export interface Targets {
  readonly store: AccountStore;
  /** All of the conversations, as far as the list is about them. */
  readonly ids: readonly Id[];
  /** Those of them that move: what one wrote oneself stays in the mailbox of what was sent. */
  readonly moving: readonly Id[];
  /** Rows of the list that they are in. */
  readonly rows: ReadonlySet<Id>;
  /** As people count: conversations. */
  readonly count: number;
  /** What is known of one of them. */
  readonly marks: (id: Id) => Marks | undefined;
}

/** Conversations that "all of this mailbox" may mean. */
const MOST = 100_000;
/** Rows from which on it is said that it takes a while to find out what they stand for. */
const SLOW = 1000;

export function rubbishOf(from: AccountStore): ReadonlySet<Id> {
  return new Set((['trash', 'junk'] as const).flatMap((role) => roleId(from, role) ?? []));
}

/** Mailboxes of what one wrote oneself. */
function ownMailOf(from: AccountStore): ReadonlySet<Id> {
  return new Set((['sent', 'drafts'] as const).flatMap((role) => roleId(from, role) ?? []));
}

/** What the keys act on: what is selected, else the current row. */
export function currentRows(): readonly Id[] {
  if (selected.value.size > 0) return [...selected.value];
  const at = currentRow();
  return at === undefined ? [] : [at];
}

/** The row that has the focus, else that of the open conversation, else that of the cursor. */
export function currentRow(): Id | undefined {
  // To have the focus makes it that of the cursor.
  const focused = document.activeElement?.matches('.mail-row-open') === true;
  return focused ? cursor.value : (openRow() ?? cursor.value);
}

/** The row of the open conversation. */
export function openRow(): Id | undefined {
  const { threadId } = place.value;
  const from = store.value;
  const window = list.value;
  if (threadId === undefined || from === undefined || window === undefined) return undefined;
  const members = from.thread(threadId) ?? [];
  return members.find((id) => window.indexOf(id) >= 0) ?? members.at(-1);
}

/** Resolve what is current to emails; undefined when there is nothing. */
export async function currentTargets(rows = currentRows()): Promise<Targets | undefined> {
  const from = store.value;
  const window = list.value;
  if (from === undefined || window === undefined || rows.length === 0) return undefined;
  const whole =
    allSelected.value && rows.length === selected.value.size && rows.every((id) => selected.value.has(id));
  const long = whole && (window.total() ?? 0) > SLOW;
  const hide = long ? toast(texts('base')('loading'), { ms: 600_000 }) : undefined;
  try {
    const all = whole ? await window.allIds(MOST) : rows;
    const found = await emailsOf(from, all, window.query.collapseThreads);
    return { store: from, ...found, rows: new Set(all) };
  } finally {
    hide?.();
  }
}

/** The messages that rows stand for. */
async function emailsOf(
  from: AccountStore,
  rows: readonly Id[],
  collapsed: boolean,
): Promise<Pick<Targets, 'ids' | 'moving' | 'marks' | 'count'>> {
  const known = await marksOf(from, rows);
  // Without those that are gone meanwhile.
  const there = rows.flatMap((id) => known.get(id) ?? []);
  const count = there.length;
  if (!collapsed) {
    const ids = there.map(({ id }) => id);
    return { ids, moving: ids, count, marks: (id) => known.get(id) };
  }
  const threads = new Set(there.map(({ threadId }) => threadId));
  const members = await membersOf(from, threads);
  const all = await marksOf(from, [...members.values()].flat());
  const [rubbish, ownMail, shown] = [rubbishOf(from), ownMailOf(from), mailbox.value?.id];
  const ids: Id[] = [];
  const moving: Id[] = [];
  for (const row of there) {
    // One row stands for a thread; two may while it is being joined from others.
    if (!threads.delete(row.threadId)) continue;
    const found = (members.get(row.threadId) ?? [row.id]).flatMap((id) => all.get(id) ?? known.get(id) ?? []);
    const scope = inScope(found, rubbish, shown);
    ids.push(...scope.map(({ id }) => id));
    moving.push(...movable(scope, ownMail, shown).map(({ id }) => id));
  }
  return { ids, moving, count, marks: (id) => all.get(id) ?? known.get(id) };
}

/** These messages, which no row stands for. */
export function emailTargets(from: AccountStore, ids: readonly Id[]): Targets {
  return { store: from, ids, moving: ids, rows: new Set(), count: 1, marks: (id) => from.peek(id) };
}

/** One message alone. */
export function oneEmail(id: Id): Targets | undefined {
  return store.value && emailTargets(store.value, [id]);
}
