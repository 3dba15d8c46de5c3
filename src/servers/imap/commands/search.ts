import type { UidRange } from '../../../data/mailstore/types.ts';
import { enableCondstore } from '../condstore.ts';
import { addContext, needNewTag, refuseUpdate } from '../contexts.ts';
import { emptiedByFailure, type Found, savedOf, tellEsearch, tellNumbers } from '../esearch.ts';
import { allowed, searchedRanges } from '../message-limit.ts';
import { needNumbers } from '../numbers.ts';
import { withProgress } from '../progress.ts';
import { refresh } from '../refresh.ts';
import { withFilters } from '../search/filters.ts';
import { runSearch } from '../search/run.ts';
import { isRev2, type Session, viewOf } from '../session.ts';
import type { Decoder } from '../wire/decoder.ts';
import { asksForResult, RETURN_ALL, type ReturnOptions, returnOptions } from '../wire/return-options.ts';
import { hasNumbers, type SearchCriteria, searchProgram, usesModseq } from '../wire/search-key.ts';
import { type Command, type Outcome, SELECTED } from './command.ts';

/** SEARCH (RFC 9051 section 6.4.4, RFC 7162 section 3.1.5, RFC 5182, RFC 5267). */
export const search: Command = {
  name: 'SEARCH',
  states: SELECTED,
  byNumber: true,
  holdsExpunges: true,
  run: (session, d) => run(session, d, false),
};

/** UID SEARCH (RFC 9051 section 6.4.9). */
export const uidSearch: Command = {
  name: 'UID SEARCH',
  states: SELECTED,
  run: (session, d) => run(session, d, true),
};

function run(session: Session, d: Decoder, byUid: boolean): Promise<Outcome> {
  d.sp();
  const returns = returnOptions(d);
  needNewTag(session, returns);
  return emptiedByFailure(session, returns, () => answer(session, d, byUid, returns));
}

async function answer(
  session: Session,
  d: Decoder,
  byUid: boolean,
  returns: ReturnOptions | undefined,
): Promise<Outcome> {
  // RFC 6855 section 3: with UTF8=ACCEPT there is no other character set.
  const program = await withFilters(session, searchProgram(d, session.enabled.has('UTF8=ACCEPT')));
  const numbers = hasNumbers(program.key);
  if (numbers) needNumbers(session);
  if (usesModseq(program.key)) enableCondstore(session);
  const view = viewOf(session);
  const { code, ranges } = allowed(session, view, searchedRanges(view, program.key, session.saved));
  const searched = code === undefined ? program : within(program, ranges);
  const { uids, modseq } = await withProgress(session, () => runSearch(session, searched));
  const found: Found = { view, uids, modseq };
  const options = returns ?? RETURN_ALL;
  if (returns === undefined && !isRev2(session)) await tellNumbers(session, 'SEARCH', found, byUid);
  else if (asksForResult(options) || options.update) await tellEsearch(session, found, byUid, options);
  if (options.update) {
    const request = { ...program, tag: session.tag, byUid, keys: undefined, atts: options.atts };
    if (code === undefined) addContext(session, request, found.uids);
    // Half a result must not be taken for the whole one later.
    else refuseUpdate(session, session.tag, 'Only the last messages were searched');
  }
  // RFC 9738 section 3.4: of what was searched.
  if (options.save) session.saved = savedOf(found.uids, options);
  await refresh(session);
  // RFC 7162 section 3.2.10.2: UID SEARCH with message numbers is as SEARCH.
  const holdsExpunges = numbers;
  return code === undefined
    ? { holdsExpunges }
    : { code, text: 'Only the last messages were searched', holdsExpunges };
}

/** A search of no other messages than these. */
function within(program: SearchCriteria, ranges: readonly UidRange[]): SearchCriteria {
  return { ...program, key: { kind: 'and', keys: [{ kind: 'uid', set: ranges }, program.key] } };
}
