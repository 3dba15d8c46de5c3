import { statement } from '../db/sql.ts';

export interface SuppressionRow {
  address: string;
  reason: string;
  source: string;
  detail: string;
  queue_id: string | null;
  account_id: number | null;
  created_at: number;
  until: number | null;
}

const COLUMNS = 'address, reason, source, detail, queue_id, account_id, created_at, until';

export const suppressionOf = statement<[address: string, now: number], SuppressionRow>(
  `SELECT ${COLUMNS} FROM suppressions WHERE address = ? AND (until IS NULL OR until > ?)`,
);

export const suppressionsAfter = statement<[after: string, now: number, limit: number], SuppressionRow>(
  `SELECT ${COLUMNS} FROM suppressions WHERE address > ? AND (until IS NULL OR until > ?) ORDER BY address LIMIT ?`,
);

/** What holds longer stands: a bounce does not shorten a complaint. */
export const putSuppression = statement<
  [
    address: string,
    reason: string,
    source: string,
    detail: string,
    queueId: string | null,
    accountId: number | null,
    createdAt: number,
    until: number | null,
  ]
>(
  `INSERT INTO suppressions (address, reason, source, detail, queue_id, account_id, created_at, until)
   VALUES (?, ?, ?, ?, ?, ?, ?, ?)
   ON CONFLICT (address) DO UPDATE SET reason = excluded.reason, source = excluded.source, detail = excluded.detail,
     queue_id = excluded.queue_id, account_id = excluded.account_id, created_at = excluded.created_at,
     until = excluded.until
   WHERE suppressions.until IS NOT NULL AND (excluded.until IS NULL OR excluded.until > suppressions.until)`,
);

export const deleteSuppression = statement<[address: string]>('DELETE FROM suppressions WHERE address = ?');

export const deleteSuppressionsUntil = statement<[now: number]>(
  'DELETE FROM suppressions WHERE until IS NOT NULL AND until <= ?',
);

/** Nothing is changed when it was seen before. */
export const insertSeen = statement<[key: string, at: number]>(
  'INSERT INTO feedback_seen (key, at) VALUES (?, ?) ON CONFLICT (key) DO NOTHING',
);

export const deleteSeenBefore = statement<[at: number]>('DELETE FROM feedback_seen WHERE at < ?');

export const countSuppressions = statement<[now: number], { count: number }>(
  'SELECT COUNT(*) AS count FROM suppressions WHERE until IS NULL OR until > ?',
);
