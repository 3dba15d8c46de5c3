import type { WriteFunction } from '../catalogue.ts';
import type { WriteTx } from '../db/sql.ts';
import { saveSetting } from '../directory/site-settings.ts';
import type { Actor } from '../directory/types.ts';
import { addressKey, confirmedIn, deliverConfirmed } from './confirm.ts';
import { periods } from './record.ts';
import {
  confirmSend,
  deleteRefusal,
  deleteRefusalsBefore,
  deleteSendsBefore,
  deleteUsageBefore,
  insertSend,
  putRefusal,
  sendByTag,
} from './routing.sql.ts';
import { SETTING } from './rows.ts';
import type { Send } from './types.ts';

type W<A, R> = WriteFunction<A, R>;

/** UTF-16 units of a reply that are kept. */
const REPLY_LENGTH = 500;
/** Milliseconds that a call is remembered, for reports that come late: complaints take weeks. */
const SENDS_KEPT_MS = 45 * 86_400_000;
/** Milliseconds after its probe that a refusal which nothing has asked about is forgotten. */
const REFUSALS_KEPT_MS = 14 * 86_400_000;
/** Milliseconds that days and months are counted. */
const USAGE_KEPT_MS = 400 * 86_400_000;

function saveSettings(
  tx: WriteTx,
  { actor, json, what }: { actor: Actor; json: string; what: string },
): Promise<null> {
  return saveSetting(tx, { actor, name: SETTING, json, action: 'routing.settings', subject: what });
}

async function refuse(
  tx: WriteTx,
  args: { way: string; destination: string; cause: string; reply: string; until: number; failures: number },
): Promise<null> {
  const { way, destination, cause, until, failures } = args;
  await tx.run(
    putRefusal,
    way,
    destination,
    cause,
    args.reply.slice(0, REPLY_LENGTH).replaceAll('\0', '\ufffd').toWellFormed(),
    tx.now,
    until,
    failures,
  );
  return null;
}

async function forget(tx: WriteTx): Promise<null> {
  await tx.run(deleteRefusalsBefore, tx.now - REFUSALS_KEPT_MS);
  await tx.run(deleteUsageBefore, periods(tx.now - USAGE_KEPT_MS).month);
  await tx.run(deleteSendsBefore, tx.now - SENDS_KEPT_MS);
  return null;
}

/** A call that is about to be made. */
export interface Begin extends Omit<Send, 'state' | 'remoteId' | 'startedAt'> {
  /** Of the queue's message. */
  readonly messageId: number;
}

async function begin(tx: WriteTx, args: Begin): Promise<null> {
  const { tag, way, messageId, queueId, trace, accountId, reversePath, recipients, graceMs } = args;
  const json = JSON.stringify(recipients.map(({ id, address }) => [id, address]));
  const account = accountId ?? null;
  await tx.run(insertSend, tag, way, messageId, queueId, trace, account, reversePath, json, tx.now, graceMs);
  return null;
}

/** A service says that it took a message. */
export interface Confirmation {
  readonly tag: string;
  readonly way: string;
  /** The service's own id of the message. */
  readonly remoteId: string;
  /** For whom it took it: a call may have been made in parts. */
  readonly destination: readonly string[];
}

/**
 * The service reports that it took the message: what was unsure is delivered, and is not sent again. Answers how many
 * recipients no longer wait.
 */
async function confirm(tx: WriteTx, args: Confirmation): Promise<{ known: boolean; delivered: number }> {
  const row = await tx.get(sendByTag, args.tag);
  if (row === undefined) return { known: false, delivered: 0 };
  const confirmed = new Set([...confirmedIn(row), ...args.destination.map(addressKey)]);
  const json = JSON.stringify([...confirmed]);
  await tx.run(confirmSend, args.remoteId, json, args.tag);
  // An attempt that is still under way, or a process that died in one, settles them when it ends.
  const delivered = await deliverConfirmed(tx, { ...row, remote_id: args.remoteId, confirmed: json });
  return { known: true, delivered };
}

export const writes = {
  /** The JSON must have been checked. Refusal 'not-permitted'. */
  'routing.saveSettings': saveSettings as W<{ actor: Actor; json: string; what: string }, null>,
  /** A destination refuses a way until then. */
  'routing.refuse': refuse as W<
    { way: string; destination: string; cause: string; reply: string; until: number; failures: number },
    null
  >,
  'routing.accept': (async (tx, { way, destination }) => {
    await tx.run(deleteRefusal, way, destination);
    return null;
  }) as W<{ way: string; destination: string }, null>,
  /** Before a call to a service that reports later: whatever happens to us, its report finds the message. */
  'routing.begin': begin as W<Begin, null>,
  'routing.confirm': confirm as W<Confirmation, { known: boolean; delivered: number }>,
  /** A job. */
  'routing.forget': forget as W<null, null>,
} as const;
