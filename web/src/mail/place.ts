import type { EmailCondition, EmailFilter, Id, Mailbox, Role } from '../jmap/types.ts';

/** Where in the mail we are, as the path says: /mail/<mailbox>[/<thread>][?q=search]. */

/** Lists that are no mailbox. */
export type Everywhere = 'all' | 'starred';

/** Names in paths that are no mailbox; what waits to be sent has a page of its own. */
const NO_MAILBOX: ReadonlySet<string> = new Set(['all', 'starred', 'scheduled']);

export interface Place {
  /** Account whose mail it is; undefined: our own. */
  readonly accountId: Id | undefined;
  /** A role, an id, or one of `Everywhere`. */
  readonly mailbox: string;
  readonly threadId: Id | undefined;
  /** What is searched for. */
  readonly q: string;
}

const USUAL = 'inbox';

export function readPlace(parts: readonly string[], query: URLSearchParams): Place {
  const [, first = USUAL, threadId] = parts;
  const dot = first.indexOf('.');
  return {
    accountId: dot > 0 ? first.slice(0, dot) : undefined,
    mailbox: first.slice(dot + 1) || USUAL,
    threadId,
    q: query.get('q') ?? '',
  };
}

export function writePlace({ accountId, mailbox, threadId, q }: Place): string {
  const first = accountId === undefined ? mailbox : `${accountId}.${mailbox}`;
  const path = ['mail', first, ...(threadId === undefined ? [] : [threadId])];
  const query = q === '' ? '' : `?${new URLSearchParams({ q }).toString()}`;
  return `/${path.map(encodeURIComponent).join('/')}${query}`;
}

/** The mailbox of a place; undefined for lists that are none, and for one that is not there. */
export function mailboxOf(place: Place, mailboxes: ReadonlyMap<Id, Mailbox>): Mailbox | undefined {
  return mailboxes.get(place.mailbox) ?? withRole(mailboxes, place.mailbox as Role);
}

/** The path names a mailbox that is not there: it was deleted, here or elsewhere. */
export function isGone(place: Place, mailboxes: ReadonlyMap<Id, Mailbox>): boolean {
  return mailboxes.size > 0 && !NO_MAILBOX.has(place.mailbox) && mailboxOf(place, mailboxes) === undefined;
}

export function withRole(mailboxes: ReadonlyMap<Id, Mailbox>, role: Role): Mailbox | undefined {
  for (const mailbox of mailboxes.values()) if (mailbox.role === role) return mailbox;
  return undefined;
}

/** How a mailbox is written in a path. */
export function mailboxName({ role, id }: Mailbox): string {
  return role ?? id;
}

export interface Chips {
  readonly unread: boolean;
  readonly starred: boolean;
  readonly attachment: boolean;
}
export const NO_CHIPS: Chips = { unread: false, starred: false, attachment: false };

export const SORTS = ['newest', 'oldest', 'from', 'subject', 'largest'] as const;
export type Sort = (typeof SORTS)[number];

export function comparators(sort: Sort): readonly { property: string; isAscending: boolean }[] {
  const newest = { property: 'receivedAt', isAscending: false };
  switch (sort) {
    case 'newest':
      return [newest];
    case 'oldest':
      return [{ property: 'receivedAt', isAscending: true }];
    case 'from':
      return [{ property: 'from', isAscending: true }, newest];
    case 'subject':
      return [{ property: 'subject', isAscending: true }, newest];
    default:
      return [{ property: 'size', isAscending: false }];
  }
}

/** The filter of a list: the mailbox (or all but rubbish; with `rubbishToo` all), what is searched, and what the chips ask for. */
export function filterOf(
  place: Place,
  mailboxes: ReadonlyMap<Id, Mailbox>,
  searched: EmailFilter | undefined,
  chips: Chips,
  rubbishToo = false,
): EmailFilter {
  const conditions: EmailFilter[] = [];
  const mailbox = mailboxOf(place, mailboxes);
  if (mailbox !== undefined) conditions.push({ inMailbox: mailbox.id });
  else {
    const rubbish = (['trash', 'junk'] as const).flatMap((role) => withRole(mailboxes, role)?.id ?? []);
    if (rubbish.length > 0 && !rubbishToo) conditions.push({ inMailboxOtherThan: rubbish });
    if (place.mailbox === 'starred') conditions.push({ hasKeyword: '$flagged' });
  }
  if (searched !== undefined) conditions.push(searched);
  if (chips.unread) conditions.push({ notKeyword: '$seen' });
  if (chips.starred) conditions.push({ hasKeyword: '$flagged' });
  if (chips.attachment) conditions.push({ hasAttachment: true });
  const [only] = conditions;
  return conditions.length === 1 && only !== undefined ? only : flat(conditions);
}

/** Conditions on different things fit into one object. */
function flat(conditions: readonly EmailFilter[]): EmailFilter {
  const merged: Record<string, unknown> = {};
  for (const each of conditions) {
    if ('operator' in each) return { operator: 'AND', conditions };
    for (const [name, value] of Object.entries(each)) {
      if (name in merged) return { operator: 'AND', conditions };
      merged[name] = value;
    }
  }
  return merged as EmailCondition;
}
