import { api } from '../base/http.ts';
import { confirm } from '../base/dialog.tsx';
import { formatDateTime } from '../base/format.ts';
import { texts } from '../base/i18n.ts';
import { toast, toastError } from '../base/toast.tsx';
import { call, JmapError, ownAccountId } from '../jmap/client.ts';
import type { AccountStore } from '../jmap/store/account.ts';
import {
  changeEmails,
  ChangeRefused,
  destroyEmails,
  patchKeyword,
  type Patches,
} from '../jmap/store/change.ts';
import type { EmailEntry, Id, Mailbox, Patch } from '../jmap/types.ts';
import { inScope } from './conversation.ts';
import { openDialog } from './dialogs/open.ts';
import {
  allSelected,
  clearSelection,
  cursor,
  list,
  mailbox,
  openThread,
  place,
  roleId,
  selected,
  store,
} from './state.ts';

/** What can be done with mail. Each is shown at once, can be undone where that is possible, and says what it did. */

/** Conversations that "all of this mailbox" may mean. */
const MOST = 100_000;
/** Emails an action names one by one in memory before it says how far it is. */
const SLOW = 1000;

type T = ReturnType<typeof texts<'mail'>>;
const words = (): T => texts('mail');
const base = (): ReturnType<typeof texts<'base'>> => texts('base');

/** What an action is about: emails, and the rows that stand for them. */
export interface Targets {
  readonly store: AccountStore;
  readonly ids: readonly Id[];
  /** Rows of the list that they are in. */
  readonly rows: ReadonlySet<Id>;
  /** As people count: conversations. */
  readonly count: number;
}

export function rubbishOf(from: AccountStore): ReadonlySet<Id> {
  return new Set((['trash', 'junk'] as const).flatMap((role) => roleId(from, role) ?? []));
}

/** The messages that rows stand for, as far as the list is about them. */
async function emailsOf(from: AccountStore, rows: readonly Id[], collapsed: boolean): Promise<Id[]> {
  await from.need(rows);
  if (!collapsed) return [...rows];
  const threads = new Set<Id>();
  const missing: Id[] = [];
  for (const id of rows) {
    const entry = from.peek(id);
    if (entry === undefined || threads.has(entry.threadId)) continue;
    threads.add(entry.threadId);
    if (from.thread(entry.threadId) === undefined) missing.push(entry.threadId);
  }
  for (let at = 0; at < missing.length; at += 500) {
    const { list: found } = await call('Thread/get', {
      accountId: from.id,
      ids: missing.slice(at, at + 500),
    });
    from.put([], found);
  }
  const members = [...threads].flatMap((id) => from.thread(id) ?? []);
  await from.need(members);
  const rubbish = rubbishOf(from);
  const shown = mailbox.value?.id;
  return [...threads].flatMap((id) => {
    const entries = (from.thread(id) ?? []).flatMap((each) => from.peek(each) ?? []);
    return inScope(entries, rubbish, shown).map((each) => each.id);
  });
}

/** What the toolbar and the keys act on: what is selected, else the open conversation, else the row of the cursor. */
export function currentRows(): readonly Id[] {
  if (selected.value.size > 0) return [...selected.value];
  const at = openRow() ?? cursor.value;
  return at === undefined ? [] : [at];
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
  const all = whole ? await window.allIds(MOST) : rows;
  const ids = await emailsOf(from, all, window.query.collapseThreads);
  return { store: from, ids, rows: new Set(all), count: all.length };
}

/** One message alone. */
export function oneEmail(id: Id): Targets | undefined {
  const from = store.value;
  return from && { store: from, ids: [id], rows: new Set(), count: 1 };
}

interface Doing {
  /** What was done, in a sentence. */
  readonly said: string;
  /** They leave the list. */
  readonly leave?: boolean;
  /** Say nothing when it worked. */
  readonly quiet?: boolean;
}

/** Apply patches, say so, offer to undo. */
export async function doPatches(targets: Targets, patches: Patches, doing: Doing): Promise<void> {
  const t = words();
  const from = targets.store;
  if (doing.leave === true) leaveList(targets);
  clearSelection();
  let hideProgress: (() => void) | undefined;
  try {
    if (patches.size > SLOW) hideProgress = toast(t('working', { count: patches.size }), { ms: 600_000 });
    const change = changeEmails(from, patches);
    // Whoever takes it back before the server has done it means that as well.
    let takenBack = false;
    const early = (): void => {
      takenBack = true;
      undoLast.run = undefined;
      change.then(({ undo }) => takeBack(from, undo)).catch(() => undefined);
    };
    // What happens by the way (read by being opened) is not what somebody means to take back.
    if (doing.quiet !== true) undoLast.run = early;
    const { undo, queued } = await change;
    if (takenBack) return;
    if (undoLast.run === early) undoLast.run = undo.size > 0 ? () => void takeBack(from, undo) : undefined;
    if (doing.quiet === true && !queued) return;
    toast(queued ? t('doneLater', { said: doing.said }) : doing.said, {
      ...(undo.size > 0 && { action: { label: base()('undo'), run: () => void takeBack(from, undo) } }),
    });
  } catch (error) {
    if (error instanceof ChangeRefused)
      toast(t('someRefused', { count: error.refused, message: error.message }), { bad: true });
    else toastError(error);
  } finally {
    hideProgress?.();
  }
}

