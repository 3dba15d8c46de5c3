import type { ReadTx } from '../db/sql.ts';
import { type KeptCounts, recount } from './account-counts.ts';
import { type ChangeLog, emptyLog, type Entry, note } from './change-log.ts';
import { othersFirst } from '../mailstore/sort-columns.ts';
import { Flag } from '../mailstore/types.ts';
import * as sql from './account-mail.sql.ts';

/**
 * All mail of an account in memory of the reader thread, as JMAP sees it: emails, not placements. It is brought up to
 * date by what changed since, so a query costs no reading of rows (docs/adr/0019-jmap.md).
 */

export interface Place {
  readonly mailboxId: number;
  readonly uid: number;
  readonly modseq: number;
  /** When it came into this mailbox. */
  readonly created: number;
  readonly flags: number;
  readonly keywords: string | null;
  /** It had \Deleted for a while, which hides it: from one modseq on, until another. */
  readonly away?: { readonly from: number; readonly until: number } | undefined;
}

/** A placement with \Deleted: RFC 8621 section 4.1.1 has it that JMAP shows nothing of it. */
export interface HiddenPlace {
  readonly mailboxId: number;
  readonly uid: number;
  readonly emailId: number;
  readonly created: number;
  /** Since when, as far as that is known. */
  readonly from: number;
}

export interface Mail {
  readonly id: number;
  readonly threadId: number;
  readonly receivedAt: number;
  /** Its Date, or when it was received. */
  readonly sentAt: number;
  readonly size: number;
  /** Never empty. */
  places: Place[];
  /** Shared with its thread: the number of the query that has shown one of them. */
  readonly group: { shownIn: number };
  /** Undefined: nobody has looked yet. */
  attachment: boolean | undefined;
}

export type SortText = 'subject' | 'from' | 'to';

/** What an email is sorted by that never changes. */
export type OrderKey = 'sentAt' | 'size' | SortText;

interface Order {
  /** Ascending; what came last is last among equals. */
  sorted: Mail[];
  /** Arrived since, not sorted in yet. */
  fresh: Mail[];
  /** Some that are in it lie nowhere any more. */
  gone: boolean;
}

export interface AccountMail {
  /** As of which change of the account. */
  modseq: number;
  /** Expunges up to this one may be forgotten. */
  forgotten: number;
  readonly mailboxes: Map<number, { modseq: number; created: number }>;
  readonly emails: Map<number, Mail>;
  /** By mailbox and UID. */
  readonly hidden: Map<string, HiddenPlace>;
  /** Of expunged ones, since when they had been hidden: of those that were seen hidden, the latest. */
  readonly hiddenUntilGone: Map<string, number>;
  /** Of emails that were hidden somewhere for a while, when one was last shown again: the latest of them. */
  readonly shownAgain: Map<number, number>;
  readonly threads: Map<number, Mail[]>;
  /** Ascending by receivedAt, then id. */
  byReceived: Mail[];
  /** In other orders, each made when asked for. */
  readonly orders: Map<OrderKey, Order>;
  /** By mailbox, made when asked for. */
  counts: KeptCounts | undefined;
  /** What has changed lately. */
  log: ChangeLog;
  /** By email; of each mailbox up to which UID they are known. */
  texts:
    | {
        readonly upTo: Map<number, number>;
        readonly of: Map<number, Readonly<Record<SortText, string>>>;
      }
    | undefined;
}

/** Mailboxes that somebody may see; undefined: all. */
export type Visible = ReadonlySet<number> | undefined;

/** Emails kept in memory, of all accounts together: some 300 octets each. The account used last stays, however large. */
const MAX_EMAILS = 250_000;
const PAGE = 5000;
/** More arrivals at once than this are sorted in anew. */
const FEW = 64;

const cache = new Map<string, AccountMail>();
const busy = new Map<string, Promise<unknown>>();

/** An account's mail as of the snapshot of `tx`. `name` names the store: several may be open in one process. */
export async function accountMail(tx: ReadTx, name: string, accountId: number): Promise<AccountMail> {
  const key = `${name} ${accountId}`;
  while (busy.has(key)) await busy.get(key)?.catch(() => undefined);
  const mine = current(tx, key, accountId);
  busy.set(key, mine);
  try {
    return await mine;
  } finally {
    busy.delete(key);
  }
}

async function current(tx: ReadTx, key: string, accountId: number): Promise<AccountMail> {
  const counters = await tx.get(sql.countersOf, accountId);
  if (counters === undefined) return emptyMail();
  const old = cache.get(key);
  // A snapshot from before what is kept: under PostgreSQL reads run side by side.
  if (old !== undefined && old.modseq > counters.modseq) return load(tx, accountId, counters);
  if (old !== undefined && old.modseq >= counters.forgotten_modseq) {
    cache.delete(key);
    if (old.modseq < counters.modseq) await advance(tx, accountId, counters, old);
    // Tombstones are forgotten without a change of the account.
    old.forgotten = counters.forgotten_modseq;
    cache.set(key, old);
    return old;
  }
  const loaded = await load(tx, accountId, counters);
  cache.delete(key);
  cache.set(key, loaded);
  let total = 0;
  for (const kept of cache.values()) total += kept.emails.size;
  for (const [oldest, kept] of cache) {
    if (total <= MAX_EMAILS || oldest === key) break;
    cache.delete(oldest);
    total -= kept.emails.size;
  }
  return loaded;
}

