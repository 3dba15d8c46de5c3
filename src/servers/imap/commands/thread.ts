import { CLOSE, OPEN } from '../../../data/mailstore/threading.ts';
import { enableCondstore } from '../condstore.ts';
import { pause } from '../esearch.ts';
import type { MailboxView } from '../mailbox-view.ts';
import { needAllowed, searchedRanges } from '../message-limit.ts';
import { needNumbers } from '../numbers.ts';
import { withProgress } from '../progress.ts';
import { refresh } from '../refresh.ts';
import { withFilters } from '../search/filters.ts';
import { runSearch } from '../search/run.ts';
import { type Session, viewOf } from '../session.ts';
import { ensureKeys, sortPlace } from '../sort-keys.ts';
import type { Decoder } from '../wire/decoder.ts';
import { hasNumbers, positionalCharset, searchCriteria, usesModseq } from '../wire/search-key.ts';
import { type Command, type Outcome, SELECTED } from './command.ts';

/** THREAD (RFC 5256 section 3). */
export const thread: Command = {
  name: 'THREAD',
  states: SELECTED,
  byNumber: true,
  holdsExpunges: true,
  capabilities: ['THREAD=ORDEREDSUBJECT', 'THREAD=REFERENCES'],
  run: (session, d) => run(session, d, false),
};

/** UID THREAD. */
export const uidThread: Command = {
  name: 'UID THREAD',
  states: SELECTED,
  run: (session, d) => run(session, d, true),
};

async function run(session: Session, d: Decoder, byUid: boolean): Promise<Outcome> {
  d.sp();
  const algorithm = d.keyword('a threading algorithm');
  if (algorithm !== 'REFERENCES' && algorithm !== 'ORDEREDSUBJECT')
    return d.fail('REFERENCES or ORDEREDSUBJECT before this');
  d.sp();
  const criteria = await withFilters(session, searchCriteria(d, positionalCharset(d)));
  const holdsExpunges = hasNumbers(criteria.key);
  if (holdsExpunges) needNumbers(session);
  if (usesModseq(criteria.key)) enableCondstore(session);
  const view = viewOf(session);
  // RFC 9738 section 3.3: threads of some of them are none.
  needAllowed(session, view.countIn(searchedRanges(view, criteria.key, session.saved)));
  const tokens = await withProgress(session, async (progress) => {
    const { uids } = await runSearch(session, criteria, view);
    await ensureKeys(session, view, progress);
    return session.options.store.read.run('mailstore.thread', {
      ...sortPlace(session, view),
      uids: Uint32Array.from(uids),
      algorithm,
    });
  });
  await tellThreads(session, view, tokens, byUid);
  await refresh(session);
  return { holdsExpunges };
}

async function tellThreads(
  session: Session,
  view: MailboxView,
  tokens: Uint32Array,
  byUid: boolean,
): Promise<void> {
  const { out } = session;
  out.text(tokens.length === 0 ? '* THREAD' : '* THREAD ');
  let afterNumber = false;
  for (const token of tokens) {
    if (token === CLOSE) {
      out.text(')');
      afterNumber = false;
    } else {
      if (afterNumber) out.text(' ');
      out.text(token === OPEN ? '(' : String(byUid ? token : view.seqOf(token)));
      afterNumber = token !== OPEN;
    }
    const wait = pause(session);
    if (wait !== undefined) await wait;
  }
  out.line('');
}
