import { replies } from '../replies.ts';
import { countIdle, reply } from '../session.ts';
import { type Command, EVERY_PROTOCOL, EVERY_STATE } from './command.ts';

/** VRFY (RFC 5321 section 7.3): the same answer for every address, looked at by nobody. */
export const vrfy: Command = {
  name: 'VRFY',
  protocols: EVERY_PROTOCOL,
  states: EVERY_STATE,
  stage: 'command',
  argument: 'required',
  grouped: false,
  run(session) {
    reply(session, replies.vrfy);
    countIdle(session);
  },
};
