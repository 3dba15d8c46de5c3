import { untagged } from '../session.ts';
import { type Command, LOGGED_IN } from './command.ts';

/** NAMESPACE (RFC 9051 section 6.3.10): personal mailboxes only. */
export const namespace: Command = {
  name: 'NAMESPACE',
  states: LOGGED_IN,
  capabilities: ['NAMESPACE'],
  run(session, d) {
    d.end();
    untagged(session, 'NAMESPACE (("" "/")) NIL NIL');
    return undefined;
  },
};
