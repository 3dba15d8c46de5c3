import { statement } from '../db/sql.ts';

export const insertEvent = statement<
  [trace: string, at: number, kind: string, data: string, count: number, lastAt: number, size: number]
>('INSERT INTO journal (trace, at, kind, data, count, last_at, size) VALUES (?, ?, ?, ?, ?, ?, ?)');

export const insertTerm = statement<[term: string, trace: string, at: number]>(
  'INSERT INTO journal_keys (term, trace, at) VALUES (?, ?, ?) ON CONFLICT (term, trace) DO NOTHING',
);

/** A term of an event that was folded in at `at`: the trace it leads to has news of that time. */
export const renewTerm = statement<[at: number, term: string, trace: string, atAgain: number]>(
  'UPDATE journal_keys SET at = ? WHERE term = ? AND trace = ? AND at < ?',
);

export const deleteTerm = statement<[term: string, trace: string]>(
  'DELETE FROM journal_keys WHERE term = ? AND trace = ?',
);

/** Count repeats in the row that stands for them; the trace of that row is what their terms lead to. */
export const addRepeats = statement<
  [count: number, lastAt: number, lastAtAgain: number, fold: string],
  { trace: string; data: string }
>(
  `UPDATE journal SET count = count + ?, last_at = CASE WHEN last_at < ? THEN ? ELSE last_at END
   WHERE fold = ? RETURNING trace, data`,
);

/** What a row says of its repeats; the row is locked since `addRepeats`. */
export const setFolded = statement<[data: string, sizeMore: number, fold: string]>(
  'UPDATE journal SET data = ?, size = size + ? WHERE fold = ?',
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
  { trace: string; data: string; count: number }
>(
  `INSERT INTO journal (trace, at, kind, data, count, last_at, size, fold) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
   ON CONFLICT (fold) WHERE fold IS NOT NULL
   DO UPDATE SET count = journal.count + excluded.count, last_at = excluded.last_at
   RETURNING trace, data, count`,
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

/** Rows of a trace that stand for several events. */
export const foldedOfTrace = statement<[trace: string, limit: number], EventRow>(
  `SELECT id, trace, at, kind, data, count, last_at FROM journal
   WHERE trace = ? AND fold IS NOT NULL AND count > 1 ORDER BY at, id LIMIT ?`,
);

/** A term of a folded row has the time of its newest event: before `to` began what reaches beyond it. */
export const tracesOfTerm = statement<
  [term: string, from: number, to: number, toAgain: number, limit: number],
  { trace: string; at: number }
>(
  `SELECT k.trace, k.at FROM journal_keys k WHERE k.term = ? AND k.at >= ? AND (k.at < ? OR EXISTS (
     SELECT 1 FROM journal j WHERE j.trace = k.trace AND j.fold IS NOT NULL AND j.count > 1 AND j.at < ?))
   ORDER BY k.at DESC, k.trace DESC LIMIT ?`,
);

/** Milliseconds from the first to the last event of a row at most; rows of an earlier version stood for an hour. */
export const ROW_SPAN_MS = 3_600_000;

/**
 * Rows that reach into [from, to), those with the newest events first. Only `at` has an index: as many rows as asked
 * for began since the `limit`th newest, so none that began more than the span of a row before it is among the newest.
 */
export const recentEvents = statement<
  [to: number, from: number, begun: number, nthFrom: number, nthTo: number, nth: number, limit: number],
  EventRow
>(
  `SELECT id, trace, at, kind, data, count, last_at FROM journal
   WHERE at < ? AND last_at >= ? AND at >= ? AND at >= COALESCE(
     (SELECT at FROM journal WHERE at >= ? AND at < ? ORDER BY at DESC LIMIT 1 OFFSET ?), 0) - ${ROW_SPAN_MS}
   ORDER BY last_at DESC, id DESC LIMIT ?`,
);

export const recentEventsOfKind = statement<
  [
    kind: string,
    to: number,
    from: number,
    begun: number,
    nthKind: string,
    nthFrom: number,
    nthTo: number,
    nth: number,
    limit: number,
  ],
  EventRow
>(
  `SELECT id, trace, at, kind, data, count, last_at FROM journal
   WHERE kind = ? AND at < ? AND last_at >= ? AND at >= ? AND at >= COALESCE(
     (SELECT at FROM journal WHERE kind = ? AND at >= ? AND at < ? ORDER BY at DESC LIMIT 1 OFFSET ?), 0) - ${ROW_SPAN_MS}
   ORDER BY last_at DESC, id DESC LIMIT ?`,
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

/** Rows behind a place that are older than `before`, oldest first. */
export const eventsToHide = statement<
  [at: number, atAgain: number, id: number, before: number, limit: number],
  { id: number; at: number; kind: string; data: string; fold: string | null }
>(
  `SELECT id, at, kind, data, fold FROM journal
   WHERE at >= ? AND (at > ? OR id > ?) AND at < ? ORDER BY at, id LIMIT ?`,
);

export const changeEventData = statement<[data: string, fold: string | null, id: number]>(
  'UPDATE journal SET data = ?, fold = ? WHERE id = ?',
);

/** Terms behind a place that are older than `before`, oldest first. */
export const termsToHide = statement<
  [
    at: number,
    atAgain: number,
    term: string,
    termAgain: string,
    trace: string,
    before: number,
    limit: number,
  ],
  { term: string; trace: string; at: number }
>(
  `SELECT term, trace, at FROM journal_keys
   WHERE at >= ? AND (at > ? OR term > ? OR (term = ? AND trace > ?)) AND at < ?
   ORDER BY at, term, trace LIMIT ?`,
);

/** Rows before a place, newest first. */
export const eventsBack = statement<
  [to: number, from: number, at: number, id: number, limit: number],
  EventRow
>(
  `SELECT id, trace, at, kind, data, count, last_at FROM journal
   WHERE at < ? AND at >= ? AND (at < ? OR id < ?) ORDER BY at DESC, id DESC LIMIT ?`,
);
