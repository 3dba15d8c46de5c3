import type { Counts } from '../../../data/jmap/account-counts.ts';
import { ancestors, INBOX } from '../../../data/mailstore/names.ts';
import type { SpecialUse } from '../../../data/mailstore/types.ts';
import { hasRights, Right } from '../../../data/sharing/rights.ts';
import type { KnownMailbox } from '../../../data/sharing/types.ts';
import { formatId } from '../ids.ts';
import type { JsonObject } from '../json.ts';
import type { View } from '../view.ts';

/** Roles of RFC 8621 section 2 and the special uses they are (RFC 6154); the inbox needs none. */
export const ROLES: ReadonlyMap<string, SpecialUse> = new Map([
  ['archive', '\\Archive'],
  ['drafts', '\\Drafts'],
  ['junk', '\\Junk'],
  ['sent', '\\Sent'],
  ['trash', '\\Trash'],
  ['flagged', '\\Flagged'],
  ['all', '\\All'],
]);

const ROLE_OF: ReadonlyMap<string, string> = new Map([...ROLES].map(([role, use]) => [use, role]));

export const MAILBOX_PROPERTIES: readonly string[] = [
  'id',
  'name',
  'parentId',
  'role',
  'sortOrder',
  'totalEmails',
  'unreadEmails',
  'totalThreads',
  'unreadThreads',
  'myRights',
  'isSubscribed',
];

const NO_COUNTS: Counts = { totalEmails: 0, unreadEmails: 0, totalThreads: 0, unreadThreads: 0 };

/** A mailbox, its place in the tree known. */
export interface MailboxNode {
  readonly known: KnownMailbox;
  readonly id: number;
  readonly name: string;
  readonly parentId: number | undefined;
  readonly role: string | undefined;
}

/** The tree of what may be seen: what lies below something hidden hangs from the next thing above. */
export function mailboxNodes(view: View): Map<number, MailboxNode> {
  const byPath = new Map(view.mailboxes.map((known) => [known.path, known.mailbox.id]));
  const nodes = new Map<number, MailboxNode>();
  for (const known of view.mailboxes) {
    const { path, mailbox } = known;
    const parent = ancestors(path).findLast((each) => byPath.has(each));
    const role = path === INBOX ? 'inbox' : ROLE_OF.get(mailbox.specialUse ?? '');
    const last = parent === undefined ? path : path.slice(parent.length + 1);
    nodes.set(mailbox.id, {
      known,
      id: mailbox.id,
      name: path === INBOX ? 'Inbox' : last,
      parentId: parent === undefined ? undefined : byPath.get(parent),
      role: view.own ? role : path === INBOX ? 'inbox' : undefined,
    });
  }
  return nodes;
}

export function mailboxObject(node: MailboxNode, counts: Counts = NO_COUNTS, sortOrder = 0): JsonObject {
  const { rights, mailbox, path } = node.known;
  const may = (needed: number): boolean => hasRights(rights, needed);
  return {
    id: formatId('mailbox', node.id),
    name: node.name,
    parentId: node.parentId === undefined ? null : formatId('mailbox', node.parentId),
    role: node.role ?? null,
    sortOrder,
    ...counts,
    myRights: {
      mayReadItems: may(Right.Lookup | Right.Read),
      mayAddItems: may(Right.Insert),
      mayRemoveItems: may(Right.DeleteMessages | Right.Expunge),
      maySetSeen: may(Right.Seen),
      maySetKeywords: may(Right.Write),
      mayCreateChild: may(Right.Create),
      mayRename: may(Right.Delete) && path !== INBOX,
      mayDelete: may(Right.Delete) && path !== INBOX,
      maySubmit: may(Right.Post),
    },
    isSubscribed: mailbox.subscribed,
  };
}
