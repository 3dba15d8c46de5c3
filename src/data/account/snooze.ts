import { Refusal } from '../../base/errors.ts';
import { timeId } from '../../base/ids.ts';
import type { ReadTx, WriteTx } from '../db/sql.ts';
import { accountById } from '../directory/directory.sql.ts';
import { emailById, type EmailPlaceRow, placesOfEmail } from '../jmap/account-mail.sql.ts';
import { record } from '../journal/record.ts';
import { terms } from '../journal/types.ts';
import { beginAccount } from '../mailstore/account.ts';
import { formatKeywords, keepableFlagSet, parseKeywords } from '../mailstore/flags.ts';
import { place } from '../mailstore/deposit.ts';
import {
  adjustMailbox,
  type MailboxColumns,
  mailboxById,
  mailboxByName,
} from '../mailstore/mailboxes.sql.ts';
import { createInbox, createWanted } from '../mailstore/mailboxes.ts';
import { INBOX } from '../mailstore/names.ts';
import { removePlacements } from '../mailstore/placements.ts';
import { setFlags } from '../mailstore/store-flags.sql.ts';
import { Flag, type FlagSet } from '../mailstore/types.ts';
import * as sql from './snooze.sql.ts';

/**
 * Snoozed mail lies in a mailbox of its own, which every mail program sees, until its time comes; then it goes back to
 * where it was, unread. Whoever moves or deletes it meanwhile has decided otherwise: it stays where they put it.
 */

export const SNOOZED_MAILBOX = 'Snoozed';
export const SNOOZED_KEYWORD = '$snoozed';
/** Messages of one account that are put away at a time. */
const MAX_SNOOZED = 5000;
/** Milliseconds into the future: five years. */
export const MAX_SNOOZE_MS = 5 * 366 * 24 * 3600 * 1000;

export interface SnoozeRequest {
  readonly accountId: number;
  readonly emailIds: readonly number[];
  /** Milliseconds since the epoch. */
  readonly until: number;
  /** The mailbox to take it from and bring it back to; where it lies, the inbox first, when left out. */
  readonly mailboxId?: number;
}

/**
 * Put messages away: all or none. Those that are put away already get a new time.
 * @throws Refusal 'no-such-message', 'no-such-mailbox', 'bad-input', 'limit'
 */
export async function snooze(tx: WriteTx, request: SnoozeRequest): Promise<{ snoozed: number }> {
  const { accountId, until, mailboxId } = request;
  if (!(until > tx.now && until <= tx.now + MAX_SNOOZE_MS))
    throw new Refusal('bad-input', 'The time to wake up is in the past, or too far in the future.');
  const emailIds = [...new Set(request.emailIds)];
  const { modseq } = await beginAccount(tx, accountId);
  if (((await tx.get(sql.countSnoozes, accountId))?.count ?? 0) + emailIds.length > MAX_SNOOZED)
    throw new Refusal('limit', `At most ${MAX_SNOOZED} messages can be snoozed at a time.`);
  const target = await createWanted(tx, accountId, modseq, SNOOZED_MAILBOX, undefined);
  if (target === undefined) throw new Refusal('limit', 'There is no room for the mailbox "Snoozed".');
  const inbox = await tx.get(mailboxByName, accountId, INBOX);
  for (const emailId of emailIds) {
    const email = await tx.get(emailById, emailId, accountId);
    const places = email === undefined ? [] : await tx.all(placesOfEmail, emailId);
    const before = await tx.get(sql.snoozeOf, emailId, accountId);
    const asleep = before && places.find((each) => each.mailbox_id === before.mailbox_id);
    if (before !== undefined && asleep !== undefined) {
      await tx.run(sql.putSnooze, emailId, accountId, before.mailbox_id, before.back_to, until, tx.now);
      continue;
    }
    const source = sourceOf(places, mailboxId, inbox?.id);
    if (email === undefined || source === undefined)
      throw new Refusal('no-such-message', 'There is no such message.');
    const stored = { id: emailId, modseq, size: email.size, receivedAt: email.received_at };
    const keywords = [...parseKeywords(source.keywords), SNOOZED_KEYWORD];
    if (source.mailbox_id === target) {
      await mark(tx, source, modseq, { flags: source.flags, keywords });
    } else {
      await place(tx, stored, target, keepableFlagSet({ flags: source.flags & ~Flag.Deleted, keywords }));
      await take(tx, accountId, modseq, source);
    }
    const backTo = source.mailbox_id === target ? (inbox?.id ?? target) : source.mailbox_id;
    await tx.run(sql.putSnooze, emailId, accountId, target, backTo, until, tx.now);
    await note(tx, 'message.snoozed', emailId, accountId, { until });
  }
  tx.touch(accountId);
  return { snoozed: emailIds.length };
}

function sourceOf(
  places: readonly EmailPlaceRow[],
  wanted: number | undefined,
  inbox: number | undefined,
): EmailPlaceRow | undefined {
  if (wanted !== undefined) return places.find((each) => each.mailbox_id === wanted);
  return places.find((each) => each.mailbox_id === inbox) ?? places[0];
}

async function take(tx: WriteTx, accountId: number, modseq: number, from: EmailPlaceRow): Promise<void> {
  const ranges = [{ from: from.uid, to: from.uid }];
  await removePlacements(tx, { accountId, mailboxId: from.mailbox_id, modseq }, ranges, true);
}

