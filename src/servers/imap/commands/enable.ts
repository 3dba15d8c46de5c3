import { untagged } from '../session.ts';
import { type Command, LOGGED_IN } from './command.ts';

/** ENABLE (RFC 5161, RFC 9051 section 6.3.1). What cannot be enabled is passed over. */
export const enable: Command = {
  name: 'ENABLE',
  states: LOGGED_IN,
  capabilities: ['ENABLE'],
  run(session, d) {
    const now: string[] = [];
    do {
      d.sp();
      const name = d.keyword('a capability');
      if (name !== 'CONDSTORE' && name !== 'IMAP4REV2') continue;
      if (session.enabled.has(name)) continue;
      session.enabled.add(name);
      // RFC 9051 has no \Recent, and a mailbox may be selected already.
      if (name === 'IMAP4REV2' && session.view !== undefined)
        session.view.recentUid = Number.POSITIVE_INFINITY;
      now.push(name === 'IMAP4REV2' ? 'IMAP4rev2' : name);
    } while (!d.atEnd);
    untagged(session, ['ENABLED', ...now].join(' '));
    return undefined;
  },
};
