import type { Mailbox } from '../../../data/mailstore/types.ts';
import type { AnnotationMarks } from '../../../data/sharing/annotations.ts';
import { hasRights, Right } from '../../../data/sharing/rights.ts';
import type { KnownMailbox } from '../../../data/sharing/types.ts';
import { tellChangedEntries } from '../commands/metadata.ts';
import { tellUnasked } from '../fetch-unasked.ts';
import { tellStatus } from '../mailbox-status.ts';
import { refresh, tell } from '../refresh.ts';
import {
  awaitOctets,
  flushIfFull,
  loginOf,
  type Session,
  untagged,
  untaggedOk,
  usesUtf8,
} from '../session.ts';
import { mailbox as mailboxText } from '../wire/encoder.ts';
import type { Notify, NotifyEvent, NotifyGroup, NotifySelected } from './types.ts';

/** Mailboxes that are watched for one session, and what is told at once: beyond it the client is on its own. */
const MAX_WATCHED = 10_000;
const MAX_TOLD = 1000;

/** NOTIFY SET: begin anew. With `status` the STATUS of all that are watched for messages (RFC 5465 section 3.1). */
export async function beginNotify(
  session: Session,
  wish: { selected: NotifySelected | undefined; groups: readonly NotifyGroup[]; status: boolean },
): Promise<void> {
  endNotify(session);
  const { selected, groups } = wish;
  const watched = new Map<number, () => void>();
  const notify: Notify = {
    selected,
    groups,
    dirty: false,
    known: new Map(),
    marks: new Map(),
    watched,
    fetched: undefined,
    made: [],
  };
  session.notify = notify;
  if (groups.length > 0) {
    // Listening starts before the first look, so that no change falls between.
    watch(session, notify, loginOf(session).accountId);
    const known = await look(session, notify);
    if (known === undefined) return;
    notify.marks = await marksOf(session, notify, known);
    tellNoAccess(session, notify);
  }
  if (!wish.status) return;
  for (const { mailbox, rights } of notify.known.values()) {
    if (mailbox.id === session.view?.mailboxId || !hasRights(rights, Right.Read)) continue;
    const events = eventsOf(notify, mailbox, notify.known.get(mailbox.id));
    if (isAboutMessages(events)) await tellCounters(session, mailbox, events, true);
  }
}

/** RFC 5465 section 3.1: a mailbox that can be seen but not be read is told of, for nothing will be. */
function tellNoAccess(session: Session, notify: Notify): void {
  for (const known of notify.known.values()) {
    if (hasRights(known.rights, Right.Read) || eventsOf(notify, known.mailbox, known).size === 0) continue;
    untagged(session, `LIST (\\NoAccess) "/" ${mailboxText(known.mailbox.name, usesUtf8(session))}`);
  }
}

export function endNotify(session: Session): void {
  for (const stop of session.notify?.watched.values() ?? []) stop();
  session.notify = undefined;
}

function watch(session: Session, notify: Notify, accountId: number): void {
  if (notify.watched.has(accountId)) return;
  const stop = session.options.store.changes.onAccount(accountId, () => {
    if (notify.dirty) return;
    notify.dirty = true;
    session.input.wake();
  });
  notify.watched.set(accountId, stop);
}

/** Read all mailboxes; undefined, and an end to it, when there are too many. Whose they are is listened to. */
async function look(
  session: Session,
  notify: Notify,
): Promise<ReadonlyMap<number, KnownMailbox> | undefined> {
  const { accountId } = loginOf(session);
  const all = await session.options.store.read.run('sharing.mailboxes', { accountId });
  const known = new Map(all.filter(({ mailbox }) => mailbox.id !== 0).map((one) => [one.mailbox.id, one]));
  if (known.size > MAX_WATCHED) {
    overflow(session);
    return undefined;
  }
  const owners = new Set([accountId]);
  for (const { mailbox } of known.values()) owners.add(mailbox.accountId);
  for (const owner of owners) watch(session, notify, owner);
  for (const [owner, stop] of notify.watched) {
    if (owners.has(owner)) continue;
    stop();
    notify.watched.delete(owner);
  }
  notify.known = known;
  return known;
}

