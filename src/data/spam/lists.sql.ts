import { type Statement, statement } from '../db/sql.ts';
import { MAX_NETWORKS } from './pattern.ts';
import { MAX_AUTHORS } from './senders.sql.ts';

/** Patterns of each kind that one message can meet: two for each author, and its networks. */
export const MAX_CANDIDATES = { sender: 2 * MAX_AUTHORS, network: MAX_NETWORKS } as const;
export type ListKind = keyof typeof MAX_CANDIDATES;

type Listed = Statement<[accountId: number, ...patterns: string[]], { pattern: string; action: string }>;

function listedOf(kind: ListKind): Listed {
  const marks = Array.from({ length: MAX_CANDIDATES[kind] }, () => '?').join(', ');
  return statement(
    `SELECT pattern, action FROM sender_lists WHERE account_id = ? AND kind = '${kind}' AND pattern IN (${marks})`,
  );
}

/** Entries among the patterns; shorter lists are padded by repeating one. */
export const listed: Readonly<Record<ListKind, Listed>> = {
  sender: listedOf('sender'),
  network: listedOf('network'),
};

export const anyListed = statement<[accountId: number, kind: string], { pattern: string }>(
  'SELECT pattern FROM sender_lists WHERE account_id = ? AND kind = ? LIMIT 1',
);

export const putEntry = statement<
  [accountId: number, kind: string, pattern: string, action: string, note: string, createdAt: number]
>(
  `INSERT INTO sender_lists (account_id, kind, pattern, action, note, created_at) VALUES (?, ?, ?, ?, ?, ?)
   ON CONFLICT (account_id, kind, pattern) DO UPDATE SET action = excluded.action, note = excluded.note,
     created_at = excluded.created_at`,
);

export const entryAt = statement<
  [accountId: number, kind: string, pattern: string],
  { action: string; note: string }
>('SELECT action, note FROM sender_lists WHERE account_id = ? AND kind = ? AND pattern = ?');

export const deleteEntry = statement<[accountId: number, kind: string, pattern: string]>(
  'DELETE FROM sender_lists WHERE account_id = ? AND kind = ? AND pattern = ?',
);

export const countEntries = statement<[accountId: number], { count: number }>(
  'SELECT COUNT(*) AS count FROM sender_lists WHERE account_id = ?',
);

export const entriesOf = statement<
  [accountId: number],
  { pattern: string; action: string; note: string; created_at: number }
>(
  `SELECT pattern, action, note, created_at FROM sender_lists WHERE account_id = ?
   ORDER BY kind DESC, pattern`,
);
