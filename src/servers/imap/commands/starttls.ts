import { Refusal } from '../../../base/errors.ts';
import { mayStartTls } from '../capabilities.ts';
import { refuse } from '../replies.ts';
import { flush, SessionEnd } from '../session.ts';
import { SyntaxFault } from '../wire/decoder.ts';
import { BEFORE_LOGIN, type Command } from './command.ts';

/** STARTTLS (RFC 9051 section 6.2.1). */
export const starttls: Command = {
  name: 'STARTTLS',
  states: BEFORE_LOGIN,
  async run(session, d) {
    d.end();
    const { tls, hooks } = session.options;
    if (session.connection.tls !== undefined) throw new SyntaxFault('TLS is on already');
    // RFC 4978 section 4: TLS is below compression.
    if (session.compressed) throw new SyntaxFault('expected no STARTTLS: compression is on');
    if (tls === undefined || !mayStartTls(session))
      throw refuse('unavailable', 'UNAVAILABLE', 'There is no certificate yet');
    // CVE-2011-0411: what came in clear behind the command must never be taken for protected.
    if (session.input.pending) {
      throw new SessionEnd('plain text behind STARTTLS', 'There was more data in clear behind STARTTLS');
    }
    session.out.line(`${session.tag} OK Begin TLS negotiation now`);
    await flush(session);
    try {
      session.facts.tls = await session.connection.startTls(tls);
    } catch (error) {
      if (error instanceof Refusal) throw new SessionEnd(`STARTTLS: ${error.message}`);
      throw error;
    }
    hooks?.tlsStarted?.(session.facts);
    return 'answered' as const;
  },
};
