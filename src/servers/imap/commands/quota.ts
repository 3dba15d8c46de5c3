import { noSuchMailbox, refuse } from '../replies.ts';
import { isRev2, loginOf, type Session, untagged } from '../session.ts';
import { mailbox as mailboxText } from '../wire/encoder.ts';
import { type Command, LOGGED_IN } from './command.ts';

/** All mailboxes of an account share one quota root. */
const ROOT = 'User quota';

async function tellQuota(session: Session): Promise<void> {
  const { accountId } = loginOf(session);
  const { used, limit } = await session.options.store.read.run('mailstore.quota', { accountId });
  // RFC 9208 section 5.1: STORAGE is in units of 1,024 octets.
  const storage = limit > 0 ? `STORAGE ${Math.ceil(used / 1024)} ${Math.ceil(limit / 1024)}` : '';
  untagged(session, `QUOTA "${ROOT}" (${storage})`);
}

/** GETQUOTA (RFC 9208 section 4.1.2). */
export const getQuota: Command = {
  name: 'GETQUOTA',
  states: LOGGED_IN,
  capabilities: ['QUOTA', 'QUOTA=RES-STORAGE'],
  async run(session, d) {
    d.sp();
    const root = d.astringText('a quota root');
    d.end();
    if (root !== ROOT) throw refuse('not-found', 'NONEXISTENT', 'There is no quota root of that name');
    await tellQuota(session);
    return undefined;
  },
};

/** GETQUOTAROOT (RFC 9208 section 4.1.3). */
export const getQuotaRoot: Command = {
  name: 'GETQUOTAROOT',
  states: LOGGED_IN,
  async run(session, d) {
    d.sp();
    const name = d.mailbox();
    d.end();
    const { accountId } = loginOf(session);
    const mailbox = await session.options.store.read.run('mailstore.mailbox', { accountId, name });
    if (mailbox === undefined) throw noSuchMailbox();
    untagged(session, `QUOTAROOT ${mailboxText(mailbox.name, isRev2(session))} "${ROOT}"`);
    await tellQuota(session);
    return undefined;
  },
};