async function marksOf(
  session: Session,
  notify: Notify,
  known: ReadonlyMap<number, KnownMailbox>,
): Promise<AnnotationMarks> {
  const wanted = notify.groups.some(
    ({ events }) => events.has('MailboxMetadataChange') || events.has('ServerMetadataChange'),
  );
  if (!wanted) return notify.marks;
  const owners = [...new Set([...known.values()].map(({ mailbox }) => mailbox.accountId))];
  return session.options.store.read.run('sharing.annotationMarks', {
    accountId: loginOf(session).accountId,
    owners,
  });
}

/** RFC 5465 section 5.8: the client is told that it will hear of nothing more. */
function overflow(session: Session): void {
  endNotify(session);
  untaggedOk(session, 'NOTIFICATIONOVERFLOW', 'Too much to be told of');
}

/** Whether messages of the selected mailbox are to be told of; not to name it is as NONE (RFC 5465 section 3.1). */
export function wantsSelected({ selected }: Notify): boolean {
  return selected?.events.has('MessageNew') === true;
}

/** Wait for the next command; until it comes the client hears of what it wanted to, without IDLE. */
export async function untilCommand(session: Session): Promise<void> {
  for (;;) {
    const { notify } = session;
    if (notify === undefined || session.input.pending) return;
    if (wantsSelected(notify) && session.view !== undefined) {
      await refresh(session);
      await tell(session, notify.selected?.delayed !== true);
    }
    await tellNotices(session);
    if (await awaitOctets(session)) return;
  }
}

/** Tell what has happened in other mailboxes, and the new messages of the selected one. */
export async function tellNotices(session: Session): Promise<void> {
  const { notify } = session;
  if (notify === undefined) return;
  await tellNew(session, notify);
  if (!notify.dirty || notify.groups.length === 0) return;
  notify.dirty = false;
  const before = notify.known;
  const now = await look(session, notify);
  if (now === undefined) return;
  const notices = new Notices(session, notify, before);
  for (const one of now.values()) await notices.compare(one, before.get(one.mailbox.id));
  for (const [id, one] of before) if (!now.has(id)) notices.gone(one);
  notices.parents();
  const marks = await marksOf(session, notify, now);
  notices.annotations(marks);
  notify.marks = marks;
  if (notices.told > MAX_TOLD) overflow(session);
  await flushIfFull(session);
}

/** RFC 5465 section 5.1: FETCH what was asked for of messages that have come. \Seen is not set by it. */
async function tellNew(session: Session, notify: Notify): Promise<void> {
  const { selected } = notify;
  const { view } = session;
  if (view === undefined || selected === undefined || selected.atts.length === 0) return;
  const isNew = notify.fetched?.view !== view;
  const from = isNew ? view.lastUid + 1 : (notify.fetched?.uid ?? 0) + 1;
  if (isNew) notify.made = [];
  notify.fetched = { view, uid: Math.max(view.lastUid, from - 1) };
  if (view.lastUid < from) return;
  const { made } = notify;
  notify.made = [];
  const uids = view.uidsIn([{ from, to: view.lastUid }]).filter((uid) => !made.includes(uid));
  await tellUnasked(session, view, view.rangesOf(uids), selected.atts);
}

/** RFC 5465 section 5.2: of messages that this session has put into its mailbox itself nothing is fetched. */
export function noteMade(session: Session, mailboxId: number, uids: readonly number[]): void {
  const { notify, view } = session;
  if (notify?.selected !== undefined && notify.selected.atts.length > 0 && view?.mailboxId === mailboxId)
    notify.made = [...notify.made, ...uids];
}

const NO_EVENTS: ReadonlySet<NotifyEvent> = new Set();

/**
 * What is wanted of a mailbox: all that the groups want that it, or what it was before, fits in (RFC 5465 section 6);
 * NONE of one of them is the end of it.
 */