/** What the key for undo does. */
export const undoLast: { run: (() => void) | undefined } = { run: undefined };

async function takeBack(from: AccountStore, undo: Patches): Promise<void> {
  undoLast.run = undefined;
  try {
    await changeEmails(from, undo);
    toast(words()('undone'));
  } catch (error) {
    toastError(error);
  }
}

/** Rows go; where the open conversation was, the next one is, or the list. */
function leaveList({ rows }: Targets): void {
  const window = list.value;
  if (window === undefined) return;
  const open = openRow();
  const goes = open !== undefined && rows.has(open);
  const at = cursor.value ?? open;
  const index = at === undefined ? -1 : window.indexOf(at);
  window.remove(rows);
  if (index >= 0 && at !== undefined && rows.has(at)) {
    const next = window.at(Math.min(index, (window.total() ?? 1) - 1));
    cursor.value = next;
  }
  if (goes) openThread(undefined, true);
}

function movePatch(entry: EmailEntry, to: Id): Patch {
  const patch: Record<string, unknown> = { [`mailboxIds/${to}`]: true };
  for (const id of Object.keys(entry.mailboxIds)) if (id !== to) patch[`mailboxIds/${id}`] = null;
  return patch;
}

function patchesFor({ store: from, ids }: Targets, make: (entry: EmailEntry) => Patch): Patches {
  const patches = new Map<Id, Patch>();
  for (const id of ids) {
    const entry = from.peek(id);
    if (entry === undefined) continue;
    const patch = make(entry);
    if (Object.keys(patch).length > 0) patches.set(id, patch);
  }
  return patches;
}

/** Into another mailbox, out of all it is in now. */
export async function moveTo(targets: Targets, to: Mailbox, said?: string, extra: Patch = {}): Promise<void> {
  const t = words();
  const patches = patchesFor(targets, (entry) => ({ ...movePatch(entry, to.id), ...extra }));
  await doPatches(targets, patches, {
    said: said ?? t('moved', { count: targets.count, mailbox: mailboxLabel(to) }),
    leave: mailbox.value !== undefined && mailbox.value.id !== to.id,
  });
}

/** A mailbox's name: what has a role is called as that is called here. */
export function mailboxLabel({ role, name }: Pick<Mailbox, 'role' | 'name'>): string {
  const t = words();
  switch (role) {
    case 'inbox':
      return t('inbox');
    case 'archive':
      return t('archiveBox');
    case 'drafts':
      return t('drafts');
    case 'junk':
      return t('junkBox');
    case 'sent':
      return t('sent');
    case 'trash':
      return t('trash');
    default:
      return name;
  }
}

/** The mailbox of a role, or the one that is called like it. */
function findRole(from: AccountStore, role: 'archive' | 'trash' | 'junk'): Mailbox | undefined {
  const all = [...from.mailboxes.value.values()];
  const name = ROLE_NAMES[role];
  return (
    all.find((each) => each.role === role) ?? all.find((each) => each.name === name && each.parentId === null)
  );
}

const ROLE_NAMES = { archive: 'Archive', trash: 'Trash', junk: 'Junk' } as const;

/** In an account of others there may be no such mailbox, and none can be made. */
function lacks(from: AccountStore, role: 'archive' | 'trash' | 'junk'): boolean {
  return from.id !== ownAccountId() && findRole(from, role) === undefined;
}

/** The mailbox of a role, made when there is none. */
export async function needRole(from: AccountStore, role: 'archive' | 'trash' | 'junk'): Promise<Mailbox> {
  const known = findRole(from, role);
  if (known !== undefined) return known;
  const { notCreated } = await call('Mailbox/set', {
    accountId: from.id,
    create: { a: { name: ROLE_NAMES[role], role, parentId: null, isSubscribed: true } },
  });
  const refused = notCreated?.['a'];
  if (refused !== undefined) throw new JmapError(refused.type, 'Mailbox/set', refused.description);
  await from.loadMailboxes();
  return needRole(from, role);
}

/** The rows of targets, for a dialog: a message alone stands for itself. */
function rowsOf({ rows, ids }: Targets): readonly Id[] {
  return rows.size > 0 ? [...rows] : ids;
}

