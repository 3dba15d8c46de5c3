import { addContext } from '../contexts.ts';
import { type Found, savedOf, tellEsearch, tellNumbers } from '../esearch.ts';
import { needNumbers } from '../numbers.ts';
import { withProgress } from '../progress.ts';
import { refresh } from '../refresh.ts';
import { runSearch } from '../search/run.ts';
import { isRev2, type Session, viewOf } from '../session.ts';
import type { Decoder } from '../wire/decoder.ts';
import { asksForResult, RETURN_ALL } from '../wire/return-options.ts';
import { hasNumbers, searchProgram, usesModseq } from '../wire/search-key.ts';
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
  const program = searchProgram(d, session.enabled.has('UTF8=ACCEPT'));
  if (hasNumbers(program.key)) needNumbers(session);
  if (usesModseq(program.key)) session.enabled.add('CONDSTORE');
  const view = viewOf(session);
  const { returns } = program;
  let found: Found;
  try {
    const { uids, modseq } = await withProgress(session, () => runSearch(session, program));
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
  return undefined;
}
