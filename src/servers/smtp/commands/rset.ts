import { replies } from '../replies.ts';
import { countIdle, reply, resetTransaction } from '../session.ts';
import { type Command, EVERY_PROTOCOL, EVERY_STATE } from './command.ts';

/** RSET (RFC 5321 section 4.1.1.5): forget the transaction, keep greeting, TLS and login. */
export const rset: Command = {
  name: 'RSET',
  protocols: EVERY_PROTOCOL,
  states: EVERY_STATE,
  stage: 'command',
  argument: 'none',
  grouped: true,
  run(session) {
    resetTransaction(session);
    reply(session, replies.ok);
    countIdle(session);
  },
};
