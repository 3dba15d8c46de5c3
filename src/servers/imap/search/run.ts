import type { UidRange } from '../../../data/mailstore/types.ts';
import { SESSION_LIMITS } from '../limits.ts';
import type { SearchQuery } from '../../../data/search/types.ts';
import type { MailboxView } from '../mailbox-view.ts';
import { flush, type Session, viewOf, yieldTurn } from '../session.ts';
import type { SearchCriteria, SearchKey } from '../wire/search-key.ts';
import { insideOf, type MatchContext, matcher, type Matcher, setRanges } from './match.ts';
import { askIndex, inBoth, knownTexts, textQuery, type Told } from './indexed.ts';
import { type MessageText, messageText } from './text.ts';

export interface SearchResult {
  /** Ascending, all in view. */
  readonly uids: readonly number[];
  /** Highest modseq of them; known only when a MODSEQ key was used. */
  readonly modseq: number | undefined;
}

/** What of a search the store can answer from flags, which sets bound it, and what has to be looked at row by row. */
interface Plan {
  all: number;
  none: number;
  keyword: string | undefined;
  notKeyword: string | undefined;
  readonly sets: UidRange[][];
  readonly rest: SearchKey[];
}

function planOf(key: SearchKey, context: MatchContext): Plan {
  const plan: Plan = { all: 0, none: 0, keyword: undefined, notKeyword: undefined, sets: [], rest: [] };
  const add = (each: SearchKey, set: boolean): void => {
    if (each.kind === 'and' && set) for (const inner of each.keys) add(inner, true);
    else if (each.kind === 'not' && each.key.kind === 'flag') add(each.key, !set);
    else if (each.kind === 'flag') {
      if (each.set === set) plan.all |= each.bit;
      else plan.none |= each.bit;
    } else if (each.kind === 'keyword' && each.set && plan.keyword === undefined) plan.keyword = each.keyword;
    else if (each.kind === 'keyword' && !each.set && plan.notKeyword === undefined)
      plan.notKeyword = each.keyword;
    else if (each.kind === 'seq' || each.kind === 'uid') plan.sets.push(setRanges(each, context));
    else if (each.kind !== 'all') plan.rest.push(each);
  };
  add(key, true);
  return plan;
}

/**
 * Run a SEARCH over the messages of a view: the session's own, or one made for a search of another mailbox (RFC 7377),
 * where "$" means nothing.
 */
export async function runSearch(
  session: Session,
  program: SearchCriteria,
  view: MailboxView = viewOf(session),
): Promise<SearchResult> {
  const context: MatchContext = {
    view,
    saved: view === session.view ? session.saved : [],
    charset: /^us-ascii$/i.test(program.charset) ? '' : program.charset,
    now: session.options.clock.now(),
  };
  const plan = planOf(program.key, context);
  const withModseq = hasModseq(program.key);
  const texts = plan.rest.filter((key) => textQuery(key, context.charset) !== undefined);
  const told =
    texts.length === 0 ? undefined : await askIndex(session, view, queryOf(texts, context.charset));
  const whole = { kind: 'and', keys: plan.rest } as const;
  if (told === undefined) {
    const candidates = await candidatesOf(session, view, plan);
    return siftBy(session, context, candidates, whole, withModseq, texts.length === 0);
  }
  // Of most messages the index has told all there is to know of their text; the others are read.
  const { sure, unsure } = await chosenOf(session, view, plan, told);
  const others = { kind: 'and', keys: plan.rest.filter((key) => !texts.includes(key)) } as const;
  return joined(
    await siftBy(session, context, sure, others, withModseq, true),
    await siftBy(session, context, unsure, whole, withModseq, false),
  );
}

function queryOf(keys: readonly SearchKey[], charset: string): SearchQuery {
  return { kind: 'and', of: keys.flatMap((key) => textQuery(key, charset) ?? []) };
}

