import { bodyLists, hasAttachment, numberParts } from '../../mail/jmap/body-parts.ts';
import { parseStructure } from '../../mail/message/serialize.ts';
import type { ReadTx } from '../db/sql.ts';
import { othersFirst } from '../mailstore/sort-columns.ts';
import * as sql from './account-mail.sql.ts';
import {
  accountMail,
  type AccountMail,
  inOrder,
  type Mail,
  type OrderKey,
  type Place,
  type SortText,
  type Visible,
  visiblePlaces,
} from './account-mail.ts';
import { type ChangesRequest, type Since, touchedSince } from './changes.ts';
import { hasKeyword, keywordTest } from './keywords.ts';

/** What Email/query looks for (RFC 8621 section 4.4.1), texts already looked up. Keywords are in lower case. */
export type EmailFilter =
  | { readonly is: 'and' | 'or' | 'not'; readonly of: readonly EmailFilter[] }
  | { readonly is: 'inMailbox'; readonly mailboxId: number }
  | { readonly is: 'inMailboxOtherThan'; readonly mailboxIds: readonly number[] }
  /** Milliseconds since the epoch. */
  | { readonly is: 'before' | 'after'; readonly time: number }
  | { readonly is: 'minSize' | 'maxSize'; readonly octets: number }
  | { readonly is: 'hasKeyword' | 'allInThread' | 'someInThread'; readonly keyword: string }
  | { readonly is: 'hasAttachment' }
  /** Emails with a text, ascending. */
  | { readonly is: 'among'; readonly ids: Float64Array };

export interface EmailSort {
  readonly by: 'receivedAt' | 'sentAt' | 'size' | SortText | 'hasKeyword' | 'allInThread' | 'someInThread';
  readonly keyword?: string | undefined;
  readonly ascending: boolean;
}

export interface EmailQuery {
  readonly cache: string;
  readonly accountId: number;
  readonly visible?: readonly number[] | undefined;
  readonly filter: EmailFilter;
  readonly sort: readonly EmailSort[];
  readonly collapseThreads: boolean;
}

/** Which of the results are wanted. */
export interface Window {
  /** Negative: from the end. */
  readonly position: number;
  readonly anchor?: number | undefined;
  readonly anchorOffset: number;
  readonly limit: number;
  /** How many there are is asked for. */
  readonly total: boolean;
}

export interface QueryPage {
  readonly seq: number;
  readonly ids: Float64Array;
  readonly position: number;
  /** Where it was asked for. */
  readonly total: number;
  readonly anchorFound: boolean;
}

type Test = (mail: Mail, places: readonly Place[]) => boolean;

interface Ground {
  readonly mail: AccountMail;
  readonly visible: Visible;
  /** What is taken for the answer where it is not known yet whether an email has attachments. */
  readonly unknown: 'as-wanted' | 'known';
}

function inThread(ground: Ground, keyword: string, all: boolean): (mail: Mail) => boolean {
  const test = keywordTest(keyword);
  const { mail: account, visible } = ground;
  return (mail) => {
    for (const each of account.threads.get(mail.threadId) ?? []) {
      const places = visiblePlaces(each, visible);
      // What may not be seen says nothing.
      if (places.length > 0 && test(places) !== all) return !all;
    }
    return all;
  };
}

