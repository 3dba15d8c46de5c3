import { replies } from '../replies.ts';
import { countIdle, reply } from '../session.ts';
import { type Command, EVERY_PROTOCOL, EVERY_STATE } from './command.ts';

/** NOOP (RFC 5321 section 4.1.1.9). */
export const noop: Command = {
  name: 'NOOP',
  protocols: EVERY_PROTOCOL,
  states: EVERY_STATE,
  stage: 'command',
  argument: 'optional',
  grouped: false,
  run(session) {
    reply(session, replies.ok);
    countIdle(session);
  },
};
