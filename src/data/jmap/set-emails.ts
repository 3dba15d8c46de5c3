import { errorText, Refusal } from '../../base/errors.ts';
import type { WriteTx } from '../db/sql.ts';
import { beginAccount } from '../mailstore/account.ts';
import { ALL_FLAGS, checkFlagSet, countsOf, formatKeywords, parseKeywords } from '../mailstore/flags.ts';
import { depositAll, incoming, place } from '../mailstore/deposit.ts';
import { adjustMailbox, type MailboxColumns } from '../mailstore/mailboxes.sql.ts';
import { removePlacements } from '../mailstore/placements.ts';
import { ownMailbox } from '../mailstore/rows.ts';
import { setFlags } from '../mailstore/store-flags.sql.ts';
import { Flag, type FlagSet, type NewBlob, type ParsedContent } from '../mailstore/types.ts';
import { hasRights, Right } from '../sharing/rights.ts';
import { rightsOf } from '../sharing/known.ts';
import { judgedBy } from '../spam/judged.ts';
import { meaningOfMove, wishForEmails } from '../spam/training.ts';
import * as sql from './account-mail.sql.ts';
import { flagOf, keywordsOf } from './keywords.ts';

/** A set of names to replace another, or changes to it: RFC 8620 section 5.3, PatchObject one level deep. */
export type SetChange<T> =
  | { readonly all: readonly T[] }
  | { readonly add: readonly T[]; readonly remove: readonly T[] };

export interface EmailUpdate {
  readonly id: number;
  /** In lower case. */
  readonly keywords?: SetChange<string> | undefined;
  readonly mailboxIds?: SetChange<number> | undefined;
}

export interface SetEmails {
  readonly accountId: number;
  /** Who does it. */
  readonly viewer: number;
  /** Nothing is done when the account is not at this modseq. */
  readonly ifSeq?: number | undefined;
  readonly updates: readonly EmailUpdate[];
  readonly destroys: readonly number[];
}

/** Why one of several could not be done: a type of RFC 8620 section 5.3 or RFC 8621 section 4.6. */
export interface SetFailure {
  readonly type: string;
  readonly description?: string;
  readonly properties?: readonly string[];
}

export interface SetOutcome {
  readonly oldSeq: number;
  readonly newSeq: number;
  /** In the order of the requests; undefined: done. */
  readonly updates: readonly (SetFailure | undefined)[];
  readonly destroys: readonly (SetFailure | undefined)[];
}

const NOT_FOUND: SetFailure = { type: 'notFound' };
const FORBIDDEN: SetFailure = { type: 'forbidden' };
/** Mailboxes that one email may lie in. */
export const MAX_MAILBOXES_PER_EMAIL = 100;

/** What one write works with. */
interface Work {
  readonly tx: WriteTx;
  readonly accountId: number;
  readonly viewer: number;
  readonly modseq: number;
  readonly rights: Map<number, number>;
  readonly mailboxes: Map<number, MailboxColumns | undefined>;
  changed: boolean;
}

/** Change and destroy emails: each wholly or not at all, all in one commit. */
export async function setEmails(tx: WriteTx, request: SetEmails): Promise<SetOutcome | 'state-mismatch'> {
  const { accountId, viewer, ifSeq } = request;
  const { modseq } = await beginAccount(tx, accountId);
  if (ifSeq !== undefined && ifSeq !== modseq - 1) return 'state-mismatch';
  const work: Work = {
    tx,
    accountId,
    viewer,
    modseq,
    rights: new Map(),
    mailboxes: new Map(),
    changed: false,
  };
  const updates: (SetFailure | undefined)[] = [];
  for (const update of request.updates) updates.push(await updateOne(work, update));
  const destroys: (SetFailure | undefined)[] = [];
  for (const id of request.destroys) destroys.push(await destroyOne(work, id));
  if (work.changed) tx.touch(accountId);
  return { oldSeq: modseq - 1, newSeq: modseq, updates, destroys };
}

