import { DeflateConnection } from '../../../net/deflate-connection.ts';
import { Input } from '../../../net/line/input.ts';
import { Output } from '../../../net/line/output.ts';
import { SESSION_LIMITS } from '../limits.ts';
import { refuse } from '../replies.ts';
import { flush } from '../session.ts';
import { SyntaxFault } from '../wire/decoder.ts';
import { type Command, LOGGED_IN } from './command.ts';

/** COMPRESS DEFLATE (RFC 4978), after login alone: what strangers send is not inflated. */
export const compress: Command = {
  name: 'COMPRESS',
  states: LOGGED_IN,
  capabilities: ['COMPRESS=DEFLATE'],
  async run(session, d) {
    d.sp();
    if (d.keyword('DEFLATE') !== 'DEFLATE') d.fail('DEFLATE before this');
    d.end();
    if (session.compressed) throw refuse('conflict', 'COMPRESSIONACTIVE', 'Compression is on already');
    // RFC 4978 section 3: the client waits for the answer; what came before it is in clear and would be taken for packed.
    if (session.input.pending) throw new SyntaxFault('expected nothing behind COMPRESS before its answer');
    session.out.line(`${session.tag} OK Compression begins`);
    await flush(session);
    const { clock, limits } = session.options;
    const { inflatedBytes, inflatedPerOctet } = SESSION_LIMITS;
    session.connection = new DeflateConnection(session.connection, clock, {
      inflatedBytes: inflatedBytes + limits.messageBytes,
      inflatedPerOctet,
    });
    session.compressed = true;
    session.out = new Output(session.connection, SESSION_LIMITS.heldBytes);
    session.input = new Input(session.connection);
    return 'answered' as const;
  },
};
