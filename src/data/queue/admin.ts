import { Refusal } from '../../base/errors.ts';
import type { WriteTx } from '../db/sql.ts';
import { accountById } from '../directory/directory.sql.ts';
import { audit, notPermitted, requireAdmin, requireDomain, isAdmin } from '../directory/permission.ts';
import type { Actor } from '../directory/types.ts';
import { requireSeq } from '../jmap/objects.ts';
import { keepOutcome, touchSubmissions } from '../jmap/submissions.ts';
import { record } from '../journal/record.ts';
import { terms } from '../journal/types.ts';
import { releaseBlob } from '../mailstore/purge.ts';
import {
  begun,
  countLeased,
  deleteMessage,
  deleteRecipients,
  dropWaiting,
  expireMessage,
  holdQueued,
  makeAllDue,
  markDropped,
  messageForChange,
  messageOfSubmission,
  releaseHeld,
  retryAll,
  retryMessage,
  setHoldReason,
  settledMessages,
  waitingOfTrace,
} from './admin.sql.ts';
import { lineUpAll } from './enqueue.ts';
import { settleMessage } from './settle.ts';

/** UTF-16 units of the reason for a hold. */
const REASON_LENGTH = 500;

interface Request {
  readonly actor: Actor;
  readonly queueId: string;
}

type Found = { readonly id: number; readonly trace: string };

/** The unsettled message an administrator means. Refusals 'not-found', 'not-permitted', 'conflict'. */
async function find(tx: WriteTx, { actor, queueId }: Request): Promise<Found> {
  const message = await tx.get(messageForChange, queueId);
  if (!isAdmin(actor)) {
    const account = message?.account_id ? await tx.get(accountById, message.account_id) : undefined;
    if (account === undefined) throw notPermitted();
    requireDomain(actor, account.domain_id);
  }
  if (message === undefined) throw new Refusal('not-found', `No message in the queue has the id ${queueId}.`);
  if (message.settled_at !== null) {
    throw new Refusal('conflict', `The message ${queueId} is settled: nothing of it waits any more.`);
  }
  return message;
}

async function changed(
  tx: WriteTx,
  request: Request,
  message: Found,
  action: string,
  count: number,
  reason: string,
): Promise<{ count: number }> {
  const { actor, queueId } = request;
  await audit(tx, actor, `queue.${action}`, queueId, { count, reason });
  const data = { action, queueId, by: actor.name, recipients: count, reason };
  const event = { trace: message.trace, at: tx.now, kind: 'queue.changed', data } as const;
  await record(tx, [{ ...event, terms: [terms.queueId(queueId)] }]);
  return { count };
}

async function leased(tx: WriteTx, message: Found): Promise<number> {
  return (await tx.get(countLeased, message.id))?.count ?? 0;
}

function dueNow(tx: WriteTx, rows: readonly { destination: string }[]): Promise<void> {
  return lineUpAll(tx, new Map(rows.map(({ destination }) => [destination, tx.now])));
}

/** When each destination is due first. */
export function firstDue(
  rows: readonly { readonly destination: string; readonly next_at: number }[],
): Map<string, number> {
  const dueAt = new Map<string, number>();
  for (const { destination, next_at: at } of rows)
    dueAt.set(destination, Math.min(at, dueAt.get(destination) ?? at));
  return dueAt;
}

/** What is queued becomes due now, unless its sender wants it to leave later; held recipients stay held, attempts under way go on. */
export async function retry(
  tx: WriteTx,
  args: { actor: Actor; queueId: string | null; destination?: string },
): Promise<{ count: number }> {
  const { actor, queueId, destination = '' } = args;
  if (queueId === null) {
    requireAdmin(actor);
    const rows = await tx.all(retryAll, tx.now, tx.now, destination, destination, tx.now);
    await dueNow(tx, rows);
    await audit(tx, actor, 'queue.retry', destination, { count: rows.length });
    return { count: rows.length };
  }
  const message = await find(tx, { actor, queueId });
  const rows = await tx.all(retryMessage, tx.now, message.id, destination, destination, tx.now);
  await dueNow(tx, rows);
  return changed(tx, { actor, queueId }, message, 'retry', rows.length, '');
}

