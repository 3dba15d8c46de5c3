import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { systemClock } from '../../../base/clock.ts';
import { silentLogger } from '../../../base/log.ts';
import {
  acceptOf,
  contentOf,
  depositOf,
  DOMAIN,
  newAccount,
  operations as storeOperations,
  SYSTEM,
} from '../../../data/mailstore/contract-fixtures.ts';
import { type InlineStore, openInlineStore } from '../../../data/inline.ts';
import type { Actor } from '../../../data/directory/types.ts';
import { terms } from '../../../data/journal/types.ts';
import type { ServerFacts } from '../facts.ts';
import { alwaysActor, createAdminApp } from './app.ts';
import { inputInQuery, type Operation } from './operation.ts';
import { operations } from './operations.ts';

/**
 * A domain administrator walks through every operation with the names, addresses, ids, case numbers and traces of a
 * domain that is not theirs: nothing of it may be read, nothing changed, and what is there may not even be told from
 * what is not.
 */

const OTHER = 'second.example';
const QUEUE_ID = '0123456789abcdefgh';
const CASE = 'ABCDE-FGHJK';
const SECRET = 'the-secret-of-the-first-domain';

const facts: ServerFacts = {
  version: '1.2.3',
  mode: 'serve',
  hostname: 'host.example',
  startedAt: 1,
  dataDirectory: '/nonexistent',
  publicAddresses: () => ['192.0.2.1'],
  adminAddress: () => undefined,
  listeners: () => [],
  certificates: () => [],
};

/** Names that lead to something of the first domain, and the same in kind that lead to nothing. */
interface Names {
  readonly account: string;
  readonly domain: string;
  readonly alias: string;
  readonly group: string;
  readonly invitation: number;
  readonly caseNumber: string;
  readonly trace: string;
  readonly email: number;
  readonly masked: string;
}

type Case = (names: Names) => object;

const account: Case = (n) => ({ account: n.account });
const address: Case = (n) => ({ address: n.account });
const domain: Case = (n) => ({ domain: n.domain });

