import { randomBytes } from 'node:crypto';
import { errorText, Refusal, type SmtpReply, smtpReply } from '../../../base/errors.ts';
import type { LoginAccount } from '../../../flow/service.ts';
import { decodeSaslBase64 } from '../../../mail/sasl/base64.ts';
import {
  authenticate,
  offeredMechanisms,
  type ServerMechanism,
  startMechanism,
} from '../../../mail/sasl/server.ts';
import { SESSION_LIMITS } from '../limits.ts';
import { lineFaultReplies, refusalReply, replies } from '../replies.ts';
import {
  awaitLine,
  countError,
  endNoted,
  interrupt,
  note,
  offersAuth,
  refuse,
  reply,
  type Session,
} from '../session.ts';
import { type Command, EVERY_STATE } from './command.ts';

/** AUTH (RFC 4954): submission only, and only where EHLO offers it. */
export const auth: Command = {
  name: 'AUTH',
  protocols: ['submission'],
  states: EVERY_STATE,
  stage: 'auth',
  argument: 'required',
  grouped: false,
  run: login,
};

const NOT_BASE64 = smtpReply(501, '5.5.2', 'Not base64');
const CANCELLED = smtpReply(501, '5.7.0', 'Authentication cancelled');
const ALREADY = smtpReply(503, '5.5.1', 'Already authenticated');
const NO_SUCH_MECHANISM = smtpReply(504, '5.5.4', 'No such authentication mechanism');
const SUCCEEDED = smtpReply(235, '2.7.0', 'Authentication succeeded');
/** RFC 4954 section 6: a failure that is not the client's. */
const TEMPORARY = smtpReply(454, '4.7.0', 'Temporary authentication failure');

/** The connection ended or the session was told to end in the middle of an exchange; the loop says so. */
class ExchangeOver extends Error {}

/** The mechanisms to offer on this connection, strongest first. */
export function saslMechanisms(session: Session): readonly string[] {
  const { tls } = session.facts;
  return (
    session.options.access?.mechanisms(tls !== undefined) ??
    offeredMechanisms(tls, session.options.authenticator)
  );
}

async function login(session: Session, argument: string): Promise<void> {
  const problem = notNow(session);
  if (problem !== undefined) return refuse(session, 'auth', problem, 'AUTH where it is not offered');
  const [name = '', response, ...more] = argument.split(' ').filter((word) => word !== '');
  const initial = response === undefined ? undefined : decodeSaslBase64(response);
  if (more.length > 0 || (response !== undefined && initial === undefined)) {
    return refuse(session, 'auth', NOT_BASE64, 'AUTH with a malformed initial response');
  }
  const mechanism = start(session, name);
  if (mechanism === undefined) return refuse(session, 'auth', NO_SUCH_MECHANISM, 'unknown SASL mechanism');
  try {
    const account = await authenticate(mechanism, initial, (challenge) => exchange(session, challenge));
    succeed(session, mechanism.name, account);
  } catch (error) {
    if (!(error instanceof ExchangeOver)) fail(session, mechanism, error);
  }
}

function notNow(session: Session): SmtpReply | undefined {
  if (session.facts.login !== undefined) return ALREADY;
  if (!session.facts.extended) return replies.helloFirst;
  if (session.transaction !== undefined) return replies.inTransaction;
  if (offersAuth(session)) return undefined;
  return session.facts.tls === undefined && session.options.authenticator
    ? replies.tlsFirst
    : replies.notImplemented;
}

function start(session: Session, name: string): ServerMechanism | undefined {
  const { authenticator, access, hostname } = session.options;
  if (authenticator === undefined) return undefined;
  if (access !== undefined && !saslMechanisms(session).includes(name.toUpperCase())) return undefined;
  return startMechanism(name, {
    authenticator,
    channelBinding: session.facts.tls,
    plusOffered: saslMechanisms(session).some((offered) => offered.endsWith('-PLUS')),
    remoteAddress: session.facts.remoteAddress,
    protocol: session.options.protocol,
    trace: session.facts.id,
    random: randomBytes,
    hostname,
  });
}

/** 334 and the client's answer, decoded. */
async function exchange(session: Session, challenge: Buffer): Promise<Buffer> {
  reply(session, { code: 334, lines: [challenge.toString('base64')] });
  const line = await awaitLine(session, session.options.limits.authLineBytes, 'no answer to AUTH');
  if (line === undefined || session.interruption !== undefined) throw new ExchangeOver();
  if ('fault' in line) {
    const { fault } = line;
    if (fault === 'bare-cr' || fault === 'bare-lf' || fault === 'flood') {
      reply(session, lineFaultReplies[fault]);
      endNoted(session, 'auth', replies.outOfStep, `AUTH response with a fault: ${fault}`);
      throw new ExchangeOver();
    }
    throw new Refusal('bad-input', 'The response is not base64', { smtp: lineFaultReplies[fault] });
  }
  if (line.text === '*') throw new Refusal('bad-input', 'The client cancelled', { smtp: CANCELLED });
  const decoded = decodeSaslBase64(line.text);
  if (decoded === undefined)
    throw new Refusal('bad-input', 'The response is not base64', { smtp: NOT_BASE64 });
  return decoded;
}

function succeed(session: Session, mechanism: string, account: LoginAccount): void {
  const { accountId, address, revoked } = account;
  session.facts.login = { accountId, address, mechanism, revoked };
  const cut = (): void => interrupt(session, replies.revoked, 'login was revoked');
  revoked.addEventListener('abort', cut, { once: true });
  session.unwatchLogin = () => revoked.removeEventListener('abort', cut);
  session.options.hooks?.login?.(mechanism, true);
  reply(session, SUCCEEDED);
  if (revoked.aborted) cut();
}

function fail(session: Session, mechanism: ServerMechanism, error: unknown): void {
  const what = failure(session, error);
  const turnedAway = error instanceof Refusal && error.kind === 'limit';
  // Wrong passwords, suspended accounts and strangers turned away are in the journal already, by the authenticator.
  if (what.code !== 535 && what.code !== 525 && !turnedAway) {
    note(session, 'auth', what, `login by ${mechanism.name} failed`, mechanism.login);
  }
  session.options.hooks?.login?.(mechanism.name, false);
  reply(session, what);
  const ban = session.options.guard?.banned(session.facts.remoteAddress);
  if (ban !== undefined)
    return endNoted(session, 'auth', replies.banned(ban.text), 'banned for failed logins');
  // What was our fault counts for nothing.
  if (what.code === 454 && !turnedAway) return;
  countError(session);
  if (what.code === 501) return;
  session.loginFailures++;
  if (session.loginFailures >= SESSION_LIMITS.loginFailures) {
    endNoted(session, 'auth', replies.tooManyLogins, `${session.loginFailures} failed logins in the session`);
  }
}

function failure(session: Session, error: unknown): SmtpReply {
  if (!(error instanceof Refusal)) {
    session.options.logger.error(
      { session: session.facts.id, error: errorText(error) },
      'smtp: login failed unexpectedly',
    );
    return TEMPORARY;
  }
  if (error.smtp === undefined && (error.kind === 'unavailable' || error.kind === 'limit')) {
    return smtpReply(454, '4.7.0', error.message);
  }
  return refusalReply(error);
}
