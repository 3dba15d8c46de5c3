import type { UidRange } from '../../../data/mailstore/types.ts';
import { refresh } from '../refresh.ts';
import { loginOf, type Session, viewOf } from '../session.ts';
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
  if (ranges?.length === 0) return undefined;
  const { modseq } = await session.options.store.write.run('mailstore.expunge', {
    accountId: loginOf(session).accountId,
    mailboxId: view.mailboxId,
    ...(ranges !== undefined && { ranges }),
  });
  await refresh(session, true);
  return session.enabled.has('CONDSTORE') ? { code: `HIGHESTMODSEQ ${modseq}`, text: 'Expunged' } : undefined;
}
