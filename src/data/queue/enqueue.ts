import type { WriteTx } from '../db/sql.ts';
import { insertMessage, insertRecipient, lineUp } from './queue.sql.ts';
import type { Enqueue } from './types.ts';

/**
 * Put a message and its recipients into the queue, in the caller's transaction. The blob must be there already.
 * Recipients start queued and due now or at the message's time of release, or held when there is a `holdReason` (docs/queue.md).
 */
export async function enqueue(tx: WriteTx, blobId: number, message: Enqueue): Promise<void> {
  if (message.recipients.length === 0) throw new Error(`message ${message.queueId} has no recipients`);
  const held = message.holdReason !== undefined;
  const row = await tx.get(
    insertMessage,
    message.queueId,
    message.trace,
    blobId,
    message.prefix,
    message.hidden.length === 0 ? null : JSON.stringify(message.hidden),
    message.size,
    message.accountId ?? null,
    message.origin,
    message.reversePath,
    Number(message.mayBounce),
    message.ret ?? null,
    message.envid ?? null,
    message.body,
    Number(message.smtputf8),
    Number(message.requireTls),
    Number(message.originated),
    message.messageId ?? null,
    tx.now,
    message.warnAt ?? null,
    message.expiresAt ?? null,
    message.holdReason ?? null,
    message.releaseAt ?? null,
    message.recipients.length,
  );
  if (row === undefined) throw new Error('an INSERT returned no row');
  const dueAt = Math.max(tx.now, message.releaseAt ?? tx.now);
  const waiting = new Map<string, number>();
  for (const { address, destination, orcpt, notify, unheld = false } of message.recipients) {
    const state = held && !unheld ? 'held' : 'queued';
    await tx.run(insertRecipient, row.id, address, destination, orcpt ?? null, notify, state, dueAt);
    if (state === 'queued') waiting.set(destination, dueAt);
  }
  await lineUpAll(tx, waiting);
}

/**
 * Give destinations their places in the line (by the earliest due time each) and wake the scheduler. Always in the
 * same order, so that two transactions that want the same destinations wait for each other and never in a circle.
 */
export async function lineUpAll(tx: WriteTx, dueAt: ReadonlyMap<string, number>): Promise<void> {
  for (const destination of [...dueAt.keys()].toSorted()) {
    await tx.run(lineUp, destination, dueAt.get(destination) ?? tx.now);
  }
  if (dueAt.size > 0) tx.touchQueue();
}
