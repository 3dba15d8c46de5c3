import type { EmailAddress, EmailEntry, Id } from '../jmap/types.ts';

/** What a row of the list says of a conversation. */
export interface Summary {
  /** Who wrote, oldest first, each once. */
  readonly people: readonly { readonly name: string; readonly unread: boolean; readonly mine: boolean }[];
  readonly count: number;
  readonly unread: boolean;
  readonly starred: boolean;
  readonly attachment: boolean;
  readonly answered: boolean;
  readonly forwarded: boolean;
  readonly draft: boolean;
  readonly keywords: Readonly<Record<string, true>>;
}

/** A name for people: the display name, else what stands before the @. */
export function personName({ name, email }: EmailAddress): string {
  const shown = name?.trim() ?? '';
  return shown !== '' ? shown : email;
}

/** The first name, or what there is of one, where space is short. */
export function shortName(address: EmailAddress): string {
  const name = personName(address);
  if (name.includes('@')) return name.slice(0, name.indexOf('@'));
  const [last = name, first] = name.split(/,\s*/);
  const given = first ?? last;
  return given.split(/\s+/)[0] ?? name;
}

/** Sum up the messages of a conversation, oldest first; `own`: our addresses in lower case. */
export function summarize(
  members: readonly EmailEntry[],
  own: ReadonlySet<string>,
  recipients: boolean,
): Summary {
  const people = new Map<string, { address: EmailAddress; unread: boolean; mine: boolean }>();
  const keywords: Record<string, true> = {};
  for (const each of members) {
    const unread = each.keywords['$seen'] !== true;
    for (const address of (recipients ? each.to : each.from?.slice(0, 1)) ?? []) {
      const key = address.email.toLowerCase();
      const known = people.get(key);
      people.set(key, {
        address: known?.address ?? address,
        unread: unread || known?.unread === true,
        mine: own.has(key),
      });
    }
    Object.assign(keywords, each.keywords);
  }
  const all = [...people.values()];
  const last = members.at(-1);
  return {
    people: all.map(({ address, unread, mine }) => ({
      name: all.length === 1 ? personName(address) : shortName(address),
      unread,
      mine,
    })),
    count: members.length,
    unread: members.some((each) => each.keywords['$seen'] !== true),
    starred: members.some((each) => each.keywords['$flagged'] === true),
    attachment: members.some((each) => each.hasAttachment),
    answered: members.some((each) => each.keywords['$answered'] === true) && last !== undefined,
    forwarded: members.some((each) => each.keywords['$forwarded'] === true),
    draft: members.some((each) => each.keywords['$draft'] === true),
    keywords,
  };
}

type Lying = Pick<EmailEntry, 'mailboxIds'>;

/** Those messages of a conversation that a list is about: in the mailbox of rubbish only what lies there, elsewhere all but that. */
export function inScope<T extends Lying>(
  members: readonly T[],
  rubbish: ReadonlySet<Id>,
  shown: Id | undefined,
): readonly T[] {
  const wanted = members.filter(({ mailboxIds }) => {
    if (shown !== undefined && rubbish.has(shown)) return mailboxIds[shown] === true;
    return Object.keys(mailboxIds).some((id) => !rubbish.has(id));
  });
  return wanted.length > 0 ? wanted : members;
}

/**
 * Those of them that go where a conversation is moved to: what lies in the mailbox that is shown; in a list over several
 * all but what lies in `ownMail`, the mailboxes of what was sent and is being written.
 */
export function movable<T extends Lying>(
  members: readonly T[],
  ownMail: ReadonlySet<Id>,
  shown: Id | undefined,
): readonly T[] {
  const wanted = members.filter(({ mailboxIds }) =>
    shown === undefined
      ? !Object.keys(mailboxIds).every((id) => ownMail.has(id))
      : mailboxIds[shown] === true,
  );
  return wanted.length > 0 ? wanted : members;
}
