import { Refusal, type SmtpReply, smtpReply } from '../../../base/errors.ts';
import type { RcptParams } from '../../../flow/service.ts';
import { formatAddress, parsePath } from '../../../mail/address/path.ts';
import { SESSION_LIMITS } from '../limits.ts';
import { replies } from '../replies.ts';
import { endNoted, refuse, reply, replyFailure, type Session } from '../session.ts';
import { parseRcptParams } from '../wire/mail-params.ts';
import { isReply } from '../wire/params.ts';
import { splitPath } from '../wire/path.ts';
import { type Command, EVERY_PROTOCOL } from './command.ts';
import { offered } from './mail.ts';

/** RCPT (RFC 5321 section 4.1.1.3): one recipient, whose refusal costs no other its mail. */
export const rcpt: Command = {
  name: 'RCPT',
  protocols: EVERY_PROTOCOL,
  states: ['mail', 'rcpt'],
  otherwise: (session) => (session.state === 'bdat' ? replies.bdatOpen : replies.mailFirst),
  stage: 'rcpt',
  argument: 'required',
  grouped: true,
  run,
};

async function run(session: Session, argument: string): Promise<void> {
  const { transaction } = session;
  if (transaction === undefined) return;
  transaction.attempted++;
  const parsed = parse(argument, transaction.params.smtputf8, session);
  if (isReply(parsed))
    return refuse(session, 'rcpt', parsed, `malformed RCPT: ${parsed.lines[0] ?? ''}`, argument);
  if (transaction.accepted >= session.options.limits.recipientsPerTransaction) {
    reply(session, replies.tooManyRecipients);
    return countRefused(session, false);
  }
  try {
    await transaction.flow.rcpt(parsed.address, parsed.params);
  } catch (error) {
    replyFailure(session, error);
    return countRefused(session, error instanceof Refusal && GUESSES.has(error.kind));
  }
  transaction.accepted++;
  if (transaction.to.length < SESSION_LIMITS.notedRecipients) transaction.to.push(parsed.address);
  session.state = 'rcpt';
  reply(session, replies.recipientOk);
}

/** Refusals that a harvester of addresses or an open-relay prober collects. */
const GUESSES: ReadonlySet<Refusal['kind']> = new Set(['no-such-account', 'not-found', 'not-permitted']);

function countRefused(session: Session, guess: boolean): void {
  session.refusedRecipients++;
  if (guess) session.unknownRecipients++;
  if (
    session.unknownRecipients >= session.options.limits.unknownRecipientsPerSession ||
    session.refusedRecipients >= SESSION_LIMITS.refusedRecipients
  ) {
    endNoted(
      session,
      'rcpt',
      replies.tooManyUnknown,
      `${session.refusedRecipients} refused recipients in the session`,
    );
  }
}

function parse(
  argument: string,
  smtputf8: boolean,
  session: Session,
): { address: string; params: RcptParams } | SmtpReply {
  const split = splitPath(argument, 'TO:');
  if ('error' in split) return smtpReply(501, '5.1.3', `RCPT TO:<address>: ${split.error}`);
  const params = parseRcptParams(split.rest, offered(session));
  if (isReply(params)) return params;
  const path = parsePath(split.path, { smtputf8 });
  if (path.kind === 'mailbox') return { address: formatAddress(path), params };
  if (path.kind === 'postmaster') return { address: 'postmaster', params };
  if (path.kind === 'null') return smtpReply(501, '5.1.3', 'A recipient cannot be empty');
  // RFC 6531 section 3.5.
  if (path.problem === 'needs-smtputf8') return smtpReply(553, '5.6.7', path.reason);
  return smtpReply(501, '5.1.3', `Bad recipient address: ${path.reason}`);
}
