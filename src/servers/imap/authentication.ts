import { randomBytes } from 'node:crypto';
import { Refusal } from '../../base/errors.ts';
import type { LoginAccount } from '../../flow/service.ts';
import {
  authenticate,
  offeredMechanisms,
  type ServerMechanism,
  startMechanism,
} from '../../mail/sasl/server.ts';
import { capabilityText, mayLogIn } from './capabilities.ts';
import { SESSION_LIMITS } from './limits.ts';
import { type Completion, refusalReply, refuse } from './replies.ts';
import { cutSession, type Session, SessionEnd } from './session.ts';

/** A mechanism by name, or the refusal to log in on this connection. */
export function mechanismFor(session: Session, name: string): ServerMechanism {
  if (!mayLogIn(session))
    throw refuse('not-permitted', 'PRIVACYREQUIRED', 'Passwords are taken under TLS only: STARTTLS first');
  const { tls } = session.connection;
  const mechanism = startMechanism(name, {
    authenticator: session.options.authenticator,
    channelBinding: tls,
    plusOffered: offeredMechanisms(tls).some((offered) => offered.endsWith('-PLUS')),
    remoteAddress: session.facts.remoteAddress,
    protocol: 'imap',
    trace: session.facts.id,
    random: randomBytes,
  });
  if (mechanism === undefined)
    throw refuse('bad-input', 'CANNOT', 'There is no such authentication mechanism');
  return mechanism;
}

/** Run an exchange to its end and log the session in. */
export async function logIn(
  session: Session,
  mechanism: ServerMechanism,
  initial: Buffer | undefined,
  exchange: (challenge: Buffer) => Promise<Buffer>,
): Promise<Completion> {
  try {
    const account = await authenticate(mechanism, initial, exchange);
    succeed(session, mechanism.name, account);
    return { code: `CAPABILITY ${capabilityText(session)}`, text: 'Logged in' };
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return fail(session, mechanism, error);
  }
}

function succeed(session: Session, mechanism: string, account: LoginAccount): void {
  const { accountId, address, revoked } = account;
  session.facts.login = { accountId, address, mechanism, revoked };
  const cut = (): void => cutSession(session, 'The login was revoked', 'login was revoked');
  revoked.addEventListener('abort', cut, { once: true });
  session.unwatchLogin = () => revoked.removeEventListener('abort', cut);
  session.options.hooks?.login?.(session.facts, mechanism);
  if (revoked.aborted) cut();
}

function fail(session: Session, mechanism: ServerMechanism, refusal: Refusal): Completion {
  const subject = mechanism.login?.slice(0, SESSION_LIMITS.subjectBytes);
  session.options.hooks?.login?.(session.facts, mechanism.name, { reason: refusal.message, subject });
  session.loginFailures++;
  const ban = session.options.guard?.banned(session.facts.remoteAddress);
  if (ban === undefined && session.loginFailures < SESSION_LIMITS.loginFailures) return refusalReply(refusal);
  const { code, text = '' } = refusalReply(refusal);
  session.out.line(`${session.tag} NO ${code === undefined ? '' : `[${code}] `}${text}`);
  if (ban !== undefined) throw new SessionEnd('banned for failed logins', `[UNAVAILABLE] ${ban.text}`);
  throw new SessionEnd('too many failed logins', 'Too many failed logins');
}
