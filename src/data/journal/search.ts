import type { ReadTx } from '../db/sql.ts';
import { unfold } from './folded.ts';
import { type EventRow, eventsBack, eventsOfTrace, tracesOfTerm } from './journal.sql.ts';
import type { JournalData, JournalKind, JournalRow, JournalValue } from './types.ts';

/** Looking through the journal for events of which more is known than a term. */

/** Rows looked at in one call; the rest by the place it came to. */
const LOOKED = 20_000;
/** Rows of one statement. */
const PAGE = 500;
/** Traces of one term that are looked at, the newest. */
const TRACES = 1000;
const TRACE_EVENTS = 2000;

/** Where a search goes on: behind this event, backwards in time. */
export interface SearchPlace {
  readonly at: number;
  readonly id: number;
}

export interface JournalSearch {
  /** Any of these leads to it (journal/types.ts `terms`); undefined: anything does. */
  readonly terms?: readonly string[] | undefined;
  /** "login.failed", or "login" for all that begin so. */
  readonly kind?: string | undefined;
  /** "550", "5xx", "4.7.1": of a reply in it. */
  readonly code?: string | undefined;
  /** Part of the name or address of the other host. */
  readonly host?: string | undefined;
  /** Part of any text in it. */
  readonly text?: string | undefined;
  /** Milliseconds since the epoch, the end excluded. */
  readonly from: number;
  readonly to: number;
  readonly after?: SearchPlace | undefined;
  readonly limit: number;
}

export interface Found {
  /** Newest first. */
  readonly rows: readonly JournalRow[];
  /** Where to go on; undefined: that was all. There may be fewer rows than wanted before it. */
  readonly next: SearchPlace | undefined;
}

export async function search(tx: ReadTx, request: JournalSearch): Promise<Found> {
  const wanted = matcher(request);
  const rows: JournalRow[] = [];
  let place = request.after ?? { at: request.to, id: Number.MAX_SAFE_INTEGER };
  const pages =
    request.terms === undefined ? eventsBefore(tx, request, place) : eventsOfTerms(tx, request, place);
  for await (const page of pages) {
    for (const row of page) {
      place = { at: row.at, id: row.id };
      const { data } = unfold(row.data);
      if (!wanted(row.kind, data)) continue;
      rows.push(toRow(row, data));
      if (rows.length >= request.limit) return { rows, next: place };
    }
    if (page.length < PAGE) return { rows, next: undefined };
  }
  // Looked at enough for one call.
  return { rows, next: request.terms === undefined ? place : undefined };
}

function toRow(row: EventRow, data: JournalData): JournalRow {
  const { id, trace, at, count, last_at: lastAt } = row;
  return { id, trace, at, kind: row.kind as JournalKind, data, terms: [], count, lastAt };
}

async function* eventsBefore(
  tx: ReadTx,
  { from, to }: JournalSearch,
  start: SearchPlace,
): AsyncGenerator<readonly EventRow[]> {
  let place = start;
  for (let looked = 0; looked < LOOKED; looked += PAGE) {
    const end = Math.min(to, place.at + 1);
    const page = await tx.all(eventsBack, end, from, place.at, place.id, PAGE);
    yield page;
    const last = page.at(-1);
    if (last === undefined) return;
    place = { at: last.at, id: last.id };
  }
}

async function* eventsOfTerms(
  tx: ReadTx,
  { terms = [], from, to }: JournalSearch,
  start: SearchPlace,
): AsyncGenerator<readonly EventRow[]> {
  const traces = new Set<string>();
  const ever = Number.MAX_SAFE_INTEGER;
  for (const term of terms)
    for (const { trace } of await tx.all(tracesOfTerm, term, from, ever, ever, TRACES)) traces.add(trace);
  const found: EventRow[] = [];
  for (const trace of [...traces].slice(0, TRACES)) {
    const rows = await tx.all(eventsOfTrace, trace, TRACE_EVENTS);
    found.push(...rows.filter((row) => row.at >= from && row.at < to && isBehind(row, start)));
  }
  yield found.toSorted((a, b) => b.at - a.at || b.id - a.id);
}

function isBehind(row: EventRow, place: SearchPlace): boolean {
  return row.at < place.at || (row.at === place.at && row.id < place.id);
}

function matcher({ kind, code, host, text }: JournalSearch): (kind: string, data: JournalData) => boolean {
  const [wantedHost, wantedText] = [host?.toLowerCase(), text?.toLowerCase()];
  const wantedCode = code === undefined ? undefined : codeTest(code);
  return (is, data) => {
    if (kind !== undefined && is !== kind && !is.startsWith(`${kind}.`)) return false;
    if (wantedCode !== undefined && !someText(data, (value, key) => key === 'reply' && wantedCode(value)))
      return false;
    if (
      wantedHost !== undefined &&
      !someText(data, (value, key) => HOSTS.has(key) && value.toLowerCase().includes(wantedHost))
    )
      return false;
    return wantedText === undefined || someText(data, (value) => value.toLowerCase().includes(wantedText));
  };
}

const HOSTS: ReadonlySet<string> = new Set(['host', 'helo', 'ip', 'via']);

/** "550" and "5xx" of the basic code, "4.7.1" of the enhanced one (RFC 3463). */
function codeTest(code: string): (reply: string) => boolean {
  const wanted = code.toLowerCase();
  if (wanted.includes('.')) return (reply) => reply.slice(4, reply.indexOf(' ', 4)) === wanted;
  return (reply) =>
    wanted.length <= 3 &&
    [...wanted].every((digit, i) => digit === 'x' || reply[i] === digit) &&
    reply.length >= 3;
}

/** Whether a text anywhere in it will do; `key` is the nearest name above it. */
function someText(value: JournalValue, wanted: (text: string, key: string) => boolean, key = ''): boolean {
  if (typeof value === 'string') return wanted(value, key);
  if (typeof value === 'number') return wanted(String(value), key);
  if (typeof value !== 'object' || value === null) return false;
  if (Array.isArray(value))
    return (value as readonly JournalValue[]).some((entry) => someText(entry, wanted, key));
  return Object.entries(value).some(([name, entry]) => someText(entry as JournalValue, wanted, name));
}