/** One for each operation that is not for administrators alone. A new one without a case fails. */
const CASES: Readonly<Record<string, readonly Case[]>> = {
  'domains.list': [() => ({})],
  'domains.show': [domain],
  'domains.catchAll': [(n) => ({ domain: n.domain, address: `me@${OTHER}` })],
  'domains.records': [domain],
  'access.appPasswords': [address],
  'access.addAppPassword': [(n) => ({ address: n.account, name: 'phone' })],
  'access.removeAppPassword': [(n) => ({ address: n.account, id: 1 })],
  'access.sessions': [address],
  'access.revokeSession': [(n) => ({ address: n.account, id: 1 })],
  'access.revokeSessions': [address],
  'access.revokeGrant': [(n) => ({ address: n.account, id: 1 })],
  'access.secondFactor': [address],
  'access.resetSecondFactor': [address],
  'accounts.list': [() => ({}), domain, () => ({ removed: 'true' })],
  'accounts.add': [(n) => ({ address: `new@${n.domain}`, password: 'a long password' })],
  'accounts.show': [address],
  'accounts.remove': [address, (n) => ({ address: n.account, purge: 'true' })],
  'accounts.restore': [address],
  'accounts.setPassword': [(n) => ({ address: n.account, password: 'a long password' })],
  'accounts.setStatus': [(n) => ({ address: n.account, status: 'suspended' })],
  'accounts.setRole': [(n) => ({ address: n.account, role: 'domain-admin' })],
  'accounts.setQuota': [(n) => ({ address: n.account, quota: 1 })],
  'accounts.listDeleted': [address],
  'accounts.undelete': [(n) => ({ address: n.account, ids: [n.email] })],
  'aliases.list': [() => ({}), domain],
  'aliases.add': [(n) => ({ address: n.alias, targets: [`me@${OTHER}`] })],
  'aliases.remove': [(n) => ({ address: n.alias })],
  'grants.list': [account],
  'grants.add': [
    (n) => ({ account: n.account, address: `@${OTHER}` }),
    (n) => ({ account: `me@${OTHER}`, address: `@${n.domain}` }),
    (n) => ({ account: `me@${OTHER}`, address: n.account }),
  ],
  'grants.remove': [(n) => ({ account: n.account, address: `granted@${OTHER}` })],
  'dkim.list': [() => ({}), domain],
  'dkim.add': [(n) => ({ domain: n.domain, algorithm: 'ed25519-sha256' })],
  'doctor.run': [() => ({}), domain],
  'selfService.maskedList': [account],
  'selfService.maskedAdd': [account],
  'selfService.maskedSet': [(n) => ({ address: n.masked, state: 'off' })],
  'selfService.snoozed': [account],
  'sharing.show': [(n) => ({ account: n.account, mailbox: 'INBOX' })],
  'sharing.set': [(n) => ({ account: n.account, mailbox: 'INBOX', who: `me@${OTHER}`, rights: 'lr' })],
  'sharing.addShared': [(n) => ({ address: `shared@${n.domain}` })],
  'trace.search': [
    (n) => ({ term: n.account }),
    (n) => ({ term: n.trace }),
    (n) => ({ term: n.caseNumber }),
    () => ({ last: 'true' }),
    () => ({ from: 0, limit: 100 }),
  ],
  'filter.lists': [account, () => ({})],
  'filter.list': [
    (n) => ({ account: n.account, pattern: '@evil.example', action: 'allow' }),
    () => ({ pattern: '@evil.example', action: 'allow' }),
  ],
  'filter.unlist': [
    (n) => ({ account: n.account, pattern: '@friend.example' }),
    () => ({ pattern: '@site.example' }),
  ],
  'sieve.list': [
    account,
    (n) => ({ place: 'domain-before', domain: n.domain }),
    () => ({ place: 'site-before' }),
  ],
  'sieve.show': [
    account,
    (n) => ({ place: 'domain-before', domain: n.domain }),
    () => ({ place: 'site-before' }),
    () => ({ place: 'global', name: 'x' }),
  ],
  'sieve.put': [
    (n) => ({ account: n.account, name: 'mine', text: 'discard;', activate: true }),
    (n) => ({ place: 'domain-before', domain: n.domain, text: 'discard;' }),
    () => ({ place: 'site-before', text: 'discard;' }),
  ],
  'sieve.activate': [(n) => ({ account: n.account, name: 'theirs' })],
  'sieve.rename': [(n) => ({ account: n.account, name: 'theirs', to: 'x' })],
  'sieve.remove': [
    (n) => ({ account: n.account, name: 'theirs' }),
    (n) => ({ place: 'domain-before', domain: n.domain }),
    () => ({ place: 'site-before' }),
  ],
  'sieve.check': [() => ({ text: 'keep;' })],
  'sieve.settings': [account],
  'sieve.setSettings': [(n) => ({ account: n.account, rules: [] })],
  'vault.list': [() => ({}), account],
  'vault.show': [(n) => ({ caseNumber: n.caseNumber })],
  'vault.release': [
    (n) => ({ caseNumber: n.caseNumber }),
    (n) => ({ caseNumber: n.caseNumber, account: n.account }),
  ],
  'vault.remove': [
    (n) => ({ caseNumber: n.caseNumber }),
    (n) => ({ caseNumber: n.caseNumber, account: n.account }),
  ],
  'overview.get': [() => ({})],
  'groups.list': [() => ({}), domain],
  'groups.show': [(n) => ({ address: n.group })],
  'groups.add': [(n) => ({ address: `newgroup@${n.domain}`, members: [`me@${OTHER}`] })],
  'groups.change': [(n) => ({ address: n.group, members: [`me@${OTHER}`] }), (n) => ({ address: n.alias })],
  'groups.changeMembers': [(n) => ({ address: n.group, add: [`me@${OTHER}`] })],
  'groups.remove': [(n) => ({ address: n.group })],
  'invitations.list': [() => ({}), domain],
  'invitations.add': [(n) => ({ domain: n.domain }), (n) => ({ address: `new@${n.domain}` })],
  'invitations.remove': [(n) => ({ id: n.invitation })],
};

