import type { WriteTx } from '../db/sql.ts';
import { audit } from '../directory/permission.ts';
import type { Actor } from '../directory/types.ts';
import {
  confirmSession as confirmSql,
  deleteOtherSessions,
  deleteSession,
  expiredSessions,
  insertSession,
  sessionsOf,
  useSession as useSql,
} from './access.sql.ts';
import { needOwnAccount } from './permission.ts';
import { ACCESS_LIMITS } from './types.ts';

export interface NewSession {
  readonly accountId: number;
  readonly digest: string;
  readonly userAgent: string;
  readonly address: string;
  readonly remember: boolean;
}

function lifetime(remember: boolean): number {
  return remember ? ACCESS_LIMITS.rememberedMs : ACCESS_LIMITS.sessionMs;
}

/** Somebody has signed in. The session that was unused for longest goes when there are too many. */
export async function openSession(tx: WriteTx, args: NewSession): Promise<{ id: number }> {
  const { accountId, digest, address, remember } = args;
  const userAgent = args.userAgent.slice(0, ACCESS_LIMITS.userAgent).toWellFormed().replaceAll('\0', '');
  for (const { id } of (await tx.all(sessionsOf, accountId)).slice(ACCESS_LIMITS.sessions - 1))
    await cut(tx, accountId, id);
  const { now } = tx;
  const expires = now + lifetime(remember);
  const sticky = remember ? 1 : 0;
  const row = await tx.get(
    insertSession,
    accountId,
    digest,
    userAgent,
    address,
    sticky,
    now,
    now,
    now,
    expires,
  );
  if (row === undefined) throw new Error('an INSERT returned no row');
  return row;
}

async function cut(tx: WriteTx, accountId: number, id: number): Promise<boolean> {
  const gone = (await tx.run(deleteSession, accountId, id)) > 0;
  if (gone) tx.revoke(`session:${id}`);
  return gone;
}

/** It is in use: it lives on. */
export async function useSession(
  tx: WriteTx,
  args: { id: number; remember: boolean; address: string },
): Promise<null> {
  await tx.run(useSql, tx.now, tx.now + lifetime(args.remember), args.address, args.id);
  return null;
}

/** Its owner has proved anew who they are. */
export async function confirmSession(tx: WriteTx, args: { accountId: number; id: number }): Promise<null> {
  await tx.run(confirmSql, tx.now, args.accountId, args.id);
  return null;
}

/** `quietly`: somebody signs out, which is nothing to write down. False when there is no such session. */
export async function endSession(
  tx: WriteTx,
  args: { actor: Actor; accountId: number; id: number; quietly?: boolean },
): Promise<boolean> {
  const account = await needOwnAccount(tx, args.actor, args.accountId);
  const gone = await cut(tx, args.accountId, args.id);
  if (gone && args.quietly !== true)
    await audit(tx, args.actor, 'account.session-end', account.address, { session: args.id });
  return gone;
}

/** All but `keep` (0: all). */
export async function endSessions(
  tx: WriteTx,
  args: { actor: Actor; accountId: number; keep: number },
): Promise<number> {
  const account = await needOwnAccount(tx, args.actor, args.accountId);
  const ended = await cutSessions(tx, args.accountId, args.keep);
  await audit(tx, args.actor, 'account.sessions-end', account.address, { sessions: ended });
  return ended;
}

export async function cutSessions(tx: WriteTx, accountId: number, keep: number): Promise<number> {
  const ended = await tx.all(deleteOtherSessions, accountId, keep);
  for (const { id } of ended) tx.revoke(`session:${id}`);
  return ended.length;
}

/** Forget sessions that are over; true when there may be more. */
export async function sweepSessions(tx: WriteTx, limit: number): Promise<boolean> {
  const over = await tx.all(expiredSessions, tx.now, limit);
  for (const { id, account_id } of over) await cut(tx, account_id, id);
  return over.length === limit;
}
