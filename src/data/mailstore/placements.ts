import type { WriteTx } from '../db/sql.ts';
import { meaningOfMove, wishForRange } from '../spam/training.ts';
import { beginAccount } from './account.ts';
import { addUsage } from './account.sql.ts';
import { transferOneByOne } from './across.ts';
import { countsOf } from './flags.ts';
import { adjustMailbox, type MailboxColumns } from './mailboxes.sql.ts';
import {
  buryPlaced,
  copyPlaced,
  listPlaced,
  orphanEmails,
  type PlacedRow,
  removePlaced,
} from './placements.sql.ts';
import { EVERYTHING, ownMailbox, tidyRanges } from './rows.ts';
import type { CopyResult, ExpungeResult, Permitted, UidRange } from './types.ts';

interface Place {
  readonly accountId: number;
  readonly mailboxId: number;
  readonly modseq: number;
}

interface Sums {
  messages: number;
  unseen: number;
  deleted: number;
  size: number;
}

function noSums(): Sums {
  return { messages: 0, unseen: 0, deleted: 0, size: 0 };
}

function addRows(sums: Sums, rows: readonly PlacedRow[]): void {
  sums.messages += rows.length;
  for (const row of rows) {
    const counts = countsOf(row.flags);
    sums.unseen += counts.unseen;
    sums.deleted += counts.deleted;
    sums.size += row.size;
  }
}

/**
 * Take messages out of a mailbox: tombstones, the mailbox's counters, orphaned emails and the quota.
 * `ranges` must be tidy; without `anyFlag` only what has \Deleted goes.
 */
export async function removePlacements(
  tx: WriteTx,
  place: Place,
  ranges: readonly UidRange[],
  anyFlag: boolean,
): Promise<number[]> {
  const which = anyFlag ? 'all' : 'deleted';
  const { accountId, mailboxId, modseq } = place;
  const uids: number[] = [];
  const gone = noSums();
  for (const { from, to } of ranges) {
    const rows = await tx.all(listPlaced[which], mailboxId, from, to);
    if (rows.length === 0) continue;
    await tx.run(buryPlaced[which], accountId, modseq, tx.now, mailboxId, from, to);
    await tx.run(removePlaced[which], mailboxId, from, to);
    addRows(gone, rows);
    for (const row of rows) uids.push(row.uid);
  }
  if (uids.length === 0) return uids;
  await tx.run(adjustMailbox, 0, -gone.messages, -gone.unseen, -gone.deleted, -gone.size, modseq, mailboxId);
  const orphans = await tx.all(orphanEmails, tx.now, mailboxId, modseq);
  if (orphans.length > 0) {
    const octets = orphans.reduce((sum, row) => sum + row.size, 0);
    await tx.run(addUsage, -octets, -orphans.length, accountId);
  }
  return uids;
}

/** EXPUNGE and UID EXPUNGE (RFC 9051 6.4.3, 6.4.9). */
export async function expunge(
  tx: WriteTx,
  args: { accountId: number; mailboxId: number; ranges?: readonly UidRange[]; anyFlag?: boolean },
): Promise<ExpungeResult> {
  const { accountId, mailboxId, anyFlag = false } = args;
  const { modseq } = await beginAccount(tx, accountId);
  const mailbox = await ownMailbox(tx, accountId, mailboxId);
  if (!anyFlag && mailbox.deleted === 0) return { uids: [], modseq: mailbox.modseq };
  const ranges = tidyRanges(args.ranges ?? EVERYTHING, mailbox.uidnext);
  const uids = await removePlacements(tx, { accountId, mailboxId, modseq }, ranges, anyFlag);
  if (uids.length === 0) return { uids, modseq: mailbox.modseq };
  tx.touch(accountId);
  return { uids, modseq };
}

/**
 * Copy or move messages between two mailboxes of one account (or within one: they get new UIDs). Flags and keywords
 * go along, the order is kept. Returns pairs of source and target UID.
 */
