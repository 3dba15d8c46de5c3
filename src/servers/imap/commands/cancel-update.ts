import { cancelContext } from '../contexts.ts';
import { type Command, SELECTED } from './command.ts';

/** CANCELUPDATE (RFC 5267 section 4.4): searches need not be kept up to date any longer. */
export const cancelUpdate: Command = {
  name: 'CANCELUPDATE',
  states: SELECTED,
  capabilities: ['CONTEXT=SEARCH'],
  run(session, d) {
    const tags: string[] = [];
    do {
      d.sp();
      tags.push(d.string('a tag in quotes').toString('latin1'));
    } while (!d.atEnd);
    const unknown = tags.filter((tag) => !cancelContext(session, tag));
    if (unknown.length > 0) d.fail('tags of searches that are kept up to date');
    return undefined;
  },
};
