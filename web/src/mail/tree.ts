import type { IconName } from '../base/icon.tsx';
import type { Id, Mailbox, Role } from '../jmap/types.ts';

/** Mailboxes as a tree: those with a role first, the others by name. */
export interface Branch {
  readonly mailbox: Mailbox;
  readonly children: readonly Branch[];
}

const ORDER: readonly Role[] = ['inbox', 'drafts', 'sent', 'archive', 'junk', 'trash'];

function rank({ role }: Mailbox): number {
  const at = role === null ? -1 : ORDER.indexOf(role);
  return at === -1 ? ORDER.length : at;
}

export function compareMailboxes(a: Mailbox, b: Mailbox): number {
  return (
    rank(a) - rank(b) ||
    a.sortOrder - b.sortOrder ||
    a.name.localeCompare(b.name, undefined, { numeric: true })
  );
}

export function mailboxTree(mailboxes: ReadonlyMap<Id, Mailbox>): readonly Branch[] {
  const children = new Map<Id | null, Mailbox[]>();
  for (const mailbox of mailboxes.values()) {
    // What has a role stands at the top wherever it is.
    const known = mailbox.parentId !== null && mailboxes.has(mailbox.parentId) && mailbox.role === null;
    const key = known ? mailbox.parentId : null;
    children.set(key, [...(children.get(key) ?? []), mailbox]);
  }
  const below = (id: Id | null): readonly Branch[] =>
    (children.get(id) ?? [])
      .toSorted(compareMailboxes)
      .map((mailbox) => ({ mailbox, children: below(mailbox.id) }));
  return below(null);
}

/** Names from the top down. */
export function mailboxPath(mailboxes: ReadonlyMap<Id, Mailbox>, mailbox: Mailbox): readonly string[] {
  const parent = mailbox.parentId === null ? undefined : mailboxes.get(mailbox.parentId);
  return parent === undefined ? [mailbox.name] : [...mailboxPath(mailboxes, parent), mailbox.name];
}

const ICONS: Readonly<Record<string, IconName>> = {
  inbox: 'inbox',
  archive: 'archive',
  drafts: 'drafts',
  junk: 'junk',
  sent: 'send',
  trash: 'trash',
};

export function mailboxIcon({ role }: Pick<Mailbox, 'role'>): IconName {
  return ICONS[role ?? ''] ?? 'folder';
}
