import { OTHER_USERS, SHARED } from '../../../data/sharing/namespaces.ts';
import { untagged } from '../session.ts';
import { type Command, LOGGED_IN } from './command.ts';

/** NAMESPACE (RFC 9051 section 6.3.10): one's own, those of others that may be seen, shared ones. */
export const namespace: Command = {
  name: 'NAMESPACE',
  states: LOGGED_IN,
  capabilities: ['NAMESPACE'],
  run(session, d) {
    d.end();
    untagged(session, `NAMESPACE (("" "/")) (("${OTHER_USERS}/" "/")) (("${SHARED}/" "/"))`);
    return undefined;
  },
};