/** A filter as a function. `wanted` is false below an odd number of NOTs. */
function compile(filter: EmailFilter, ground: Ground, wanted: boolean): Test {
  switch (filter.is) {
    case 'and': {
      const tests = filter.of.map((each) => compile(each, ground, wanted));
      return (mail, places) => tests.every((test) => test(mail, places));
    }
    case 'or': {
      const tests = filter.of.map((each) => compile(each, ground, wanted));
      return (mail, places) => tests.some((test) => test(mail, places));
    }
    case 'not': {
      const tests = filter.of.map((each) => compile(each, ground, !wanted));
      return (mail, places) => !tests.some((test) => test(mail, places));
    }
    case 'inMailbox':
      return (_mail, places) => {
        for (const place of places) if (place.mailboxId === filter.mailboxId) return true;
        return false;
      };
    case 'inMailboxOtherThan': {
      const others = new Set(filter.mailboxIds);
      return (_mail, places) => places.some(({ mailboxId }) => !others.has(mailboxId));
    }
    case 'before':
      return (mail) => mail.receivedAt < filter.time;
    case 'after':
      return (mail) => mail.receivedAt >= filter.time;
    case 'minSize':
      return (mail) => mail.size >= filter.octets;
    case 'maxSize':
      return (mail) => mail.size < filter.octets;
    case 'hasKeyword': {
      const has = keywordTest(filter.keyword);
      return (_mail, places) => has(places);
    }
    case 'allInThread':
    case 'someInThread':
      return inThread(ground, filter.keyword, filter.is === 'allInThread');
    case 'hasAttachment':
      return (mail) => mail.attachment ?? (ground.unknown === 'as-wanted' ? wanted : false);
    case 'among': {
      const ids = new Set(filter.ids);
      return (mail) => ids.has(mail.id);
    }
    default:
      return filter satisfies never;
  }
}

function asksForAttachments(filter: EmailFilter): boolean {
  return filter.is === 'hasAttachment' || ('of' in filter && filter.of.some(asksForAttachments));
}

/** Whether it was looked up which emails have a text. */
export function asksForTexts(filter: EmailFilter): boolean {
  return filter.is === 'among' || ('of' in filter && filter.of.some(asksForTexts));
}

/** Emails looked at between two turns of others (PostgreSQL only: see othersFirst). */
const TURN = 500;
/** Rows of texts taken at once. */
const TEXTS_PAGE = 5000;

async function learnAttachments(tx: ReadTx, mails: Iterable<Mail>): Promise<void> {
  let looked = 0;
  for (const mail of mails) {
    if (mail.attachment !== undefined) continue;
    const row = await tx.get(sql.structureOf, mail.id);
    mail.attachment =
      row !== undefined && hasAttachment(bodyLists(numberParts(parseStructure(row.structure).root)));
    if (++looked % TURN === 0) await othersFirst(tx);
  }
}

async function learnTexts(tx: ReadTx, mail: AccountMail): Promise<void> {
  const texts = (mail.texts ??= { upTo: new Map(), of: new Map() });
  for (const mailboxId of mail.mailboxes.keys()) {
    for (;;) {
      const rows = await tx.all(sql.sortTexts, mailboxId, texts.upTo.get(mailboxId) ?? 0, TEXTS_PAGE);
      for (const { uid, email_id: id, subject, from_display: from, to_display: to } of rows) {
        texts.of.set(id, { subject, from, to });
        texts.upTo.set(mailboxId, uid);
      }
      if (rows.length < TEXTS_PAGE) break;
      await othersFirst(tx);
    }
  }
}

function keyOf(by: EmailSort, ground: Ground): (mail: Mail) => number | string {
  const { keyword = '' } = by;
  switch (by.by) {
    case 'receivedAt':
    case 'sentAt':
    case 'size': {
      const property = by.by;
      return (mail) => mail[property];
    }
    case 'subject':
    case 'from':
    case 'to': {
      const property = by.by;
      return (mail) => ground.mail.texts?.of.get(mail.id)?.[property] ?? '';
    }
    case 'hasKeyword':
      return (mail) => Number(hasKeyword(visiblePlaces(mail, ground.visible), keyword));
    default: {
      const has = inThread(ground, keyword, by.by === 'allInThread');
      return (mail) => Number(has(mail));
    }
  }
}