function eventsOf(
  notify: Notify,
  mailbox: Mailbox,
  known: KnownMailbox | undefined,
  before?: Mailbox,
): ReadonlySet<NotifyEvent> {
  const groups = notify.groups.filter(
    ({ filter }) => fits(filter, mailbox, known) || (before !== undefined && fits(filter, before, known)),
  );
  if (groups.some(({ events }) => events.size === 0)) return NO_EVENTS;
  if (groups.length === 1) return groups[0]?.events ?? NO_EVENTS;
  return new Set(groups.flatMap(({ events }) => [...events]));
}

function fits(
  filter: NotifyGroup['filter'],
  { name, subscribed }: Mailbox,
  known: KnownMailbox | undefined,
): boolean {
  switch (filter.kind) {
    case 'personal':
      return known?.own === true;
    case 'subscribed':
      return subscribed;
    case 'mailboxes':
      return filter.names.includes(name);
    case 'subtree':
      return filter.names.some((top) => name === top || name.startsWith(`${top}/`));
  }
}

function isAboutMessages(events: ReadonlySet<NotifyEvent>): boolean {
  return events.has('MessageNew') || events.has('MessageExpunge') || events.has('FlagChange');
}

/** RFC 5465 section 5: the counters that tell of new, expunged and changed messages. */
async function tellCounters(
  session: Session,
  mailbox: Mailbox,
  events: ReadonlySet<NotifyEvent>,
  first = false,
): Promise<void> {
  const items = ['MESSAGES', 'UIDNEXT', 'UIDVALIDITY'];
  if (events.has('FlagChange')) items.push('UNSEEN');
  // RFC 5465 section 3.1: the first time also for those who have not asked for it.
  if (session.enabled.has('CONDSTORE') || (first && events.has('FlagChange'))) items.push('HIGHESTMODSEQ');
  await tellStatus(session, mailbox, items);
  await flushIfFull(session);
}

/** One comparison of what is with what the client knows. */
class Notices {
  told = 0;
  readonly #session: Session;
  readonly #notify: Notify;
  /** Mailboxes before and now, and names of those that are above one. */
  readonly #before: ReadonlyMap<number, KnownMailbox>;
  #parents: ReadonlySet<string> | undefined;
  #ids: ReadonlyMap<string, number> | undefined;
  /** Parents of what was made or deleted, by name. */
  readonly #affected = new Set<string>();

  constructor(session: Session, notify: Notify, before: ReadonlyMap<number, KnownMailbox>) {
    this.#session = session;
    this.#notify = notify;
    this.#before = before;
  }

