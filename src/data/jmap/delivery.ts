import type { ReadTx } from '../db/sql.ts';
import { countersOf, mailboxMarks, newestAnywhere, newestSince } from './account-mail.sql.ts';

/** The newest email of an account, for EmailDelivery (RFC 8621 section 1.5): it changes when one comes, and by nothing else. */

interface Known {
  readonly seq: number;
  readonly id: number;
}

/** Accounts, as somebody sees them, of which the newest is remembered. */
const MOST = 10_000;
const known = new Map<string, Known>();

export async function newestEmail(
  tx: ReadTx,
  args: { cache: string; accountId: number; visible?: readonly number[] | undefined },
): Promise<{ id: number }> {
  const { cache, accountId, visible } = args;
  const seq = (await tx.get(countersOf, accountId))?.modseq ?? 0;
  const key = `${cache} ${accountId} ${visible?.join() ?? ''}`;
  const before = known.get(key);
  if (before?.seq === seq) return { id: before.id };
  let id = before?.id ?? 0;
  // What was expunged meanwhile counts on: it came.
  if (before === undefined && visible === undefined) id = (await tx.get(newestAnywhere, accountId))?.id ?? 0;
  else {
    const since = before?.seq ?? 0;
    for (const box of await tx.all(mailboxMarks, accountId)) {
      if (box.modseq <= since || visible?.includes(box.id) === false) continue;
      id = Math.max(id, (await tx.get(newestSince, box.id, since))?.id ?? 0);
    }
  }
  known.delete(key);
  known.set(key, { seq, id });
  for (const oldest of known.keys()) {
    if (known.size <= MOST) break;
    known.delete(oldest);
  }
  return { id };
}
