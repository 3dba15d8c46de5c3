import { z } from 'zod';
import { Refusal } from '../../../base/errors.ts';
import { terms } from '../../../data/journal/types.ts';
import { caseNumberOf } from '../../../data/vault/case-number.ts';
import { canonicalAddress } from '../../../net/ip.ts';
import { hiddenTerms } from './hidden-terms.ts';
import { type AdminContext, operation } from './operation.ts';
import { journalRow, rowsInWords } from './schemas.ts';
import { scopeOf } from './scope.ts';
import { fits, outcome, type TraceFilter } from './trace-filter.ts';
import { eventsInScope } from './trace-scope.ts';

/** Traces shown at once unless told otherwise, and at most. */
const TRACES_DEFAULT = 10;
const TRACES_MAX = 100;
/** Newest events looked through for traces when only a time is given. */
const RECENT_EVENTS = 2000;
/** Milliseconds looked back for `last` when no time is given: the default retention of the journal. */
const FOREVER = 8.64e15;

/** A time-ordered id as base/ids.ts makes them: a trace or a queue id. */
const TIME_ID = /^[0-9a-hjkmnp-tv-z]{18}$/;

/** Every term a person may have meant: ids are copied from mail programs with and without their brackets. */
export function candidateTerms(text: string): string[] {
  const trimmed = text.trim();
  const bare = trimmed.replace(/^<|>$/g, '');
  const ip = canonicalAddress(bare.replace(/^\[|\]$/g, ''));
  if (ip !== undefined) return [terms.network(ip)];
  const found = [terms.messageId(bare)];
  if (bare.includes('@')) found.push(terms.address(bare));
  else found.push(terms.queueId(bare), terms.object(bare), terms.host(bare));
  const caseNumber = caseNumberOf(bare);
  if (caseNumber !== undefined) found.push(terms.caseNumber(caseNumber));
  return found;
}

interface Span {
  readonly from: number;
  readonly to: number;
  readonly limit: number;
}

/** Traces that each of several things is looked up in before they are put together. */
const LOOKED_UP = 500;

/** Trace ids, newest first: of those that all that is given leads to. */
async function find({ store }: AdminContext, given: readonly string[], span: Span): Promise<string[]> {
  const { from, to, limit } = span;
  if (given.length === 0) {
    const rows = await store.read.run('journal.recent', { from, to, limit: RECENT_EVENTS });
    return [...new Set(rows.map(({ trace }) => trace))];
  }
  const { key } = await store.read.run('journal.privacy', null);
  let common: Map<string, number> | undefined;
  for (const text of given) {
    const found = new Map<string, number>();
    for (const term of hiddenTerms(candidateTerms(text), key)) {
      for (const { trace, at } of await store.read.run('journal.find', { term, from, to, limit })) {
        found.set(trace, Math.max(at, found.get(trace) ?? 0));
      }
    }
    if (TIME_ID.test(text.trim())) found.set(text.trim(), FOREVER);
    const before: Map<string, number> | undefined = common;
    common = before === undefined ? found : new Map([...found].filter(([trace]) => before.has(trace)));
  }
  return [...(common ?? [])].toSorted(([, a], [, b]) => b - a).map(([trace]) => trace);
}

const search = operation({
  method: 'GET',
  path: '/trace',
  summary:
    'What happened to a message or a connection, by message id, queue id, case number, address, IP address, or time',
  access: 'domain',
  input: z.strictObject({
    term: z.string().min(1).max(1000).optional(),
    /** Addresses, or domains ("@example.org"). */
    sender: z.string().min(1).max(320).optional(),
    recipient: z.string().min(1).max(320).optional(),
    outcome: outcome.optional(),
    /** The newest ones, whatever they are about. */
    last: z.stringbool().optional(),
    from: z.coerce.number<number | string>().min(0).optional(),
    to: z.coerce.number<number | string>().min(0).optional(),
    limit: z.coerce.number<number | string>().int().min(1).max(TRACES_MAX).optional(),
    /** Each event with its words. */
    words: z.stringbool().optional(),
  }),
  output: z.object({
    /** Newest last, each with its events in order. */
    traces: z.array(z.object({ trace: z.string(), events: z.array(journalRow) })),
    /** Older ones exist that are not shown. */
    more: z.boolean(),
    /** Milliseconds that events are kept, where the server tells. */
    keptMs: z.number().optional(),
  }),
  async run(context, { term, sender, recipient, outcome: became, words, last = false, ...rest }, actor) {
    const { from = 0, to = FOREVER, limit: wanted } = rest;
    const scope = await scopeOf(context.store, actor);
    const filter: TraceFilter = { sender, recipient, outcome: became };
    const filtered = sender !== undefined || recipient !== undefined || became !== undefined;
    if (term === undefined && !last && from === 0 && to === FOREVER && !filtered) {
      throw new Refusal(
        'bad-input',
        'Say what to look for: a message id, queue id, case number, address, IP address, or time.',
      );
    }
    const limit = wanted ?? (last ? 1 : TRACES_DEFAULT);
    // Whole domains stand in no index; events are looked through for them.
    const given = [term, sender, recipient].filter(
      (text) => text !== undefined && (text === term || isAddress(text)),
    ) as string[];
    const found = await find(context, given, { from, to, limit: filtered ? LOOKED_UP : limit + 1 });
    const traces = [];
    let looked = 0;
    for (const trace of found) {
      if (traces.length >= limit || (!filtered && looked >= limit)) break;
      looked++;
      const all = await context.store.read.run('journal.byTrace', { trace });
      if (filtered && !fits(all, filter)) continue;
      const events = eventsInScope(scope, all);
      if (events.length > 0) traces.push({ trace, events: rowsInWords(events, words) });
    }
    const keptMs = context.facts.journalAgeMs?.();
    // Whether there is more is told of one's own alone.
    const own = scope.all || (given.length > 0 && given.every((text) => scope.covers(text)));
    const shown = { traces: traces.toReversed(), more: found.length > looked && own };
    return keptMs === undefined ? shown : { ...shown, keptMs };
  },
});

/** "ann@example.org", not "@example.org" nor "example.org". */
function isAddress(text: string): boolean {
  return text.trim().indexOf('@') > 0;
}

export const trace = { search };
