import { replies } from '../replies.ts';
import { countIdle, reply } from '../session.ts';
import { type Command, EVERY_PROTOCOL, EVERY_STATE } from './command.ts';

/** HELP (RFC 5321 section 4.1.1.8). */
export const help: Command = {
  name: 'HELP',
  protocols: EVERY_PROTOCOL,
  states: EVERY_STATE,
  stage: 'command',
  argument: 'optional',
  grouped: false,
  run(session) {
    reply(session, replies.help);
    countIdle(session);
  },
};