/** Give a placement these flags and keywords. */
async function mark(tx: WriteTx, at: EmailPlaceRow, modseq: number, set: FlagSet): Promise<void> {
  const { flags, keywords } = keepableFlagSet(set);
  await tx.run(setFlags, 0, flags, formatKeywords(keywords), modseq, at.mailbox_id, at.uid, at.uid);
  const unseen = (flags & Flag.Seen ? 0 : 1) - (at.flags & Flag.Seen ? 0 : 1);
  await tx.run(adjustMailbox, 0, 0, unseen, 0, 0, modseq, at.mailbox_id);
}

/**
 * Wake messages of an account before their time; those that are not snoozed are left out.
 * @throws Refusal 'no-such-message' for what is not the account's
 */
export async function wake(
  tx: WriteTx,
  { accountId, emailIds }: { accountId: number; emailIds: readonly number[] },
): Promise<{ woken: number }> {
  const { modseq } = await beginAccount(tx, accountId);
  let woken = 0;
  for (const emailId of new Set(emailIds)) {
    if ((await tx.get(emailById, emailId, accountId)) === undefined)
      throw new Refusal('no-such-message', 'There is no such message.');
    const row = await tx.get(sql.snoozeOf, emailId, accountId);
    if (row !== undefined && (await wakeOne(tx, row, modseq, false))) woken++;
  }
  if (woken > 0) tx.touch(accountId);
  return { woken };
}

/**
 * Wake what is due. It is forgotten in the commit that brings it back, so it comes once, whatever happens in between.
 */
export async function wakeDue(
  tx: WriteTx,
  { now, limit }: { now: number; limit: number },
): Promise<{ woken: number; more: boolean }> {
  const rows = await tx.all(sql.due, now, limit);
  const byAccount = Map.groupBy(rows, (row) => row.account_id);
  let woken = 0;
  for (const accountId of [...byAccount.keys()].toSorted((a, b) => a - b)) {
    const { modseq } = await beginAccount(tx, accountId);
    for (const row of byAccount.get(accountId) ?? []) {
      // Asked again under the account's lock: its owner may have woken it in this moment.
      const still = await tx.get(sql.snoozeOf, row.email_id, accountId);
      if (still !== undefined && still.wake_at <= now && (await wakeOne(tx, still, modseq, true))) woken++;
    }
    tx.touch(accountId);
  }
  return { woken, more: rows.length >= limit };
}

function withoutKeyword(keywords: string | null): string[] {
  return parseKeywords(keywords).filter((each) => each.toLowerCase() !== SNOOZED_KEYWORD);
}

async function wakeOne(tx: WriteTx, row: sql.SnoozeRow, modseq: number, due: boolean): Promise<boolean> {
  const { email_id: emailId, account_id: accountId } = row;
  await tx.run(sql.deleteSnooze, emailId);
  const email = await tx.get(emailById, emailId, accountId);
  const places = await tx.all(placesOfEmail, emailId);
  const here = places.find((each) => each.mailbox_id === row.mailbox_id);
  if (email === undefined || here === undefined) {
    // Somebody has moved it: it stays there, without our mark.
    for (const each of places) {
      const keywords = withoutKeyword(each.keywords);
      if (keywords.length !== parseKeywords(each.keywords).length)
        await mark(tx, each, modseq, { flags: each.flags, keywords });
    }
    return false;
  }
  const target = await backTo(tx, row, modseq);
  const set = { flags: here.flags & ~(Flag.Seen | Flag.Deleted), keywords: withoutKeyword(here.keywords) };
  const there = places.find((each) => each.mailbox_id === target.id);
  if (there === undefined) {
    const stored = { id: emailId, modseq, size: email.size, receivedAt: email.received_at };
    await place(tx, stored, target.id, set);
  } else {
    await mark(tx, there, modseq, {
      flags: there.flags & ~Flag.Seen,
      keywords: withoutKeyword(there.keywords),
    });
  }
  if (target.id !== row.mailbox_id) await take(tx, accountId, modseq, here);
  await note(tx, 'message.woken', emailId, accountId, { mailbox: target.name, due });
  return true;
}

/** Where it goes; the inbox when its mailbox is gone. */
async function backTo(
  tx: WriteTx,
  { account_id: accountId, back_to: wanted, mailbox_id: asleep }: sql.SnoozeRow,
  modseq: number,
): Promise<Pick<MailboxColumns, 'id' | 'name'>> {
  const before = wanted === asleep ? undefined : await tx.get(mailboxById, wanted);
  if (before !== undefined && before.account_id === accountId) return before;
  const inbox = await tx.get(mailboxByName, accountId, INBOX);
  return inbox ?? { id: await createInbox(tx, accountId, modseq), name: INBOX };
}

async function note(
  tx: WriteTx,
  kind: 'message.snoozed' | 'message.woken',
  emailId: number,
  accountId: number,
  data: { readonly [key: string]: string | number | boolean },
): Promise<void> {
  const account = (await tx.get(accountById, accountId))?.address ?? '';
  const trace = (await tx.get(sql.traceOfEmail, emailId))?.trace ?? timeId(tx.now);
  await record(tx, [
    { trace, at: tx.now, kind, data: { account, emailId, ...data }, terms: [terms.address(account)] },
  ]);
}

/** By the time they wake. */
export async function snoozed(
  tx: ReadTx,
  { accountId }: { accountId: number },
): Promise<{ emailId: number; until: number; backTo: number }[]> {
  const rows = await tx.all(sql.snoozesOf, accountId, MAX_SNOOZED);
  return rows.map((row) => ({ emailId: row.email_id, until: row.wake_at, backTo: row.back_to }));
}

/** Whether anything is to be woken: so that nothing is written when nothing is. */
export async function anyDue(tx: ReadTx, { now }: { now: number }): Promise<boolean> {
  return (await tx.get(sql.due, now, 1)) !== undefined;
}