  async compare(one: KnownMailbox, old: KnownMailbox | undefined): Promise<void> {
    const { mailbox } = one;
    const events = eventsOf(this.#notify, mailbox, one, old?.mailbox);
    if (old === undefined) {
      this.#affect(mailbox.name);
      if (events.has('MailboxName')) this.#list(mailbox);
      return;
    }
    if (old.mailbox.name !== mailbox.name && events.has('MailboxName') && !this.#movedAlong(one, old)) {
      // RFC 5465 section 5.4: the old name comes along.
      const before = mailboxText(old.mailbox.name, usesUtf8(this.#session));
      this.#list(mailbox, ` ("OLDNAME" (${before}))`);
    }
    if (old.mailbox.subscribed !== mailbox.subscribed && events.has('SubscriptionChange'))
      this.#list(mailbox);
    if (mailbox.id === this.#session.view?.mailboxId || !hasRights(one.rights, Right.Read)) return;
    if (!wantsChange(events, mailbox, old.mailbox)) return;
    this.told++;
    if (this.told <= MAX_TOLD) await tellCounters(this.#session, mailbox, events);
  }

  /** RFC 5465 section 5.4: what was only renamed with its parent is not told of. */
  #movedAlong(one: KnownMailbox, old: KnownMailbox): boolean {
    const [from, to] = [parentOf(old.mailbox.name), parentOf(one.mailbox.name)];
    if (from === undefined || to === undefined || from === to) return false;
    if (old.mailbox.name.slice(from.length) !== one.mailbox.name.slice(to.length)) return false;
    this.#ids ??= new Map([...this.#before].map(([id, { mailbox }]) => [mailbox.name, id]));
    return this.#notify.known.get(this.#ids.get(from) ?? 0)?.mailbox.name === to;
  }

  /** Deleted, or no longer to be seen: that makes no difference. */
  gone(one: KnownMailbox): void {
    this.#affect(one.mailbox.name);
    if (!eventsOf(this.#notify, one.mailbox, one).has('MailboxName')) return;
    const name = mailboxText(one.mailbox.name, usesUtf8(this.#session));
    this.#tell(`LIST (\\NonExistent) "/" ${name}`);
  }

  #affect(name: string): void {
    const parent = parentOf(name);
    if (parent !== undefined) this.#affected.add(parent);
  }

  /** RFC 5465 section 5.4: of what was made or deleted the parent is affected too, once. */
  parents(): void {
    for (const one of this.#notify.known.values()) {
      const { mailbox } = one;
      if (!this.#affected.has(mailbox.name) || !this.#before.has(mailbox.id)) continue;
      if (eventsOf(this.#notify, mailbox, one).has('MailboxName')) this.#list(mailbox);
    }
  }

  #list(mailbox: Mailbox, more = ''): void {
    const name = mailboxText(mailbox.name, usesUtf8(this.#session));
    this.#parents ??= new Set(
      [...this.#notify.known.values()].flatMap((each) => parentOf(each.mailbox.name) ?? []),
    );
    const attributes = this.#parents.has(mailbox.name) ? ['\\HasChildren'] : ['\\HasNoChildren'];
    if (mailbox.subscribed) attributes.push('\\Subscribed');
    if (mailbox.specialUse !== undefined) attributes.push(mailbox.specialUse);
    this.#tell(`LIST (${attributes.join(' ')}) "/" ${name}${more}`);
  }

  #tell(text: string): void {
    if (++this.told <= MAX_TOLD) untagged(this.#session, text);
  }

  annotations(marks: AnnotationMarks): void {
    const before = this.#notify.marks;
    if (marks === before) return;
    const changed = new Map<number, string[]>();
    const note = ({ mailboxId, entry }: { mailboxId: number; entry: string }): void => {
      changed.set(mailboxId, [...(changed.get(mailboxId) ?? []), entry]);
    };
    for (const [key, mark] of marks) if (before.get(key)?.modseq !== mark.modseq) note(mark);
    for (const [key, mark] of before) if (!marks.has(key)) note(mark);
    for (const [mailboxId, entries] of changed) {
      if (mailboxId === 0) {
        if (this.#notify.groups.some(({ events }) => events.has('ServerMetadataChange')))
          this.#tellEntries('', entries);
        continue;
      }
      const one = this.#notify.known.get(mailboxId);
      if (one === undefined || !hasRights(one.rights, Right.Lookup | Right.Read)) continue;
      if (eventsOf(this.#notify, one.mailbox, one).has('MailboxMetadataChange'))
        this.#tellEntries(one.mailbox.name, entries);
    }
  }

  #tellEntries(name: string, entries: readonly string[]): void {
    if (++this.told <= MAX_TOLD) tellChangedEntries(this.#session, name, entries);
  }
}

/** The name above a mailbox's. */
function parentOf(name: string): string | undefined {
  const at = name.lastIndexOf('/');
  return at > 0 ? name.slice(0, at) : undefined;
}

/** Whether one of the events that are wanted has happened, as far as counters show. */
function wantsChange(events: ReadonlySet<NotifyEvent>, now: Mailbox, before: Mailbox): boolean {
  if (now.modseq === before.modseq && now.uidvalidity === before.uidvalidity) return false;
  const arrived = now.uidnext - before.uidnext;
  if (arrived > 0 && events.has('MessageNew')) return true;
  const expunged = before.messages + arrived - now.messages;
  if (expunged > 0 && events.has('MessageExpunge')) return true;
  // A new name and a subscription count as changes of the mailbox too.
  const renamed = now.name !== before.name || now.subscribed !== before.subscribed;
  if (renamed && now.unseen === before.unseen && now.deleted === before.deleted) return false;
  return events.has('FlagChange');
}
