import { Refusal } from '../../base/errors.ts';
import type { WriteTx } from '../db/sql.ts';
import { record } from '../journal/record.ts';
import type { DepositResult } from '../mailstore/types.ts';
import { send } from '../queue/settle.ts';
import { insertRecipient, objectByName, putObject, recipientByName } from './intake.sql.ts';
import type { IntakePart, IntakeSettle } from './types.ts';

/** UTF-16 units kept of a reason. */
const REASON_LENGTH = 500;

/**
 * Write down who has got an object, with the commit that gives it to them. Refusal 'conflict', and nothing is kept, when
 * somebody else has given it to one of them meanwhile. What was told of it before is not forgotten.
 */
export async function noteIntake(
  tx: WriteTx,
  part: IntakePart,
  deposits: readonly DepositResult[] = [],
): Promise<void> {
  const { bucket, key } = part;
  let missed = false;
  for (const { recipient, outcome, deposits: places } of part.settled) {
    const stored = places === undefined || places.some((place) => deposits[place]?.status === 'stored');
    if (!stored) {
      missed = true;
      continue;
    }
    if ((await tx.get(recipientByName, bucket, key, recipient)) !== undefined) {
      throw new Refusal('conflict', `${recipient} has got ${key} already.`);
    }
    await tx.run(insertRecipient, bucket, key, recipient, outcome, tx.now);
  }
  const before = await tx.get(objectByName, bucket, key);
  const state = missed ? 'waiting' : part.state;
  await tx.run(
    putObject,
    bucket,
    key,
    part.source,
    state,
    part.trace,
    part.toldBy,
    before?.first_at ?? tx.now,
    before?.received_at ?? Math.floor(part.receivedAt),
    part.size ?? null,
    (before?.attempts ?? 0) + (part.attempt ? 1 : 0),
    missed ? tx.now : (part.nextAt ?? null),
    clean(part.reason),
    part.recipients === undefined ? (before?.recipients ?? null) : JSON.stringify(part.recipients),
    part.notice ?? before?.notice ?? null,
    state === 'waiting' ? null : (before?.settled_at ?? tx.now),
  );
}

/** An object that nobody here gets, or that has to wait: written with what the sender is told. */
export async function settleIntake(tx: WriteTx, { part, notices, events }: IntakeSettle): Promise<null> {
  await noteIntake(tx, part);
  for (const notice of notices) await send(tx, notice);
  if (events.length > 0) await record(tx, events);
  return null;
}

/** Text from outside, made fit for either engine: no NUL, no half surrogates, bounded. */
function clean(text: string): string {
  return text.slice(0, REASON_LENGTH).replaceAll('\0', '\ufffd').toWellFormed();
}
