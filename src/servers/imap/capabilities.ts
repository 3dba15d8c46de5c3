import { offeredMechanisms } from '../../mail/sasl/server.ts';
import type { Session } from './session.ts';

/** Always: the protocol and what changes how commands are written. */
const BASE = ['IMAP4rev1', 'IMAP4rev2'];

/** After login: extensions that add to commands rather than bring one. */
const ADDITIONS = [
  'LITERAL+',
  'BINARY',
  'CHILDREN',
  'CONDSTORE',
  'ESEARCH',
  'FILTERS',
  'I18NLEVEL=1',
  'INPROGRESS',
  'LIST-EXTENDED',
  'LIST-METADATA',
  'LIST-MYRIGHTS',
  'LIST-STATUS',
  'OBJECTID',
  'PARTIAL',
  'PREVIEW',
  'QRESYNC',
  'SAVEDATE',
  'SEARCHRES',
  'SPECIAL-USE',
  'CREATE-SPECIAL-USE',
  'STATUS=SIZE',
  'UIDONLY',
  'UIDPLUS',
  'UTF8=ACCEPT',
  'WITHIN',
];

/** Whether passwords may be sent on this connection. */
export function mayLogIn(session: Session): boolean {
  return session.connection.tls !== undefined || session.options.requireTlsForLogin === false;
}

export function mayStartTls(session: Session): boolean {
  return (
    session.connection.tls === undefined &&
    !session.compressed &&
    session.options.tls?.context() !== undefined
  );
}

/** The capabilities at this moment (RFC 9051 section 7.2.2). */
export function capabilityText(session: Session): string {
  const { limits } = session.options;
  if (session.facts.login !== undefined)
    return [
      ...BASE,
      ...ADDITIONS,
      ...session.capabilities,
      // RFC 9698 section 3.
      ...(session.options.jmapUrl?.() === undefined ? [] : ['JMAPACCESS']),
      `MESSAGELIMIT=${limits.imapMessages}`,
      `APPENDLIMIT=${limits.messageBytes}`,
    ].join(' ');
  // RFC 7888 section 5: a small non-synchronizing literal is enough before login.
  const words = [...BASE, 'LITERAL-', 'SASL-IR', 'ENABLE', 'ID'];
  if (mayStartTls(session)) words.push('STARTTLS');
  if (mayLogIn(session)) {
    for (const mechanism of offeredMechanisms(session.connection.tls, session.options.authenticator))
      words.push(`AUTH=${mechanism}`);
  } else words.push('LOGINDISABLED');
  return words.join(' ');
}
