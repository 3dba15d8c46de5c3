import type { Mailbox } from '../../../data/mailstore/types.ts';
import type { AnnotationMarks } from '../../../data/sharing/annotations.ts';
import { hasRights, Right } from '../../../data/sharing/rights.ts';
import type { KnownMailbox } from '../../../data/sharing/types.ts';
import { tellChangedEntries } from '../commands/metadata.ts';
import { wants } from '../commands/fetch.ts';
import { openContents, tellMessage } from '../fetch-response.ts';
import { SESSION_LIMITS } from '../limits.ts';
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
  };
  session.notify = notify;
  if (groups.length > 0) {
    // Listening starts before the first look, so that no change falls between.
    watch(session, notify, loginOf(session).accountId);
    const known = await look(session, notify);
    if (known === undefined) return;
    notify.marks = await marksOf(session, notify, known);
  }
  if (!wish.status) return;
  for (const { mailbox, rights } of notify.known.values()) {
    if (mailbox.id === session.view?.mailboxId || !hasRights(rights, Right.Read)) continue;
    const events = eventsOf(notify, mailbox, notify.known.get(mailbox.id));
    if (isAboutMessages(events)) await tellCounters(session, mailbox, events);
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

/** Wait for the next command; until it comes the client hears of what it wanted to, without IDLE. */
export async function untilCommand(session: Session): Promise<void> {
  for (;;) {
    const { notify } = session;
    if (notify === undefined || session.input.pending) return;
    if (notify.selected !== undefined && session.view !== undefined) {
      await refresh(session);
      await tell(session, !notify.selected.delayed);
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
  const notices = new Notices(session, notify);
  for (const one of now.values()) await notices.compare(one, before.get(one.mailbox.id));
  for (const [id, one] of before) if (!now.has(id)) notices.gone(one);
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
  const from = notify.fetched?.view === view ? notify.fetched.uid + 1 : view.lastUid + 1;
  notify.fetched = { view, uid: Math.max(view.lastUid, from - 1) };
  if (view.lastUid < from) return;
  const limit = SESSION_LIMITS.contentRowsPerPage;
  for (const range of view.chunks([{ from, to: view.lastUid }], limit)) {
    const rows = await session.options.store.read.run('mailstore.fetch', {
      mailboxId: view.mailboxId,
      ranges: [range],
      want: wants(selected.atts),
      limit,
    });
    const contents = await openContents(session, rows, selected.atts);
    for (const [at, row] of rows.entries()) {
      await tellMessage(session, row, selected.atts, contents[at]);
      await flushIfFull(session);
    }
  }
}

const NO_EVENTS: ReadonlySet<NotifyEvent> = new Set();

/** What is wanted of a mailbox: the first group that it, or what it was before, fits in. */
function eventsOf(
  notify: Notify,
  mailbox: Mailbox,
  known: KnownMailbox | undefined,
  before?: Mailbox,
): ReadonlySet<NotifyEvent> {
  const group = notify.groups.find(
    ({ filter }) => fits(filter, mailbox, known) || (before !== undefined && fits(filter, before, known)),
  );
  return group?.events ?? NO_EVENTS;
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
): Promise<void> {
  const items = ['MESSAGES', 'UIDNEXT', 'UIDVALIDITY'];
  if (events.has('FlagChange')) items.push('UNSEEN');
  if (session.enabled.has('CONDSTORE')) items.push('HIGHESTMODSEQ');
  await tellStatus(session, mailbox, items);
  await flushIfFull(session);
}

/** One comparison of what is with what the client knows. */
class Notices {
  told = 0;
  readonly #session: Session;
  readonly #notify: Notify;

  constructor(session: Session, notify: Notify) {
    this.#session = session;
    this.#notify = notify;
  }

  async compare(one: KnownMailbox, old: KnownMailbox | undefined): Promise<void> {
    const { mailbox } = one;
    const events = eventsOf(this.#notify, mailbox, one, old?.mailbox);
    if (old === undefined) {
      if (events.has('MailboxName')) this.#list(mailbox, mailbox.subscribed ? ['\\Subscribed'] : []);
      return;
    }
    if (old.mailbox.name !== mailbox.name && events.has('MailboxName')) {
      // RFC 5465 section 5.4: the old name comes along.
      const before = mailboxText(old.mailbox.name, usesUtf8(this.#session));
      this.#list(mailbox, mailbox.subscribed ? ['\\Subscribed'] : [], ` ("OLDNAME" (${before}))`);
    }
    if (old.mailbox.subscribed !== mailbox.subscribed && events.has('SubscriptionChange'))
      this.#list(mailbox, mailbox.subscribed ? ['\\Subscribed'] : []);
    if (mailbox.id === this.#session.view?.mailboxId || !hasRights(one.rights, Right.Read)) return;
    if (!wantsChange(events, mailbox, old.mailbox)) return;
    this.told++;
    if (this.told <= MAX_TOLD) await tellCounters(this.#session, mailbox, events);
  }

  /** Deleted, or no longer to be seen: that makes no difference. */
  gone(one: KnownMailbox): void {
    if (eventsOf(this.#notify, one.mailbox, one).has('MailboxName'))
      this.#list(one.mailbox, ['\\NonExistent']);
  }

  #list(mailbox: Mailbox, attributes: readonly string[], more = ''): void {
    if (++this.told > MAX_TOLD) return;
    const name = mailboxText(mailbox.name, usesUtf8(this.#session));
    untagged(this.#session, `LIST (${attributes.join(' ')}) "/" ${name}${more}`);
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
