import type { CopyArgs } from '../../../data/mailstore/placements.ts';
import type { CopyResult } from '../../../data/mailstore/types.ts';
import { Right } from '../../../data/sharing/rights.ts';
import { needMailbox, needRights, permittedFlags } from '../access.ts';
import { needAllowed } from '../message-limit.ts';
import { withProgress } from '../progress.ts';
import { refresh } from '../refresh.ts';
import { type Session, untaggedOk, viewOf } from '../session.ts';
import type { Decoder } from '../wire/decoder.ts';
import { formatSet } from '../wire/sequence-set.ts';
import { type Command, type Outcome, SELECTED } from './command.ts';

/** COPY (RFC 9051 section 6.4.7): all or nothing. */
export const copy: Command = {
  name: 'COPY',
  states: SELECTED,
  byNumber: true,
  run: (s, d) => runCopy(s, d, false),
};

/** UID COPY (RFC 9051 section 6.4.9). */
export const uidCopy: Command = { name: 'UID COPY', states: SELECTED, run: (s, d) => runCopy(s, d, true) };

/** MOVE (RFC 9051 section 6.4.8). */
export const move: Command = {
  name: 'MOVE',
  states: SELECTED,
  byNumber: true,
  capabilities: ['MOVE'],
  run: (s, d) => runMove(s, d, false),
};

/** UID MOVE (RFC 9051 section 6.4.9). */
export const uidMove: Command = { name: 'UID MOVE', states: SELECTED, run: (s, d) => runMove(s, d, true) };

async function parse(session: Session, d: Decoder, byUid: boolean): Promise<CopyArgs> {
  d.sp();
  const set = d.sequenceSet();
  d.sp();
  const name = d.mailbox();
  d.end();
  const view = viewOf(session);
  const ranges = view.ranges(set, byUid, session.saved);
  // RFC 9738 section 3.1: what is done as a whole or not at all is not done.
  needAllowed(session, view.countIn(ranges));
  const { mailbox: target, rights } = await needMailbox(session, name, Right.Insert, 'TRYCREATE');
  const permitted = permittedFlags(rights);
  return {
    accountId: view.accountId,
    mailboxId: view.mailboxId,
    ranges,
    targetId: target.id,
    targetAccountId: target.accountId,
    ...(permitted !== undefined && { permitted }),
  };
}

async function runCopy(session: Session, d: Decoder, byUid: boolean): Promise<Outcome> {
  const request = await parse(session, d, byUid);
  if (request.ranges.length === 0) return { text: 'No messages copied' };
  const result = await withProgress(session, () =>
    session.options.store.write.run('mailstore.copy', request),
  );
  // Copies into the selected mailbox itself are news.
  await refresh(session, request.targetId === request.mailboxId);
  return { code: copyUid(result), text: `${result.pairs.length} copied` };
}

async function runMove(session: Session, d: Decoder, byUid: boolean): Promise<Outcome> {
  const request = await parse(session, d, byUid);
  const view = viewOf(session);
  view.needWritable();
  // RFC 6851 section 4.3: as STORE \\Deleted and EXPUNGE at the source.
  needRights(view, Right.DeleteMessages | Right.Expunge);
  if (request.ranges.length === 0) return { text: 'No messages moved' };
  const result = await withProgress(session, () =>
    session.options.store.write.run('mailstore.move', request),
  );
  // RFC 6851 section 4.3: COPYUID comes before the EXPUNGEs.
  const code = copyUid(result);
  if (code !== undefined) untaggedOk(session, code, 'Moved');
  await refresh(session, true);
  const text = `${result.pairs.length} moved`;
  // RFC 7162 section 3.2.7: as EXPUNGE.
  return session.enabled.has('CONDSTORE') && result.pairs.length > 0
    ? { code: `HIGHESTMODSEQ ${result.modseq}`, text }
    : { text };
}

/** COPYUID (RFC 9051 section 7.1); nothing when nothing was copied. */
function copyUid({ uidvalidity, pairs }: CopyResult): string | undefined {
  if (pairs.length === 0) return undefined;
  return `COPYUID ${uidvalidity} ${formatSet(pairs.map(([from]) => from))} ${formatSet(pairs.map(([, to]) => to))}`;
}
