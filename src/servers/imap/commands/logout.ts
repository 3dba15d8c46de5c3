import { untagged } from '../session.ts';
import { ANY_STATE, type Command } from './command.ts';

/** LOGOUT (RFC 9051 section 6.1.3). */
export const logout: Command = {
  name: 'LOGOUT',
  states: ANY_STATE,
  run(session, d) {
    d.end();
    untagged(session, 'BYE Logging out');
    session.ended = 'client said LOGOUT';
    return undefined;
  },
};
