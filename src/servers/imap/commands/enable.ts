import { enableCondstore } from '../condstore.ts';
import type { Enabled } from '../session.ts';
import { type Session, untagged } from '../session.ts';
import { type Command, LOGGED_IN } from './command.ts';

/** What can be enabled: how it is told, what it brings along, and what it changes in a selected mailbox. */
const ENABLES: Readonly<
  Record<Enabled, { name: string; brings?: Enabled; change?: (session: Session) => void }>
> = {
  IMAP4REV2: {
    name: 'IMAP4rev2',
    // RFC 9051 has no \Recent, and a mailbox may be selected already.
    change({ view }) {
      if (view !== undefined) view.recentUid = Number.POSITIVE_INFINITY;
    },
  },
  CONDSTORE: { name: 'CONDSTORE' },
  // RFC 7162 section 3.2.3: and then CONDSTORE too.
  QRESYNC: { name: 'QRESYNC', brings: 'CONDSTORE' },
  UIDONLY: { name: 'UIDONLY' },
  // RFC 6855 section 3.
  'UTF8=ACCEPT': { name: 'UTF8=ACCEPT' },
};

function isKnown(name: string): name is Enabled {
  return Object.hasOwn(ENABLES, name);
}

/** ENABLE (RFC 5161, RFC 9051 section 6.3.1). What cannot be enabled is passed over. */
export const enable: Command = {
  name: 'ENABLE',
  states: LOGGED_IN,
  capabilities: ['ENABLE'],
  run(session, d) {
    const now: string[] = [];
    do {
      d.sp();
      const word = d.keyword('a capability');
      if (!isKnown(word) || session.enabled.has(word)) continue;
      const { name, brings, change } = ENABLES[word];
      if (word === 'CONDSTORE' || brings === 'CONDSTORE') enableCondstore(session);
      session.enabled.add(word);
      change?.(session);
      now.push(name);
    } while (!d.atEnd);
    untagged(session, ['ENABLED', ...now].join(' '));
    return undefined;
  },
};
