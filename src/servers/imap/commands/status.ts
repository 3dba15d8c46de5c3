import { Right } from '../../../data/sharing/rights.ts';
import { needMailbox } from '../access.ts';
import { statusItems, tellStatus } from '../mailbox-status.ts';
import { type Command, LOGGED_IN } from './command.ts';

/** STATUS (RFC 9051 section 6.3.11). */
export const status: Command = {
  name: 'STATUS',
  states: LOGGED_IN,
  async run(session, d) {
    d.sp();
    const name = d.mailbox();
    d.sp();
    const items = statusItems(session, d);
    d.end();
    const { mailbox } = await needMailbox(session, name, Right.Read);
    await tellStatus(session, mailbox, items);
    return undefined;
  },
};
