import { Flag, type UidRange } from '../../../data/mailstore/types.ts';
import { Right } from '../../../data/sharing/rights.ts';
import { needRights } from '../access.ts';
import type { MailboxView } from '../mailbox-view.ts';
import { type Allowed, allowedUids } from '../message-limit.ts';
import { refresh, tell } from '../refresh.ts';
import { insideOf } from '../search/match.ts';
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
  const part = ranges && (await allowedDeleted(session, view, ranges));
  if (part?.ranges.length === 0) return undefined;
  const { modseq, uids } = await session.options.store.write.run('mailstore.expunge', {
    accountId: view.accountId,
    mailboxId: view.mailboxId,
    ...(part !== undefined && { ranges: part.ranges }),
  });
  await refresh(session, true);
  return removedOutcome(session, { modseq, count: uids.length }, part?.code, undefined);
}

/**
 * RFC 9738 section 3.1: of UID EXPUNGE the \Deleted messages count, so that a client which says the same again gets on.
 */
async function allowedDeleted(
  session: Session,
  view: MailboxView,
  ranges: readonly UidRange[],
): Promise<Allowed> {
  if (view.countIn(ranges) <= session.options.limits.imapMessages) return { ranges, code: undefined };
  const { mailboxId } = view;
  const deleted = await session.options.store.read.run('mailstore.uidsByFlags', {
    mailboxId,
    all: Flag.Deleted,
    none: 0,
  });
  const inside = insideOf(ranges);
  return allowedUids(
    session,
    view,
    [...deleted].filter((uid) => view.seqOf(uid) > 0 && inside(uid)),
  );
}

/** The answer when messages have been taken out, of which the client is told before: `limit` says that there are more. */
export async function removedOutcome(
  session: Session,
  { modseq, count }: { readonly modseq: number; readonly count: number },
  limit: string | undefined,
  text: string | undefined,
): Promise<Outcome> {
  // RFC 7162 section 3.2.7: what was expunged, and all before, has been told when this is.
  const highest = session.enabled.has('CONDSTORE') && count > 0 ? `HIGHESTMODSEQ ${modseq}` : undefined;
  if (limit !== undefined) {
    await tell(session, true);
    if (highest !== undefined) untaggedOk(session, highest, 'Expunged');
    return { code: limit, text: 'Only the last messages' };
  }
  if (highest !== undefined) return { code: highest, text: text ?? 'Expunged' };
  return text === undefined ? undefined : { text };
}
