import { Refusal } from '../../base/errors.ts';
import type { WriteTx } from '../db/sql.ts';
import { type CountersRow, takeModseq } from './account.sql.ts';

/**
 * Begin a write to an account's mail: take its next modseq, and under PostgreSQL its lock. Must come before any other
 * write to that account; accounts are taken in ascending order of id.
 * @throws Refusal 'no-such-account'
 */
export async function beginAccount(tx: WriteTx, accountId: number): Promise<CountersRow> {
  const row = await tx.get(takeModseq, accountId);
  if (row === undefined) throw new Refusal('no-such-account', 'There is no such account.');
  return row;
}