describe('an administrator of another domain', () => {
  let store: InlineStore;
  let app: ReturnType<typeof createAdminApp>;
  let theirs: Names;
  let nothing: Names;

  before(async () => {
    store = await openInlineStore({ path: ':memory:', clock: systemClock });
    theirs = await fill(store);
    nothing = {
      account: `ghost@${DOMAIN}`,
      domain: DOMAIN,
      alias: `ghostalias@${DOMAIN}`,
      group: `ghostgroup@${DOMAIN}`,
      invitation: 987_654,
      caseNumber: 'ZZZZZ-ZZZZZ',
      trace: 'zzzzzzzzzzzzzzzzzz',
      email: 987_654,
      masked: `ghostmask@${DOMAIN}`,
    };
    const found = await store.read.run('directory.domain', { name: OTHER });
    const actor: Actor = { name: `me@${OTHER}`, role: 'domain-admin', domainId: found?.id, domainIds: [] };
    const doctor = {
      run: () => Promise.reject(new Error('the doctor looked')),
      rotate: () => Promise.reject(new Error()),
    };
    app = createAdminApp(
      { store, clock: systemClock, logger: silentLogger, facts, doctor },
      alwaysActor(actor),
    );
  });
  after(() => store.close());

  async function call(row: Operation, input: object): Promise<{ status: number; text: string }> {
    const rest: Record<string, unknown> = { ...input };
    const path = row.path.replaceAll(/:(\w+)/g, (_, name: string) => {
      const value = String(rest[name]);
      delete rest[name];
      return encodeURIComponent(value);
    });
    const query = new URLSearchParams(
      Object.entries(rest).map(([name, value]): [string, string] => [name, String(value)]),
    );
    const request: RequestInit = inputInQuery(row.method)
      ? { method: row.method }
      : { method: row.method, body: JSON.stringify(rest), headers: { 'Content-Type': 'application/json' } };
    const url = `/admin/v1${path}${inputInQuery(row.method) && query.size > 0 ? `?${query}` : ''}`;
    const response = await app.request(url, request);
    return { status: response.status, text: await response.text() };
  }

  const all = Object.entries(operations).flatMap(([area, rows]) =>
    Object.entries(rows).map(([name, row]) => ({ key: `${area}.${name}`, row: row as unknown as Operation })),
  );

  it('has a case for every operation that is open to it', () => {
    const open = all.filter(({ row }) => row.access !== 'administrator').map(({ key }) => key);
    assert.deepEqual(Object.keys(CASES).toSorted(), open.toSorted());
  });

  it('is refused whatever is for administrators alone, before anything of it is read', async () => {
    for (const { key, row } of all) {
      if (row.access !== 'administrator') continue;
      const input = {
        queueId: QUEUE_ID,
        id: 1,
        name: 'x',
        address: theirs.account,
        account: theirs.account,
        domain: DOMAIN,
        caseNumber: CASE,
      };
      const { status, text } = await call(row, input);
      assert.equal(status, 403, `${key}: ${text}`);
      assert.ok(text.includes('not-permitted'), key);
    }
  });

  it('reads nothing of the first domain, changes nothing, and cannot tell what is there', async () => {
    const before = await stateOf(store);
    for (const { key, row } of all) {
      for (const [i, make] of (CASES[key] ?? []).entries()) {
        const where = `${key} ${i}`;
        const real = await call(row, make(theirs));
        const ghost = await call(row, make(nothing));
        assert.ok(real.status < 500, `${where}: ${real.text}`);
        assert.ok(!real.text.includes(SECRET), `${where} shows ${real.text}`);
        assert.ok(!mentions(real.text, make(theirs)), `${where} shows ${real.text}`);
        assert.deepEqual(neutral(real, theirs), neutral(ghost, nothing), `${where} tells what is there`);
      }
    }
    assert.deepEqual(await stateOf(store), before);
  });

  it('sees and changes what is its own', async () => {
    const shown = await call(operations.accounts.list as unknown as Operation, {});
    assert.deepEqual(
      (JSON.parse(shown.text) as { accounts: { address: string }[] }).accounts.map((one) => one.address),
      [`me@${OTHER}`, `you@${OTHER}`],
    );
    const set = await call(operations.accounts.setQuota as unknown as Operation, {
      address: `you@${OTHER}`,
      quota: 5,
    });
    assert.equal(set.status, 200, set.text);
    const made = await call(operations.invitations.add as unknown as Operation, { domain: OTHER });
    assert.equal(made.status, 200, made.text);
    const found = await call(operations.trace.search as unknown as Operation, { term: `you@${OTHER}` });
    assert.ok(found.text.includes(`you@${OTHER}`), 'its own side of a message to both is told');
    assert.ok(!found.text.includes(`@${DOMAIN}`), found.text);
  });

  it('cannot take over an account that administers more than its own domain', async () => {
    const system = SYSTEM;
    await store.write.run('directory.addDomain', { actor: system, name: 'third.example' });
    await store.write.run('directory.setRole', {
      actor: system,
      address: `you@${OTHER}`,
      role: 'domain-admin',
    });
    await store.write.run('directory.setAdminDomains', {
      actor: system,
      address: `you@${OTHER}`,
      domains: ['third.example'],
    });
    const stolen = await call(operations.accounts.setPassword as unknown as Operation, {
      address: `you@${OTHER}`,
      password: 'a long password',
    });
    assert.equal(stolen.status, 403, stolen.text);
  });
});

