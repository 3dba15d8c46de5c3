import { statement } from '../db/sql.ts';

export const insertEvent = statement<
  [trace: string, at: number, kind: string, data: string, count: number, lastAt: number, size: number]
>('INSERT INTO journal (trace, at, kind, data, count, last_at, size) VALUES (?, ?, ?, ?, ?, ?, ?)');

export const insertTerm = statement<[term: string, trace: string, at: number]>(
  'INSERT INTO journal_keys (term, trace, at) VALUES (?, ?, ?) ON CONFLICT (term, trace) DO NOTHING',
);

/** Count repeats in the row that stands for them; the trace of that row is what their terms lead to. */
export const addRepeats = statement<
  [count: number, lastAt: number, lastAtAgain: number, size: number, fold: string],
  { trace: string }
>(
  `UPDATE journal SET count = count + ?, last_at = CASE WHEN last_at < ? THEN ? ELSE last_at END, size = size + ?
   WHERE fold = ? RETURNING trace`,
);

/** The first of a fold. On PostgreSQL another process may have been faster: then the repeats are added to its row. */
export const insertFold = statement<
  [
    trace: string,
    at: number,
    kind: string,
    data: string,
    count: number,
    lastAt: number,
    size: number,
    fold: string,
  ],
  { trace: string }
>(
  `INSERT INTO journal (trace, at, kind, data, count, last_at, size, fold) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
   ON CONFLICT (fold) WHERE fold IS NOT NULL
   DO UPDATE SET count = journal.count + excluded.count, last_at = excluded.last_at, size = journal.size + excluded.size
   RETURNING trace`,
);

/** A row as it lies in the table. */
export interface EventRow {
  id: number;
  trace: string;
  at: number;
  kind: string;
  data: string;
  count: number;
  last_at: number;
}

export const eventsOfTrace = statement<[trace: string, limit: number], EventRow>(
  'SELECT id, trace, at, kind, data, count, last_at FROM journal WHERE trace = ? ORDER BY at, id LIMIT ?',
);

export const tracesOfTerm = statement<
  [term: string, from: number, to: number, limit: number],
  { trace: string; at: number }
>(
  `SELECT trace, at FROM journal_keys WHERE term = ? AND at >= ? AND at < ?
   ORDER BY at DESC, trace DESC LIMIT ?`,
);

export const recentEvents = statement<[from: number, to: number, limit: number], EventRow>(
  `SELECT id, trace, at, kind, data, count, last_at FROM journal WHERE at >= ? AND at < ?
   ORDER BY at DESC, id DESC LIMIT ?`,
);

export const recentEventsOfKind = statement<
  [from: number, to: number, kind: string, limit: number],
  EventRow
>(
  `SELECT id, trace, at, kind, data, count, last_at FROM journal WHERE at >= ? AND at < ? AND kind = ?
   ORDER BY at DESC, id DESC LIMIT ?`,
);

export const idRange = statement<[], { low: number | null; high: number | null }>(
  'SELECT (SELECT MIN(id) FROM journal) AS low, (SELECT MAX(id) FROM journal) AS high',
);

export const sizeFrom = statement<[id: number], { size: number }>(
  'SELECT size FROM journal WHERE id >= ? ORDER BY id LIMIT 1',
);

export const deleteEventsBefore = statement<[before: number, limit: number]>(
  'DELETE FROM journal WHERE id IN (SELECT id FROM journal WHERE at < ? ORDER BY at LIMIT ?)',
);

export const deleteOldestEvents = statement<[limit: number]>(
  'DELETE FROM journal WHERE id IN (SELECT id FROM journal ORDER BY at LIMIT ?)',
);

export const oldestEvent = statement<[], { at: number }>('SELECT at FROM journal ORDER BY at LIMIT 1');

export const deleteTermsBefore = statement<[before: number, limit: number]>(
  `DELETE FROM journal_keys WHERE (term, trace) IN
     (SELECT term, trace FROM journal_keys WHERE at < ? ORDER BY at LIMIT ?)`,
);
