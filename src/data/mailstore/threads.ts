import { hash } from 'node:crypto';
import type { WriteTx } from '../db/sql.ts';
import { addReferences, findThread, REFERENCE_STEPS } from './threads.sql.ts';

/** References of a message that count for threading; the newest say the most. */
export const MAX_REFERENCES = 20;
const HASH_BYTES = 6;

/** First 48 bits of SHA-256: a number that both engines and JavaScript hold exactly. */
export function referenceHash(messageId: string): number {
  return hash('sha256', messageId, 'buffer').readUIntBE(0, HASH_BYTES);
}

/**
 * Find the thread of a new email and remember its message ids for those that follow: the lowest thread among what it
 * is and what it refers to, `own` when there is none. Threads are never merged later (RFC 8621 section 3 permits it).
 */
export async function joinThread(
  tx: WriteTx,
  accountId: number,
  ids: { readonly messageId: string | undefined; readonly references: readonly string[] },
  own: number,
): Promise<number> {
  const names = new Set(ids.references.slice(-MAX_REFERENCES));
  if (ids.messageId !== undefined) names.add(ids.messageId);
  names.delete('');
  if (names.size === 0) return own;
  const hashes = [...names].map(referenceHash);
  const step = REFERENCE_STEPS.findIndex((n) => n >= hashes.length);
  const length = REFERENCE_STEPS[step];
  const find = findThread[step];
  const add = addReferences[step];
  const first = hashes[0];
  if (length === undefined || find === undefined || add === undefined || first === undefined) {
    throw new Error(`no statement for ${hashes.length} references`);
  }
  while (hashes.length < length) hashes.push(first);
  const found = await tx.get(find, accountId, ...hashes);
  const threadId = found?.thread_id ?? own;
  await tx.run(add, ...hashes.flatMap((value) => [accountId, value, threadId]));
  return threadId;
}
