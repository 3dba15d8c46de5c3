import type { JournalData, JournalEvent, JournalValue } from './types.ts';

/** What one event may cost, whoever fills it. UTF-16 units, entries, levels, units of JSON. */
export const EVENT_STRING = 500;
export const EVENT_ENTRIES = 200;
export const EVENT_DEPTH = 6;
export const EVENT_JSON = 64 * 1024;
/** Terms of one event that are kept: a message has at most 100 recipients in one transaction, and some of its own. */
export const EVENT_TERMS = 128;

/** What a row and a term take besides their own text: columns, row headers, index entries. Octets, measured roughly. */
const ROW_OCTETS = 160;
export const TERM_OCTETS = 80;

export interface CompactEvent {
  readonly trace: string;
  readonly at: number;
  readonly kind: string;
  readonly json: string;
  readonly terms: readonly string[];
  /** Octets the event takes in the database, estimated. */
  readonly size: number;
}

/** An event as it is stored: strings, lists and depth cut to the limits, terms without repeats. */
export function compact(event: JournalEvent): CompactEvent {
  const json = compactJson(event.data);
  const terms = cutTerms(event.terms);
  const trace = cut(event.trace);
  let size = ROW_OCTETS + json.length + trace.length;
  for (const term of terms) size += TERM_OCTETS + term.length;
  return { trace, at: Math.floor(event.at), kind: event.kind, json, terms, size };
}

/** Copy of an event's data with everything cut; plain objects only, so it can cross to another thread. */
export function cutData(data: JournalData): JournalData {
  return cutObject(data, EVENT_DEPTH);
}

export function cutTerms(terms: readonly string[]): string[] {
  const kept = new Set<string>();
  for (const term of terms) {
    if (kept.size === EVENT_TERMS) break;
    kept.add(cut(term).replaceAll('\0', '\ufffd').toWellFormed());
  }
  return [...kept];
}

function compactJson(data: JournalData): string {
  const json = JSON.stringify(cutData(data));
  return json.length <= EVENT_JSON ? json : JSON.stringify({ cut: json.slice(0, EVENT_STRING) });
}

function cut(text: string): string {
  return text.length <= EVENT_STRING ? text : `${text.slice(0, EVENT_STRING - 1)}…`.toWellFormed();
}

function cutValue(value: JournalValue, depth: number): JournalValue {
  if (typeof value === 'string') return cut(value);
  if (typeof value !== 'object' || value === null) return value;
  if (depth === 0) return '…';
  if (isList(value)) return value.slice(0, EVENT_ENTRIES).map((entry) => cutValue(entry, depth - 1));
  return cutObject(value, depth);
}

function cutObject(object: JournalData, depth: number): JournalData {
  const entries = Object.entries(object).filter(([, value]) => value !== undefined);
  // fromEntries, because assigning a key named __proto__ would not make one.
  return Object.fromEntries(
    entries.slice(0, EVENT_ENTRIES).map(([key, value]) => [cut(key), cutValue(value, depth - 1)]),
  );
}

function isList(value: JournalValue): value is readonly JournalValue[] {
  return Array.isArray(value);
}
