import { deselect } from '../refresh.ts';
import { loginOf, viewOf } from '../session.ts';
import { type Command, SELECTED } from './command.ts';

/** CLOSE (RFC 9051 section 6.4.1): expunge without telling, and leave the mailbox. */
export const close: Command = {
  name: 'CLOSE',
  states: SELECTED,
  async run(session, d) {
    d.end();
    const view = viewOf(session);
    if (!view.readOnly) {
      const { accountId } = loginOf(session);
      const { mailboxId } = view;
      await session.options.store.write.run('mailstore.expunge', { accountId, mailboxId });
    }
    await deselect(session);
    return undefined;
  },
};

/** UNSELECT (RFC 9051 section 6.4.2): leave the mailbox as it is. */
export const unselect: Command = {
  name: 'UNSELECT',
  states: SELECTED,
  capabilities: ['UNSELECT'],
  async run(session, d) {
    d.end();
    await deselect(session);
    return undefined;
  },
};