/** What the index told of the messages that flags and sets leave. */
async function chosenOf(session: Session, view: MailboxView, plan: Plan, told: Told): Promise<Told> {
  if (!byFlags(plan) && plan.sets.length === 0) return told;
  const candidates = await candidatesOf(session, view, plan);
  return { sure: inBoth(told.sure, candidates), unsure: inBoth(told.unsure, candidates) };
}

/** Those of the candidates, ascending, that match a key; `withIndex`: parts of it may be asked of the index. */
async function siftBy(
  session: Session,
  context: MatchContext,
  candidates: readonly number[],
  key: Extract<SearchKey, { kind: 'and' }>,
  withModseq: boolean,
  withIndex: boolean,
): Promise<SearchResult> {
  if (key.keys.length === 0 || candidates.length === 0) return { uids: candidates, modseq: undefined };
  const { view, charset } = context;
  const known = withIndex ? await knownTexts(session, view, key, charset) : undefined;
  return sift(
    session,
    view,
    candidates,
    matcher(key, { ...context, ...(known !== undefined && { known }) }),
    withModseq,
  );
}

function joined(a: SearchResult, b: SearchResult): SearchResult {
  if (b.uids.length === 0) return a;
  if (a.uids.length === 0) return b;
  const modseq = Math.max(a.modseq ?? 0, b.modseq ?? 0);
  return {
    uids: [...a.uids, ...b.uids].toSorted((x, y) => x - y),
    modseq: modseq === 0 ? undefined : modseq,
  };
}

function hasModseq(key: SearchKey): boolean {
  switch (key.kind) {
    case 'modseq':
      return true;
    case 'and':
      return key.keys.some(hasModseq);
    case 'or':
      return hasModseq(key.a) || hasModseq(key.b);
    case 'not':
      return hasModseq(key.key);
    default:
      return false;
  }
}

function byFlags({ all, none, keyword, notKeyword }: Plan): boolean {
  return (all | none) !== 0 || keyword !== undefined || notKeyword !== undefined;
}

async function candidatesOf(session: Session, view: MailboxView, plan: Plan): Promise<number[]> {
  const { all, none, keyword, notKeyword } = plan;
  const [first, ...sets] = plan.sets;
  let uids: number[];
  if (byFlags(plan)) {
    const found = await session.options.store.read.run('mailstore.uidsByFlags', {
      mailboxId: view.mailboxId,
      all,
      none,
      ...(keyword !== undefined && { keyword }),
      ...(notKeyword !== undefined && { notKeyword }),
    });
    uids = view.among(found);
    if (first !== undefined) sets.push(first);
  } else uids = view.uidsIn(first ?? [{ from: 1, to: view.lastUid }]);
  for (const set of sets) uids = uids.filter(insideOf(set));
  return uids;
}

async function sift(
  session: Session,
  view: MailboxView,
  candidates: readonly number[],
  test: Matcher,
  withModseq: boolean,
): Promise<SearchResult> {
  const { read, blobs } = session.options.store;
  const size = test.needs.has('content') ? SESSION_LIMITS.contentRowsPerPage : SESSION_LIMITS.rowsPerPage;
  const uids: number[] = [];
  let modseq = 0;
  for (let at = 0; at < candidates.length; at += size) {
    const rows = await read.run('mailstore.fetch', {
      mailboxId: view.mailboxId,
      ranges: view.rangesOf(candidates.slice(at, at + size)),
      want: [...test.needs],
      limit: size,
    });
    for (const row of rows) {
      let text: MessageText | undefined;
      const result = test.test(row, () => (text ??= messageText(blobs, row, session.turns)));
      if (!(typeof result === 'boolean' ? result : await result)) continue;
      uids.push(row.uid);
      modseq = Math.max(modseq, row.modseq);
    }
    // A client that has gone, or was cut, must not keep us searching.
    await flush(session);
    await yieldTurn();
  }
  return { uids, modseq: withModseq && uids.length > 0 ? modseq : undefined };
}