/** Whether an answer tells of the first domain beyond what the request said itself. */
function mentions(text: string, input: object): boolean {
  const said = JSON.stringify(input);
  return [...text.matchAll(/[\w.+-]+@mail\.test/g)].some(([found]) => !said.includes(found));
}

/** An answer with the names that were asked by taken out. */
function neutral(
  { status, text }: { status: number; text: string },
  names: Names,
): { status: number; text: string } {
  let rest = text;
  for (const [name, value] of Object.entries(names))
    if (typeof value === 'string') rest = rest.replaceAll(value, `<${name}>`);
  return { status, text: rest.replaceAll(/"(?:now|at|since|id)":\d+/g, '"time":0') };
}

/** Everything of the first domain that could change. */
async function stateOf(store: InlineStore): Promise<unknown> {
  const { read } = store;
  const accountId = (await read.run('directory.account', { address: `anna@${DOMAIN}` }))?.id ?? 0;
  return {
    domains: await read.run('directory.domains', null),
    accounts: (await read.run('directory.accounts', { domain: DOMAIN })).map((one) => one),
    removed: await read.run('directory.accounts', { domain: DOMAIN, removed: true }),
    aliases: await read.run('directory.aliases', { domain: DOMAIN }),
    groups: await read.run('directory.groups', { domain: DOMAIN }),
    invitations: await read.run('directory.invitations', { domain: DOMAIN }),
    grants: await read.run('directory.grants', { account: `anna@${DOMAIN}` }),
    mine: await read.run('directory.grants', { account: `me@${OTHER}` }),
    dkim: await read.run('directory.dkimKeys', { domain: DOMAIN }),
    credential: await read.run('directory.credential', { login: `anna@${DOMAIN}` }),
    vault: await read.run('vault.list', { scope: { all: true }, limit: 100 }),
    scripts: await read.run('sieve.list', { place: { kind: 'account', accountId } }),
    site: await read.run('sieve.list', { place: { kind: 'site-before' } }),
    before: await read.run('sieve.list', { place: { kind: 'domain-before', domain: DOMAIN } }),
    lists: await read.run('spam.lists', { account: `anna@${DOMAIN}` }),
    siteLists: await read.run('spam.lists', { account: null }),
    mailboxes: await read.run('mailstore.mailboxes', { accountId }),
    audit: await read.run('directory.audit', { limit: 100 }),
  };
}