async function rightsIn(work: Work, mailboxId: number): Promise<number> {
  let found = work.rights.get(mailboxId);
  if (found === undefined) {
    found = await rightsOf(work.tx, { accountId: work.viewer, mailboxId });
    work.rights.set(mailboxId, found);
  }
  return found;
}

interface Found {
  readonly size: number;
  readonly receivedAt: number;
  /** Where the viewer sees it. */
  readonly places: sql.EmailPlaceRow[];
  /** Where the viewer would, had it not \Deleted (RFC 8621 section 4.1.1). */
  readonly hidden: sql.EmailPlaceRow[];
}

async function find(work: Work, id: number): Promise<Found | undefined> {
  const row = await work.tx.get(sql.emailById, id, work.accountId);
  if (row === undefined) return undefined;
  const places: sql.EmailPlaceRow[] = [];
  const hidden: sql.EmailPlaceRow[] = [];
  for (const each of await work.tx.all(sql.placesOfEmail, id)) {
    if (!hasRights(await rightsIn(work, each.mailbox_id), Right.Lookup | Right.Read)) continue;
    ((each.flags & Flag.Deleted) === 0 ? places : hidden).push(each);
  }
  return places.length === 0 ? undefined : { size: row.size, receivedAt: row.received_at, places, hidden };
}

async function ownBox(work: Work, mailboxId: number): Promise<MailboxColumns | undefined> {
  if (!work.mailboxes.has(mailboxId)) {
    const found = await ownMailbox(work.tx, work.accountId, mailboxId).catch((error: unknown) => {
      if (error instanceof Refusal) return undefined;
      throw error;
    });
    work.mailboxes.set(mailboxId, found);
  }
  return work.mailboxes.get(mailboxId);
}

function applied<T>(now: readonly T[], change: SetChange<T>): T[] {
  if ('all' in change) return [...new Set(change.all)];
  const next = new Set(now);
  for (const each of change.add) next.add(each);
  for (const each of change.remove) next.delete(each);
  return [...next];
}

async function updateOne(work: Work, update: EmailUpdate): Promise<SetFailure | undefined> {
  const found = await find(work, update.id);
  if (found === undefined) return NOT_FOUND;
  const { places } = found;
  const now = [...new Set(places.map((each) => each.mailbox_id))];
  const target = update.mailboxIds === undefined ? now : applied(now, update.mailboxIds);
  const failure = await mayMove(work, now, target);
  if (failure !== undefined) return failure;
  const before = keywordsOf(places);
  const after = update.keywords === undefined ? before : applied(before, update.keywords);
  const marked = update.keywords === undefined ? undefined : await mayMark(work, places, before, after);
  if (marked !== undefined && 'type' in marked) return marked;
  if (marked !== undefined) await mark(work, update.id, places, { before, after });
  await moveTo(work, update.id, found, { now, target, set: marked ?? setOf(after) });
  return undefined;
}

/** System flags and keywords. \Deleted is none of JMAP's: what has it is not seen here. */
function setOf(keywords: readonly string[]): FlagSet {
  let flags = 0;
  const others: string[] = [];
  for (const keyword of keywords) {
    const bit = flagOf(keyword);
    if (bit === undefined) others.push(keyword);
    else flags |= bit;
  }
  return { flags, keywords: others };
}

async function mayMove(
  work: Work,
  now: readonly number[],
  target: readonly number[],
): Promise<SetFailure | undefined> {
  if (target.length === 0)
    return {
      type: 'invalidProperties',
      properties: ['mailboxIds'],
      description: 'It must lie in a mailbox.',
    };
  if (target.length > MAX_MAILBOXES_PER_EMAIL) return { type: 'tooManyMailboxes' };
  for (const id of target) {
    if (now.includes(id)) continue;
    if ((await ownBox(work, id)) === undefined || (await rightsIn(work, id)) === 0)
      return {
        type: 'invalidProperties',
        properties: ['mailboxIds'],
        description: 'There is no such mailbox.',
      };
    if (!hasRights(await rightsIn(work, id), Right.Insert)) return FORBIDDEN;
  }
  for (const id of now) {
    if (target.includes(id)) continue;
    if (!hasRights(await rightsIn(work, id), Right.DeleteMessages | Right.Expunge)) return FORBIDDEN;
  }
  return undefined;
}

