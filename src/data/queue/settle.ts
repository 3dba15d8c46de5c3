import { enqueue, lineUpAll } from './enqueue.ts';
import { storeBlob } from '../blobs/writes.ts';
import type { WriteTx } from '../db/sql.ts';
import { touchSubmissions } from '../jmap/submissions.ts';
import { record } from '../journal/record.ts';
import { type JournalEvent, terms } from '../journal/types.ts';
import {
  countSettled,
  endLease,
  expiredLeases,
  leaseOf,
  type LeaseRow,
  leasesOf,
  type LostLease,
  markWarned,
} from './attempts.sql.ts';
import { deliverConfirmed } from '../routing/confirm.ts';
import { countUsage, endSends, type SendEnd } from '../routing/record.ts';
import { startedSends } from '../routing/routing.sql.ts';
import { sentTo } from '../routing/rows.ts';
import type { Usage } from '../routing/types.ts';
import type { NewOutgoing, RecipientState, Settlement } from './types.ts';

/** UTF-16 units of a reply that are kept: enough for several lines. */
const REPLY_LENGTH = 2000;
const HOST_LENGTH = 300;

export interface SettleRequest {
  readonly owner: string;
  readonly settlements: readonly Settlement[];
  readonly warned: readonly number[];
  readonly outgoing: readonly NewOutgoing[];
  readonly events: readonly JournalEvent[];
  /** What the ways that were tried took, and how calls to services that report later ended. */
  readonly usage?: readonly ({ readonly way: string } & Usage)[];
  readonly sends?: readonly SendEnd[];
}

/** What a transaction changes in sum, written once at its end. */
class Tally {
  /** Messages with anything that is told of. */
  readonly messages = new Set<number>();
  readonly settled = new Map<number, number>();
  readonly dueAt = new Map<string, number>();

  queued(destination: string, at: number): void {
    this.dueAt.set(destination, Math.min(at, this.dueAt.get(destination) ?? at));
  }

  settle(messageId: number): void {
    this.settled.set(messageId, (this.settled.get(messageId) ?? 0) + 1);
  }

  async write(tx: WriteTx): Promise<void> {
    for (const [messageId, count] of this.settled) await settleMessage(tx, messageId, count);
    await lineUpAll(tx, this.dueAt);
  }
}

export async function settleMessage(tx: WriteTx, messageId: number, count: number): Promise<void> {
  if (count > 0) await tx.run(countSettled, count, count, tx.now, messageId);
}

/**
 * End attempts. A recipient whose lease is no longer the owner's (it ran out and was recovered) is left as it is and
 * listed in `stale`. Journal events stand whatever happens: they tell what was done. Outgoing messages go in unless
 * every settlement was stale: then somebody else has the recipients and will tell the sender.
 */
export async function settle(tx: WriteTx, request: SettleRequest): Promise<{ stale: readonly number[] }> {
  const tally = new Tally();
  const stale: number[] = [];
  for (const settlement of request.settlements) {
    const row = await tx.get(leaseOf, settlement.recipientId, request.owner);
    if (row === undefined) stale.push(settlement.recipientId);
    else await settleOne(tx, settlement, row, tally);
  }
  for (const id of request.warned) if (!stale.includes(id)) await tx.run(markWarned, id);
  await tally.write(tx);
  if (stale.length === 0 || stale.length < request.settlements.length) {
    for (const outgoing of request.outgoing) await send(tx, outgoing);
  }
  for (const { way, ...usage } of request.usage ?? []) await countUsage(tx, way, usage);
  await endSends(tx, request.sends ?? []);
  await record(tx, request.events);
  await touchSubmissions(tx, tally.messages);
  return { stale };
}

/** Put a message of our own making into the queue, octets and all. */
export async function send(tx: WriteTx, { blob, enqueue: message }: NewOutgoing): Promise<void> {
  await enqueue(tx, await storeBlob(tx, blob), message);
}

