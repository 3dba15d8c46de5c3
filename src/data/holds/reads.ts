import { long, point } from '../catalogue.ts';
import type { ReadTx } from '../db/sql.ts';
import { senderKey } from '../spam/address.ts';
import { allHolds, correspondent, countHeld, holdOf, largestDay } from './holds.sql.ts';
import { HELD, type HeldAccount, type OutgoingState, USUAL_DAYS } from './types.ts';

async function state(
  tx: ReadTx,
  args: { accountId: number; day: number; addresses: readonly string[] },
): Promise<OutgoingState> {
  const { accountId, day, addresses } = args;
  const hold = await tx.get(holdOf, accountId);
  const most = await tx.get(largestDay, accountId, day - USUAL_DAYS, day);
  let strangers = 0;
  for (const address of new Set(addresses.map(senderKey))) {
    if ((await tx.get(correspondent, accountId, address)) === undefined) strangers++;
  }
  return {
    hold: hold && { reason: hold.reason, since: hold.created_at },
    largest: {
      messages: most?.messages ?? 0,
      recipients: most?.recipients ?? 0,
      strangers: most?.strangers ?? 0,
    },
    strangers,
  };
}

async function list(tx: ReadTx): Promise<HeldAccount[]> {
  const none = { messages: 0, recipients: 0, oldest: undefined };
  const found = new Map<number, HeldAccount>();
  for (const { account_id: id, address, reason, created_at: since } of await tx.all(allHolds)) {
    found.set(id, { account: address, hold: { reason, since }, ...none });
  }
  for (const { account_id: id, address, messages, recipients, first } of await tx.all(
    countHeld,
    `${HELD}%`,
  )) {
    found.set(id, { account: address, hold: found.get(id)?.hold, messages, recipients, oldest: first });
  }
  return [...found.values()];
}

export const reads = {
  /** What a submission has to know: is the account held, what is usual of it, whom of these does it not know. */
  'holds.state': point(state),
  'holds.list': long((tx: ReadTx, _args: null) => list(tx)),
} as const;
