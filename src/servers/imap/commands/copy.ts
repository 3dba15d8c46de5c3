import type { CopyResult, UidRange } from '../../../data/mailstore/types.ts';
import { refresh } from '../refresh.ts';
import { noSuchMailbox } from '../replies.ts';
import { loginOf, type Session, untaggedOk, viewOf } from '../session.ts';
import type { Decoder } from '../wire/decoder.ts';
import { formatSet } from '../wire/sequence-set.ts';
import { type Command, type Outcome, SELECTED } from './command.ts';

/** COPY (RFC 9051 section 6.4.7): all or nothing. */
export const copy: Command = { name: 'COPY', states: SELECTED, run: (s, d) => runCopy(s, d, false) };

/** UID COPY (RFC 9051 section 6.4.9). */
export const uidCopy: Command = { name: 'UID COPY', states: SELECTED, run: (s, d) => runCopy(s, d, true) };

/** MOVE (RFC 9051 section 6.4.8). */
export const move: Command = {
  name: 'MOVE',
  states: SELECTED,
  capabilities: ['MOVE'],
  run: (s, d) => runMove(s, d, false),
};

/** UID MOVE (RFC 9051 section 6.4.9). */
export const uidMove: Command = { name: 'UID MOVE', states: SELECTED, run: (s, d) => runMove(s, d, true) };

interface Request {
  readonly accountId: number;
  readonly mailboxId: number;
  readonly ranges: readonly UidRange[];
  readonly targetId: number;
}

async function parse(session: Session, d: Decoder, byUid: boolean): Promise<Request> {
  d.sp();
  const set = d.sequenceSet();
  d.sp();
  const name = d.mailbox();
  d.end();
  const view = viewOf(session);
  const ranges = view.ranges(set, byUid, session.saved);
  const { accountId } = loginOf(session);
  const target = await session.options.store.read.run('mailstore.mailbox', { accountId, name });
  if (target === undefined) throw noSuchMailbox('TRYCREATE');
  return { accountId, mailboxId: view.mailboxId, ranges, targetId: target.id };
}

async function runCopy(session: Session, d: Decoder, byUid: boolean): Promise<Outcome> {
  const request = await parse(session, d, byUid);
  if (request.ranges.length === 0) return { text: 'No messages copied' };
  const result = await session.options.store.write.run('mailstore.copy', request);
  // Copies into the selected mailbox itself are news.
  await refresh(session, request.targetId === request.mailboxId);
  return { code: copyUid(result), text: `${result.pairs.length} copied` };
}

async function runMove(session: Session, d: Decoder, byUid: boolean): Promise<Outcome> {
  const request = await parse(session, d, byUid);
  viewOf(session).needWritable();
  if (request.ranges.length === 0) return { text: 'No messages moved' };
  const result = await session.options.store.write.run('mailstore.move', request);
  // RFC 6851 section 4.3: COPYUID comes before the EXPUNGEs.
  const code = copyUid(result);
  if (code !== undefined) untaggedOk(session, code, 'Moved');
  await refresh(session, true);
  return { text: `${result.pairs.length} moved` };
}

/** COPYUID (RFC 9051 section 7.1); nothing when nothing was copied. */
function copyUid({ uidvalidity, pairs }: CopyResult): string | undefined {
  if (pairs.length === 0) return undefined;
  return `COPYUID ${uidvalidity} ${formatSet(pairs.map(([from]) => from))} ${formatSet(pairs.map(([, to]) => to))}`;
}
