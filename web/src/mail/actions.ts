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
  snoozeEmails,
} from '../jmap/store/change.ts';
import type { Marks } from '../jmap/store/marks.ts';
import type { Wish } from '../jmap/store/outbox.ts';
import type { EmailEntry, Id, Mailbox, Patch } from '../jmap/types.ts';
import { openDialog } from './dialogs/open.ts';
import { refocus } from './focus.ts';
import { clearSelection, cursor, list, mailbox, openThread, roleId, store } from './state.ts';
import { currentTargets, openRow, type Targets } from './targets.ts';
import { dropWaiting } from './waiting.ts';

/** What can be done with mail. Each is shown at once, can be undone where that is possible, and says what it did. */

/** Emails an action names one by one in memory before it says how far it is. */
const SLOW = 1000;

type T = ReturnType<typeof texts<'mail'>>;
const words = (): T => texts('mail');
const base = (): ReturnType<typeof texts<'base'>> => texts('base');

interface Doing {
  /** What was done, in a sentence. */
  readonly said: string;
  /** They leave the list. */
  readonly leave?: boolean;
  /** Say nothing when it worked; `always`: nor that it waits, for nobody asked for it. */
  readonly quiet?: boolean | 'always';
}

/** Apply patches, say so, offer to undo. */
export async function doPatches(targets: Targets, patches: Patches, doing: Doing): Promise<void> {
  const t = words();
  const from = targets.store;
  if (doing.leave === true) leaveList(targets);
  if (doing.quiet !== 'always') clearSelection();
  const hideProgress = sayWorking(patches);
  try {
    const change = changeEmails(from, patches, targets.marks);
    // Whoever takes it back before the server has done it means that as well.
    let takenBack = false;
    const early = (): void => {
      takenBack = true;
      undoLast.run = undefined;
      change.then(({ undo }) => takeBack(from, undo)).catch(() => undefined);
    };
    // What happens by the way (read by being opened) is not what somebody means to take back.
    if (!doing.quiet) undoLast.run = early;
    const { undo, queued } = await change;
    if (takenBack) return;
    if (undoLast.run === early) undoLast.run = undo.size > 0 ? () => void takeBack(from, undo) : undefined;
    if (doing.quiet === 'always' || (doing.quiet === true && !queued)) return;
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

/** That it takes a while; returns what ends that. */
function sayWorking({ size }: Patches): (() => void) | undefined {
  return size > SLOW ? toast(words()('working', { count: size }), { ms: 600_000 }) : undefined;
}

/** What the key for undo does. */
export const undoLast: { run: (() => void) | undefined } = { run: undefined };

async function takeBack(from: AccountStore, undo: Patches): Promise<void> {
  undoLast.run = undefined;
  const hideProgress = sayWorking(undo);
  try {
    await changeEmails(from, undo);
    toast(words()('undone'));
  } catch (error) {
    toastError(error);
  } finally {
    hideProgress?.();
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
  refocus();
}

function movePatch(entry: Marks, to: Id): Patch {
  const patch: Record<string, unknown> = { [`mailboxIds/${to}`]: true };
  for (const id of Object.keys(entry.mailboxIds)) if (id !== to) patch[`mailboxIds/${id}`] = null;
  return patch;
}

function patchesFor({ marks }: Targets, ids: readonly Id[], make: (entry: Marks) => Patch): Patches {
  const patches = new Map<Id, Patch>();
  for (const id of ids) {
    const entry = marks(id);
    if (entry === undefined) continue;
    const patch = make(entry);
    if (Object.keys(patch).length > 0) patches.set(id, patch);
  }
  return patches;
}

/** Into another mailbox, out of all it is in now. */
export async function moveTo(targets: Targets, to: Mailbox, said?: string, extra: Patch = {}): Promise<void> {
  const t = words();
  const patches = patchesFor(targets, targets.moving, (entry) => ({ ...movePatch(entry, to.id), ...extra }));
  await doPatches(targets, patches, {
    said: said ?? t('moved', { count: targets.count, mailbox: mailboxLabel(to) }),
    leave: mailbox.value !== undefined && mailbox.value.id !== to.id,
  });
}

/** What the server calls the mailbox of what was put away, in all mail programs. */
const SNOOZED = 'Snoozed';

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
      return name === SNOOZED ? t('snoozedBox') : name;
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
  const queued = await destroyEmails(targets.store, targets.moving, mailbox.value?.id);
  const said = t('destroyed', { count: targets.count });
  toast(queued ? t('doneLater', { said }) : said);
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
  quiet: Doing['quiet'] = false,
): Promise<void> {
  if (targets === undefined) return;
  const key = keyword.toLowerCase();
  const patches = patchesFor(targets, targets.ids, (entry) =>
    (entry.keywords[key] === true) === on ? {} : patchKeyword(keyword, on),
  );
  if (patches.size > 0) await doPatches(targets, patches, { said, quiet });
  else clearSelection();
}

export async function markSeen(
  targets: Targets | undefined,
  seen: boolean,
  quiet: Doing['quiet'] = false,
): Promise<void> {
  const t = words();
  const count = targets?.count ?? 0;
  // What one wrote oneself is not to be read again.
  const about = seen || targets === undefined ? targets : { ...targets, ids: targets.moving };
  await setKeyword(about, '$seen', seen, t(seen ? 'markedRead' : 'markedUnread', { count }), quiet);
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
    const lyingIn = mailbox.value?.id;
    leaveList(targets);
    clearSelection();
    const queued = await snoozeEmails(targets.store, targets.moving, until, lyingIn);
    const said = t('snoozed', { when: formatDateTime(until) });
    const wish = { snooze: { ids: targets.moving, lyingIn, until } };
    toast(queued ? t('doneLater', { said }) : said, {
      action: { label: base()('undo'), run: () => void guarded(() => wake(targets.store, wish)) },
    });
    if (queued) return;
    await targets.store.sync();
  });
}

/** Take back that emails were put away: what waits for the connection is not done, what was done is undone. */
async function wake(from: AccountStore, wish: Required<Pick<Wish, 'snooze'>>): Promise<void> {
  if (!(await dropWaiting(from, wish)))
    await api('POST', '/account/v1/snooze/wake', { emailIds: wish.snooze.ids });
  from.refresh();
  toast(words()('undone'));
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

/** What does something with what is current, or with these rows; failures are said. */
export function act(run: (targets: Targets | undefined) => Promise<void>, rows?: readonly Id[]): () => void {
  return () => void guarded(async () => run(await currentTargets(rows)));
}

/** Run; failures are said. */
export async function guarded(run: () => Promise<void>): Promise<void> {
  try {
    await run();
  } catch (error) {
    toastError(error);
  }
}
