import { statusItems, tellStatus } from '../mailbox-status.ts';
import { noSuchMailbox } from '../replies.ts';
import { loginOf } from '../session.ts';
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
    const { accountId } = loginOf(session);
    const mailbox = await session.options.store.read.run('mailstore.mailbox', { accountId, name });
    if (mailbox === undefined) throw noSuchMailbox();
    tellStatus(session, mailbox, items);
    return undefined;
  },
};
