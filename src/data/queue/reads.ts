import { long, point } from '../catalogue.ts';
import type { ReadTx } from '../db/sql.ts';
import {
  createdAtOfRecipient,
  messageById,
  messageByQueueId,
  type MessageRow,
  messagesByRecipient,
  nextInLine,
  openCounts,
  openMessages,
  recipientsOfMessage,
} from './queue.sql.ts';
import { toMessage, toRecipient } from './rows.ts';
import type { QueueMessage, QueueRecipient } from './types.ts';

export interface QueueEntry {
  message: QueueMessage;
  recipients: QueueRecipient[];
}

async function entry(tx: ReadTx, row: MessageRow): Promise<QueueEntry> {
  const recipients = await tx.all(recipientsOfMessage, row.id);
  return { message: toMessage(row), recipients: recipients.map(toRecipient) };
}

async function list(
  tx: ReadTx,
  args: { state?: string; destination?: string; limit: number; after?: number },
): Promise<QueueEntry[]> {
  const { state = '', destination = '', limit, after = 0 } = args;
  const ids =
    state === '' && destination === ''
      ? await tx.all(openMessages, after, limit)
      : await tx.all(messagesByRecipient, after, state, state, destination, destination, limit);
  const entries: QueueEntry[] = [];
  for (const { id } of ids) {
    const row = await tx.get(messageById, id);
    if (row !== undefined) entries.push(await entry(tx, row));
  }
  return entries;
}

async function counts(tx: ReadTx): Promise<{ state: string; count: number; oldest: number | undefined }[]> {
  const result: { state: string; count: number; oldest: number | undefined }[] = [];
  for (const { state, count, first } of await tx.all(openCounts)) {
    const created = first === null ? undefined : await tx.get(createdAtOfRecipient, first);
    result.push({ state, count, oldest: created?.created_at });
  }
  return result;
}

export const reads = {
  /**
   * Messages by ascending id, from `after` on: those not settled, or those with a recipient in `state` and at
   * `destination`. All recipients of each.
   */
  'queue.list': long(list),
  'queue.show': point(async (tx: ReadTx, args: { queueId: string }): Promise<QueueEntry | undefined> => {
    const row = await tx.get(messageByQueueId, args.queueId);
    return row === undefined ? undefined : entry(tx, row);
  }),
  /** When the next recipient is due (ms; what is due already gives a time not after now), or undefined. */
  'queue.nextDue': point(
    async (tx: ReadTx, args: { busy: readonly string[] }): Promise<number | undefined> => {
      const busy = new Set(args.busy);
      const line = await tx.all(nextInLine, busy.size + 1);
      return line.find(({ destination }) => !busy.has(destination))?.due_at;
    },
  ),
  /** Recipients not settled yet, by state; `oldest`: when the oldest one's message came (ms). */
  'queue.counts': long((tx: ReadTx, _args: null) => counts(tx)),
} as const;
