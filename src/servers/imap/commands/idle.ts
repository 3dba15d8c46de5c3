import type { Timer } from '../../../base/clock.ts';
import { SESSION_LIMITS } from '../limits.ts';
import { tellNotices, wantsSelected } from '../notify/notify.ts';
import { refresh, tell } from '../refresh.ts';
import { awaitOctets, type Session, SessionEnd, untagged } from '../session.ts';
import { SyntaxFault } from '../wire/decoder.ts';
import { type Command, LOGGED_IN } from './command.ts';

/** Octets of what ends IDLE. */
const DONE_BYTES = 64;

/** IDLE (RFC 9051 section 6.3.13): news at once, until the client says DONE. */
export const idle: Command = {
  name: 'IDLE',
  states: LOGGED_IN,
  capabilities: ['IDLE'],
  async run(session, d) {
    d.end();
    session.out.line('+ idling');
    const { clock } = session.options;
    let due = false;
    const arm = (): Timer =>
      clock.setTimer(SESSION_LIMITS.idleKeepaliveMs, () => {
        due = true;
        session.input.wake();
      });
    let keepalive = arm();
    try {
      await refresh(session, true);
      for (;;) {
        const { notify } = session;
        // RFC 5465 section 4: no other events than NOTIFY asked for.
        if (notify === undefined || wantsSelected(notify)) await tell(session, true);
        if (notify !== undefined) await tellNotices(session);
        if (takeDone(session)) return undefined;
        await awaitOctets(session);
        await refresh(session);
        if (due) {
          due = false;
          untagged(session, 'OK Still here');
          keepalive = arm();
        }
      }
    } finally {
      keepalive.cancel();
    }
  },
};

/** Whether the client has said DONE; anything else ends IDLE as a bad command. */
function takeDone(session: Session): boolean {
  const line = session.input.takeLine(DONE_BYTES);
  if (line === undefined) return false;
  if (line === 'bare-lf' || line === 'too-long')
    throw new SessionEnd('IDLE ended by something else than DONE', 'Expected DONE');
  if (line.toString('latin1').toUpperCase() !== 'DONE') throw new SyntaxFault('expected DONE');
  return true;
}
