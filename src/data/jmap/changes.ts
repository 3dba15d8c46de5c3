import type { ReadTx } from '../db/sql.ts';
import * as sql from './account-mail.sql.ts';
import { notedSince } from './change-log.ts';
import {
  accountMail,
  type AccountMail,
  type HiddenPlace,
  type Mail,
  type Place,
  placeKey,
  type Visible,
  visiblePlaces,
} from './account-mail.ts';

/**
 * What changed since a state, for /changes (RFC 8620 section 5.2). A state is a modseq of the account, and, between two
 * answers to a long list of changes, the id up to which those of that very modseq have been told.
 */
export interface Since {
  readonly seq: number;
  readonly id?: number | undefined;
}

export interface Changed {
  readonly created: readonly number[];
  readonly updated: readonly number[];
  readonly destroyed: readonly number[];
  readonly until: Since;
  readonly more: boolean;
}

export interface ChangesRequest {
  /** Names the store, for what is kept between calls. */
  readonly cache: string;
  readonly accountId: number;
  readonly since: Since;
  /** At most so many ids; undefined: all. */
  readonly max?: number | undefined;
  /** Mailboxes that may be seen; undefined: all. */
  readonly visible?: readonly number[] | undefined;
}

/** One object that is not as it was: when it came to be, if since then, and when it changed last. */
interface Entry {
  readonly id: number;
  readonly kind: 'created' | 'updated' | 'destroyed';
  readonly at: number;
}

/** Something was there at a modseq, or since it. */
interface Life {
  readonly created: number;
  /** When it ended, or changed last. */
  readonly modseq: number;
  readonly alive: boolean;
}

/** Up to which modseq an object's changes have been told. */
function seenUpTo({ seq, id }: Since, objectId: number): number {
  return id === undefined || objectId <= id ? seq : seq - 1;
}

/** The lowest modseq that anything is asked from. */
function floorOf({ seq, id }: Since): number {
  return id === undefined ? seq : seq - 1;
}

function page(entries: Entry[], current: number, max: number | undefined): Changed {
  entries.sort((a, b) => a.at - b.at || a.id - b.id);
  const told = max === undefined ? entries : entries.slice(0, max);
  const more = told.length < entries.length;
  const last = told.at(-1);
  const of = (kind: Entry['kind']): number[] => told.filter((each) => each.kind === kind).map(({ id }) => id);
  return {
    created: of('created'),
    updated: of('updated'),
    destroyed: of('destroyed'),
    until: more && last !== undefined ? { seq: last.at, id: last.id } : { seq: current },
    more,
  };
}

/** What became of an object whose lives (places it lay at) these are; undefined when nothing has changed. */
function entryOf(id: number, all: readonly Life[], since: Since): Entry | undefined {
  const upTo = seenUpTo(since, id);
  const lives = all.filter((life) => isNews(life, upTo));
  const existed = lives.some(({ created }) => created <= upTo);
  const exists = lives.some(({ alive }) => alive);
  let last = 0;
  let birth = Number.MAX_SAFE_INTEGER;
  for (const { created, modseq } of lives) {
    if (modseq > last) last = modseq;
    if (created < birth) birth = created;
  }
  if (last <= upTo) return undefined;
  // What came and went since then may have been seen by whoever looked at it later than at this state: RFC 8620 section 5.2
  // lets it be told as destroyed.
  if (!existed && !exists) return { id, kind: 'destroyed', at: last };
  if (!existed) return { id, kind: 'created', at: birth };
  // What was gone for a while is told of when it went: an answer that ends in that time would never tell of it else.
  return { id, kind: exists ? 'updated' : 'destroyed', at: firstEnd(lives, upTo) ?? last };
}

/** A life that had ended by then is no life of something that was there. */
function isNews({ alive, modseq }: Life, upTo: number): boolean {
  return alive || modseq > upTo;
}

/** When something that was there at a modseq was nowhere for the first time since; undefined: never. */
function firstEnd(lives: readonly Life[], upTo: number): number | undefined {
  let until = upTo;
  for (const { created, modseq, alive } of lives.toSorted((a, b) => a.created - b.created)) {
    if (created > until) break;
    if (alive) return undefined;
    if (modseq > until) until = modseq;
  }
  return until > upTo ? until : undefined;
}

function livesOf(mail: Mail | undefined, graves: readonly sql.GraveRow[], visible: Visible): Life[] {
  const lives: Life[] = [];
  if (mail !== undefined) {
    for (const { created, modseq, away } of visiblePlaces(mail, visible)) {
      if (away !== undefined) lives.push({ created, modseq: away.from, alive: false });
      lives.push({ created: away?.until ?? created, modseq, alive: true });
    }
  }
  for (const { created_modseq: created, modseq } of graves) lives.push({ created, modseq, alive: false });
  return lives;
}

interface Look {
  readonly mail: AccountMail;
  readonly visible: Visible;
  /** Expunges since, and what was hidden since, by email. */
  readonly graves: ReadonlyMap<number, sql.GraveRow[]>;
  /** Emails with anything new. */
  readonly touched: ReadonlySet<number>;
}