async function settleOne(tx: WriteTx, settlement: Settlement, row: LeaseRow, tally: Tally): Promise<void> {
  const { outcome, recipientId } = settlement;
  const attempts = outcome === 'released' ? 0 : 1;
  const reply = attempts === 0 ? null : clean(settlement.reply, REPLY_LENGTH);
  const host = attempts === 0 ? null : clean(settlement.host ?? '', HOST_LENGTH) || null;
  const state = outcome === 'deferred' || outcome === 'released' ? waitingState(row) : outcome;
  const nextAt = 'nextAt' in settlement ? untilExpiry(settlement.nextAt, row, tx.now) : tx.now;
  const settledAt = isSettled(state) ? tx.now : null;
  await tx.run(
    endLease,
    state,
    nextAt,
    attempts,
    attempts === 0 ? null : tx.now,
    reply,
    host,
    settledAt,
    recipientId,
  );
  if (attempts > 0) tally.messages.add(row.message_id);
  if (settledAt !== null) tally.settle(row.message_id);
  else if (state === 'queued') tally.queued(row.destination, nextAt);
}

/** What becomes of a recipient that would be queued: its message may have been held or dropped during the attempt. */
function waitingState(message: { hold_reason: string | null; dropped_at: number | null }): RecipientState {
  if (message.dropped_at !== null) return 'dropped';
  return message.hold_reason === null ? 'queued' : 'held';
}

function isSettled(state: RecipientState): boolean {
  return state === 'delivered' || state === 'failed' || state === 'dropped';
}

/** Nothing waits past its expiry: the sender is told then, not an hour later. */
function untilExpiry(nextAt: number, row: LeaseRow, now: number): number {
  if (row.expires_at === null) return nextAt;
  return Math.min(nextAt, Math.max(row.expires_at, now));
}

/** Text from another host, made fit for either engine: no NUL, no half surrogates, bounded. */
function clean(text: string, length: number): string {
  return text.slice(0, length).replaceAll('\0', '\ufffd').toWellFormed();
}

/**
 * Leases without an owner become queued again, due now: all of `owner` (its process is known to be dead), or with
 * null those that ran out. The attempt counts, because it may have been one; whether it delivered cannot be known.
 */
export async function recover(
  tx: WriteTx,
  args: { owner: string | null },
): Promise<{ recipients: readonly { id: number; queueId: string; trace: string; address: string }[] }> {
  const { owner } = args;
  const found = owner === null ? await tx.all(expiredLeases, tx.now) : await tx.all(leasesOf, owner);
  const lost = found.toSorted((a, b) => a.id - b.id);
  const tally = new Tally();
  const reports = await expectedReports(tx, lost);
  for (const row of lost) {
    const state = waitingState(row);
    const reply = 'The attempt was interrupted; whether it delivered is not known';
    const nextAt = reports.get(row.id) ?? tx.now;
    await tx.run(endLease, state, nextAt, 1, tx.now, reply, null, isSettled(state) ? tx.now : null, row.id);
    if (isSettled(state)) tally.settle(row.message_id);
    else if (state === 'queued') tally.queued(row.destination, nextAt);
  }
  await tally.write(tx);
  await record(
    tx,
    lost.map((row) => interrupted(row, tx.now)),
  );
  for (const messageId of new Set(lost.map((row) => row.message_id)))
    for (const send of await tx.all(startedSends, messageId)) await deliverConfirmed(tx, send);
  await touchSubmissions(tx, new Set(lost.map((row) => row.message_id)));
  return {
    recipients: lost.map((row) => ({
      id: row.id,
      queueId: row.queue_id,
      trace: row.trace,
      address: row.address,
    })),
  };
}

/** Until when to wait for a service that will tell whether it took a message; by recipient id. */
async function expectedReports(tx: WriteTx, lost: readonly LostLease[]): Promise<Map<number, number>> {
  const until = new Map<number, number>();
  for (const messageId of new Set(lost.map((row) => row.message_id))) {
    for (const send of await tx.all(startedSends, messageId)) {
      for (const { id } of sentTo(send)) until.set(id, tx.now + send.grace_ms);
    }
  }
  return until;
}

function interrupted(row: LostLease, at: number): JournalEvent {
  return {
    trace: row.trace,
    at,
    kind: 'delivery.interrupted',
    data: {
      queueId: row.queue_id,
      recipient: row.address,
      destination: row.destination,
      reason: 'the program ended or lost its lease during the attempt; it may have delivered',
    },
    terms: [terms.queueId(row.queue_id), terms.address(row.address)],
  };
}
