import { Refusal } from '../../base/errors.ts';
import { point, type WriteFunction } from '../catalogue.ts';
import type { ReadTx, WriteTx } from '../db/sql.ts';
import * as sql from './push.sql.ts';

/** Subscriptions of devices to pushes (RFC 8620 section 7.2). */

/** Milliseconds in which a push that was taken is not written down again. */
const NOTE_MS = 86_400_000;

/** By what somebody was logged in; with 'password' `id` is 0. */
export interface PushLogin {
  readonly kind: 'password' | 'session' | 'grant' | 'app';
  readonly id: number;
}

/** Times in milliseconds since the epoch. */
export interface PushSubscription {
  readonly id: number;
  readonly accountId: number;
  /** deviceClientId. */
  readonly device: string;
  readonly url: string;
  /** Of the device, base64url; undefined: pushes are not encrypted. */
  readonly keys: { readonly p256dh: string; readonly auth: string } | undefined;
  /** Undefined: all. */
  readonly types: readonly string[] | undefined;
  /** What the device has to say back. */
  readonly code: string;
  readonly verified: boolean;
  readonly login: PushLogin;
  readonly createdAt: number;
  readonly expiresAt: number;
  readonly toldAt: number | undefined;
  /** Pushes in a row that were not taken. */
  readonly failures: number;
}

export type NewPushSubscription = Pick<
  PushSubscription,
  'accountId' | 'device' | 'url' | 'keys' | 'types' | 'code' | 'login' | 'expiresAt'
>;

function toSubscription(row: sql.PushRow): PushSubscription {
  const { p256dh, auth } = row;
  return {
    id: row.id,
    accountId: row.account_id,
    device: row.device,
    url: row.url,
    keys: p256dh === null || auth === null ? undefined : { p256dh, auth },
    types: row.types === null ? undefined : (JSON.parse(row.types) as string[]),
    code: row.code,
    verified: row.verified === 1,
    login: { kind: row.login_kind as PushLogin['kind'], id: row.login_id },
    createdAt: row.created_at,
    expiresAt: row.expires_at,
    toldAt: row.told_at ?? undefined,
    failures: row.failures,
  };
}

const typesText = (types: readonly string[] | undefined): string | null =>
  types === undefined ? null : JSON.stringify(types);

/** Refusal 'limit' when the account has `most` already. What this device had at this URL is replaced. */
async function add(
  tx: WriteTx,
  { subscription: s, most }: { subscription: NewPushSubscription; most: number },
): Promise<{ id: number }> {
  await tx.run(sql.deleteOfDevice, s.accountId, s.device, s.url);
  if ((await tx.all(sql.subscriptionsOf, s.accountId, tx.now)).length >= most)
    throw new Refusal('limit', `An account may have ${most} push subscriptions.`);
  const row = await tx.get(
    sql.insertSubscription,
    s.accountId,
    s.device,
    s.url,
    s.keys?.p256dh ?? null,
    s.keys?.auth ?? null,
    typesText(s.types),
    s.code,
    s.login.kind,
    s.login.id,
    tx.now,
    s.expiresAt,
  );
  if (row === undefined) throw new Error('a push subscription was not stored');
  return { id: row.id };
}

/** False when there is no such subscription of the account any more. */
async function update(
  tx: WriteTx,
  args: {
    id: number;
    accountId: number;
    types: readonly string[] | undefined;
    expiresAt: number;
    verified: boolean;
  },
): Promise<boolean> {
  const { id, accountId, types, expiresAt, verified } = args;
  return (
    (await tx.run(sql.updateSubscription, typesText(types), expiresAt, verified ? 1 : 0, id, accountId)) > 0
  );
}

/** What became of a push; the failures in a row. */
async function settled(
  tx: WriteTx,
  { id, ok, toldAt }: { id: number; ok: boolean; toldAt: number | undefined },
): Promise<{ failures: number }> {
  if (!ok) return { failures: (await tx.get(sql.noteFailure, id))?.failures ?? 0 };
  if (toldAt === undefined || tx.now - toldAt >= NOTE_MS) await tx.run(sql.noteTold, tx.now, id);
  return { failures: 0 };
}

export const writes = {
  'push.add': add as WriteFunction<{ subscription: NewPushSubscription; most: number }, { id: number }>,
  'push.update': update as WriteFunction<
    {
      id: number;
      accountId: number;
      types: readonly string[] | undefined;
      expiresAt: number;
      verified: boolean;
    },
    boolean
  >,
  'push.settled': settled as WriteFunction<
    { id: number; ok: boolean; toldAt: number | undefined },
    { failures: number }
  >,
  /** False when there was none. */
  'push.remove': (async (tx, { id, accountId }) =>
    (await tx.run(sql.deleteSubscription, id, accountId)) > 0) as WriteFunction<
    { id: number; accountId: number },
    boolean
  >,
  /** All that were made with a login, which has ended; without one all of the account. */
  'push.removeOf': (async (tx, { accountId, login }) => {
    if (login === undefined) await tx.run(sql.deleteOfAccount, accountId);
    else await tx.run(sql.deleteOfLogin, accountId, login.kind, login.id);
    return null;
  }) as WriteFunction<{ accountId: number; login?: PushLogin | undefined }, null>,
  /** Those whose time is over, or that of their login. */
  'push.sweep': (async (tx) => {
    await tx.run(sql.deleteExpired, tx.now);
    for (const each of sql.deleteOrphans) await tx.run(each);
    return null;
  }) as WriteFunction<null, null>,
} as const;

export const reads = {
  'push.of': point(
    async (tx: ReadTx, { accountId, now }: { accountId: number; now: number }): Promise<PushSubscription[]> =>
      (await tx.all(sql.subscriptionsOf, accountId, now)).map(toSubscription),
  ),
  /** Of all accounts, by id. */
  'push.after': point(
    async (tx: ReadTx, args: { after: number; now: number; limit: number }): Promise<PushSubscription[]> =>
      (await tx.all(sql.subscriptionsAfter, args.after, args.now, args.limit)).map(toSubscription),
  ),
} as const;