/** Undefined: what happened since then is not known any more. */
async function look(tx: ReadTx, request: ChangesRequest): Promise<Look | undefined> {
  const { cache, accountId, since } = request;
  const mail = await accountMail(tx, cache, accountId);
  const floor = floorOf(since);
  if (since.seq > mail.modseq || floor < mail.forgotten) return undefined;
  const visible = request.visible && new Set(request.visible);
  const { modseq: before } = mail;
  const rows = await tx.all(sql.gravesSince, accountId, floor);
  // Under PostgreSQL another read may have moved on what is kept past our snapshot: better to know nothing.
  if (mail.modseq !== before) return undefined;
  const noted = notedSince(mail.log, floor);
  const hidden =
    noted === undefined
      ? [...mail.hidden.values()]
      : noted.flatMap(({ hidden: it }) => (it !== undefined && isHidden(mail, it) ? [it] : []));
  const graves = Map.groupBy(
    [...rows, ...hidden.map(graveOf)].flatMap((row) => {
      if (visible?.has(row.mailbox_id) === false) return [];
      // What was hidden before it was expunged went then already.
      const modseq = mail.hiddenUntilGone.get(placeKey(row.mailbox_id, row.uid)) ?? row.modseq;
      return modseq > floor ? [{ ...row, modseq }] : [];
    }),
    (row) => row.email_id,
  );
  const touched = new Set(graves.keys());
  const marked = noted === undefined ? mail.emails.keys() : noted.map(({ emailId }) => emailId);
  for (const id of marked) {
    const each = mail.emails.get(id);
    if (each !== undefined && visiblePlaces(each, visible).some(({ modseq }) => modseq > floor))
      touched.add(id);
  }
  return { mail, visible, graves, touched };
}

function isHidden(mail: AccountMail, place: HiddenPlace): boolean {
  return mail.hidden.get(placeKey(place.mailboxId, place.uid)) === place;
}

/** To JMAP, what has \Deleted is gone (RFC 8621 section 4.1.1). */
function graveOf({ mailboxId, uid, emailId, created, from }: HiddenPlace): sql.GraveRow {
  return { mailbox_id: mailboxId, uid, email_id: emailId, created_modseq: created, modseq: from };
}

export async function emailChanges(tx: ReadTx, request: ChangesRequest): Promise<Changed | undefined> {
  const found = await look(tx, request);
  if (found === undefined) return undefined;
  const { mail, visible, graves, touched } = found;
  const entries: Entry[] = [];
  for (const id of touched) {
    const lives = livesOf(mail.emails.get(id), graves.get(id) ?? [], visible);
    const entry = entryOf(id, lives, request.since);
    if (entry !== undefined) entries.push(entry);
  }
  return page(entries, mail.modseq, request.max);
}

/**
 * Threads of emails; undefined when one of them is not known any more, or when another read has moved on meanwhile what is
 * kept (PostgreSQL): better to know nothing than to tell of two times at once.
 */
async function threadsOf(
  tx: ReadTx,
  accountId: number,
  mail: AccountMail,
  emailIds: Iterable<number>,
): Promise<Map<number, number> | undefined> {
  const found = new Map<number, number>();
  const { modseq } = mail;
  for (const id of emailIds) {
    const threadId = mail.emails.get(id)?.threadId ?? (await tx.get(sql.threadOf, id, accountId))?.thread_id;
    if (threadId === undefined) return undefined;
    found.set(id, threadId);
  }
  return mail.modseq === modseq ? found : undefined;
}

/** A thread changes by the emails that it has, not by what they are marked with. */
export async function threadChanges(tx: ReadTx, request: ChangesRequest): Promise<Changed | undefined> {
  const found = await look(tx, request);
  if (found === undefined) return undefined;
  const { mail, visible, graves, touched } = found;
  const threadByEmail = await threadsOf(tx, request.accountId, mail, touched);
  if (threadByEmail === undefined) return undefined;
  const entries: Entry[] = [];
  for (const [threadId, emailIds] of Map.groupBy(touched, (id) => threadByEmail.get(id) ?? 0)) {
    const upTo = seenUpTo(request.since, threadId);
    const lives: Life[] = [];
    for (const id of emailIds) {
      const own = livesOf(mail.emails.get(id), graves.get(id) ?? [], visible);
      const life = lifeAsMember(own, upTo);
      if (life === undefined) continue;
      // Of several times that it was hidden only the last is known: better to tell of the thread once too often.
      const again = mail.shownAgain.get(id) ?? 0;
      lives.push(again > upTo && again > life.modseq ? { ...life, modseq: again } : life);
    }
    // Its other emails were there before and still are.
    for (const each of mail.threads.get(threadId) ?? []) {
      if (!touched.has(each.id) && visiblePlaces(each, visible).length > 0)
        lives.push({ created: 0, modseq: 0, alive: true });
    }
    const entry = entryOf(threadId, lives, request.since);
    if (entry !== undefined) entries.push(entry);
  }
  return page(entries, mail.modseq, request.max);
}

