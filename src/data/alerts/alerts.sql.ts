import { statement } from '../db/sql.ts';

export interface AlertRow {
  key: string;
  kind: string;
  severity: string;
  summary: string;
  remedy: string;
  since: number;
  seen_at: number;
  told_at: number | null;
  cleared_at: number | null;
}

export const allAlerts = statement<[], AlertRow>(
  `SELECT key, kind, severity, summary, remedy, since, seen_at, told_at, cleared_at FROM alerts
   ORDER BY since, key LIMIT 1000`,
);

/** What had cleared and comes again before that was told goes on as it was. */
export const putAlert = statement<
  [key: string, kind: string, severity: string, summary: string, remedy: string, since: number, seen: number]
>(
  `INSERT INTO alerts (key, kind, severity, summary, remedy, since, seen_at, told_at, cleared_at)
   VALUES (?, ?, ?, ?, ?, ?, ?, NULL, NULL)
   ON CONFLICT (key) DO UPDATE SET severity = excluded.severity, summary = excluded.summary,
     remedy = excluded.remedy, seen_at = excluded.seen_at, cleared_at = NULL`,
);

export const clearAlert = statement<[at: number, key: string]>(
  'UPDATE alerts SET cleared_at = ? WHERE key = ? AND cleared_at IS NULL',
);

export const toldAlert = statement<[at: number, key: string]>(
  'UPDATE alerts SET told_at = ? WHERE key = ? AND cleared_at IS NULL',
);

/** Over and told of, or over before anybody was told. */
export const deleteAlert = statement<[key: string]>(
  'DELETE FROM alerts WHERE key = ? AND cleared_at IS NOT NULL',
);

export const destinationTroubles = statement<
  [since: number, limit: number],
  { destination: string; waiting: number; failed: number; delivered: number; reply: string | null }
>(
  `SELECT destination, SUM(CASE WHEN state = 'queued' THEN 1 ELSE 0 END) AS waiting,
     SUM(CASE WHEN state = 'failed' THEN 1 ELSE 0 END) AS failed,
     SUM(CASE WHEN state = 'delivered' THEN 1 ELSE 0 END) AS delivered,
     MAX(CASE WHEN state = 'delivered' THEN NULL ELSE last_reply END) AS reply
   FROM queue_recipients WHERE (state = 'queued' AND attempts > 0) OR settled_at > ?
   GROUP BY destination
   HAVING SUM(CASE WHEN state = 'delivered' THEN 0 ELSE 1 END) > 0
   ORDER BY SUM(CASE WHEN state = 'delivered' THEN 0 ELSE 1 END) DESC, destination LIMIT ?`,
);
