import type { SmtpReply } from '../../base/errors.ts';
import { decodeSaslBase64 } from '../../mail/sasl/base64.ts';
import type { ClientMechanism } from '../../mail/sasl/client.ts';
import type { Session } from './client.ts';
import { failureOf, type ClientFailure } from './failure.ts';
import { replyText } from './reply.ts';

export type AuthOutcome =
  | { readonly status: 'accepted'; readonly reply: SmtpReply }
  /** The server said no; 4xx is worth another try. */
  | { readonly status: 'refused'; readonly reply: SmtpReply }
  /** We did: no TLS, a server that did not prove itself, a challenge that makes no sense. The session is closed. */
  | { readonly status: 'unsafe'; readonly reason: string }
  | { readonly status: 'broken'; readonly failure: ClientFailure };

/** Octets of a command line with an initial response in it; longer ones go on a line of their own (RFC 4954 section 4). */
const INITIAL_LINE_BYTES = 512;
/** Challenges of one exchange. SCRAM takes two. */
const MAX_STEPS = 8;
const CLEAR_TEXT = new Set(['PLAIN', 'LOGIN', 'XOAUTH2']);

export async function authenticate(
  session: Session,
  mechanism: ClientMechanism,
  allowPlaintext: boolean,
): Promise<AuthOutcome> {
  const { wire, tls } = session;
  if (CLEAR_TEXT.has(mechanism.name) && tls === undefined && !allowPlaintext) {
    return { status: 'unsafe', reason: `${mechanism.name} would send the password in clear` };
  }
  try {
    return await exchange(session, mechanism);
  } catch (error) {
    const failure = failureOf(error);
    wire.connection.destroy();
    return { status: 'broken', failure };
  }
}

async function exchange(session: Session, mechanism: ClientMechanism): Promise<AuthOutcome> {
  const { wire } = session;
  const { auth: timeoutMs } = wire.timeouts;
  const { name } = mechanism;
  // RFC 4954 section 4: "=" is an initial response of no octets.
  const initial = mechanism.initial && (mechanism.initial.toString('base64') || '=');
  const inLine = initial !== undefined && `AUTH ${name} ${initial}`.length + 2 <= INITIAL_LINE_BYTES;
  let owed = inLine ? undefined : mechanism.initial;
  const command = inLine ? `AUTH ${name} ${initial}` : `AUTH ${name}`;
  let reply = await wire.command(command, 'auth', timeoutMs, inLine ? `AUTH ${name} ***` : command);
  for (let step = 0; reply.code === 334; step++) {
    const challenge = decodeSaslBase64(reply.lines[0] ?? '');
    if (challenge === undefined || step >= MAX_STEPS) return cancel(session, 'the challenge makes no sense');
    const answer = owed === undefined ? await mechanism.step(challenge) : { response: owed };
    owed = undefined;
    if ('failure' in answer) return cancel(session, answer.failure);
    reply = await wire.command(answer.response.toString('base64'), 'auth', timeoutMs, '***');
  }
  if (reply.code !== 235) return { status: 'refused', reply };
  const incomplete = mechanism.incomplete();
  if (incomplete === undefined) return { status: 'accepted', reply };
  wire.connection.destroy(incomplete);
  return { status: 'unsafe', reason: `${incomplete} (${replyText(reply)})` };
}

async function cancel(session: Session, reason: string): Promise<AuthOutcome> {
  await session.wire.command('*', 'auth', session.wire.timeouts.auth);
  session.wire.connection.destroy(reason);
  return { status: 'unsafe', reason };
}
