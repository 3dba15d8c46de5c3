import { capabilityText } from '../capabilities.ts';
import { untagged } from '../session.ts';
import { ANY_STATE, type Command } from './command.ts';

/** CAPABILITY (RFC 9051 section 6.1.1). */
export const capability: Command = {
  name: 'CAPABILITY',
  states: ANY_STATE,
  run(session, d) {
    d.end();
    untagged(session, `CAPABILITY ${capabilityText(session)}`);
    return undefined;
  },
};