/** The life of an email as a member of its thread: it changes when it comes and when it goes. */
function lifeAsMember(all: readonly Life[], upTo: number): Life | undefined {
  const lives = all.filter((life) => isNews(life, upTo));
  const existed = lives.some(({ created }) => created <= upTo);
  const alive = lives.some((each) => each.alive);
  if (existed) return { created: 0, modseq: firstEnd(lives, upTo) ?? 0, alive };
  if (lives.length === 0) return undefined;
  const birth = Math.min(...lives.map(({ created }) => created));
  return { created: birth, modseq: alive ? birth : Math.max(...lives.map(({ modseq }) => modseq)), alive };
}

/**
 * Mailboxes with an email that was marked or expunged in another mailbox, or with others of its thread, and when: an email is
 * read when it is read everywhere, a thread when all of its emails are. Undefined: that is not known any more.
 */
async function countsTouched(
  tx: ReadTx,
  request: ChangesRequest,
): Promise<ReadonlyMap<number, number> | undefined> {
  const found = await look(tx, { ...request, visible: undefined });
  if (found === undefined) return undefined;
  const { mail, graves, touched } = found;
  const threadByEmail = await threadsOf(tx, request.accountId, mail, touched);
  if (threadByEmail === undefined) return undefined;
  const last = new Map<number, number>();
  // RFC 8621 section 2, unreadThreads: a thread is unread in every mailbox that has one of its emails.
  for (const [threadId, emailIds] of Map.groupBy(touched, (id) => threadByEmail.get(id) ?? 0)) {
    const places = (mail.threads.get(threadId) ?? []).flatMap((each) => each.places);
    const gone = emailIds.flatMap((id) => graves.get(id) ?? []);
    // What is the only one of its thread, and in one mailbox alone, counts there alone.
    if (places.length + gone.length < 2) continue;
    let at = 0;
    for (const { modseq } of gone) at = Math.max(at, modseq);
    for (const id of emailIds)
      for (const { modseq } of mail.emails.get(id)?.places ?? []) at = Math.max(at, modseq);
    for (const { mailboxId } of places) last.set(mailboxId, Math.max(at, last.get(mailboxId) ?? 0));
  }
  return last;
}

export async function mailboxChanges(tx: ReadTx, request: ChangesRequest): Promise<Changed | undefined> {
  const { accountId, since } = request;
  const counters = await tx.get(sql.countersOf, accountId);
  const floor = floorOf(since);
  if (counters === undefined || since.seq > counters.modseq || floor < counters.forgotten_modseq)
    return undefined;
  const visible = request.visible && new Set(request.visible);
  const counted = await countsTouched(tx, request);
  if (counted === undefined) return undefined;
  const entries: Entry[] = [];
  const add = (id: number, life: Life): void => {
    if (visible !== undefined && !visible.has(id)) return;
    const entry = entryOf(id, [life], since);
    if (entry !== undefined) entries.push(entry);
  };
  for (const { id, modseq, created_modseq: created } of await tx.all(sql.mailboxMarks, accountId))
    add(id, { created, modseq: Math.max(modseq, counted.get(id) ?? 0), alive: true });
  for (const { id, modseq } of await tx.all(sql.deadMailboxesSince, accountId, floor))
    add(id, { created: 0, modseq, alive: false });
  return page(entries, counters.modseq, request.max);
}

/** Emails that a query may have to show or hide now. */
export interface Touched {
  readonly mail: AccountMail;
  readonly touched: ReadonlySet<number>;
  /** Whether an email lay in all of these mailboxes then (in any one at all, where there are none). */
  wasIn(emailId: number, mailboxIds: readonly number[]): boolean;
}

function wasThere({ created, away }: Place, upTo: number): boolean {
  return created <= upTo && (away === undefined || upTo < away.from || away.until <= upTo);
}

/** What a query may have to show or hide since: emails that changed, and with `threads` all of their threads. */
export async function touchedSince(
  tx: ReadTx,
  request: ChangesRequest,
  threads: boolean,
): Promise<Touched | undefined> {
  const found = await look(tx, request);
  if (found === undefined) return undefined;
  const { mail, touched, graves, visible } = found;
  const lay = (id: number, there: (mailboxId: number) => boolean): boolean => {
    const upTo = seenUpTo(request.since, id);
    const now = mail.emails.get(id)?.places ?? [];
    return (
      visiblePlaces({ places: now }, visible).some((each) => wasThere(each, upTo) && there(each.mailboxId)) ||
      (graves.get(id) ?? []).some((each) => each.created_modseq <= upTo && there(each.mailbox_id))
    );
  };
  const wasIn = (id: number, mailboxIds: readonly number[]): boolean =>
    mailboxIds.length === 0
      ? lay(id, () => true)
      : mailboxIds.every((one) => lay(id, (each) => each === one));
  if (!threads) return { mail, touched, wasIn };
  const threadByEmail = await threadsOf(tx, request.accountId, mail, touched);
  if (threadByEmail === undefined) return undefined;
  const all = new Set(touched);
  for (const threadId of threadByEmail.values()) {
    for (const each of mail.threads.get(threadId) ?? []) all.add(each.id);
  }
  return { mail, touched: all, wasIn };
}
