import type { UidRange } from '../../../data/mailstore/types.ts';
import { addContext } from '../contexts.ts';
import { type Found, savedOf, tellEsearch, tellNumbers } from '../esearch.ts';
import { allowed, needAllowed, searchedRanges } from '../message-limit.ts';
import { needNumbers } from '../numbers.ts';
import { withProgress } from '../progress.ts';
import { refresh } from '../refresh.ts';
import { withFilters } from '../search/filters.ts';
import { runSearch } from '../search/run.ts';
import { isRev2, type Session, viewOf } from '../session.ts';
import type { Decoder } from '../wire/decoder.ts';
import { asksForResult, RETURN_ALL } from '../wire/return-options.ts';
import { hasNumbers, type SearchProgram, searchProgram, usesModseq } from '../wire/search-key.ts';
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

async function run(session: Session, d: Decoder, byUid: boolean): Promise<Outcome> {
  d.sp();
  // RFC 6855 section 3: with UTF8=ACCEPT there is no other character set.
  const asked = searchProgram(d, session.enabled.has('UTF8=ACCEPT'));
  const { returns } = asked;
  const view = viewOf(session);
  let found: Found;
  let program: SearchProgram;
  let code: string | undefined;
  try {
    program = await withFilters(session, asked);
    if (hasNumbers(program.key)) needNumbers(session);
    if (usesModseq(program.key)) session.enabled.add('CONDSTORE');
    const part = allowed(session, view, searchedRanges(view, program.key, session.saved));
    code = part.code;
    // RFC 9738 section 3.4: half a result must not be taken for the whole one later.
    if (code !== undefined && (returns?.save === true || returns?.update === true))
      needAllowed(session, Number.POSITIVE_INFINITY);
    const searched = code === undefined ? program : within(program, part.ranges);
    const { uids, modseq } = await withProgress(session, () => runSearch(session, searched));
    found = { view, uids, modseq };
  } catch (error) {
    // RFC 5182 section 2.1: a search that fails leaves an empty result behind.
    if (returns?.save === true) session.saved = [];
    throw error;
  }
  const options = returns ?? RETURN_ALL;
  if (returns === undefined && !isRev2(session)) await tellNumbers(session, 'SEARCH', found, byUid);
  else if (asksForResult(options) || options.update) await tellEsearch(session, found, byUid, options);
  if (options.save) session.saved = savedOf(found.uids, options);
  if (options.update)
    addContext(session, { tag: session.tag, criteria: program, byUid, keys: undefined }, found.uids);
  await refresh(session);
  return code === undefined ? undefined : { code, text: 'Only the last messages were searched' };
}

/** A search of no other messages than these. */
function within(program: SearchProgram, ranges: readonly UidRange[]): SearchProgram {
  return { ...program, key: { kind: 'and', keys: [{ kind: 'uid', set: ranges }, program.key] } };
}