/** Emails in order; ties by when they came. */
function sorted(found: Mail[], sort: readonly EmailSort[], ground: Ground): Mail[] {
  const [first] = sort;
  // What is found comes in this order already.
  if (first === undefined || (sort.length === 1 && first.by === 'receivedAt'))
    return first?.ascending === true ? found : found.reverse();
  const columns = sort.map((each) => {
    const key = keyOf(each, ground);
    return { keys: found.map(key), sign: each.ascending ? 1 : -1 };
  });
  const order = found.map((_, i) => i);
  order.sort((a, b) => {
    for (const { keys, sign } of columns) {
      const x = keys[a] ?? 0;
      const y = keys[b] ?? 0;
      if (x < y) return -sign;
      if (x > y) return sign;
    }
    return b - a;
  });
  return order.flatMap((i) => found[i] ?? []);
}

/** Have all facts known that a query asks about. */
async function learn(tx: ReadTx, mail: AccountMail, { filter, sort, visible }: EmailQuery): Promise<void> {
  if (asksForAttachments(filter)) {
    const ground: Ground = { mail, visible: visible && new Set(visible), unknown: 'as-wanted' };
    const maybe = compile(filter, ground, true);
    await learnAttachments(
      tx,
      mail.byReceived.filter((each) => maybe(each, visiblePlaces(each, ground.visible))),
    );
  }
  if (sort.some(({ by }) => by === 'subject' || by === 'from' || by === 'to')) await learnTexts(tx, mail);
}

/** Emails that are found, in order; at least the first `most` of them. What they depend on was learned. */
function results(mail: AccountMail, query: EmailQuery, most: number): Mail[] {
  const visible = query.visible && new Set(query.visible);
  const ground: Ground = { mail, visible, unknown: 'known' };
  const test = compile(query.filter, ground, true);
  const passes = (each: Mail): boolean => {
    const places = visiblePlaces(each, visible);
    return places.length > 0 && test(each, places);
  };
  const [first] = query.sort;
  if (first === undefined || (query.sort.length === 1 && first.by === 'receivedAt' && !first.ascending))
    return pick(mail.byReceived, false, passes, query.collapseThreads, most);
  if (query.sort.length === 1 && isFixed(first)) {
    const order = first.by === 'receivedAt' ? mail.byReceived : inOrder(mail, first.by, keyOf(first, ground));
    return pick(order, first.ascending, passes, query.collapseThreads, most);
  }
  const ordered = sorted(mail.byReceived.filter(passes), query.sort, ground);
  if (!query.collapseThreads) return ordered;
  const shown = oncePerThread();
  return ordered.filter((each) => shown(each));
}

/** Counts queries, so that a thread can be marked as shown without a set of them. */
let queries = 0;

/** RFC 8621 section 4.4.3: of each thread the first in this order. To be used up before anything is awaited. */
function oncePerThread(): (mail: Mail) => boolean {
  const mine = ++queries;
  return ({ group }) => {
    if (group.shownIn === mine) return false;
    group.shownIn = mine;
    return true;
  };
}

/** The same key for as long as the email is there, so that an order by it can be kept. */
function isFixed(sort: EmailSort): sort is EmailSort & { readonly by: 'receivedAt' | OrderKey } {
  return ['receivedAt', 'sentAt', 'size', 'subject', 'from', 'to'].includes(sort.by);
}

/** What nearly everybody asks for: of an order that is there already, only as far as it is wanted. */
function pick(
  order: readonly Mail[],
  ascending: boolean,
  passes: (mail: Mail) => boolean,
  collapse: boolean,
  most: number,
): Mail[] {
  const found: Mail[] = [];
  const shown = collapse ? oncePerThread() : undefined;
  for (let i = 0; i < order.length && found.length < most; i++) {
    const mail = order[ascending ? i : order.length - 1 - i];
    if (mail !== undefined && passes(mail) && (shown === undefined || shown(mail))) found.push(mail);
  }
  return found;
}

