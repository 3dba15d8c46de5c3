import type { SmtpReply } from '../../../base/errors.ts';
import { feed, finishMessage, openMessage, refuseFault } from '../receive.ts';
import { replies } from '../replies.ts';
import {
  awaitData,
  endNoted,
  type Incoming,
  refuse,
  reply,
  resetTransaction,
  type Session,
} from '../session.ts';
import { DataFramer } from '../wire/data-framer.ts';
import { isReply } from '../wire/params.ts';
import { type Command, EVERY_PROTOCOL, EVERY_STATE } from './command.ts';

/** DATA (RFC 5321 section 4.1.1.4). */
export const data: Command = {
  name: 'DATA',
  protocols: EVERY_PROTOCOL,
  states: EVERY_STATE,
  stage: 'data',
  argument: 'none',
  grouped: false,
  run,
};

async function run(session: Session): Promise<void> {
  const { transaction } = session;
  const problem = notNow(session);
  if (problem !== undefined || transaction === undefined) {
    refuse(session, 'data', problem ?? replies.mailFirst, 'DATA without a transaction that can take it');
    return refuseUnasked(session);
  }
  const incoming = await openMessage(session, transaction, false);
  if (isReply(incoming)) {
    resetTransaction(session);
    reply(session, incoming);
    return refuseUnasked(session);
  }
  reply(session, replies.startData);
  if (await receive(session, incoming)) await finishMessage(session, incoming);
  else resetTransaction(session);
}

function notNow(session: Session): SmtpReply | undefined {
  const { state, transaction, options } = session;
  if (state === 'bdat') return replies.bdatOpen; // RFC 3030 section 2
  if (state === 'start' || transaction === undefined) return replies.mailFirst;
  // RFC 3030 section 3: only BDAT carries octets that are no lines.
  if (transaction.params.body === 'BINARYMIME') return replies.binaryNeedsBdat;
  if (transaction.accepted > 0) return undefined;
  if (transaction.attempted === 0) return replies.rcptFirst;
  // RFC 5321 section 3.3, and RFC 2033 section 4.2 for LMTP.
  return options.protocol === 'lmtp' ? replies.lmtpNoValidRecipients : replies.noValidRecipients;
}

/**
 * DATA ends a pipelined group (RFC 2920 section 3.1), so what stands behind a refused one is a message that was sent
 * without waiting for 354. Its lines must not become commands.
 */
function refuseUnasked(session: Session): void {
  if (session.input.unread > 0)
    endNoted(session, 'data', replies.pipelinedData, 'data sent behind a refused DATA');
}

/** Take the message to its end; false when the session ended before. */
async function receive(session: Session, incoming: Incoming): Promise<boolean> {
  const { input, options } = session;
  const stalled = session.out.flush();
  if (stalled !== undefined) await stalled;
  const framer = new DataFramer(options.limits.dataLineBytes);
  while (!framer.ended) {
    if (input.unread === 0 && !(await awaitData(session))) {
      return false;
    }
    const { chunk, pos } = input;
    input.pos = framer.scan(chunk, pos);
    refuseFault(session, incoming, framer.fault);
    const taken = feed(session, incoming, chunk.subarray(pos, framer.outEnd), input.pos - pos);
    if (taken !== undefined) {
      await taken;
      input.release();
    }
    if (session.ended !== undefined) return false;
  }
  return true;
}
