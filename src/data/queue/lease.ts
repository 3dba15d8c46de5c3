import type { WriteTx } from '../db/sql.ts';
import {
  dueDestinations,
  endRelease,
  firstDue,
  leaseGroup,
  leaveLine,
  moveInLine,
  nextAtOf,
} from './attempts.sql.ts';
import { touchSubmissions } from '../jmap/submissions.ts';
import { messageById } from './queue.sql.ts';
import { toMessage, toRecipient } from './rows.ts';
import type { LeasedWork } from './types.ts';

/** Recipients of one message and destination in one group: one SMTP transaction (RFC 5321 4.5.3.1.8). */
const GROUP_RECIPIENTS = 100;

/** How often one call looks further down the line when nothing at its head was due. */
const PASSES = 20;

export interface LeaseRequest {
  readonly owner: string;
  readonly leaseMs: number;
  readonly limit: number;
  readonly perDestination: number;
  readonly busy: readonly string[];
}

/**
 * Destinations stand in a line; each is served from its head and then goes to the end (queue_destinations), so a
 * hundred thousand messages to one destination never keep one message to another waiting, and no lease reads more
 * rows than it takes. Within a call they take turns, one group each, until the limit or `perDestination` is reached.
 */
export async function lease(tx: WriteTx, request: LeaseRequest): Promise<LeasedWork[]> {
  const busy = new Set(request.busy);
  const window = request.limit + busy.size;
  for (let pass = 0; pass < PASSES; pass++) {
    const rows = await tx.all(dueDestinations, tx.now, window);
    const line = rows.map((row) => row.destination).filter((destination) => !busy.has(destination));
    const work = await serve(tx, request, line);
    // Nothing: places of what was held or dropped meanwhile. They have gone now; look at those behind.
    if (work.length > 0 || rows.length < window) return work;
  }
  return [];
}

async function serve(tx: WriteTx, request: LeaseRequest, line: readonly string[]): Promise<LeasedWork[]> {
  const visited: string[] = [];
  const released: number[] = [];
  let turn = line;
  const work: LeasedWork[] = [];
  for (let round = 0; round < request.perDestination && turn.length > 0; round++) {
    const again: string[] = [];
    for (const destination of turn) {
      if (work.length >= request.limit) break;
      if (round === 0) visited.push(destination);
      const group = await leaseNext(tx, request, destination, released);
      if (group === undefined) continue;
      work.push(group);
      again.push(destination);
    }
    turn = again;
  }
  for (const destination of visited) await moveOn(tx, destination);
  await touchSubmissions(tx, released);
  return work;
}

async function leaseNext(
  tx: WriteTx,
  request: LeaseRequest,
  destination: string,
  released: number[],
): Promise<LeasedWork | undefined> {
  const first = await tx.get(firstDue, destination, tx.now);
  if (first === undefined) return undefined;
  const until = tx.now + request.leaseMs;
  const { owner } = request;
  const { message_id: messageId } = first;
  const rows = await tx.all(leaseGroup, messageId, destination, tx.now, GROUP_RECIPIENTS, owner, until);
  const message = await tx.get(messageById, messageId);
  if (rows.length === 0 || message === undefined) return undefined;
  if (message.release_at !== null) {
    // From its first attempt on it is not taken back any more.
    await tx.run(endRelease, messageId);
    message.release_at = null;
    released.push(messageId);
  }
  const recipients = rows.map(toRecipient).toSorted((a, b) => a.id - b.id);
  return { message: toMessage(message), destination, recipients };
}

/** After its turn a destination stands where its next recipient puts it, but behind all that wait already. */
async function moveOn(tx: WriteTx, destination: string): Promise<void> {
  const next = await tx.get(nextAtOf, destination);
  if (next === undefined) await tx.run(leaveLine, destination);
  else await tx.run(moveInLine, Math.max(next.next_at, tx.now), destination);
}
