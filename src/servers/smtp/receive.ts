import type { SmtpReply } from '../../base/errors.ts';
import type { DataOutcome } from '../../flow/service.ts';
import { SESSION_LIMITS } from './limits.ts';
import { dataFaultReplies, replies } from './replies.ts';
import {
  clearTransaction,
  end,
  failureReply,
  type Incoming,
  note,
  reply,
  resetTransaction,
  type Session,
  type Transaction,
} from './session.ts';
import { type DataFault, TextChecker } from './wire/data-framer.ts';

/**
 * What DATA and BDAT share: a message opened, fed piece by piece, and answered. A message that is refused on the way
 * is swallowed to its true end, so that the client gets its answer where it expects one.
 */

/** Ask the flow where the message goes; a reply when it will not have it. */
export async function openMessage(
  session: Session,
  transaction: Transaction,
  checked: boolean,
): Promise<Incoming | SmtpReply> {
  const { limits, clock } = session.options;
  try {
    const incoming: Incoming = {
      sink: await transaction.flow.open(),
      refusal: undefined,
      octets: 0,
      received: 0,
      startedAt: clock.monotonic(),
      text: checked ? new TextChecker(limits.dataLineBytes) : undefined,
    };
    session.incoming = incoming;
    session.watch.startData(limits.dataTotalMs);
    return incoming;
  } catch (error) {
    return failureReply(session, error);
  }
}

/** The message cannot be taken: drop what was kept of it. The first reason is the one that is told. */
export function refuseMessage(incoming: Incoming, what: SmtpReply): void {
  if (incoming.refusal !== undefined) return;
  incoming.refusal = what;
  incoming.sink?.abort();
  incoming.sink = undefined;
}

/** A framing rule was broken: refuse the message and say so in the journal. */
export function refuseFault(session: Session, incoming: Incoming, fault: DataFault | undefined): void {
  if (fault === undefined || incoming.refusal !== undefined) return;
  const what = dataFaultReplies[fault];
  note(session, 'data', what, `message has a ${fault.replaceAll('-', ' ')}`);
  refuseMessage(incoming, what);
}

/** The message is, or is announced to be, larger than we take. */
export function refuseTooLarge(session: Session, incoming: Incoming): void {
  if (incoming.refusal !== undefined) return;
  const { messageBytes } = session.options.limits;
  note(session, 'data', replies.tooLarge, `message over ${messageBytes} octets`);
  refuseMessage(incoming, replies.tooLarge);
}

/** The flow will not have the rest: it answers for a message at its end only, so this is ours to note. */
function refuseRest(session: Session, incoming: Incoming, error: unknown): void {
  if (incoming.refusal !== undefined) return;
  const what = failureReply(session, error);
  note(session, 'data', what, `message refused as it came: ${what.lines[0] ?? ''}`);
  refuseMessage(incoming, what);
}

/**
 * Hand a piece on; the promise is the sink's back-pressure. `received` counts its octets as sent, stuffing included:
 * a refused message is swallowed up to a bound, then the session ends.
 */
export function feed(
  session: Session,
  incoming: Incoming,
  piece: Buffer,
  received: number,
): Promise<void> | undefined {
  const { messageBytes } = session.options.limits;
  incoming.octets += piece.length;
  incoming.received += received;
  if (incoming.octets > messageBytes) refuseTooLarge(session, incoming);
  if (incoming.received > messageBytes * SESSION_LIMITS.swallowFactor + SESSION_LIMITS.swallowSlack) {
    // The message's refusal, whatever it was for, is noted; that the session ends with it is no news.
    refuseTooLarge(session, incoming);
    const said = incoming.refusal ?? replies.tooLarge;
    end(session, said, `refused message of over ${incoming.received} octets`);
    return undefined;
  }
  const { sink } = incoming;
  if (sink === undefined || piece.length === 0) return undefined;
  try {
    const taken = sink.write(piece);
    if (taken === undefined) return undefined;
    return taken.then(undefined, (error: unknown) => refuseRest(session, incoming, error));
  } catch (error) {
    refuseRest(session, incoming, error);
    return undefined;
  }
}

/** End of data: the flow's answer, or why there is none; the transaction is over either way. */
export async function finishMessage(session: Session, incoming: Incoming): Promise<void> {
  const { transaction } = session;
  if (transaction === undefined) return;
  const answers = await settle(session, transaction, incoming);
  for (const answer of answers) reply(session, answer);
  const code = answers[0]?.code ?? 451;
  // RFC 5321 section 3.8: after a 421 the connection is closed.
  if (code === 421) end(session, undefined, answers[0]?.lines[0] ?? 'ended by the mail flow');
  const { hooks, clock } = session.options;
  hooks?.message?.(code, incoming.octets, clock.monotonic() - incoming.startedAt);
  session.messages++;
  if (answers.some((answer) => answer.code < 300)) session.idleCommands = 0;
}

async function settle(
  session: Session,
  transaction: Transaction,
  incoming: Incoming,
): Promise<readonly SmtpReply[]> {
  const { sink } = incoming;
  if (sink === undefined || incoming.refusal !== undefined) {
    const refusal = incoming.refusal ?? replies.badSequence;
    resetTransaction(session);
    return perRecipient(session, transaction, { reply: refusal, perRecipient: [] });
  }
  try {
    const outcome = await sink.finish();
    clearTransaction(session);
    return perRecipient(session, transaction, outcome);
  } catch (error) {
    // The flow keeps nothing of a message whose finish failed; there is nothing left to abandon.
    clearTransaction(session);
    return perRecipient(session, transaction, { reply: failureReply(session, error), perRecipient: [] });
  }
}

/** LMTP answers once for each accepted recipient, in their order (RFC 2033 section 4.2); the others once. */
function perRecipient(
  session: Session,
  transaction: Transaction,
  outcome: DataOutcome,
): readonly SmtpReply[] {
  if (session.options.protocol !== 'lmtp') return [outcome.reply];
  return Array.from({ length: transaction.accepted }, (_, i) => outcome.perRecipient[i] ?? outcome.reply);
}
