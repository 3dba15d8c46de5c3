import { RELEASE_MS } from '../../../flow/service.ts';
import { inDialect } from '../dialect.ts';
import { SESSION_LIMITS } from '../limits.ts';
import { badParam } from '../wire/params.ts';
import {
  countIdle,
  offersAuth,
  offersTls,
  refuse,
  reply,
  resetTransaction,
  type Session,
} from '../session.ts';
import { saslMechanisms } from './auth.ts';
import { type Command, ESMTP_ONLY, EVERY_STATE } from './command.ts';

/**
 * A domain, an address literal (RFC 5321 section 4.1.1.1) or whatever a client takes for one, such as a name with
 * underscores: visible ASCII. Names beyond ASCII come as A-labels, for EHLO precedes SMTPUTF8 (RFC 6531 section 3.7.1).
 */
const HELLO_NAME = /^[\x21-\x7e]+$/;

/** EHLO (RFC 5321 section 4.1.1.1): resets the transaction, answers with what we offer now. */
export const ehlo: Command = {
  name: 'EHLO',
  protocols: ESMTP_ONLY,
  states: EVERY_STATE,
  stage: 'helo',
  argument: 'required',
  grouped: false,
  run: (session, argument) => hello(session, argument, true),
};

/** HELO: the same without extensions. */
export const helo: Command = {
  ...ehlo,
  name: 'HELO',
  run: (session, argument) => hello(session, argument, false),
};

/** LHLO (RFC 2033 section 4.1) takes the place of both in LMTP. */
export const lhlo: Command = { ...ehlo, name: 'LHLO', protocols: ['lmtp'] };

function hello(session: Session, argument: string, extended: boolean): void {
  if (argument.length > SESSION_LIMITS.heloBytes || !HELLO_NAME.test(argument)) {
    refuse(
      session,
      'helo',
      badParam('This needs one domain name or address literal'),
      'malformed HELO argument',
    );
    return;
  }
  const again = session.facts.helo !== '';
  session.facts.helo = argument;
  session.facts.extended = extended;
  resetTransaction(session);
  const { hostname, service, dialect } = session.options;
  service.hello?.(session.facts);
  const first = dialect?.hello(argument) ?? hostname;
  const offers = extended ? inDialect(dialect, extensions(session)) : [];
  reply(session, { code: 250, lines: [first, ...offers] });
  if (again) countIdle(session);
}

/** The keywords of the EHLO reply, each with the RFC that defines it. */
function extensions(session: Session): readonly string[] {
  const { limits, messagesPerSession } = session.options;
  const mailMax = messagesPerSession === undefined ? '' : ` MAILMAX=${messagesPerSession}`;
  const lines = [
    'PIPELINING', // RFC 2920
    `SIZE ${limits.messageBytes}`, // RFC 1870
    '8BITMIME', // RFC 6152
    'SMTPUTF8', // RFC 6531
    'DSN', // RFC 3461
    'CHUNKING', // RFC 3030
    'BINARYMIME', // RFC 3030
    'ENHANCEDSTATUSCODES', // RFC 2034
    `LIMITS${mailMax} RCPTMAX=${limits.recipientsPerTransaction}`, // RFC 9422
  ];
  if (offersTls(session)) lines.push('STARTTLS'); // RFC 3207
  if (session.facts.tls !== undefined) lines.push('REQUIRETLS'); // RFC 8689 section 2
  if (session.options.service.takesLater === true) {
    const until = new Date(session.options.clock.now() + RELEASE_MS).toISOString().replace(/\.\d+/, '');
    lines.push(`FUTURERELEASE ${RELEASE_MS / 1000} ${until}`); // RFC 4865 section 3
  }
  if (offersAuth(session)) lines.push(`AUTH ${saslMechanisms(session).join(' ')}`); // RFC 4954
  return lines;
}
