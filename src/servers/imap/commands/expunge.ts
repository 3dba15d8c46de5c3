import type { UidRange } from '../../../data/mailstore/types.ts';
import { Right } from '../../../data/sharing/rights.ts';
import { needRights } from '../access.ts';
import { allowed } from '../message-limit.ts';
import { refresh, tell } from '../refresh.ts';
import { type Session, untaggedOk, viewOf } from '../session.ts';
import { type Command, type Outcome, SELECTED } from './command.ts';

/** EXPUNGE (RFC 9051 section 6.4.3). */
export const expunge: Command = {
  name: 'EXPUNGE',
  states: SELECTED,
  run(session, d) {
    d.end();
    return remove(session, undefined);
  },
};

/** UID EXPUNGE (RFC 9051 section 6.4.9). */
export const uidExpunge: Command = {
  name: 'UID EXPUNGE',
  states: SELECTED,
  run(session, d) {
    d.sp();
    const set = d.sequenceSet();
    d.end();
    return remove(session, viewOf(session).ranges(set, true, session.saved));
  },
};

async function remove(session: Session, ranges: readonly UidRange[] | undefined): Promise<Outcome> {
  const view = viewOf(session);
  view.needWritable();
  needRights(view, Right.Expunge);
  if (ranges?.length === 0) return undefined;
  // RFC 9738 section 3.1: EXPUNGE, which names no messages, has no limit.
  const part = ranges && allowed(session, view, ranges);
  const { modseq, uids } = await session.options.store.write.run('mailstore.expunge', {
    accountId: view.accountId,
    mailboxId: view.mailboxId,
    ...(part !== undefined && { ranges: part.ranges }),
  });
  await refresh(session, true);
  // RFC 7162 section 3.2.7: what was expunged, and all before, has been told when this is.
  const highest = session.enabled.has('CONDSTORE') && uids.length > 0 ? `HIGHESTMODSEQ ${modseq}` : undefined;
  if (part?.code !== undefined) {
    await tell(session, true);
    if (highest !== undefined) untaggedOk(session, highest, 'Expunged');
    return { code: part.code, text: 'Only among the last messages' };
  }
  return highest === undefined ? undefined : { code: highest, text: 'Expunged' };
}
