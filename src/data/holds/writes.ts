import { Refusal } from '../../base/errors.ts';
import { timeId } from '../../base/ids.ts';
import type { WriteFunction } from '../catalogue.ts';
import type { WriteTx } from '../db/sql.ts';
import { type Accept, accept } from '../delivery/accept.ts';
import { needAccount } from '../directory/find.ts';
import { audit, requireAccount } from '../directory/permission.ts';
import type { Account, Actor } from '../directory/types.ts';
import { touchSubmissions } from '../jmap/submissions.ts';
import { record } from '../journal/record.ts';
import { type JournalEvent, terms } from '../journal/types.ts';
import { dropWaiting, markDropped, releaseHeld, setHoldReason } from '../queue/admin.sql.ts';
import { firstDue } from '../queue/admin.ts';
import { lineUpAll } from '../queue/enqueue.ts';
import { settleMessage } from '../queue/settle.ts';
import {
  addVolume,
  deleteHold,
  deleteVolumeBefore,
  heldMessages,
  insertHold,
  raiseUsual,
  shiftTimes,
} from './holds.sql.ts';
import { dayOf, HELD, USUAL_DAYS, type Volume } from './types.ts';

type W<A, R> = WriteFunction<A, R>;

/** UTF-16 units of the reason of a hold. */
const REASON_LENGTH = 400;

/** `notices` tell its owner and the administrators; they stand exactly when the hold is new. */
async function set(
  tx: WriteTx,
  args: { accountId: number; reason: string; events: readonly JournalEvent[]; notices: readonly Accept[] },
): Promise<{ isNew: boolean }> {
  const reason = args.reason.slice(0, REASON_LENGTH);
  if ((await tx.run(insertHold, args.accountId, reason, tx.now)) === 0) return { isNew: false };
  for (const notice of args.notices) await accept(tx, notice);
  await record(tx, args.events);
  return { isNew: true };
}

export interface Release {
  readonly actor: Actor;
  readonly address: string;
  /** Forget what is held instead of sending it; nobody is told. */
  readonly drop: boolean;
  /** Set: nothing can leave at present, for this reason; what is released waits for that. */
  readonly keepHeld?: string | undefined;
  /** Messages in one call. */
  readonly limit: number;
  /** False: goes on with a release that has begun. */
  readonly isFirst: boolean;
}

export interface Released {
  readonly accountId: number;
  readonly messages: number;
  readonly recipients: number;
  /** There are more held messages: call again. */
  readonly more: boolean;
}

/** End the hold of an account, and send or drop what waits. Refusal 'not-found' when nothing of it is held. */
async function release(tx: WriteTx, args: Release): Promise<Released> {
  const account = await needAccount(tx, args.address);
  requireAccount(args.actor, account);
  const wasHeld = (await tx.run(deleteHold, account.id)) > 0;
  const held = await tx.all(heldMessages, account.id, `${HELD}%`, args.limit);
  if (args.isFirst && !wasHeld && held.length === 0) {
    throw new Refusal('not-found', `Nothing that ${account.address} sends is held.`);
  }
  let recipients = 0;
  const dueAt = new Map<string, number>();
  const events: JournalEvent[] = [];
  for (const message of held) {
    const count = args.drop ? await dropOne(tx, message.id) : await sendOne(tx, message.id, args, dueAt);
    recipients += count;
    events.push(changed(tx, args, message, count));
  }
  await lineUpAll(tx, dueAt);
  if (!args.drop) await countReleased(tx, account.id, held.length, recipients);
  await audit(tx, args.actor, args.drop ? 'hold.drop' : 'hold.release', account.address, {
    messages: held.length,
    recipients,
  });
  if (wasHeld) events.push(releasedEvent(tx, args, account));
  await record(tx, events);
  if (args.drop)
    await touchSubmissions(
      tx,
      held.map(({ id }) => id),
    );
  return { accountId: account.id, messages: held.length, recipients, more: held.length >= args.limit };
}

async function dropOne(tx: WriteTx, messageId: number): Promise<number> {
  await tx.run(markDropped, tx.now, messageId);
  const dropped = await tx.run(dropWaiting, tx.now, messageId);
  await settleMessage(tx, messageId, dropped);
  return dropped;
}

async function sendOne(
  tx: WriteTx,
  messageId: number,
  { keepHeld }: Release,
  dueAt: Map<string, number>,
): Promise<number> {
  await tx.run(shiftTimes, tx.now, tx.now, messageId);
  await tx.run(setHoldReason, keepHeld ?? null, messageId);
  if (keepHeld !== undefined) return 0;
  const rows = await tx.all(releaseHeld, tx.now, tx.now, messageId);
  for (const [destination, at] of firstDue(rows))
    dueAt.set(destination, Math.min(at, dueAt.get(destination) ?? at));
  return rows.length;
}

function countReleased(
  tx: WriteTx,
  accountId: number,
  messages: number,
  recipients: number,
): Promise<number> {
  const day = dayOf(tx.now);
  return tx
    .run(addVolume, accountId, day, messages, recipients, recipients, accountId)
    .then(() => tx.run(raiseUsual, accountId, day));
}

function changed(
  tx: WriteTx,
  { actor, drop }: Release,
  message: { queue_id: string; trace: string },
  recipients: number,
): JournalEvent {
  const action = drop ? 'drop' : 'release';
  const data = { action, queueId: message.queue_id, by: actor.name, recipients, reason: '' };
  const event = { trace: message.trace, at: tx.now, kind: 'queue.changed', data } as const;
  return { ...event, terms: [terms.queueId(message.queue_id)] };
}

function releasedEvent(tx: WriteTx, { actor, drop }: Release, account: Account): JournalEvent {
  return {
    trace: timeId(tx.now),
    at: tx.now,
    kind: 'account.released',
    data: { account: account.address, by: actor.name, dropped: drop },
    terms: [terms.address(account.address)],
  };
}

async function count(
  tx: WriteTx,
  args: { rows: readonly (Volume & { readonly accountId: number; readonly day: number })[] },
): Promise<null> {
  for (const { accountId, day, messages, recipients, strangers } of args.rows) {
    await tx.run(addVolume, accountId, day, messages, recipients, strangers, accountId);
  }
  return null;
}

export const writes = {
  /** Hold what an account sends. `isNew` false: it was held already, and nobody was told again. */
  'holds.set': set as W<
    { accountId: number; reason: string; events: readonly JournalEvent[]; notices: readonly Accept[] },
    { isNew: boolean }
  >,
  'holds.release': release as W<Release, Released>,
  /** What accounts have sent, to be added to their days. */
  'holds.count': count as W<
    { rows: readonly (Volume & { readonly accountId: number; readonly day: number })[] },
    null
  >,
  /** A job: days that say nothing about what is usual any more. */
  'holds.forget': (async (tx, { now }) => {
    await tx.run(deleteVolumeBefore, dayOf(now) - USUAL_DAYS - 1);
    return null;
  }) as W<{ now: number }, null>,
} as const;
