import type { CopyArgs } from '../../../data/mailstore/placements.ts';
import type { CopyResult } from '../../../data/mailstore/types.ts';
import { hasRights, Right } from '../../../data/sharing/rights.ts';
import { needMailbox, needRights, permittedFlags } from '../access.ts';
import { allowed, needAllowed } from '../message-limit.ts';
import { noteMade } from '../notify/notify.ts';
import { withProgress } from '../progress.ts';
import { refresh } from '../refresh.ts';
import { type Session, untaggedOk, viewOf } from '../session.ts';
import type { Decoder } from '../wire/decoder.ts';
import { formatSet } from '../wire/sequence-set.ts';
import { type Command, type Outcome, SELECTED } from './command.ts';
import { removedOutcome } from './expunge.ts';

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

interface Request extends CopyArgs {
  /** RFC 9051 sections 6.4.7 and 7.1: who may not read the target learns nothing of the UIDs there. */
  readonly tellsUids: boolean;
  readonly code: string | undefined;
}

async function parse(session: Session, d: Decoder, byUid: boolean, whole: boolean): Promise<Request> {
  d.sp();
  const set = d.sequenceSet();
  d.sp();
  const name = d.mailbox();
  d.end();
  const view = viewOf(session);
  const asked = view.ranges(set, byUid, session.saved);
  // RFC 9738 section 3.1: COPY, which is done as a whole or not at all, is not done.
  if (whole) needAllowed(session, view.countIn(asked));
  const { ranges, code } = allowed(session, view, asked);
  const { mailbox: target, rights } = await needMailbox(session, name, Right.Insert, 'TRYCREATE');
  const permitted = permittedFlags(rights);
  return {
    accountId: view.accountId,
    mailboxId: view.mailboxId,
    ranges,
    targetId: target.id,
    targetAccountId: target.accountId,
    ...(permitted !== undefined && { permitted }),
    tellsUids: hasRights(rights, Right.Read),
    code,
  };
}

async function runCopy(session: Session, d: Decoder, byUid: boolean): Promise<Outcome> {
  const { tellsUids, code: _, ...request } = await parse(session, d, byUid, true);
  if (request.ranges.length === 0) return { text: 'No messages copied' };
  const result = await withProgress(session, () =>
    session.options.store.write.run('mailstore.copy', request),
  );
  noteCopies(session, request.targetId, result);
  // Copies into the selected mailbox itself are news.
  await refresh(session, request.targetId === request.mailboxId);
  return { code: tellsUids ? copyUid(result) : undefined, text: `${result.pairs.length} copied` };
}

async function runMove(session: Session, d: Decoder, byUid: boolean): Promise<Outcome> {
  const { tellsUids, code: limit, ...request } = await parse(session, d, byUid, false);
  const view = viewOf(session);
  view.needWritable();
  // RFC 6851 section 4.3: as STORE \Deleted and EXPUNGE at the source.
  needRights(view, Right.DeleteMessages | Right.Expunge);
  if (request.ranges.length === 0) return { text: 'No messages moved' };
  const result = await withProgress(session, () =>
    session.options.store.write.run('mailstore.move', request),
  );
  // RFC 6851 section 4.3: COPYUID comes before the EXPUNGEs.
  const code = tellsUids ? copyUid(result) : undefined;
  if (code !== undefined) untaggedOk(session, code, 'Moved');
  noteCopies(session, request.targetId, result);
  await refresh(session, true);
  const removed = { modseq: result.modseq, count: result.pairs.length };
  return removedOutcome(session, removed, limit, `${result.pairs.length} moved`);
}

function noteCopies(session: Session, mailboxId: number, { pairs }: CopyResult): void {
  if (session.view?.mailboxId !== mailboxId) return;
  noteMade(
    session,
    mailboxId,
    pairs.map(([, to]) => to),
  );
}

/** COPYUID (RFC 9051 section 7.1); nothing when nothing was copied. */
function copyUid({ uidvalidity, pairs }: CopyResult): string | undefined {
  if (pairs.length === 0) return undefined;
  return `COPYUID ${uidvalidity} ${formatSet(pairs.map(([from]) => from))} ${formatSet(pairs.map(([, to]) => to))}`;
}
