import type { UidRange } from '../../../data/mailstore/types.ts';
import { SESSION_LIMITS } from '../limits.ts';
import type { MailboxView } from '../mailbox-view.ts';
import { flush, type Session, viewOf, yieldTurn } from '../session.ts';
import type { SearchKey, SearchProgram } from '../wire/search-key.ts';
import { insideOf, type MatchContext, matcher, type Matcher, setRanges } from './match.ts';
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
  program: Pick<SearchProgram, 'key' | 'charset'>,
  view: MailboxView = viewOf(session),
): Promise<SearchResult> {
  const context: MatchContext = {
    view,
    saved: view === session.view ? session.saved : [],
    charset: /^us-ascii$/i.test(program.charset) ? '' : program.charset,
    now: session.options.clock.now(),
  };
  const plan = planOf(program.key, context);
  const test = plan.rest.length === 0 ? undefined : matcher({ kind: 'and', keys: plan.rest }, context);
  const candidates = await candidatesOf(session, view, plan);
  return test === undefined
    ? { uids: candidates, modseq: undefined }
    : sift(session, view, candidates, test, hasModseq(program.key));
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

async function candidatesOf(session: Session, view: MailboxView, plan: Plan): Promise<number[]> {
  const { all, none, keyword, notKeyword } = plan;
  const [first, ...sets] = plan.sets;
  const byFlags = (all | none) !== 0 || keyword !== undefined || notKeyword !== undefined;
  let uids: number[];
  if (byFlags) {
    const found = await session.options.store.read.run('mailstore.uidsByFlags', {
      mailboxId: view.mailboxId,
      all,
      none,
      ...(keyword !== undefined && { keyword }),
      ...(notKeyword !== undefined && { notKeyword }),
    });
    uids = [...found].filter((uid) => view.seqOf(uid) > 0);
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