export async function transfer(
  tx: WriteTx,
  way: { accountId: number; modseq: number; source: MailboxColumns; target: MailboxColumns },
  given: readonly UidRange[],
  removeSource: boolean,
): Promise<(readonly [source: number, target: number])[]> {
  const { accountId, modseq, source, target } = way;
  const ranges = tidyRanges(given, source.uidnext);
  const pairs: (readonly [number, number])[] = [];
  const total = noSums();
  for (const { from, to } of ranges) {
    const rows = await tx.all(listPlaced.all, source.id, from, to);
    if (rows.length === 0) continue;
    const base = target.uidnext + pairs.length - 1;
    await tx.run(copyPlaced, target.id, base, modseq, modseq, tx.now, source.id, from, to);
    for (const row of rows) pairs.push([row.uid, target.uidnext + pairs.length]);
    addRows(total, rows);
  }
  if (pairs.length === 0) return pairs;
  await tx.run(
    adjustMailbox,
    pairs.length,
    total.messages,
    total.unseen,
    total.deleted,
    total.size,
    modseq,
    target.id,
  );
  if (removeSource) await removePlacements(tx, { accountId, mailboxId: source.id, modseq }, ranges, true);
  return pairs;
}

export interface CopyArgs {
  accountId: number;
  mailboxId: number;
  ranges: readonly UidRange[];
  targetId: number;
  /** Whose the target is, when not the same account's. */
  targetAccountId?: number;
  /** Flags that may go along; undefined: all. */
  permitted?: Permitted;
}

async function begin(tx: WriteTx, args: CopyArgs) {
  const { accountId, targetAccountId = accountId } = args;
  // Ascending, see beginAccount.
  if (targetAccountId < accountId) await beginAccount(tx, targetAccountId);
  const { modseq } = await beginAccount(tx, accountId);
  if (targetAccountId > accountId) await beginAccount(tx, targetAccountId);
  const source = await ownMailbox(tx, accountId, args.mailboxId);
  const target = await ownMailbox(tx, targetAccountId, args.targetId, 'TRYCREATE');
  return { accountId, targetAccountId, modseq, source, target };
}

/** By rows where that is possible, else one message after the other. */
async function carry(
  tx: WriteTx,
  way: Awaited<ReturnType<typeof begin>>,
  { ranges, permitted }: CopyArgs,
  removeSource: boolean,
): Promise<(readonly [source: number, target: number])[]> {
  const { accountId, targetAccountId, modseq, source, target } = way;
  const across = targetAccountId !== accountId;
  const pairs =
    across || permitted !== undefined
      ? await transferOneByOne(tx, { source, target, modseq, permitted }, ranges)
      : await transfer(tx, way, ranges, removeSource);
  if (pairs.length === 0) return pairs;
  if (removeSource && (across || permitted !== undefined)) {
    const place = { accountId, mailboxId: source.id, modseq };
    await removePlacements(tx, place, tidyRanges(ranges, source.uidnext), true);
  }
  if (!across) await learnFrom(tx, way, pairs.length);
  tx.touch(accountId);
  if (across) tx.touch(targetAccountId);
  return pairs;
}

/** Into Junk or out of it: the filter is to learn from that. What was placed has new UIDs in a row. */
async function learnFrom(
  tx: WriteTx,
  { accountId, source, target }: Awaited<ReturnType<typeof begin>>,
  count: number,
): Promise<void> {
  const label = meaningOfMove(source.special_use, target.special_use);
  if (label === undefined || count === 0) return;
  const from = target.uidnext;
  const to = from + count - 1;
  await wishForRange(tx, { accountId, mailboxId: target.id, from, to, label, cause: 'moved' });
}

/**
 * COPY (RFC 9051 6.4.7): all or nothing. Copies within an account share their emails, so they cost no quota.
 * @throws Refusal 'over-quota', 'limit' where they go to another account
 */
export async function copy(tx: WriteTx, args: CopyArgs): Promise<CopyResult> {
  const way = await begin(tx, args);
  const pairs = await carry(tx, way, args, false);
  return { uidvalidity: way.target.uidvalidity, pairs };
}

/** MOVE (RFC 9051 6.4.8). */
export async function move(tx: WriteTx, args: CopyArgs): Promise<CopyResult & { modseq: number }> {
  const way = await begin(tx, args);
  const pairs = await carry(tx, way, args, true);
  return {
    uidvalidity: way.target.uidvalidity,
    pairs,
    modseq: pairs.length > 0 ? way.modseq : way.source.modseq,
  };
}
