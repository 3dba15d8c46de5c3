import { Refusal } from '../../../base/errors.ts';
import { hasRights, Right } from '../../../data/sharing/rights.ts';
import { deselect } from '../refresh.ts';
import { viewOf } from '../session.ts';
import { type Command, SELECTED } from './command.ts';

/**
 * CLOSE (RFC 9051 section 6.4.1): expunge without telling, and leave the mailbox. RFC 7162 section 3.2.8: it must not
 * give HIGHESTMODSEQ, for the client has not heard which messages went.
 */
export const close: Command = {
  name: 'CLOSE',
  states: SELECTED,
  async run(session, d) {
    d.end();
    const view = viewOf(session);
    // RFC 4314 section 4: without the right e nothing is expunged, and that is no failure.
    if (!view.readOnly && hasRights(view.rights, Right.Expunge)) {
      const { accountId, mailboxId } = view;
      try {
        await session.options.store.write.run('mailstore.expunge', { accountId, mailboxId });
      } catch (error) {
        // Another session has just deleted the mailbox: nothing is left to be expunged, and to be left all the same.
        if (!(error instanceof Refusal) || error.kind !== 'no-such-mailbox') throw error;
      }
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
