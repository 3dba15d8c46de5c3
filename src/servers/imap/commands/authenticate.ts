import { decodeSaslBase64 } from '../../../mail/sasl/base64.ts';
import { logIn, mechanismFor } from '../authentication.ts';
import { readLine, type Session, SessionEnd } from '../session.ts';
import { SyntaxFault } from '../wire/decoder.ts';
import { BEFORE_LOGIN, type Command } from './command.ts';

/** AUTHENTICATE (RFC 9051 section 6.2.2) with an initial response (RFC 4959). */
export const authenticate: Command = {
  name: 'AUTHENTICATE',
  states: BEFORE_LOGIN,
  run(session, d) {
    d.sp();
    const name = d.keyword('a mechanism');
    let initial: Buffer | undefined;
    if (!d.atEnd) {
      d.sp();
      initial = fromBase64(d.base64());
      d.end();
    }
    return logIn(session, mechanismFor(session, name), initial, (challenge) => exchange(session, challenge));
  },
};

async function exchange(session: Session, challenge: Buffer): Promise<Buffer> {
  session.out.line(`+ ${challenge.toString('base64')}`);
  const line = await readLine(session, session.options.limits.imapPreauthBytes);
  if (line === undefined) throw new SessionEnd('AUTHENTICATE response too long', 'Response too long');
  const text = line.toString('latin1');
  // RFC 9051 section 6.2.2: the client cancels with "*".
  if (text === '*') throw new SyntaxFault('authentication cancelled');
  return fromBase64(text);
}

function fromBase64(text: string): Buffer {
  const octets = decodeSaslBase64(text);
  if (octets === undefined) throw new SyntaxFault('expected base64');
  return octets;
}
