import { endNotify } from '../notify/notify.ts';
import { deselect } from '../refresh.ts';
import { type Session, SessionEnd } from '../session.ts';
import { type Command, LOGGED_IN } from './command.ts';

/** UNAUTHENTICATE (RFC 8437): the connection stays, all that came with the login goes. */
export const unauthenticate: Command = {
  name: 'UNAUTHENTICATE',
  states: LOGGED_IN,
  capabilities: ['UNAUTHENTICATE'],
  async run(session, d) {
    d.end();
    // RFC 8437 section 4.1: compression would have to end here, and where it does cannot be told from what comes behind.
    if (session.compressed)
      throw new SessionEnd('UNAUTHENTICATE with compression', 'Compression ends with the connection');
    await forgetLogin(session);
    return undefined;
  },
};

/** RFC 8437 section 4.1: nothing of what one account did may reach the next. */
async function forgetLogin(session: Session): Promise<void> {
  await deselect(session);
  endNotify(session);
  session.enabled.clear();
  session.unwatchLogin?.();
  session.unwatchLogin = undefined;
  session.facts.login = undefined;
  session.preauthSince = session.options.clock.monotonic();
}