export async function archive(targets: Targets | undefined): Promise<void> {
  if (targets === undefined) return;
  if (lacks(targets.store, 'archive')) return openDialog({ kind: 'move', rows: rowsOf(targets) });
  await guarded(async () => {
    const to = await needRole(targets.store, 'archive');
    await moveTo(targets, to, words()('archived', { count: targets.count }));
  });
}

/** To the trash; what lies there goes for good, when that is meant. */
export async function remove(targets: Targets | undefined): Promise<void> {
  if (targets === undefined) return;
  await guarded(async () => {
    const role = mailbox.value?.role;
    if (role === 'trash' || role === 'junk' || lacks(targets.store, 'trash')) return destroy(targets);
    const to = await needRole(targets.store, 'trash');
    return moveTo(targets, to, words()('deleted', { count: targets.count }));
  });
}

export async function destroy(targets: Targets): Promise<void> {
  const t = words();
  const yes = await confirm({
    title: t('destroyTitle', { count: targets.count }),
    sentence: t('destroySentence'),
    yes: t('destroyYes'),
    danger: true,
  });
  if (!yes) return;
  leaveList(targets);
  clearSelection();
  await destroyEmails(targets.store, targets.ids);
  toast(t('destroyed', { count: targets.count }));
}

export async function markJunk(targets: Targets | undefined, junk: boolean): Promise<void> {
  if (targets === undefined) return;
  if (junk && lacks(targets.store, 'junk')) return openDialog({ kind: 'move', rows: rowsOf(targets) });
  await guarded(async () => {
    const t = words();
    const inbox = roleId(targets.store, 'inbox');
    const home = inbox === undefined ? undefined : targets.store.mailboxes.value.get(inbox);
    const to = junk ? await needRole(targets.store, 'junk') : home;
    if (to === undefined) return;
    const marks = junk
      ? { 'keywords/$junk': true, 'keywords/$notjunk': null }
      : { 'keywords/$junk': null, 'keywords/$notjunk': true };
    await moveTo(targets, to, t(junk ? 'markedJunk' : 'markedNotJunk', { count: targets.count }), marks);
  });
}

export async function setKeyword(
  targets: Targets | undefined,
  keyword: string,
  on: boolean,
  said: string,
  quiet = false,
): Promise<void> {
  if (targets === undefined) return;
  const key = keyword.toLowerCase();
  const patches = patchesFor(targets, (entry) =>
    (entry.keywords[key] === true) === on ? {} : patchKeyword(keyword, on),
  );
  if (patches.size > 0) await doPatches(targets, patches, { said, quiet });
  else clearSelection();
}

export async function markSeen(targets: Targets | undefined, seen: boolean, quiet = false): Promise<void> {
  const t = words();
  const count = targets?.count ?? 0;
  await setKeyword(targets, '$seen', seen, t(seen ? 'markedRead' : 'markedUnread', { count }), quiet);
}

/** A star for the newest message, or no star for all of the conversation. */
export async function setStar(targets: Targets | undefined, on: boolean): Promise<void> {
  if (targets === undefined) return;
  const t = words();
  const newest = targets.rows.size === 1 ? targets.ids.slice(-1) : targets.ids;
  await setKeyword(
    on ? { ...targets, ids: newest } : targets,
    '$flagged',
    on,
    t(on ? 'starred' : 'unstarred', { count: targets.count }),
    targets.count === 1,
  );
}

export async function snooze(targets: Targets | undefined, until: number): Promise<void> {
  if (targets === undefined) return;
  await guarded(async () => {
    const t = words();
    await api('POST', '/account/v1/snooze', { emailIds: targets.ids, until });
    leaveList(targets);
    clearSelection();
    toast(t('snoozed', { when: formatDateTime(until) }), {
      action: {
        label: base()('undo'),
        run: () =>
          void guarded(async () => {
            await api('POST', '/account/v1/snooze/wake', { emailIds: targets.ids });
            toast(t('undone'));
          }),
      },
    });
    await targets.store.sync();
  });
}

/** Whether the rows are all unread, starred and so on: what a toggle will do. */
export function rowsHave(rows: readonly Id[], test: (entry: EmailEntry) => boolean): boolean {
  const from = store.value;
  if (from === undefined) return false;
  return rows.some((id) => {
    const entry = from.peek(id);
    if (entry === undefined) return false;
    const members = (from.thread(entry.threadId) ?? [id]).flatMap((each) => from.peek(each) ?? []);
    return members.some(test);
  });
}

/** Run; failures are said. */
export async function guarded(run: () => Promise<void>): Promise<void> {
  try {
    await run();
  } catch (error) {
    toastError(error);
  }
}