export async function queryEmails(
  tx: ReadTx,
  { query, window }: { query: EmailQuery; window: Window },
): Promise<QueryPage> {
  const mail = await accountMail(tx, query.cache, query.accountId);
  const { position: from, anchor: near, limit, total: counted } = window;
  const open = counted || from < 0 || near !== undefined;
  await learn(tx, mail, query);
  // Of the very state of the results: under PostgreSQL another read may have moved on meanwhile what is kept.
  const seq = mail.modseq;
  const found = results(mail, query, open ? Number.POSITIVE_INFINITY : from + limit);
  const total = found.length;
  let position = window.position < 0 ? Math.max(0, total + window.position) : window.position;
  if (window.anchor !== undefined) {
    const at = found.findIndex(({ id }) => id === window.anchor);
    if (at < 0) return { seq, ids: new Float64Array(0), position: 0, total, anchorFound: false };
    // RFC 8620 section 5.5: never before the first.
    position = Math.max(0, at + window.anchorOffset);
  }
  const ids = Float64Array.from(found.slice(position, position + window.limit), ({ id }) => id);
  return { seq, ids, position, total, anchorFound: true };
}

export interface QueryChanges {
  readonly seq: number;
  readonly total: number;
  readonly removed: readonly number[];
  readonly added: readonly { readonly id: number; readonly index: number }[];
}

function dependsOnThreads(filter: EmailFilter): boolean {
  return (
    filter.is === 'allInThread' ||
    filter.is === 'someInThread' ||
    ('of' in filter && filter.of.some(dependsOnThreads))
  );
}

/** Mailboxes that whatever passes a filter must lie in. */
function mailboxesOf(filter: EmailFilter): number[] {
  if (filter.is === 'inMailbox') return [filter.mailboxId];
  return filter.is === 'and' ? filter.of.flatMap(mailboxesOf) : [];
}

/** Whether nothing that happens to an email changes whether it is found, or where. */
function isImmutable({ filter, sort, collapseThreads }: EmailQuery): boolean {
  return !collapseThreads && isImmutableFilter(filter) && sort.every(isFixed);
}

function isImmutableFilter(filter: EmailFilter): boolean {
  if ('of' in filter) return filter.of.every(isImmutableFilter);
  return ['before', 'after', 'minSize', 'maxSize', 'hasAttachment', 'among'].includes(filter.is);
}

/**
 * Email/queryChanges: whatever may have moved is taken out and put in again (RFC 8620 section 5.6). `upToId`: the last that
 * the client knows; nothing behind it is told where that makes no difference to what is before it.
 */
export async function queryEmailChanges(
  tx: ReadTx,
  { query, since, upToId }: { query: EmailQuery; since: Since; upToId?: number | undefined },
): Promise<QueryChanges | undefined> {
  const threads =
    query.collapseThreads ||
    dependsOnThreads(query.filter) ||
    query.sort.some(({ by }) => by === 'allInThread' || by === 'someInThread');
  const request: ChangesRequest = {
    cache: query.cache,
    accountId: query.accountId,
    since,
    visible: query.visible,
  };
  const changed = await touchedSince(tx, request, threads);
  if (changed === undefined) return undefined;
  const { mail, touched, wasIn } = changed;
  const seq = mail.modseq;
  await learn(tx, mail, query);
  if (mail.modseq !== seq) return undefined;
  const found = results(mail, query, Number.POSITIVE_INFINITY);
  const mailboxIds = mailboxesOf(query.filter);
  const were = new Set([...touched].filter((id) => wasIn(id, mailboxIds)));
  // Nothing that cannot have been among the results: clients count what they take out. But what came while their texts were
  // looked up may have been among them.
  const removed = since.id === undefined ? were : touched;
  const stays = isImmutable(query) ? were.intersection(new Set(found.map(({ id }) => id))) : new Set();
  const end = isImmutable(query) ? found.findIndex(({ id }) => id === upToId) : -1;
  const added: { id: number; index: number }[] = [];
  found.forEach(({ id }, index) => {
    if (touched.has(id) && !stays.has(id) && (end < 0 || index <= end)) added.push({ id, index });
  });
  return { seq, total: found.length, removed: [...removed].filter((id) => !stays.has(id)), added };
}
