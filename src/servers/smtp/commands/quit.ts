import { replies } from '../replies.ts';
import { end } from '../session.ts';
import { type Command, EVERY_PROTOCOL, EVERY_STATE } from './command.ts';

/** QUIT (RFC 5321 section 4.1.1.10): the transaction, if any, is forgotten. */
export const quit: Command = {
  name: 'QUIT',
  protocols: EVERY_PROTOCOL,
  states: EVERY_STATE,
  stage: 'command',
  argument: 'none',
  grouped: false,
  run(session) {
    end(session, replies.bye, 'client said QUIT');
  },
};