/** Queued recipients are held at once, those in an attempt when it ends without success. */
export async function hold(tx: WriteTx, args: Request & { reason: string }): Promise<{ count: number }> {
  const message = await find(tx, args);
  const reason = args.reason.slice(0, REASON_LENGTH).replaceAll('\0', '').toWellFormed();
  await tx.run(setHoldReason, reason, message.id);
  const count = (await tx.run(holdQueued, message.id)) + (await leased(tx, message));
  return changed(tx, args, message, 'hold', count, reason);
}

export async function release(tx: WriteTx, args: Request): Promise<{ count: number }> {
  const message = await find(tx, args);
  await tx.run(setHoldReason, null, message.id);
  const rows = await tx.all(releaseHeld, tx.now, tx.now, message.id);
  await lineUpAll(tx, firstDue(rows));
  return changed(tx, args, message, 'release', rows.length, '');
}

/** Forgotten without telling the sender: at once what waits, after its attempt what is leased. */
export async function drop(tx: WriteTx, args: Request): Promise<{ count: number }> {
  const message = await find(tx, args);
  await tx.run(markDropped, tx.now, message.id);
  const dropped = await tx.run(dropWaiting, tx.now, message.id);
  await settleMessage(tx, message.id, dropped);
  await touchSubmissions(tx, [message.id]);
  return changed(tx, args, message, 'drop', dropped + (await leased(tx, message)), '');
}

export interface CancelRequest {
  readonly accountId: number;
  readonly submissionId: number;
  readonly by: string;
  /** The state that the submissions of the account must be at; else Refusal 'conflict'. */
  readonly ifSeq?: number | undefined;
}

export type Canceled = 'canceled' | 'too-late' | 'not-found';

/**
 * By its sender: what waits for its time of release is taken back, all of it, unless an attempt has begun. Against the
 * lease it is decided by whose transaction is first, so it is either sent or taken back, and never both.
 */
export async function cancel(tx: WriteTx, args: CancelRequest): Promise<Canceled> {
  const message = await tx.get(messageOfSubmission, args.accountId, args.submissionId);
  await requireSeq(tx, { ...args, kind: 'submission' });
  if (message === undefined) return 'not-found';
  const { id, queue_id: queueId, trace } = message;
  if (message.release_at === null || message.settled_at !== null) return 'too-late';
  if (((await tx.get(begun, id))?.count ?? 0) > 0) return 'too-late';
  let count = 0;
  for (const waiting of await tx.all(waitingOfTrace, trace)) {
    await tx.run(markDropped, tx.now, waiting.id);
    const dropped = await tx.run(dropWaiting, tx.now, waiting.id);
    await settleMessage(tx, waiting.id, dropped);
    if (waiting.id === id) count = dropped;
  }
  const data = { action: 'cancel', queueId, by: args.by, recipients: count, reason: '' };
  const event = { trace, at: tx.now, kind: 'queue.changed', data } as const;
  await record(tx, [{ ...event, terms: [terms.queueId(queueId)] }]);
  await touchSubmissions(tx, [id]);
  return 'canceled';
}

/** Its time is over now: what waits becomes due, what is leased will be after its attempt; the scheduler bounces. */
export async function bounce(tx: WriteTx, args: Request): Promise<{ count: number }> {
  const message = await find(tx, args);
  await tx.run(expireMessage, message.id);
  const rows = await tx.all(makeAllDue, tx.now, message.id);
  await dueNow(tx, rows);
  return changed(tx, args, message, 'bounce', rows.length + (await leased(tx, message)), '');
}

/** Forget messages settled before a time, oldest first. */
export async function purge(
  tx: WriteTx,
  args: { before: number; limit: number },
): Promise<{ messages: number; files: readonly string[] }> {
  const files: string[] = [];
  const messages = await tx.all(settledMessages, args.before, args.limit);
  for (const { id, blob_id: blob } of messages) {
    await keepOutcome(tx, id);
    await tx.run(deleteRecipients, id);
    await tx.run(deleteMessage, id);
    const file = await releaseBlob(tx, blob);
    if (file !== undefined) files.push(file);
  }
  return { messages: messages.length, files };
}
