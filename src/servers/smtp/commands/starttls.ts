import { errorText } from '../../../base/errors.ts';
import { replies } from '../replies.ts';
import { badParam } from '../wire/params.ts';
import { end, endNoted, note, offersTls, refuse, reply, resetTransaction, type Session } from '../session.ts';
import { type Command, EVERY_PROTOCOL } from './command.ts';

/** STARTTLS (RFC 3207). */
export const starttls: Command = {
  name: 'STARTTLS',
  protocols: EVERY_PROTOCOL,
  states: ['start', 'ready'],
  otherwise: () => replies.inTransaction,
  stage: 'starttls',
  argument: 'optional',
  grouped: false,
  run: startTls,
};

async function startTls(session: Session, argument: string): Promise<void> {
  const source = session.options.tls;
  if (argument !== '')
    return refuse(session, 'starttls', badParam('STARTTLS takes no parameter'), 'STARTTLS parameter');
  if (session.facts.tls !== undefined)
    return refuse(session, 'starttls', replies.tlsActive, 'STARTTLS under TLS');
  if (source === undefined || !offersTls(session)) {
    return refuse(session, 'starttls', replies.tlsUnavailable, 'STARTTLS without a certificate');
  }
  // RFC 3207 section 4.2 and CVE-2011-0411: what was sent in clear behind the command must not count as protected.
  if (session.input.pending) return refusePipelined(session);
  reply(session, replies.readyForTls);
  await session.out.flush();
  if (session.input.pending) return refusePipelined(session);
  try {
    session.facts.tls = await session.connection.startTls(source);
  } catch (error) {
    const reason = `TLS handshake failed: ${errorText(error)}`;
    note(session, 'starttls', replies.tlsUnavailable, reason);
    session.connection.destroy(reason);
    return end(session, undefined, reason);
  }
  session.options.hooks?.tlsStarted?.(session.facts.tls.version);
  forgetClearText(session);
}

function refusePipelined(session: Session): void {
  reply(session, replies.pipelinedTls);
  endNoted(session, 'starttls', replies.outOfStep, 'bytes in clear behind STARTTLS');
}

/** RFC 3207 section 4.2: all that was learned from the client before the handshake is forgotten. */
function forgetClearText(session: Session): void {
  session.facts.helo = '';
  session.facts.extended = false;
  session.facts.login = undefined;
  session.unwatchLogin?.();
  session.unwatchLogin = undefined;
  resetTransaction(session);
}
