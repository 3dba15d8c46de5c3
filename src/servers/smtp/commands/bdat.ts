import type { SmtpReply } from '../../../base/errors.ts';
import { smtpReply } from '../../../base/errors.ts';
import { SESSION_LIMITS } from '../limits.ts';
import { feed, finishMessage, openMessage, refuseFault, refuseTooLarge } from '../receive.ts';
import { replies } from '../replies.ts';
import {
  awaitData,
  countIdle,
  endNoted,
  type Incoming,
  refuse,
  reply,
  resetTransaction,
  type Session,
} from '../session.ts';
import { type BdatCommand, parseBdat } from '../wire/bdat.ts';
import { badParam, isReply } from '../wire/params.ts';
import { type Command, EVERY_PROTOCOL, EVERY_STATE } from './command.ts';

/**
 * BDAT (RFC 3030): exactly as many octets follow the command as it says, whatever we think of it. So it is allowed in
 * every state: the octets are taken first and the refusal follows them.
 */
export const bdat: Command = {
  name: 'BDAT',
  protocols: EVERY_PROTOCOL,
  states: EVERY_STATE,
  stage: 'data',
  argument: 'required',
  grouped: true,
  run,
};

async function run(session: Session, argument: string): Promise<void> {
  const command = parseBdat(argument);
  if (command === undefined) {
    reply(session, badParam('BDAT size [LAST]'));
    return endNoted(session, 'data', replies.outOfStep, 'malformed BDAT');
  }
  if (
    command.size >
    session.options.limits.messageBytes * SESSION_LIMITS.swallowFactor + SESSION_LIMITS.swallowSlack
  ) {
    resetTransaction(session);
    reply(session, replies.tooLarge);
    return endNoted(session, 'data', replies.outOfStep, `BDAT of ${command.size} octets`);
  }
  const incoming = await ready(session);
  if (isReply(incoming)) return discard(session, command, incoming);
  if (!(await receive(session, incoming, command))) return resetTransaction(session);
  if (command.last) {
    incoming.text?.end();
    refuseFault(session, incoming, incoming.text?.fault);
    await finishMessage(session, incoming);
  } else if (incoming.refusal !== undefined) {
    failSequence(session, incoming.refusal);
  } else {
    if (command.size === 0) countIdle(session);
    reply(session, smtpReply(250, '2.0.0', `${command.size} octets received`));
  }
}

/** The message this chunk belongs to, opened if it is the first; or why there is none. */
async function ready(session: Session): Promise<Incoming | SmtpReply> {
  const { transaction, incoming } = session;
  if (incoming !== undefined) return incoming;
  if (transaction === undefined) return session.bdatFailed ? replies.bdatFailed : replies.mailFirst;
  if (transaction.accepted === 0) {
    if (transaction.attempted === 0) return replies.rcptFirst;
    return session.options.protocol === 'lmtp' ? replies.lmtpNoValidRecipients : replies.noValidRecipients;
  }
  const opened = await openMessage(session, transaction, transaction.params.body !== 'BINARYMIME');
  if (!isReply(opened)) session.state = 'bdat';
  return opened;
}

/** Take the chunk's octets; false when the session ended before. */
async function receive(session: Session, incoming: Incoming, command: BdatCommand): Promise<boolean> {
  const { input, options } = session;
  if (incoming.octets + command.size > options.limits.messageBytes) refuseTooLarge(session, incoming);
  let left = command.size;
  while (left > 0) {
    if (input.unread === 0 && !(await awaitData(session))) {
      return false;
    }
    const { chunk, pos } = input;
    const size = Math.min(left, chunk.length - pos);
    input.pos = pos + size;
    left -= size;
    if (incoming.text !== undefined) {
      incoming.text.scan(chunk, pos, pos + size);
      refuseFault(session, incoming, incoming.text.fault);
    }
    const taken = feed(session, incoming, chunk.subarray(pos, pos + size), size);
    if (taken !== undefined) {
      await taken;
      input.release();
    }
    if (session.ended !== undefined) return false;
  }
  return true;
}

/** Swallow a chunk that belongs to no message, then refuse it. */
async function discard(session: Session, command: BdatCommand, what: SmtpReply): Promise<void> {
  const { input, options } = session;
  session.watch.startData(options.limits.dataTotalMs);
  let left = command.size;
  while (left > 0) {
    if (input.unread === 0 && !(await awaitData(session))) {
      return resetTransaction(session);
    }
    const size = Math.min(left, input.unread);
    input.pos += size;
    left -= size;
  }
  // The rest of a failed sequence was sent before our refusal was read: no error of the client's.
  if (session.bdatFailed) {
    session.watch.endData();
    reply(session, what);
    if (command.size === 0) countIdle(session);
    return;
  }
  if (session.transaction === undefined) {
    session.watch.endData();
    return refuse(session, 'data', what, 'BDAT without a transaction that can take it');
  }
  failSequence(session, what);
}

/** A chunk was refused: the whole message is, and so is what still comes of its sequence. */
function failSequence(session: Session, what: SmtpReply): void {
  resetTransaction(session);
  session.bdatFailed = true;
  reply(session, what);
  countIdle(session);
}
