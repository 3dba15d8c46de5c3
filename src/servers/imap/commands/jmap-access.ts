import { untagged } from '../session.ts';
import { type Command, LOGGED_IN } from './command.ts';

/**
 * GETJMAPACCESS (RFC 9698): where the same mail, under the same ids and for the same login, is told by JMAP. The capability
 * stands in capabilities.ts, as it is said only where the address is known.
 */
export const getJmapAccess: Command = {
  name: 'GETJMAPACCESS',
  states: LOGGED_IN,
  run(session, d) {
    d.end();
    const url = session.options.jmapUrl?.();
    if (url === undefined) return { status: 'NO', text: 'JMAP has no address here that programs could use' };
    untagged(session, `JMAPACCESS "${url}"`);
    return undefined;
  },
};
