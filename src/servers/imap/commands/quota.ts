import { isReserved } from '../../../data/sharing/namespaces.ts';
import { Right } from '../../../data/sharing/rights.ts';
import { needMailbox } from '../access.ts';
import { refuse } from '../replies.ts';
import { loginOf, type Session, untagged, usesUtf8 } from '../session.ts';
import type { Decoder } from '../wire/decoder.ts';
import { mailbox as mailboxText, string, utf8Octets } from '../wire/encoder.ts';
import { type Command, LOGGED_IN, type Outcome } from './command.ts';

/** All mailboxes of an account share one quota root; of others' accounts it has the address behind it. */
const ROOT = 'User quota';
/** Octets of a unit of STORAGE (RFC 9208 section 5.1). */
const UNIT = 1024;

interface Root {
  readonly accountId: number;
  readonly name: string;
}

async function rootOf(session: Session, accountId: number): Promise<Root> {
  if (accountId === loginOf(session).accountId) return { accountId, name: ROOT };
  const owner = await session.options.store.read.run('directory.account', { id: accountId });
  return { accountId, name: `${ROOT}/${owner?.address ?? ''}` };
}

/** Whose account a mailbox counts to. RFC 9208 section 4.1.2: it need not be there yet. */
async function placeOf(session: Session, name: string): Promise<{ accountId: number; name: string }> {
  const { accountId } = loginOf(session);
  const known = await session.options.store.read.run('sharing.resolve', { accountId, name });
  if (known === undefined && !isReserved(name)) return { accountId, name };
  return (await needMailbox(session, name, Right.Read)).mailbox;
}

function nameText({ name }: Root): string {
  return string(utf8Octets(name), true);
}

async function tellQuota(session: Session, root: Root): Promise<void> {
  const { accountId } = root;
  const { used, limit, emails, messageLimit } = await session.options.store.read.run('mailstore.quota', {
    accountId,
  });
  const resources: string[] = [];
  if (limit > 0) resources.push(`STORAGE ${Math.ceil(used / UNIT)} ${Math.ceil(limit / UNIT)}`);
  if (messageLimit > 0) resources.push(`MESSAGE ${emails} ${messageLimit}`);
  untagged(session, `QUOTA ${nameText(root)} (${resources.join(' ')})`);
}

/** A root by its name: one's own, and for administrators everybody's. Others' do not exist. */
async function namedRoot(session: Session, name: string): Promise<Root> {
  const { accountId } = loginOf(session);
  if (name === ROOT) return { accountId, name };
  if (name.startsWith(`${ROOT}/`) && (await isAdministrator(session))) {
    const address = name.slice(ROOT.length + 1);
    const owner = await session.options.store.read.run('directory.account', { address });
    if (owner !== undefined) return rootOf(session, owner.id);
  }
  throw refuse('not-found', 'NONEXISTENT', 'There is no quota root of that name');
}

async function isAdministrator(session: Session): Promise<boolean> {
  const { accountId } = loginOf(session);
  const account = await session.options.store.read.run('directory.account', { id: accountId });
  return account?.role === 'admin' && account.status === 'active';
}

/** GETQUOTA (RFC 9208 section 4.1.2). */
export const getQuota: Command = {
  name: 'GETQUOTA',
  states: LOGGED_IN,
  capabilities: ['QUOTA', 'QUOTA=RES-STORAGE', 'QUOTA=RES-MESSAGE', 'QUOTASET'],
  async run(session, d) {
    d.sp();
    const name = d.astringText('a quota root');
    d.end();
    await tellQuota(session, await namedRoot(session, name));
    return undefined;
  },
};

/** GETQUOTAROOT (RFC 9208 section 4.1.3): of somebody else's mailbox their root, to which what is put there counts. */
export const getQuotaRoot: Command = {
  name: 'GETQUOTAROOT',
  states: LOGGED_IN,
  async run(session, d) {
    d.sp();
    const name = d.mailbox();
    d.end();
    const place = await placeOf(session, name);
    const root = await rootOf(session, place.accountId);
    untagged(session, `QUOTAROOT ${mailboxText(place.name, usesUtf8(session))} ${nameText(root)}`);
    await tellQuota(session, root);
    return undefined;
  },
};

/** SETQUOTA (RFC 9208 section 4.1.1): by administrators. A resource that is not named has no limit any longer. */
export const setQuota: Command = {
  name: 'SETQUOTA',
  states: LOGGED_IN,
  async run(session, d): Promise<Outcome> {
    d.sp();
    const name = d.astringText('a quota root');
    d.sp();
    const wanted = limits(d);
    d.end();
    if (!(await isAdministrator(session)))
      throw refuse('not-permitted', 'NOPERM', 'Only administrators set quotas');
    const root = await namedRoot(session, name);
    const { read, write } = session.options.store;
    const owner = await read.run('directory.account', { id: root.accountId });
    if (owner === undefined) throw refuse('not-found', 'NONEXISTENT', 'There is no quota root of that name');
    await write.run('directory.setQuota', {
      actor: { name: loginOf(session).address, role: 'admin', domainId: undefined },
      address: owner.address,
      quota: wanted.storage * UNIT,
      messages: wanted.messages,
    });
    await tellQuota(session, root);
    return undefined;
  },
};

/** "(" [resource SP number *(SP resource SP number)] ")"; 0 is our word for no limit, so that none can be set. */
function limits(d: Decoder): { storage: number; messages: number } {
  const found = { storage: 0, messages: 0 };
  d.list(
    () => {
      const resource = d.keyword('a resource');
      d.sp();
      const limit = d.number64('a limit');
      if (resource !== 'STORAGE' && resource !== 'MESSAGE')
        throw refuse('bad-input', 'CANNOT', 'Limits are for STORAGE and MESSAGE');
      if (limit === 0 || limit > Number.MAX_SAFE_INTEGER / UNIT)
        throw refuse('bad-input', 'CANNOT', 'That limit cannot be set');
      found[resource === 'STORAGE' ? 'storage' : 'messages'] = limit;
    },
    { empty: true },
  );
  return found;
}
