import { long, point } from '../catalogue.ts';
import type { ReadTx } from '../db/sql.ts';
import { unfold } from './folded.ts';
import {
  type EventRow,
  eventsOfTrace,
  foldedOfTrace,
  recentEvents,
  recentEventsOfKind,
  ROW_SPAN_MS,
  tracesOfTerm,
} from './journal.sql.ts';
import { keyOf } from './policy.ts';
import { SETTING } from './privacy.ts';
import { search, type Found, type JournalSearch } from './search.ts';
import { settingByName } from '../directory/directory.sql.ts';
import { type JournalKind, type JournalRow, terms } from './types.ts';

/** Events of one trace that are read at most: a message to many recipients, tried for five days. */
const TRACE_EVENTS = 2000;
/** Rows of others that the events of one trace may have been folded into: one for each kind and reason, and more. */
const FOLDED_ROWS = 50;

function toRow(row: EventRow): JournalRow {
  return {
    id: row.id,
    trace: row.trace,
    at: row.at,
    kind: row.kind as JournalKind,
    data: unfold(row.data).data,
    terms: [],
    count: row.count,
    lastAt: row.last_at,
  };
}

/** Rows of other traces that count events of this one. */
async function foldedElsewhere(tx: ReadTx, trace: string): Promise<EventRow[]> {
  const term = terms.trace(trace);
  const found: EventRow[] = [];
  const ever = Number.MAX_SAFE_INTEGER;
  for (const other of await tx.all(tracesOfTerm, term, 0, ever, ever, FOLDED_ROWS)) {
    const rows = await tx.all(foldedOfTrace, other.trace, FOLDED_ROWS);
    found.push(...rows.filter((row) => unfold(row.data).terms.includes(term)));
  }
  return found;
}

async function byTrace(tx: ReadTx, { trace }: { trace: string }): Promise<JournalRow[]> {
  const own = await tx.all(eventsOfTrace, trace, TRACE_EVENTS);
  const folded = await foldedElsewhere(tx, trace);
  return [...own, ...folded].toSorted((a, b) => a.at - b.at || a.id - b.id).map(toRow);
}

export const reads = {
  /**
   * Oldest first, at most 2,000, and the rows of other traces that events of this one were folded into. `terms` of rows
   * are always empty: they lead to a trace, not back.
   */
  'journal.byTrace': point(byTrace),
  /** Traces by term (see journal/types.ts `terms`), newest first, within [from, to); `at` of a folded row is its last. */
  'journal.find': long(
    (
      tx: ReadTx,
      args: { term: string; from?: number; to?: number; limit: number },
    ): Promise<{ trace: string; at: number }[]> => {
      const { term, from = 0, to = Number.MAX_SAFE_INTEGER, limit } = args;
      return tx.all(tracesOfTerm, term, from, to, to, limit);
    },
  ),
  /** Events by what is known of them, newest first, a part at a time. */
  'journal.search': long((tx: ReadTx, args: JournalSearch): Promise<Found> => search(tx, args)),
  /** What is kept of people, as JSON where it was ever set, and the key of the pseudonyms. */
  'journal.privacy': point(async (tx: ReadTx): Promise<{ json: string | undefined; key: string }> => {
    const row = await tx.get(settingByName, SETTING);
    return { json: row?.value, key: await keyOf(tx) };
  }),
  /** Rows with the newest events that reach into a time span, by kind when given. */
  'journal.recent': long(
    async (
      tx: ReadTx,
      args: { from: number; to: number; kind?: string; limit: number },
    ): Promise<JournalRow[]> => {
      const { from, to, kind, limit } = args;
      const [begun, nth] = [from - ROW_SPAN_MS, Math.max(limit - 1, 0)];
      const rows =
        kind === undefined
          ? await tx.all(recentEvents, to, from, begun, from, to, nth, limit)
          : await tx.all(recentEventsOfKind, kind, to, from, begun, kind, from, to, nth, limit);
      return rows.map(toRow);
    },
  ),
} as const;
