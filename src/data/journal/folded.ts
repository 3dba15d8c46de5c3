import type { WriteTx } from '../db/sql.ts';
import { type CompactEvent, TERM_OCTETS } from './compact.ts';
import { addRepeats, deleteTerm, insertFold, insertTerm, renewTerm, setFolded } from './journal.sql.ts';
import { type JournalData, type LastEvent, terms as term } from './types.ts';

/** Terms that folding adds to a row at most, the newest: somebody's flood must not fill the journal. */
export const FOLD_TERMS = 50;
/** UTF-16 units of JSON of the newest event that are kept; of a larger one only when and where it was. */
const LAST_JSON = 4096;

/** What a row that stands for several events says beside the first one's data. */
interface Folded {
  readonly last: { readonly trace: string; readonly at: number };
  /** Terms that lead to the row because of folding, the newest last. */
  readonly terms: readonly string[];
}

/** Key of the row's data that holds `Folded`; readers see `last` instead. */
const KEY = 'folded';

/** `more`, of which the later are the newer, behind `terms`; the newest `FOLD_TERMS`, each once. */
export function joinTerms(terms: readonly string[], more: readonly string[]): string[] {
  const joined = new Set(terms);
  for (const one of more) {
    joined.delete(one);
    joined.add(one);
  }
  return [...joined].slice(-FOLD_TERMS);
}

/** What later events are found by in the row of the first: their traces too. */
export function foldTerms(trace: string, terms: readonly string[]): string[] {
  return [...terms, term.trace(trace)];
}

/** A row's data as its readers see it, and the traces (as terms) that were folded into it. */
export function unfold(json: string): { data: JournalData; terms: readonly string[] } {
  const { [KEY]: folded, ...data } = JSON.parse(json) as JournalData & { [KEY]?: Folded };
  return folded === undefined
    ? { data, terms: [] }
    : { data: { ...data, last: folded.last }, terms: folded.terms };
}

/**
 * Repeats are counted in the first one's row; what they can be found by leads to that row's trace, and the newest one's
 * facts stand beside the first one's. `last` is the newest of `count` events when they are more than one.
 */
export async function addFolded(
  tx: WriteTx,
  fold: string,
  event: CompactEvent,
  count: number,
  last: LastEvent | undefined,
): Promise<void> {
  const { trace, at, kind, json, terms, size } = event;
  const lastAt = Math.floor(Math.max(at, last?.at ?? at));
  let row = await tx.get(addRepeats, count, lastAt, lastAt, fold);
  if (row === undefined) {
    const made = await tx.get(insertFold, trace, at, kind, json, count, lastAt, size, fold);
    if (made === undefined) throw new Error('an INSERT returned no row');
    if (made.count === count && made.trace === trace) {
      for (const one of terms) await tx.run(insertTerm, one, trace, at);
      if (last !== undefined) await foldIn(tx, fold, made, last);
      return;
    }
    row = made;
  }
  const data = JSON.parse(json) as JournalData;
  const own = foldTerms(trace, terms);
  const newest = last ?? { trace, at, data, terms: [] };
  await foldIn(tx, fold, row, { ...newest, terms: joinTerms(own, newest.terms) });
}

async function foldIn(
  tx: WriteTx,
  fold: string,
  row: { readonly trace: string; readonly data: string },
  last: LastEvent,
): Promise<void> {
  const { [KEY]: before, ...first } = JSON.parse(row.data) as JournalData & { [KEY]?: Folded };
  const ring = await renewTerms(tx, row.trace, last, before?.terms ?? []);
  const newest = before !== undefined && before.last.at > last.at ? before.last : lastData(last);
  const json = JSON.stringify({ ...first, [KEY]: { last: newest, terms: ring } satisfies Folded });
  const grown = json.length - row.data.length + TERM_OCTETS * (ring.length - (before?.terms.length ?? 0));
  await tx.run(setFolded, json, grown, fold);
}

/** Make the last ones' terms lead to the row's trace; the oldest that were added so make room. Returns the added. */
async function renewTerms(
  tx: WriteTx,
  trace: string,
  last: LastEvent,
  before: readonly string[],
): Promise<string[]> {
  const at = Math.floor(last.at);
  const added = new Set(before);
  for (const one of last.terms) {
    if (one === term.trace(trace)) continue;
    const isNew = !added.delete(one) && (await tx.run(insertTerm, one, trace, at)) > 0;
    if (!isNew) await tx.run(renewTerm, at, one, trace, at);
    // What was there without folding (the first one's) is not ours to take away.
    if (isNew || before.includes(one)) added.add(one);
  }
  const ring = [...added];
  for (const one of ring.slice(0, -FOLD_TERMS)) await tx.run(deleteTerm, one, trace);
  return ring.slice(-FOLD_TERMS);
}

function lastData({ trace, at, data }: LastEvent): Folded['last'] {
  const place = { trace, at: Math.floor(at) };
  const whole = { ...data, ...place };
  return JSON.stringify(whole).length <= LAST_JSON ? whole : place;
}