async function mayMark(
  work: Work,
  places: readonly sql.EmailPlaceRow[],
  before: readonly string[],
  after: readonly string[],
): Promise<SetFailure | FlagSet> {
  const changed = [
    ...before.filter((each) => !after.includes(each)),
    ...after.filter((each) => !before.includes(each)),
  ];
  const needed =
    (changed.includes('$seen') ? Right.Seen : 0) |
    (changed.some((each) => each !== '$seen') ? Right.Write : 0);
  for (const { mailbox_id: id } of places) {
    if (!hasRights(await rightsIn(work, id), needed)) return FORBIDDEN;
  }
  return keywordSet(after);
}

/** RFC 8621 section 4.6: what is wrong with keywords. */
function keywordSet(keywords: readonly string[]): SetFailure | FlagSet {
  try {
    return checkFlagSet(setOf(keywords));
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return error.kind === 'limit'
      ? { type: 'tooManyKeywords', description: error.message }
      : { type: 'invalidProperties', properties: ['keywords'], description: errorText(error) };
  }
}

/**
 * Change the keywords of all placements of an email by what changes of the email as a whole. Those that only one of them has,
 * set by an IMAP client, stay with that one, and spelled as they are.
 */
async function mark(
  work: Work,
  emailId: number,
  places: readonly sql.EmailPlaceRow[],
  { before, after }: { readonly before: readonly string[]; readonly after: readonly string[] },
): Promise<void> {
  const { tx, modseq } = work;
  const set = setOf(after.filter((each) => !before.includes(each)));
  const unset = setOf(before.filter((each) => !after.includes(each)));
  for (const { mailbox_id: mailboxId, uid, flags, keywords } of places) {
    const next = (flags | set.flags) & ~unset.flags;
    const old = parseKeywords(keywords);
    const had = new Set(old.map((each) => each.toLowerCase()));
    const more = set.keywords.filter((each) => !had.has(each));
    const left = old.filter((each) => !unset.keywords.includes(each.toLowerCase()));
    if (next === flags && more.length === 0 && left.length === old.length) continue;
    const words = formatKeywords([...left, ...more]);
    await tx.run(setFlags, ALL_FLAGS & ~unset.flags, set.flags, words, modseq, mailboxId, uid, uid);
    const unseen = countsOf(next).unseen - countsOf(flags).unseen;
    await tx.run(adjustMailbox, 0, 0, unseen, 0, 0, modseq, mailboxId);
    work.changed = true;
  }
  const label = judgedBy(after);
  const said = places.some(({ keywords }) => judgedBy(parseKeywords(keywords)) === label);
  if (label !== undefined && !said) await wishForEmails(tx, work.accountId, [emailId], label, 'marked');
}

/** Into new mailboxes first: an email that lay nowhere for a moment would be an orphan. */
async function moveTo(
  work: Work,
  emailId: number,
  { size, receivedAt, places }: Found,
  { now, target, set }: { now: readonly number[]; target: readonly number[]; set: FlagSet },
): Promise<void> {
  const { tx, accountId, modseq } = work;
  const added = target.filter((id) => !now.includes(id));
  const left = now.filter((id) => !target.includes(id));
  for (const id of added) {
    await place(tx, { id: emailId, modseq, size, receivedAt }, id, set);
    work.changed = true;
  }
  for (const { mailbox_id: mailboxId, uid } of places) {
    if (!left.includes(mailboxId)) continue;
    await removePlacements(tx, { accountId, mailboxId, modseq }, [{ from: uid, to: uid }], true);
    work.changed = true;
  }
  await learn(work, emailId, left, added);
}

