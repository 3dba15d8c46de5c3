import { createHash } from 'node:crypto';
import type { ReadTx, WriteTx } from '../db/sql.ts';
import * as sql from './memory.sql.ts';
import { type Memory, REMEMBER_SECONDS_MAX, REMEMBERED_PER_DAY, REPLIES_PER_DAY } from './types.ts';

const DAY_MS = 86_400_000;
/** Rows forgotten in one write: others wait meanwhile. */
const FORGET_BATCH = 2000;

export type MemoryKind = 'vacation' | 'duplicate' | 'trouble';

/** A key as it is kept: what was remembered may be long, and is nobody's business. */
export function memoryKey(kind: MemoryKind, ...parts: readonly string[]): string {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(`${Buffer.byteLength(part)}:`).update(part);
  return `${kind.slice(0, 1)}:${hash.digest('base64url').slice(0, 27)}`;
}

export function dayAt(ms: number): number {
  return Math.floor(ms / DAY_MS);
}

export async function seen(
  tx: ReadTx,
  args: { accountId: number; key: string; now: number },
): Promise<boolean> {
  return (await tx.get(sql.remembered, args.accountId, args.key, args.now)) !== undefined;
}

function expiry(tx: WriteTx, seconds: number): number {
  return tx.now + Math.min(Math.max(seconds, 0), REMEMBER_SECONDS_MAX) * 1000;
}

/** What an account may still do today; its scripts' own storms end here. */
async function today(tx: WriteTx, accountId: number) {
  return (await tx.get(sql.dayOf, accountId, dayAt(tx.now))) ?? { redirects: 0, replies: 0, remembered: 0 };
}

/** Remember it, whether or not it was remembered. Beyond the day's limit nothing more is. */
export async function note(tx: WriteTx, { accountId, key, seconds }: Memory): Promise<void> {
  if ((await today(tx, accountId)).remembered >= REMEMBERED_PER_DAY) return;
  await tx.run(sql.remember, accountId, key, expiry(tx, seconds));
  await tx.run(sql.countDay, accountId, dayAt(tx.now), 0, 0, 1);
}

/**
 * Whether something that is to happen once in a period may happen now; it is remembered if so. `reply`: it also counts
 * as a reply of the day.
 */
export async function once(tx: WriteTx, memory: Memory, reply: boolean): Promise<boolean> {
  const { accountId, key, seconds } = memory;
  const { remembered, replies } = await today(tx, accountId);
  if (remembered >= REMEMBERED_PER_DAY || (reply && replies >= REPLIES_PER_DAY)) return false;
  if ((await tx.run(sql.rememberOnce, accountId, key, expiry(tx, seconds), tx.now)) === 0) return false;
  await tx.run(sql.countDay, accountId, dayAt(tx.now), 0, reply ? 1 : 0, 1);
  return true;
}

export async function countSent(
  tx: WriteTx,
  args: { readonly accountId: number; readonly redirects: number; readonly replies: number },
): Promise<void> {
  if (args.redirects + args.replies === 0) return;
  await tx.run(sql.countDay, args.accountId, dayAt(tx.now), args.redirects, args.replies, 0);
}

/** One batch of what has expired. `more`: call again. */
export async function forget(tx: WriteTx, _args: null): Promise<{ more: boolean }> {
  const gone = await tx.run(sql.forgetExpired, tx.now, FORGET_BATCH);
  await tx.run(sql.forgetDays, dayAt(tx.now) - 1);
  return { more: gone >= FORGET_BATCH };
}
