import { Refusal } from '../../base/errors.ts';
import { point, type WriteFunction } from '../catalogue.ts';
import type { ReadTx, WriteTx } from '../db/sql.ts';
import { type Accept, accept } from '../delivery/accept.ts';
import { audit, requireAdmin } from '../directory/permission.ts';
import type { Actor } from '../directory/types.ts';
import type { SuppressionState } from '../directory/undo-types.ts';
import { record } from '../journal/record.ts';
import type { JournalEvent } from '../journal/types.ts';
import type { NewOutgoing } from '../queue/types.ts';
import { send } from '../queue/settle.ts';
import {
  countSuppressions,
  deleteSeenBefore,
  deleteSuppression,
  deleteSuppressionsUntil,
  insertSeen,
  putSuppression,
  type SuppressionRow,
  suppressionOf,
  suppressionsAfter,
} from './suppression.sql.ts';

/** Addresses that nothing is sent to, because what was sent came back or was complained of. */

/** UTF-16 units of the words that are kept. */
const DETAIL_LENGTH = 500;

/** Milliseconds that a report is known again. */
const SEEN_MS = 90 * 86_400_000;

export type SuppressionReason = 'bounce' | 'complaint' | 'manual';

/** Times in milliseconds since the epoch. */
export interface Suppression {
  /** Lower case. */
  readonly address: string;
  readonly reason: SuppressionReason;
  readonly source: 'dsn' | 'ses' | 'arf' | 'admin';
  /** The words that came. */
  readonly detail: string;
  /** Of the message it was about. */
  readonly queueId: string | undefined;
  readonly accountId: number | undefined;
  readonly createdAt: number;
  /** Undefined: for ever. */
  readonly until: number | undefined;
}

export type NewSuppression = Omit<Suppression, 'createdAt'>;

/** The one spelling of an address here: letter case says nothing to those who bounce. */
export function suppressionKey(address: string): string {
  return address.toLowerCase();
}

function toSuppression(row: SuppressionRow): Suppression {
  return {
    address: row.address,
    reason: row.reason as SuppressionReason,
    source: row.source as Suppression['source'],
    detail: row.detail,
    queueId: row.queue_id ?? undefined,
    accountId: row.account_id ?? undefined,
    createdAt: row.created_at,
    until: row.until ?? undefined,
  };
}

export async function suppress(tx: WriteTx, entry: NewSuppression): Promise<void> {
  await tx.run(
    putSuppression,
    suppressionKey(entry.address),
    entry.reason,
    entry.source,
    entry.detail.slice(0, DETAIL_LENGTH).replaceAll('\0', '\ufffd').toWellFormed(),
    entry.queueId ?? null,
    entry.accountId ?? null,
    tx.now,
    entry.until ?? null,
  );
}

/** Null: mail is sent to it. */
export async function suppressionState(tx: WriteTx, address: string): Promise<SuppressionState | null> {
  const row = await tx.get(suppressionOf, suppressionKey(address), tx.now);
  return row === undefined
    ? null
    : { reason: row.reason, source: row.source, detail: row.detail, until: row.until };
}

async function add(
  tx: WriteTx,
  args: { entries: readonly NewSuppression[]; events: readonly JournalEvent[]; actor?: Actor },
): Promise<null> {
  if (args.actor !== undefined) {
    requireAdmin(args.actor);
    for (const entry of args.entries) {
      const before = await suppressionState(tx, entry.address);
      await suppress(tx, entry);
      const after = await suppressionState(tx, entry.address);
      const undo = { kind: 'suppression', address: suppressionKey(entry.address), before, after } as const;
      await audit(tx, args.actor, 'suppression.add', entry.address, { detail: entry.detail }, undo);
    }
  } else for (const entry of args.entries) await suppress(tx, entry);
  await record(tx, args.events);
  return null;
}

/** What follows from a report about mail of ours. */
export interface Feedback {
  /** Names the report: the same one follows once. */
  readonly key: string;
  readonly entries: readonly NewSuppression[];
  readonly events: readonly JournalEvent[];
  /** Notifications to senders. */
  readonly outgoing: readonly NewOutgoing[];
  /** Mail to people here who have to know. */
  readonly notices?: readonly Accept[];
}

/** `isNew` false: it was acted upon before, nothing was done. */
async function apply(tx: WriteTx, feedback: Feedback): Promise<{ isNew: boolean }> {
  if ((await tx.run(insertSeen, feedback.key, tx.now)) === 0) return { isNew: false };
  for (const entry of feedback.entries) await suppress(tx, entry);
  for (const outgoing of feedback.outgoing) await send(tx, outgoing);
  for (const notice of feedback.notices ?? []) await accept(tx, notice);
  await record(tx, feedback.events);
  return { isNew: true };
}

/** Refusal 'not-found' when it is not on the list. */
export async function remove(tx: WriteTx, args: { actor: Actor; address: string }): Promise<null> {
  requireAdmin(args.actor);
  const address = suppressionKey(args.address);
  const before = await suppressionState(tx, address);
  if ((await tx.run(deleteSuppression, address)) === 0)
    throw new Refusal('not-found', `${args.address} is not on the suppression list.`);
  const undo = { kind: 'suppression', address, before, after: null } as const;
  await audit(tx, args.actor, 'suppression.remove', address, {}, undo);
  return null;
}

export const writes = {
  /** With an actor it is an administrator's wish, and audited. */
  'suppression.add': add as WriteFunction<
    { entries: readonly NewSuppression[]; events: readonly JournalEvent[]; actor?: Actor },
    null
  >,
  'suppression.feedback': apply as WriteFunction<Feedback, { isNew: boolean }>,
  'suppression.remove': remove as WriteFunction<{ actor: Actor; address: string }, null>,
  'suppression.forget': (async (tx) => {
    await tx.run(deleteSuppressionsUntil, tx.now);
    await tx.run(deleteSeenBefore, tx.now - SEEN_MS);
    return null;
  }) as WriteFunction<null, null>,
} as const;

export const reads = {
  /** Those of the addresses that are on the list. */
  'suppression.of': point(
    async (
      tx: ReadTx,
      args: { addresses: readonly string[]; now: number },
    ): Promise<readonly Suppression[]> => {
      const found: Suppression[] = [];
      for (const address of new Set(args.addresses.map(suppressionKey))) {
        const row = await tx.get(suppressionOf, address, args.now);
        if (row !== undefined) found.push(toSuppression(row));
      }
      return found;
    },
  ),
  'suppression.count': point(
    async (tx: ReadTx, { now }: { now: number }): Promise<number> =>
      (await tx.get(countSuppressions, now))?.count ?? 0,
  ),
  'suppression.list': point(
    async (
      tx: ReadTx,
      args: { after: string; now: number; limit: number },
    ): Promise<readonly Suppression[]> =>
      (await tx.all(suppressionsAfter, args.after, args.now, args.limit)).map(toSuppression),
  ),
} as const;
