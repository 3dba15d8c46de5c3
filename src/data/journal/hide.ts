import type { WriteTx } from '../db/sql.ts';
import { putSetting, settingByName } from '../directory/directory.sql.ts';
import { changeEventData, deleteTerm, eventsToHide, insertTerm, termsToHide } from './journal.sql.ts';
import { keyOf } from './policy.ts';
import { type Hiding, hideData, hideTerm, hideTerms } from './privacy.ts';
import type { JournalData } from './types.ts';

/** What is old loses the addresses in it. */

/** How far it has come, as JSON: nothing before it is looked at again. */
const PROGRESS = 'journal.hidden';

interface Place {
  readonly at: number;
  /** Of a row, or the term and trace of a key. */
  readonly id: number;
  readonly term: string;
  readonly trace: string;
}
const BEGIN: Place = { at: 0, id: 0, term: '', trace: '' };

type Progress = Partial<Record<`${'addresses' | 'ips'}.${'rows' | 'terms'}`, Place>>;

export interface HideRequest {
  /** Milliseconds since the epoch; undefined: they stay. */
  readonly addressesBefore?: number | undefined;
  readonly ipsBefore?: number | undefined;
  /** Rows in one commit. */
  readonly limit: number;
}

/** One batch of each; `more`: call again. */
export async function hideOld(
  tx: WriteTx,
  request: HideRequest,
): Promise<{ changed: number; more: boolean }> {
  const row = await tx.get(settingByName, PROGRESS);
  const progress: Progress = row === undefined ? {} : (JSON.parse(row.value) as Progress);
  const key = await keyOf(tx);
  const next: Progress = { ...progress };
  let [changed, more] = [0, false];
  for (const [what, before] of [
    ['addresses', request.addressesBefore],
    ['ips', request.ipsBefore],
  ] as const) {
    if (before === undefined) continue;
    const hiding: Hiding = {
      addresses: what === 'addresses',
      ips: what === 'ips' ? 'network' : 'full',
      words: true,
      key,
    };
    const rows = await hideRows(tx, hiding, progress[`${what}.rows`] ?? BEGIN, before, request.limit);
    const terms = await hideTermsOf(tx, hiding, progress[`${what}.terms`] ?? BEGIN, before, request.limit);
    next[`${what}.rows`] = rows.place;
    next[`${what}.terms`] = terms.place;
    changed += rows.changed + terms.changed;
    more ||= rows.more || terms.more;
  }
  const json = JSON.stringify(next);
  if (json !== row?.value) await tx.run(putSetting, PROGRESS, json);
  return { changed, more };
}

interface Batch {
  readonly place: Place;
  readonly changed: number;
  readonly more: boolean;
}

async function hideRows(
  tx: WriteTx,
  hiding: Hiding,
  from: Place,
  before: number,
  limit: number,
): Promise<Batch> {
  const rows = await tx.all(eventsToHide, from.at, from.at, from.id, before, limit);
  let changed = 0;
  for (const { id, kind, data, fold } of rows) {
    const whole = hideJson(kind, data, hiding);
    // A fold key names a network and what was said there; the row counts no more repeats by now.
    const closed = fold === null ? null : `h:${id}`;
    if (whole === data && closed === fold) continue;
    await tx.run(changeEventData, whole, closed, id);
    changed++;
  }
  const last = rows.at(-1);
  const place = last === undefined ? from : { ...BEGIN, at: last.at, id: last.id };
  return { place, changed, more: rows.length >= limit };
}

/** As the row lies there: what was folded into it stands beside the first one's facts. */
function hideJson(kind: string, json: string, hiding: Hiding): string {
  const { folded, ...first } = JSON.parse(json) as JournalData & {
    folded?: { readonly last: JournalData; readonly terms: readonly string[] };
  };
  const data = hideData(kind, first, hiding);
  if (folded === undefined) return JSON.stringify(data);
  const last = hideData(kind, folded.last, hiding);
  return JSON.stringify({ ...data, folded: { last, terms: hideTerms(folded.terms, hiding) } });
}

async function hideTermsOf(
  tx: WriteTx,
  hiding: Hiding,
  from: Place,
  before: number,
  limit: number,
): Promise<Batch> {
  const prefix = hiding.addresses ? 'a:' : 'i:';
  const rows = await tx.all(termsToHide, from.at, from.at, from.term, from.term, from.trace, before, limit);
  let changed = 0;
  for (const { term, trace, at } of rows) {
    if (!term.startsWith(prefix)) continue;
    const hidden = hideTerm(term, hiding);
    if (hidden === term) continue;
    await tx.run(deleteTerm, term, trace);
    if (hidden !== undefined) await tx.run(insertTerm, hidden, trace, at);
    changed++;
  }
  const last = rows.at(-1);
  const place = last === undefined ? from : { ...BEGIN, at: last.at, term: last.term, trace: last.trace };
  return { place, changed, more: rows.length >= limit };
}
