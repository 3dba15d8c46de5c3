import { type Statement, statement } from '../db/sql.ts';

/** How many references a statement takes; shorter lists are padded by repeating one. Most messages have 1 to 4. */
export const REFERENCE_STEPS = [1, 4, 21] as const;

type FindParams = readonly number[];

function marks(n: number, one: string): string {
  return Array.from({ length: n }, () => one).join(', ');
}

/** Lowest thread among references. Parameters: account id, then the hashes. */
export const findThread: readonly Statement<FindParams, { thread_id: number | null }>[] = REFERENCE_STEPS.map(
  (n) =>
    statement<FindParams, { thread_id: number | null }>(
      `SELECT MIN(thread_id) AS thread_id FROM thread_refs WHERE account_id = ? AND hash IN (${marks(n, '?')})`,
    ),
);

/** Parameters: account id, hash and thread id of each. */
export const addReferences: readonly Statement<FindParams, never>[] = REFERENCE_STEPS.map((n) =>
  statement<FindParams>(
    `INSERT INTO thread_refs (account_id, hash, thread_id) VALUES ${marks(n, '(?, ?, ?)')} ON CONFLICT DO NOTHING`,
  ),
);