/** A domain with one of everything. */
async function fill(store: InlineStore): Promise<Names> {
  const ops = storeOperations(store);
  const actor = SYSTEM;
  await ops.write('directory.addDomain', { actor, name: DOMAIN });
  await ops.write('directory.addDomain', { actor, name: OTHER });
  const anna = await newAccount(ops, 'anna');
  await newAccount(ops, 'boris');
  for (const name of ['me', 'you'])
    await ops.write('directory.addAccount', {
      actor,
      address: `${name}@${OTHER}`,
      displayName: '',
      role: name === 'me' ? 'domain-admin' : 'user',
      quota: 0,
      hash: 'none',
      scram: null,
    });
  const you = (await ops.read('directory.account', { address: `you@${OTHER}` }))?.id ?? 0;
  await ops.write('directory.addAlias', { actor, address: `alias@${DOMAIN}`, targets: [`anna@${DOMAIN}`] });
  await ops.write('directory.addGroup', {
    actor,
    address: `group@${DOMAIN}`,
    members: [`anna@${DOMAIN}`, `boris@${DOMAIN}`],
    description: SECRET,
  });
  await ops.write('directory.addGrant', { actor, account: `anna@${DOMAIN}`, address: `granted@${OTHER}` });
  await ops.write('directory.addDkimKey', {
    actor,
    domain: DOMAIN,
    selector: 'sel',
    algorithm: 'ed25519-sha256',
    privateKey: 'k',
    publicKey: SECRET,
  });
  const invitation = await ops.write('directory.addInvitation', {
    actor,
    digest: 'a'.repeat(64),
    address: null,
    domain: DOMAIN,
    role: 'user',
    quota: 0,
    note: SECRET,
    expiresAt: systemClock.now() + 1e9,
  });
  for (const [place, name] of [
    [{ kind: 'account', accountId: anna }, 'theirs'],
    [{ kind: 'domain-before', domain: DOMAIN }, ''],
    [{ kind: 'site-before' }, ''],
  ] as const)
    await ops.write('sieve.put', { actor, place, name, text: `# ${SECRET}\nkeep;`, activate: true });
  await ops.write('spam.listAdd', {
    actor,
    account: `anna@${DOMAIN}`,
    pattern: '@friend.example',
    action: 'allow',
    note: SECRET,
  });
  await ops.write('spam.listAdd', {
    actor,
    account: null,
    pattern: '@site.example',
    action: 'block',
    note: SECRET,
  });
  const at = systemClock.now();
  const trace = 'trace0000000000001';
  const both = `${DOMAIN}`;
  await ops.write('delivery.accept', {
    ...acceptOf([], 'Subject: x\r\n\r\nbody\r\n', contentOf({ messageId: 'm@evil.test' })),
    events: [
      {
        trace,
        at,
        kind: 'message.refused',
        data: { to: `anna@${both}`, reason: SECRET },
        terms: [terms.address(`anna@${DOMAIN}`), terms.caseNumber(CASE)],
      },
    ],
    vault: {
      caseNumber: CASE,
      trace,
      kind: 'refused',
      reversePath: 'eve@evil.test',
      ip: '192.0.2.1',
      author: 'Eve',
      subject: SECRET,
      reason: SECRET,
      verdict: '{}',
      expiresAt: at + 1e9,
      received: Buffer.from('Received: x\r\n'),
      hidden: [],
      recipients: [{ accountId: anna, address: `anna@${DOMAIN}` }],
    },
  });
  // One message for both domains: its own side of it is for each to see.
  const mixed = 'trace0000000000002';
  await ops.write('delivery.accept', {
    ...acceptOf([depositOf(anna), depositOf(you)], 'Subject: y\r\n\r\nbody\r\n'),
    events: [
      {
        trace: mixed,
        at,
        kind: 'message.accepted',
        data: { from: 'eve@evil.test', to: [`anna@${DOMAIN}`, `you@${OTHER}`] },
        terms: [terms.address(`you@${OTHER}`)],
      },
      {
        trace: mixed,
        at,
        kind: 'message.deposited',
        data: { account: `anna@${DOMAIN}`, mailbox: SECRET },
        terms: [],
      },
    ],
  });
  const inbox = await ops.read('mailstore.mailbox', { accountId: anna, name: 'INBOX' });
  const [row] = await ops.read('mailstore.fetch', {
    mailboxId: inbox?.id ?? 0,
    ranges: [{ from: 1, to: 100 }],
    want: [],
    limit: 1,
  });
  const masked = await ops.write('account.addMasked', { actor, accountId: anna, label: SECRET, site: '' });
  return {
    account: `anna@${DOMAIN}`,
    domain: DOMAIN,
    alias: `alias@${DOMAIN}`,
    group: `group@${DOMAIN}`,
    invitation: invitation.id,
    caseNumber: CASE,
    trace,
    email: row?.emailId ?? 0,
    masked: masked.address,
  };
}
