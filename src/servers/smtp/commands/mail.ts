import { type SmtpReply, smtpReply } from '../../../base/errors.ts';
import { formatAddress, parsePath, type PathError } from '../../../mail/address/path.ts';
import type { MailParams } from '../../../flow/service.ts';
import { replies } from '../replies.ts';
import { countIdle, end, endNoted, refuse, reply, replyFailure, type Session } from '../session.ts';
import { type Offered, parseMailParams } from '../wire/mail-params.ts';
import { isReply } from '../wire/params.ts';
import { splitPath } from '../wire/path.ts';
import { type Command, EVERY_PROTOCOL } from './command.ts';

/** MAIL (RFC 5321 section 4.1.1.2): open a transaction. */
export const mail: Command = {
  name: 'MAIL',
  protocols: EVERY_PROTOCOL,
  states: ['ready'],
  otherwise: notReady,
  stage: 'mail',
  argument: 'required',
  grouped: true,
  run,
};

function notReady(session: Session): SmtpReply {
  if (session.state !== 'start') return replies.mailOpen;
  return session.options.protocol === 'lmtp' ? replies.lhloFirst : replies.helloFirst;
}

/** What this session was offered, for the parameters of MAIL and RCPT. */
export function offered(session: Session): Offered {
  const { extended, tls } = session.facts;
  const { options } = session;
  const later = options.service.takesLater === true ? { now: options.clock.now() } : undefined;
  return { extended, requireTls: tls !== undefined, auth: session.facts.login !== undefined, later };
}

async function run(session: Session, argument: string): Promise<void> {
  const gate = mayNot(session);
  if (gate !== undefined) return refuse(session, 'mail', gate, 'MAIL before login');
  if (session.draining) return end(session, replies.draining, 'shutting down');
  const { messagesPerSession } = session.options;
  if (messagesPerSession !== undefined && session.messages >= messagesPerSession) {
    return endNoted(session, 'mail', replies.tooManyMessages, `${session.messages} messages in the session`);
  }
  const parsed = parse(session, argument);
  if (isReply(parsed))
    return refuse(session, 'mail', parsed, `malformed MAIL: ${parsed.lines[0] ?? ''}`, argument);
  if ((parsed.params.size ?? 0) > session.options.limits.messageBytes) {
    return refuse(
      session,
      'mail',
      replies.tooLarge,
      `SIZE=${parsed.params.size} is over the limit`,
      parsed.path,
    );
  }
  try {
    const flow = await session.options.service.mail(session.facts, parsed.path, parsed.params);
    session.transaction = {
      flow,
      from: parsed.path,
      to: [],
      params: parsed.params,
      accepted: 0,
      attempted: 0,
    };
  } catch (error) {
    replyFailure(session, error);
    return countIdle(session);
  }
  session.bdatFailed = false;
  session.state = 'mail';
  reply(session, replies.senderOk);
}

/** Submission takes mail from people we know only (RFC 6409 section 4.3). */
function mayNot(session: Session): SmtpReply | undefined {
  const { options, facts } = session;
  if (options.protocol !== 'submission' || facts.login !== undefined) return undefined;
  const { access } = options;
  if (access?.requireTls === true && facts.tls === undefined) return replies.tlsFirst;
  if (access !== undefined) return access.requireLogin ? replies.loginFirst : undefined;
  const needsTls = facts.tls === undefined && options.requireTlsForAuth !== false;
  return needsTls ? replies.tlsFirst : replies.loginFirst;
}

function parse(session: Session, argument: string): { path: string; params: MailParams } | SmtpReply {
  const split = splitPath(argument, 'FROM:');
  if ('error' in split) return smtpReply(501, '5.1.7', `MAIL FROM:<address>: ${split.error}`);
  const params = parseMailParams(split.rest, offered(session));
  if (isReply(params)) return params;
  const path = parsePath(split.path, { smtputf8: params.smtputf8 });
  if (path.kind === 'error') return badSender(path);
  if (path.kind === 'postmaster') return smtpReply(501, '5.1.7', 'A sender needs a domain');
  return { path: path.kind === 'null' ? '' : formatAddress(path), params };
}

function badSender(error: PathError): SmtpReply {
  // RFC 6531 section 3.5.
  if (error.problem === 'needs-smtputf8') return smtpReply(550, '5.6.7', error.reason);
  return smtpReply(501, '5.1.7', `Bad sender address: ${error.reason}`);
}
