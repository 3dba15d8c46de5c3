import { z } from 'zod';
import { Refusal } from '../../../base/errors.ts';
import { terms } from '../../../data/journal/types.ts';
import { caseNumberOf } from '../../../data/vault/case-number.ts';
import { canonicalAddress } from '../../../net/ip.ts';
import { hiddenTerms } from './hidden-terms.ts';
import { type AdminContext, operation } from './operation.ts';
import { journalRow } from './schemas.ts';
import { scopeOf } from './scope.ts';
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

/** Trace ids, newest first. */
async function find({ store }: AdminContext, term: string | undefined, span: Span): Promise<string[]> {
  const { from, to, limit } = span;
  if (term === undefined) {
    const rows = await store.read.run('journal.recent', { from, to, limit: RECENT_EVENTS });
    return [...new Set(rows.map(({ trace }) => trace))];
  }
  const found = new Map<string, number>();
  const { key } = await store.read.run('journal.privacy', null);
  for (const one of hiddenTerms(candidateTerms(term), key)) {
    for (const { trace, at } of await store.read.run('journal.find', {
      term: one,
      from,
      to,
      limit: limit + 1,
    })) {
      found.set(trace, Math.max(at, found.get(trace) ?? 0));
    }
  }
  if (TIME_ID.test(term.trim())) found.set(term.trim(), FOREVER);
  return [...found].toSorted(([, a], [, b]) => b - a).map(([trace]) => trace);
}

const search = operation({
  method: 'GET',
  path: '/trace',
  summary:
    'What happened to a message or a connection, by message id, queue id, case number, address, IP address, or time',
  access: 'domain',
  input: z.strictObject({
    term: z.string().min(1).max(1000).optional(),
    /** The newest ones, whatever they are about. */
    last: z.stringbool().optional(),
    from: z.coerce.number<number | string>().min(0).optional(),
    to: z.coerce.number<number | string>().min(0).optional(),
    limit: z.coerce.number<number | string>().int().min(1).max(TRACES_MAX).optional(),
  }),
  output: z.object({
    /** Newest last, each with its events in order. */
    traces: z.array(z.object({ trace: z.string(), events: z.array(journalRow) })),
    /** Older ones exist that are not shown. */
    more: z.boolean(),
    /** Milliseconds that events are kept, where the server tells. */
    keptMs: z.number().optional(),
  }),
  async run(context, { term, last = false, from = 0, to = FOREVER, limit: wanted }, actor) {
    const scope = await scopeOf(context.store, actor);
    if (term === undefined && !last && from === 0 && to === FOREVER) {
      throw new Refusal(
        'bad-input',
        'Say what to look for: a message id, queue id, case number, address, IP address, or time.',
      );
    }
    const limit = wanted ?? (last ? 1 : TRACES_DEFAULT);
    const found = await find(context, term, { from, to, limit });
    const traces = [];
    for (const trace of found.slice(0, limit)) {
      const events = eventsInScope(scope, await context.store.read.run('journal.byTrace', { trace }));
      if (events.length > 0) traces.push({ trace, events });
    }
    const keptMs = context.facts.journalAgeMs?.();
    // Whether there is more is told of one's own alone.
    const more = found.length > limit && (scope.all || (term !== undefined && scope.covers(term)));
    const shown = { traces: traces.toReversed(), more };
    return keptMs === undefined ? shown : { ...shown, keptMs };
  },
});

export const trace = { search };
