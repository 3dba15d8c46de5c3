import type { SortField } from '../../../data/mailstore/sort-columns.ts';
import type { SortKey } from '../../../data/mailstore/sorting.ts';
import { enableCondstore } from '../condstore.ts';
import { addContext, needNewTag } from '../contexts.ts';
import { emptiedByFailure, type Found, savedOf, tellEsearch, tellNumbers } from '../esearch.ts';
import { SESSION_LIMITS } from '../limits.ts';
import type { MailboxView } from '../mailbox-view.ts';
import { needAllowed, searchedRanges } from '../message-limit.ts';
import { needNumbers } from '../numbers.ts';
import { type Progress, withProgress } from '../progress.ts';
import { refresh } from '../refresh.ts';
import { withFilters } from '../search/filters.ts';
import { runSearch } from '../search/run.ts';
import { type Session, viewOf } from '../session.ts';
import { ensureKeys, sortPlace } from '../sort-keys.ts';
import type { Decoder } from '../wire/decoder.ts';
import { asksForResult, type ReturnOptions, returnOptions } from '../wire/return-options.ts';
import { hasNumbers, positionalCharset, searchCriteria, usesModseq } from '../wire/search-key.ts';
import { type Command, type Outcome, SELECTED } from './command.ts';

/** SORT (RFC 5256 section 3, RFC 5267 section 3, RFC 5957). */
export const sort: Command = {
  name: 'SORT',
  states: SELECTED,
  byNumber: true,
  holdsExpunges: true,
  capabilities: ['SORT', 'SORT=DISPLAY', 'ESORT', 'CONTEXT=SORT'],
  run: (session, d) => run(session, d, false),
};

/** UID SORT. */
export const uidSort: Command = {
  name: 'UID SORT',
  states: SELECTED,
  run: (session, d) => run(session, d, true),
};

const FIELDS: Readonly<Record<string, SortField>> = {
  ARRIVAL: 'arrival',
  CC: 'cc',
  DATE: 'date',
  FROM: 'from',
  SIZE: 'size',
  SUBJECT: 'subject',
  TO: 'to',
  // RFC 5957.
  DISPLAYFROM: 'fromDisplay',
  DISPLAYTO: 'toDisplay',
};

function sortKeys(d: Decoder): SortKey[] {
  const keys = d.list(() => {
    let word = d.keyword('a sort key');
    const reverse = word === 'REVERSE';
    if (reverse) {
      d.sp();
      word = d.keyword('a sort key');
    }
    const field = Object.hasOwn(FIELDS, word) ? FIELDS[word] : undefined;
    return field === undefined ? d.fail('a sort key that is known before this') : { field, reverse };
  });
  if (keys.length > SESSION_LIMITS.sortKeys)
    d.fail(`at most ${SESSION_LIMITS.sortKeys} sort keys before this`);
  return keys;
}

function run(session: Session, d: Decoder, byUid: boolean): Promise<Outcome> {
  d.sp();
  const options = returnOptions(d);
  needNewTag(session, options);
  return emptiedByFailure(session, options, () => answer(session, d, byUid, options));
}

async function answer(
  session: Session,
  d: Decoder,
  byUid: boolean,
  options: ReturnOptions | undefined,
): Promise<Outcome> {
  const keys = sortKeys(d);
  d.sp();
  const charset = positionalCharset(d);
  const criteria = await withFilters(session, searchCriteria(d, charset));
  const holdsExpunges = hasNumbers(criteria.key);
  if (holdsExpunges) needNumbers(session);
  if (usesModseq(criteria.key)) enableCondstore(session);
  const view = viewOf(session);
  // RFC 9738 section 3.3: an order of some of them is none.
  needAllowed(session, view.countIn(searchedRanges(view, criteria.key, session.saved)));
  const found = await withProgress(session, async (progress): Promise<Found> => {
    const { uids, modseq } = await runSearch(session, criteria, view);
    return { view, uids: await sorted(session, view, uids, keys, progress), modseq };
  });
  if (options === undefined) await tellNumbers(session, 'SORT', found, byUid);
  else if (asksForResult(options) || options.update) await tellEsearch(session, found, byUid, options);
  if (options?.update === true)
    addContext(session, { ...criteria, tag: session.tag, byUid, keys, atts: options.atts }, found.uids);
  if (options?.save === true) session.saved = savedOf(found.uids, options);
  await refresh(session);
  return { holdsExpunges };
}

/** Ascending UIDs in the order of sort keys. */
export async function sorted(
  session: Session,
  view: MailboxView,
  uids: readonly number[],
  keys: readonly SortKey[],
  progress: Progress,
): Promise<Uint32Array> {
  if (keys.some(({ field }) => field !== 'arrival' && field !== 'size'))
    await ensureKeys(session, view, progress);
  return session.options.store.read.run('mailstore.sort', {
    ...sortPlace(session, view),
    uids: Uint32Array.from(uids),
    keys,
  });
}
