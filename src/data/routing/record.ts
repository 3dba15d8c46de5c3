import type { WriteTx } from '../db/sql.ts';
import { deliverConfirmed } from './confirm.ts';
import { addUsage, endSend, sendByTag } from './routing.sql.ts';
import type { SendState, SentTo, Usage } from './types.ts';

/** What a settlement writes of the way it took: in the queue's own commit. */

/** Names of the day and the month, UTC. */
export function periods(at: number): { readonly day: string; readonly month: string } {
  const day = new Date(at).toISOString().slice(0, 10);
  return { day, month: day.slice(0, 7) };
}

/** Count what a way has taken; called with the settlement, once. */
export async function countUsage(tx: WriteTx, way: string, usage: Usage): Promise<void> {
  const { day, month } = periods(tx.now);
  for (const period of [day, month])
    await tx.run(addUsage, way, period, usage.messages, usage.recipients, usage.octets);
}

/** How a call ended, written with the settlement. */
export interface SendEnd {
  readonly tag: string;
  readonly state: Exclude<SendState, 'started'>;
  readonly remoteId: string | undefined;
  /** Whom it was for, as far as it was taken or may have been. */
  readonly recipients: readonly SentTo[];
}

export async function endSends(tx: WriteTx, ends: readonly SendEnd[]): Promise<void> {
  for (const { tag, state, remoteId, recipients } of ends) {
    const json = JSON.stringify(recipients.map(({ id, address }) => [id, address]));
    await tx.run(endSend, state, remoteId ?? null, json, tag);
    const row = state === 'unsure' ? await tx.get(sendByTag, tag) : undefined;
    if (row !== undefined) await deliverConfirmed(tx, row);
  }
}