/** Into Junk or out of it: the filter is to learn from that. */
async function learn(
  work: Work,
  emailId: number,
  left: readonly number[],
  added: readonly number[],
): Promise<void> {
  for (const to of added) {
    const target = (await ownBox(work, to))?.special_use ?? null;
    const sources = left.length === 0 ? [null] : left;
    for (const from of sources) {
      const source = from === null ? null : ((await ownBox(work, from))?.special_use ?? null);
      const label = meaningOfMove(source, target);
      if (label !== undefined) await wishForEmails(work.tx, work.accountId, [emailId], label, 'moved');
    }
  }
}

async function destroyOne(work: Work, id: number): Promise<SetFailure | undefined> {
  const found = await find(work, id);
  if (found === undefined) return NOT_FOUND;
  for (const { mailbox_id: mailboxId } of found.places) {
    if (!hasRights(await rightsIn(work, mailboxId), Right.DeleteMessages | Right.Expunge)) return FORBIDDEN;
  }
  const { tx, accountId, modseq } = work;
  const also: sql.EmailPlaceRow[] = [];
  for (const each of found.hidden) {
    if (hasRights(await rightsIn(work, each.mailbox_id), Right.DeleteMessages | Right.Expunge))
      also.push(each);
  }
  for (const { mailbox_id: mailboxId, uid } of [...found.places, ...also]) {
    await removePlacements(tx, { accountId, mailboxId, modseq }, [{ from: uid, to: uid }], true);
  }
  work.changed = true;
  return undefined;
}

export interface AddEmail {
  readonly accountId: number;
  readonly viewer: number;
  readonly blob: NewBlob;
  readonly content: ParsedContent;
  readonly mailboxIds: readonly number[];
  /** In lower case. */
  readonly keywords: readonly string[];
  readonly receivedAt: number;
  readonly trace: string;
  /** The state that the account must be at; else Refusal 'conflict', and nothing is kept. */
  readonly ifSeq?: number | undefined;
}

export type AddedEmail =
  | { readonly id: number; readonly threadId: number; readonly size: number; readonly seq: number }
  | { readonly failure: SetFailure };

/** A new email in one or several mailboxes: Email/set create and Email/import. */
export async function addEmail(tx: WriteTx, args: AddEmail): Promise<AddedEmail> {
  const { accountId, viewer, blob, content } = args;
  // Failures below are answers, so nothing may have been written before them.
  for (const mailboxId of args.mailboxIds) {
    const rights = await rightsOf(tx, { accountId: viewer, mailboxId });
    const box = rights === 0 ? undefined : await ownMailbox(tx, accountId, mailboxId).catch(() => undefined);
    if (box === undefined) return { failure: { type: 'invalidProperties', properties: ['mailboxIds'] } };
    if (!hasRights(rights, Right.Insert)) return { failure: FORBIDDEN };
  }
  if (args.mailboxIds.length > MAX_MAILBOXES_PER_EMAIL) return { failure: { type: 'tooManyMailboxes' } };
  const set = keywordSet(args.keywords);
  if ('type' in set) return { failure: set };
  const deposits = args.mailboxIds.map((id) => ({
    accountId,
    mailbox: { id },
    prefix: new Uint8Array(0),
    hidden: [],
    set,
    receivedAt: args.receivedAt,
    trace: args.trace,
    ignoreQuota: false,
  }));
  const [first] = await depositAll(tx, incoming(tx, blob, content), deposits);
  if (first === undefined || first.status === 'no-account')
    throw new Refusal('no-such-account', 'There is no such account.');
  if (first.status === 'over-quota') return { failure: { type: 'overQuota' } };
  const row = await tx.get(sql.emailById, first.emailId, accountId);
  const counters = await tx.get(sql.countersOf, accountId);
  if (row === undefined || counters === undefined) throw new Error('an email was not stored');
  if (args.ifSeq !== undefined && counters.modseq !== args.ifSeq + 1)
    throw new Refusal('conflict', 'Something else has been changed meanwhile.');
  return { id: row.id, threadId: row.thread_id, size: row.size, seq: counters.modseq };
}
