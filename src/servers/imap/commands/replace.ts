import { MAX_UID } from '../../../data/mailstore/types.ts';
import { Right } from '../../../data/sharing/rights.ts';
import { needRights } from '../access.ts';
import { noteMade } from '../notify/notify.ts';
import { refresh } from '../refresh.ts';
import { refuse } from '../replies.ts';
import { type Session, untaggedOk, viewOf } from '../session.ts';
import { newUpload, passOverRest, readMessage, type Uploaded, uploadMailbox } from '../upload.ts';
import type { Decoder } from '../wire/decoder.ts';
import { STAR } from '../wire/sequence-set.ts';
import { appendUid, deposit } from './append.ts';
import { type Command, type Outcome, SELECTED } from './command.ts';

/** REPLACE (RFC 8508): a new message in place of an old one, as drafts change, in one commit. */
export const replace: Command = {
  name: 'REPLACE',
  states: SELECTED,
  capabilities: ['REPLACE'],
  byNumber: true,
  streams: true,
  run: (session, d) => run(session, d, false),
};

/** UID REPLACE (RFC 8508 section 3.4). */
export const uidReplace: Command = {
  name: 'UID REPLACE',
  states: SELECTED,
  streams: true,
  run: (session, d) => run(session, d, true),
};

/** The message that is to go, before anything is asked for. */
function oldMessage(session: Session, d: Decoder, byUid: boolean): number {
  d.sp();
  const number = d.skip('*') ? STAR : d.nzNumber('the number of one message');
  const view = viewOf(session);
  const [range] = view.ranges([{ from: number, to: number }], byUid, session.saved);
  const [uid] = range === undefined ? [] : view.uidsIn([range]);
  if (uid === undefined || uid > MAX_UID)
    throw refuse('no-such-message', 'NONEXISTENT', 'There is no such message');
  return uid;
}

async function run(session: Session, d: Decoder, byUid: boolean): Promise<Outcome> {
  const view = viewOf(session);
  const messages: Uploaded[] = [];
  try {
    const uid = oldMessage(session, d, byUid);
    view.needWritable();
    // RFC 8508 section 4.1: it is APPEND, STORE of \Deleted and UID EXPUNGE in one.
    needRights(view, Right.DeleteMessages | Right.Expunge);
    const upload = newUpload(await uploadMailbox(session, d), false);
    messages.push(await readMessage(session, d, upload));
    d.end();
    const target = upload.target ?? d.fail('a message');
    const { accountId, mailboxId } = view;
    const { uidvalidity, uids } = await deposit(session, target, messages.splice(0), {
      accountId,
      mailboxId,
      uid,
    });
    // RFC 8508 section 4.3: told before the message that went.
    noteMade(session, target.mailbox.id, uids);
    const code = appendUid(target, uidvalidity, uids);
    if (code !== undefined) untaggedOk(session, code, 'The replacement is there');
  } catch (error) {
    for (const message of messages) message.drop();
    await passOverRest(session, d, error);
    throw error;
  }
  await refresh(session, true);
  // RFC 8508 section 4.5: as UID EXPUNGE.
  return session.enabled.has('CONDSTORE') ? { code: `HIGHESTMODSEQ ${view.modseq}` } : undefined;
}
