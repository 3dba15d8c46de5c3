import type { EmailFilter } from '../../../data/jmap/query.ts';
import { textSource } from '../../../data/search/source.ts';
import type { SearchQuery } from '../../../data/search/types.ts';
import type { ContentRef } from '../../../data/mailstore/types.ts';
import { finderOf, foldedPieces, needleOf } from '../../../mail/search/fold.ts';
import { bodyTexts, fieldPieces, fieldText, messageHeader, type Spend } from '../../../mail/search/text.ts';
import { type Context, scopeOf } from '../context.ts';
import type { View } from '../view.ts';
import type { AskedFilter } from './filter.ts';

/** Steps, of a few nanoseconds each, that are done before others get a turn. */
const STEPS_PER_TURN = 100_000;

/** Look up the texts of a filter: by the index, and where that does not know, by reading. */
export async function lookUp(context: Context, view: View, filter: AskedFilter): Promise<EmailFilter> {
  if (filter.is === 'text') return { is: 'among', ids: await emailsWith(context, view, filter.query) };
  if (!('of' in filter)) return filter;
  const of: EmailFilter[] = [];
  for (const each of filter.of) of.push(await lookUp(context, view, each));
  return { is: filter.is, of };
}

async function emailsWith(context: Context, view: View, query: SearchQuery): Promise<Float64Array> {
  const { search, store } = context.options;
  const answer = await search.find(view.accountId, query);
  const told = answer === 'scan' ? { ids: new Float64Array(0), upTo: 0, open: new Float64Array(0) } : answer;
  const above = await store.read.run('jmap.emailIds', { ...scopeOf(context, view), above: told.upTo });
  const found = [...told.ids];
  for (const emailId of [...told.open, ...above]) {
    const ref = await store.read.run('mailstore.content', { accountId: view.accountId, emailId });
    if (ref !== undefined && (await matches(context, ref, query))) found.push(emailId);
  }
  return Float64Array.from(found);
}

function turns(): Spend {
  let done = 0;
  return (steps) => {
    done += steps;
    if (done < STEPS_PER_TURN) return undefined;
    done = 0;
    return new Promise((resolve) => setImmediate(resolve));
  };
}

/** The same as the index would answer (docs/adr/0017-search-index.md). */
async function matches(context: Context, ref: ContentRef, query: SearchQuery): Promise<boolean> {
  if (query.kind === 'not') return !(await matches(context, ref, query.of));
  if (query.kind !== 'has') {
    for (const each of query.of) {
      if ((await matches(context, ref, each)) !== (query.kind === 'and')) return query.kind === 'or';
    }
    return query.kind === 'and';
  }
  const { field, text } = query;
  const source = textSource(context.options.store.blobs, ref);
  const spend = turns();
  const needle = needleOf(text);
  if (typeof field !== 'string' || field === 'text') {
    const header = await messageHeader(source, spend);
    for (const each of header.fields) {
      if (typeof field !== 'string' && each.name !== field.header) continue;
      if (typeof field !== 'string' && text === '') return true;
      const value = fieldText(header, each);
      const pieces = typeof field === 'string' ? fieldPieces(each.name, value) : foldedPieces(value);
      if (await anyHas(pieces, finderOf(needle), spend)) return true;
    }
    if (typeof field !== 'string') return false;
  }
  let find = finderOf(needle);
  for await (const each of bodyTexts(source, spend)) {
    if (each.kind === 'part') find = finderOf(needle);
    else if (each.kind === 'text') {
      if (await anyHas(foldedPieces(each.text), find, spend)) return true;
    } else if (await anyHas(fieldPieces(each.name, each.value), finderOf(needle), spend)) return true;
  }
  return false;
}

async function anyHas(
  pieces: Iterable<{ readonly text: string; readonly steps: number }>,
  find: (piece: string) => boolean,
  spend: Spend,
): Promise<boolean> {
  for (const piece of pieces) {
    if (find(piece.text)) return true;
    const wait = spend(piece.steps);
    if (wait !== undefined) await wait;
  }
  return false;
}
