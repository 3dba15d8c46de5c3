import { long, point } from '../catalogue.ts';
import type { ReadTx } from '../db/sql.ts';
import {
  type EventRow,
  eventsOfTrace,
  recentEvents,
  recentEventsOfKind,
  tracesOfTerm,
} from './journal.sql.ts';
import type { JournalData, JournalKind, JournalRow } from './types.ts';

/** Events of one trace that are read at most: a message to many recipients, tried for five days. */
const TRACE_EVENTS = 2000;

function toRow(row: EventRow): JournalRow {
  return {
    id: row.id,
    trace: row.trace,
    at: row.at,
    kind: row.kind as JournalKind,
    data: JSON.parse(row.data) as JournalData,
    terms: [],
    count: row.count,
    lastAt: row.last_at,
  };
}

export const reads = {
  /** Oldest first, at most 2,000. `terms` of rows are always empty: they lead to a trace, not back. */
  'journal.byTrace': point(
    async (tx: ReadTx, args: { trace: string }): Promise<JournalRow[]> =>
      (await tx.all(eventsOfTrace, args.trace, TRACE_EVENTS)).map(toRow),
  ),
  /** Traces by term (see journal/types.ts `terms`), newest first, within [from, to). */
  'journal.find': long(
    (
      tx: ReadTx,
      args: { term: string; from?: number; to?: number; limit: number },
    ): Promise<{ trace: string; at: number }[]> =>
      tx.all(tracesOfTerm, args.term, args.from ?? 0, args.to ?? Number.MAX_SAFE_INTEGER, args.limit),
  ),
  /** Newest events in a time span, by kind when given. */
  'journal.recent': long(
    async (
      tx: ReadTx,
      args: { from: number; to: number; kind?: string; limit: number },
    ): Promise<JournalRow[]> => {
      const { from, to, kind, limit } = args;
      const rows =
        kind === undefined
          ? await tx.all(recentEvents, from, to, limit)
          : await tx.all(recentEventsOfKind, from, to, kind, limit);
      return rows.map(toRow);
    },
  ),
} as const;
