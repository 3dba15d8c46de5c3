import { Refusal } from '../../base/errors.ts';
import type { ReadTx, WriteTx } from '../db/sql.ts';
import { MAX_UID, type ContentRef } from '../mailstore/types.ts';
import { ownMailbox, parseHidden } from '../mailstore/rows.ts';
import { saveModel } from './models.ts';
import * as sql from './training.sql.ts';
import type { Cause, KeptRequest, Label, LearnedBatch, TrainingWish } from './types.ts';

/** Emails that one `spam.train` names at most. */
const MAX_NAMED = 10_000;

/** What a person did to a row of messages in a mailbox; the write that did it has the account's lock. */
export interface RangeWish {
  readonly accountId: number;
  readonly mailboxId: number;
  readonly from: number;
  readonly to: number;
  readonly label: Label;
  readonly cause: Cause;
}

/** Have the messages of a range learned. For each email the newest wish is the one that counts. */
export async function wishForRange(tx: WriteTx, range: RangeWish): Promise<number> {
  const { accountId, mailboxId, from, to, label, cause } = range;
  await tx.run(sql.withdrawRange, accountId, mailboxId, from, to);
  const count = await tx.run(sql.wishRange, accountId, label, cause, tx.now, mailboxId, from, to);
  await tx.run(sql.dropOldest, accountId, accountId);
  return count;
}

/** Have emails of an account learned; what is gone or not theirs is left out. */
export async function wishForEmails(
  tx: WriteTx,
  accountId: number,
  emailIds: readonly number[],
  label: Label,
  cause: Cause,
): Promise<number> {
  let count = 0;
  for (const emailId of emailIds) {
    await tx.run(sql.withdraw, accountId, emailId);
    count += await tx.run(sql.wish, label, cause, tx.now, emailId, accountId);
  }
  await tx.run(sql.dropOldest, accountId, accountId);
  return count;
}

/**
 * What a move or copy by a person means: into Junk spam, out of it good mail, but into Trash neither (spam is thrown
 * away from Junk as well as mail that was never looked at).
 */
export function meaningOfMove(source: string | null, target: string | null): Label | undefined {
  if (source === target) return undefined;
  if (target === '\\Junk') return 'spam';
  return source === '\\Junk' && target !== '\\Trash' ? 'ham' : undefined;
}

/** An email is deleted for good: so is what was to be learned of it, and what was. */
export async function forgetEmail(tx: WriteTx, accountId: number, emailId: number): Promise<void> {
  await tx.run(sql.withdraw, accountId, emailId);
  await tx.run(sql.forgetLearned, accountId, emailId);
}

export type TrainRequest = { readonly accountId: number; readonly label: Label; readonly cause?: Cause } & (
  | { readonly emailIds: readonly number[] }
  | { readonly mailboxId: number }
);

/** @throws Refusal 'no-such-mailbox', 'limit' */
export async function train(tx: WriteTx, request: TrainRequest): Promise<{ count: number }> {
  const { accountId, label, cause = 'trained' } = request;
  if ('emailIds' in request) {
    if (request.emailIds.length > MAX_NAMED) {
      throw new Refusal('limit', `At most ${MAX_NAMED} messages can be named at once.`);
    }
    return { count: await wishForEmails(tx, accountId, request.emailIds, label, cause) };
  }
  const { id: mailboxId } = await ownMailbox(tx, accountId, request.mailboxId);
  const range = { accountId, mailboxId, from: 1, to: MAX_UID, label, cause };
  return { count: await wishForRange(tx, range) };
}

/** Save what was learned and forget the wishes for it: both or neither, so nothing is learned twice or lost. */
export async function learned(tx: WriteTx, batch: LearnedBatch): Promise<null> {
  for (const model of batch.models.toSorted((a, b) => a.owner - b.owner)) await saveModel(tx, model);
  for (const { id, accountId, emailId, label } of batch.done) {
    if (id !== undefined) await tx.run(sql.settleWish, id);
    await tx.run(sql.markLearned, label, tx.now, emailId, accountId);
  }
  return null;
}

function contentOf(row: sql.ContentRow): ContentRef {
  return {
    emailId: row.email_id,
    blobId: row.blob_id,
    prefix: row.prefix,
    hidden: parseHidden(row.hidden),
    structure: row.structure,
    blobSize: row.blob_size,
  };
}

/** Wishes in the order they were made. */
export async function pendingTraining(tx: ReadTx, { limit }: { limit: number }): Promise<TrainingWish[]> {
  return (await tx.all(sql.pending, limit)).map((row) => ({
    id: row.id,
    accountId: row.account_id,
    emailId: row.email_id,
    label: row.label as Label,
    cause: row.cause as Cause,
    at: row.at,
    learned: (row.learned as Label | null) ?? undefined,
    content: contentOf(row),
  }));
}

/** Mail that was read and kept, in any mailbox but Junk, Trash, Drafts and Sent; not learned yet; newest first. */
export async function keptInbox(tx: ReadTx, request: KeptRequest): Promise<ContentRef[]> {
  const { accountId, savedBefore, receivedAfter, limit } = request;
  return (await tx.all(sql.keptInbox, accountId, savedBefore, receivedAfter, limit)).map(contentOf);
}

/** Mail that a delivery put into Junk and nobody took out, read or not; not learned yet; newest first. */
export async function junkKept(tx: ReadTx, request: KeptRequest): Promise<ContentRef[]> {
  const { accountId, savedBefore, receivedAfter, limit } = request;
  return (await tx.all(sql.keptJunk, accountId, savedBefore, receivedAfter, limit)).map(contentOf);
}
