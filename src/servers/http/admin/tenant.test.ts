/** How far the administrator of one domain gets with what is its own: other domains, and more rights, stay out of reach. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { systemClock } from '../../../base/clock.ts';
import { silentLogger } from '../../../base/log.ts';
import { type InlineStore, openInlineStore } from '../../../data/inline.ts';
import type { Actor } from '../../../data/directory/types.ts';
import type { ServerFacts } from '../facts.ts';
import { alwaysActor, createAdminApp } from './app.ts';

const system: Actor = { name: 'system', role: 'system', domainId: undefined };
const facts: ServerFacts = {
  version: '1.2.3',
  mode: 'serve',
  hostname: 'host.example',
  startedAt: 1,
  dataDirectory: '/nonexistent',
  publicAddresses: () => [],
  adminAddress: () => undefined,
  listeners: () => [],
  certificates: () => [],
};

describe('the border of a domain', () => {
  let store: InlineStore;
  let app: ReturnType<typeof createAdminApp>;

  before(async () => {
    store = await openInlineStore({ path: ':memory:', clock: systemClock });
    for (const name of ['own.example', 'other.example'])
      await store.write.run('directory.addDomain', { actor: system, name });
    for (const [address, role] of [
      ['me@own.example', 'domain-admin'],
      ['you@own.example', 'user'],
      ['root@own.example', 'admin'],
      ['anna@other.example', 'user'],
      ['gone@other.example', 'user'],
    ] as const)
      await store.write.run('directory.addAccount', {
        actor: system,
        address,
        displayName: '',
        role,
        quota: 0,
        hash: 'none',
        scram: null,
      });
    await store.write.run('directory.removeAccount', {
      actor: system,
      address: 'gone@other.example',
      purge: false,
    });
    const domain = await store.read.run('directory.domain', { name: 'own.example' });
    const actor: Actor = {
      name: 'me@own.example',
      role: 'domain-admin',
      domainId: domain?.id,
      domainIds: [],
    };
    app = createAdminApp({ store, clock: systemClock, logger: silentLogger, facts }, alwaysActor(actor));
  });
  after(() => store.close());

  async function call(method: string, path: string, body: object = {}) {
    const inBody = method === 'POST' || method === 'PUT';
    const response = await app.request(`/admin/v1${path}`, {
      method,
      ...(inBody && { body: JSON.stringify(body), headers: { 'Content-Type': 'application/json' } }),
    });
    return { status: response.status, text: await response.text() };
  }

  const refused = async (method: string, path: string, body: object = {}): Promise<void> => {
    const { status, text } = await call(method, path, body);
    assert.ok(status === 403 || status === 404 || status === 400, `${method} ${path}: ${status} ${text}`);
  };

  it('nobody is made, invited or raised to more than the one who does it', async () => {
    const password = 'a long password';
    await refused('PUT', '/accounts/you@own.example/role', { role: 'admin' });
    await refused('PUT', '/accounts/me@own.example/role', { role: 'admin' });
    await refused('POST', '/accounts', { address: 'new@own.example', password, role: 'admin' });
    await refused('POST', '/invitations', { domain: 'own.example', role: 'admin' });
    await refused('PUT', '/accounts/me@own.example/admin-domains', { domains: ['other.example'] });
    await refused('PUT', '/accounts/you@own.example/admin-domains', { domains: ['other.example'] });
  });

  it('an administrator of the server in the domain is out of reach: password, factors, sessions, status', async () => {
    await refused('PUT', '/accounts/root@own.example/password', { password: 'a long password' });
    await refused('PUT', '/accounts/root@own.example/status', { status: 'suspended' });
    await refused('DELETE', '/accounts/root@own.example');
    const paths = JSON.stringify(
      (JSON.parse((await call('GET', '/operations')).text) as { operations: { path: string }[] }).operations,
    );
    assert.ok(paths.includes('app-passwords'), 'the paths below are those that there are');
    await refused('POST', '/accounts/root@own.example/app-passwords', { name: 'phone' });
    const found = await store.read.run('directory.account', { address: 'root@own.example' });
    assert.equal(found?.status, 'active');
    assert.equal((await store.read.run('directory.credential', { login: 'root@own.example' }))?.hash, 'none');
  });

  it('removed accounts, invitations and undo of other domains are not theirs', async () => {
    await refused('POST', '/accounts/gone@other.example/restore');
    await refused('POST', '/invitations', { domain: 'other.example' });
    await refused('POST', '/invitations', { address: 'x@other.example' });
    const rows = await store.read.run('directory.audit', { limit: 100 });
    for (const { id } of rows) await refused('POST', `/audit/${id}/undo`);
    await refused('GET', '/audit');
    assert.equal(
      await store.read.run('directory.account', { address: 'gone@other.example' }).then((one) => one?.status),
      undefined,
    );
  });

  it('an alias, a group or a catch-all that leads elsewhere gives no right there, and tells nothing of who is there', async () => {
    for (const target of ['anna@other.example', 'ghost@other.example']) {
      const name = target.split('@')[0] ?? '';
      const alias = await call('POST', '/aliases', { address: `a-${name}@own.example`, targets: [target] });
      const group = await call('POST', '/groups', { address: `g-${name}@own.example`, members: [target] });
      const all = await call('PUT', '/domains/own.example/catch-all', { address: target });
      const answers = [alias, group, all].map(({ status, text }) => [
        status,
        text.replaceAll(name, 'NAME').replaceAll(/\d{5,}/g, '0'),
      ]);
      seen.push(JSON.stringify(answers));
    }
    assert.equal(seen[0], seen[1], 'who is there is answered as who is not');
    // Nobody here may now speak as anna, or reach what is hers.
    const me = await store.read.run('directory.account', { address: 'me@own.example' });
    const may = await store.read.run('directory.maySendAs', {
      accountId: me?.id ?? 0,
      localPart: 'anna',
      domain: 'other.example',
      delimiter: '+',
    });
    assert.equal(may, false);
    await refused('PUT', '/accounts/anna@other.example/password', { password: 'a long password' });
    await refused('POST', '/grants', { account: 'me@own.example', address: 'anna@other.example' });
  });
  const seen: string[] = [];
});