function emptyMail(): AccountMail {
  return {
    modseq: 0,
    forgotten: 0,
    mailboxes: new Map(),
    emails: new Map(),
    hidden: new Map(),
    hiddenUntilGone: new Map(),
    shownAgain: new Map(),
    threads: new Map(),
    byReceived: [],
    orders: new Map(),
    counts: undefined,
    log: emptyLog(0),
    texts: undefined,
  };
}

async function load(tx: ReadTx, accountId: number, counters: sql.CounterRow): Promise<AccountMail> {
  const mail = emptyMail();
  mail.modseq = counters.modseq;
  mail.forgotten = counters.forgotten_modseq;
  mail.log = emptyLog(counters.modseq);
  for (const box of await tx.all(sql.mailboxMarks, accountId)) {
    mail.mailboxes.set(box.id, { modseq: box.modseq, created: box.created_modseq });
    for (let after = 0; ; ) {
      const rows = await tx.all(sql.placesAfter, box.id, after, PAGE);
      for (const row of rows) addPlace(mail, box.id, row);
      if (rows.length < PAGE) break;
      after = rows.at(-1)?.uid ?? after;
      await othersFirst(tx);
    }
  }
  mail.byReceived = [...mail.emails.values()].sort(byReceived);
  return mail;
}

function byReceived(a: Mail, b: Mail): number {
  return a.receivedAt - b.receivedAt || a.id - b.id;
}

export function placeKey(mailboxId: number, uid: number): string {
  return `${mailboxId} ${uid}`;
}

/** Of an email that was put in or hidden: it is new, or lies nowhere any more. */
interface Moved {
  readonly arrived?: Mail;
  readonly gone?: Mail | undefined;
}

/** Put in one placement, or hide it. */
function addPlace(mail: AccountMail, mailboxId: number, row: sql.PlaceRow): Moved {
  const key = placeKey(mailboxId, row.uid);
  const hidden = mail.hidden.get(key);
  if ((row.flags & Flag.Deleted) !== 0) {
    const { uid, email_id: emailId, created_modseq: created } = row;
    if (hidden === undefined) mail.hidden.set(key, { mailboxId, uid, emailId, created, from: row.modseq });
    return { gone: takeAway(mail, emailId, mailboxId, uid) };
  }
  if (mail.hidden.delete(key)) remember(mail.shownAgain, row.email_id, row.modseq);
  const now = mail.emails
    .get(row.email_id)
    ?.places.find((each) => each.mailboxId === mailboxId && each.uid === row.uid);
  const place: Place = {
    mailboxId,
    uid: row.uid,
    modseq: row.modseq,
    created: row.created_modseq,
    flags: row.flags,
    keywords: row.keywords,
    away: hidden === undefined ? now?.away : { from: hidden.from, until: row.modseq },
  };
  const known = mail.emails.get(row.email_id);
  if (known !== undefined) {
    const others = known.places.filter((each) => each.mailboxId !== mailboxId || each.uid !== row.uid);
    known.places = [...others, place];
    return {};
  }
  const thread = mail.threads.get(row.thread_id);
  const made: Mail = {
    group: thread?.[0]?.group ?? { shownIn: 0 },
    id: row.email_id,
    threadId: row.thread_id,
    receivedAt: row.received_at,
    sentAt: row.sent_at ?? row.received_at,
    size: row.size,
    places: [place],
    attachment: undefined,
  };
  mail.emails.set(made.id, made);
  if (thread === undefined) mail.threads.set(made.threadId, [made]);
  else thread.push(made);
  return { arrived: made };
}

async function advance(
  tx: ReadTx,
  accountId: number,
  counters: sql.CounterRow,
  mail: AccountMail,
): Promise<void> {
  const arrived: Mail[] = [];
  const gone: Mail[] = [];
  const changed: Entry[] = [];
  const counts = recount(mail);
  const marks = await tx.all(sql.mailboxMarks, accountId);
  for (const box of marks) {
    const before = mail.mailboxes.get(box.id);
    if (before !== undefined && before.modseq === box.modseq) continue;
    for (const row of await tx.all(sql.placesSince, box.id, mail.modseq)) {
      counts.before(row.thread_id);
      const moved = addPlace(mail, box.id, row);
      if (moved.arrived !== undefined) arrived.push(moved.arrived);
      if (moved.gone !== undefined) gone.push(moved.gone);
      const hidden = mail.hidden.get(placeKey(box.id, row.uid));
      changed.push({ at: row.modseq, emailId: row.email_id, ...(hidden?.from === row.modseq && { hidden }) });
    }
    await othersFirst(tx);
  }
  mail.mailboxes.clear();
  for (const box of marks) mail.mailboxes.set(box.id, { modseq: box.modseq, created: box.created_modseq });
  for (const grave of await tx.all(sql.gravesSince, accountId, mail.modseq)) {
    counts.before(mail.emails.get(grave.email_id)?.threadId);
    const left = removePlace(mail, grave);
    if (left !== undefined) gone.push(left);
  }
  counts.after();
  note(mail.log, changed);
  takeOut(mail, gone);
  takeIn(
    mail,
    arrived.filter((each) => each.places.length > 0),
  );
  mail.modseq = counters.modseq;
  mail.forgotten = counters.forgotten_modseq;
}

/** Of what was hidden and is not any more, how much is remembered. */
const MAX_REMEMBERED = 10_000;

function remember<K>(memory: Map<K, number>, key: K, modseq: number): void {
  memory.delete(key);
  memory.set(key, modseq);
  for (const oldest of memory.keys()) {
    if (memory.size <= MAX_REMEMBERED) break;
    memory.delete(oldest);
  }
}

/** The email, when it lies nowhere now. */
function removePlace(mail: AccountMail, grave: sql.GraveRow): Mail | undefined {
  const { mailbox_id: mailboxId, uid, email_id: emailId } = grave;
  const key = placeKey(mailboxId, uid);
  const hidden = mail.hidden.get(key);
  if (hidden !== undefined) {
    mail.hidden.delete(key);
    remember(mail.hiddenUntilGone, key, hidden.from);
  }
  return takeAway(mail, emailId, mailboxId, uid);
}

function takeAway(mail: AccountMail, emailId: number, mailboxId: number, uid: number): Mail | undefined {
  const known = mail.emails.get(emailId);
  if (known === undefined) return undefined;
  known.places = known.places.filter((each) => each.mailboxId !== mailboxId || each.uid !== uid);
  if (known.places.length > 0) return undefined;
  mail.emails.delete(known.id);
  const thread = mail.threads.get(known.threadId) ?? [];
  if (thread.length < 2) mail.threads.delete(known.threadId);
  else thread.splice(thread.indexOf(known), 1);
  return known;
}

/** Out of the orders goes what lies nowhere. */
function takeOut(mail: AccountMail, gone: readonly Mail[]): void {
  if (gone.length === 0) return;
  for (const order of mail.orders.values()) order.gone = true;
  if (gone.length > FEW) {
    mail.byReceived = mail.byReceived.filter((each) => each.places.length > 0);
    return;
  }
  for (const each of gone) {
    const at = placeFor(mail.byReceived, each, byReceived);
    // What came and went since then was never in it.
    if (mail.byReceived[at] === each) mail.byReceived.splice(at, 1);
  }
}

function takeIn(mail: AccountMail, arrived: readonly Mail[]): void {
  for (const [by, order] of mail.orders) {
    // Rather made anew than kept up to date.
    if (order.fresh.length + arrived.length > FEW) mail.orders.delete(by);
    else order.fresh.push(...arrived);
  }
  if (arrived.length > FEW) {
    mail.byReceived = [...mail.byReceived, ...arrived].sort(byReceived);
    return;
  }
  for (const each of arrived) mail.byReceived.splice(placeFor(mail.byReceived, each, byReceived), 0, each);
}

/** Where an email stands in an order, or belongs. */
function placeFor(list: readonly Mail[], mail: Mail, compare: (a: Mail, b: Mail) => number): number {
  let low = 0;
  let high = list.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const other = list[middle];
    if (other !== undefined && compare(other, mail) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** All emails ascending by a key: kept, and brought up to date, so that sorting is done once. */
export function inOrder(
  mail: AccountMail,
  by: OrderKey,
  keyOf: (mail: Mail) => number | string,
): readonly Mail[] {
  const known = mail.orders.get(by);
  if (known === undefined) {
    const keys = mail.byReceived.map(keyOf);
    const sorted = mail.byReceived
      .map((_, i) => i)
      .sort((a, b) => {
        const [x, y] = [keys[a] ?? 0, keys[b] ?? 0];
        return x < y ? -1 : x > y ? 1 : a - b;
      })
      .flatMap((i) => mail.byReceived[i] ?? []);
    mail.orders.set(by, { sorted, fresh: [], gone: false });
    return sorted;
  }
  if (known.gone) {
    known.sorted = known.sorted.filter((each) => each.places.length > 0);
    known.fresh = known.fresh.filter((each) => each.places.length > 0);
    known.gone = false;
  }
  for (const each of known.fresh.splice(0)) {
    const key = keyOf(each);
    const at = placeFor(known.sorted, each, (other) => {
      const its = keyOf(other);
      return its < key ? -1 : its > key ? 1 : byReceived(other, each);
    });
    known.sorted.splice(at, 0, each);
  }
  return known.sorted;
}

export function visiblePlaces(mail: Pick<Mail, 'places'>, visible: Visible): readonly Place[] {
  return visible === undefined ? mail.places : mail.places.filter(({ mailboxId }) => visible.has(mailboxId));
}
