import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { startTestServer, TEST_PASSWORD, testActor, type TestServer } from '../support/server.ts';

/** Administration over the HTTP port of the whole program: who gets in, what each role sees, links, watching. */

type Json = Record<string, unknown>;

describe('administration over the network', () => {
  let server: TestServer;
  let base = '';

  before(async () => {
    server = await startTestServer({
      accounts: [
        { address: 'alice@example.test', role: 'admin' },
        'bob@example.test',
        { address: 'dora@second.test', role: 'domain-admin' },
        'eve@second.test',
      ],
    });
    base = `http://127.0.0.1:${server.ports.http}`;
  });
  after(() => server.close());

  async function call(
    who: string | undefined,
    method: string,
    path: string,
    body?: object,
  ): Promise<{ status: number; body: Json; headers: Headers }> {
    const response = await fetch(base + path, {
      method,
      headers: {
        'X-Postern': '1',
        ...(who !== undefined && {
          Authorization: `Basic ${Buffer.from(`${who}:${TEST_PASSWORD}`).toString('base64')}`,
        }),
        ...(body !== undefined && { 'Content-Type': 'application/json' }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    return { status: response.status, body: JSON.parse(text) as Json, headers: response.headers };
  }
  const alice = (method: string, path: string, body?: object) =>
    call('alice@example.test', method, `/admin/v1${path}`, body);

  it('lets administrators in, and nobody else', async () => {
    assert.equal((await call(undefined, 'GET', '/admin/v1/overview')).status, 401);
    assert.equal((await call('bob@example.test', 'GET', '/admin/v1/overview')).status, 403);
    const seen = await alice('GET', '/overview');
    assert.equal(seen.status, 200, JSON.stringify(seen.body));
    assert.equal(seen.body['scope'], 'all');
    assert.equal(seen.headers.get('x-postern-second-factor'), 'missing', 'the pages can nag');
    const dora = await call('dora@second.test', 'GET', '/admin/v1/overview');
    assert.deepEqual(dora.body['domains'], ['second.test']);
    assert.equal((await call('dora@second.test', 'GET', '/admin/v1/status')).status, 403);
    const listed = await call('dora@second.test', 'GET', '/admin/v1/accounts');
    assert.deepEqual(
      (listed.body['accounts'] as Json[]).map(({ address }) => address),
      ['dora@second.test', 'eve@second.test'],
    );
  });

  it('gives a domain administrator further domains, and takes them back', async () => {
    const set = await alice('PUT', '/accounts/dora@second.test/admin-domains', { domains: ['example.test'] });
    assert.deepEqual(set.body, { domains: ['example.test'] });
    const more = await call('dora@second.test', 'GET', '/admin/v1/overview');
    assert.deepEqual(more.body['domains'], ['example.test', 'second.test']);
    const bob = await call('dora@second.test', 'PUT', '/admin/v1/accounts/bob@example.test/quota', {
      quota: 7_000_000,
    });
    assert.equal(bob.status, 200, JSON.stringify(bob.body));
    const boss = await call('dora@second.test', 'PUT', '/admin/v1/accounts/alice@example.test/quota', {
      quota: 1,
    });
    assert.equal(boss.status, 403, 'an administrator stays out of reach');
    await alice('PUT', '/accounts/dora@second.test/admin-domains', { domains: [] });
    const less = await call('dora@second.test', 'GET', '/admin/v1/overview');
    assert.deepEqual(less.body['domains'], ['second.test']);
  });

  it('takes back what was done, once, and only while nobody changed it since', async () => {
    const newest = async (action: string): Promise<Json> => {
      const { body } = await alice('GET', `/audit?limit=1&action=${action}`);
      return (body['rows'] as Json[])[0] ?? {};
    };
    const quota = async (): Promise<unknown> =>
      ((await alice('GET', '/accounts/eve@second.test')).body['account'] as Json)['quota'];
    await alice('PUT', '/accounts/eve@second.test/quota', { quota: 1000 });
    const first = await newest('account.quota');
    assert.equal(first['undo'], 'possible');
    await alice('PUT', '/accounts/eve@second.test/quota', { quota: 2000 });
    assert.equal((await alice('POST', `/audit/${String(first['id'])}/undo`, {})).status, 409);
    assert.equal(await quota(), 2000);
    const second = await newest('account.quota');
    const undone = await alice('POST', `/audit/${String(second['id'])}/undo`, {});
    assert.equal(undone.status, 200, JSON.stringify(undone.body));
    assert.equal(await quota(), 1000);
    assert.equal((await alice('POST', `/audit/${String(second['id'])}/undo`, {})).status, 409);
    await alice('PUT', '/filter/settings/refuse', { value: 'never' });
    const setting = await newest('filter.settings');
    assert.equal((await alice('POST', `/audit/${String(setting['id'])}/undo`, {})).status, 200);
    const { settings } = (await alice('GET', '/filter/settings')).body as { settings: Json };
    assert.equal(settings['refuse'], 'certain');
  });

  it('invites: a link makes one account and signs it in, once', async () => {
    const made = await alice('POST', '/invitations', { domain: 'second.test', quota: 5000 });
    assert.equal(made.status, 200, JSON.stringify(made.body));
    const token = made.body['token'] as string;
    assert.ok((made.body['link'] as string).endsWith(`/#/invitation?token=${token}`));
    const look = await call(undefined, 'POST', '/auth/invitation/look', { token });
    assert.equal(look.body['domain'], 'second.test');
    const wrong = { token, address: 'carol@example.test', password: 'a long password', displayName: 'Carol' };
    assert.equal((await call(undefined, 'POST', '/auth/invitation/accept', wrong)).status, 400);
    const right = { ...wrong, address: 'carol@second.test' };
    const accepted = await call(undefined, 'POST', '/auth/invitation/accept', right);
    assert.equal(accepted.status, 200, JSON.stringify(accepted.body));
    assert.equal((accepted.body['me'] as Json)['address'], 'carol@second.test');
    assert.match(accepted.headers.get('set-cookie') ?? '', /postern=/);
    assert.equal((await server.account('carol@second.test')).quota, 5000);
    const again = await call(undefined, 'POST', '/auth/invitation/accept', {
      ...right,
      address: 'x@second.test',
    });
    assert.equal(again.status, 404);
  });

  it('shows events as they happen, and no more of them than is theirs', async () => {
    const stopped = new AbortController();
    const watch = async (who: string, query = ''): Promise<() => Promise<string>> => {
      const response = await fetch(`${base}/admin/v1/trace/live${query}`, {
        headers: { Authorization: `Basic ${Buffer.from(`${who}:${TEST_PASSWORD}`).toString('base64')}` },
        signal: stopped.signal,
      });
      assert.equal(response.headers.get('content-type'), 'text/event-stream');
      const reader = response.body?.getReader();
      let text = '';
      return async () => {
        while (!text.includes('event: journal')) {
          const next = await reader?.read();
          if (next?.done !== false) break;
          text += Buffer.from(next.value).toString();
        }
        return text;
      };
    };
    const all = await watch('alice@example.test', '?kind=session');
    const part = await watch('dora@second.test');
    const event = (to: string) => ({
      trace: 'trace0000000000001',
      at: Date.now(),
      kind: 'session.refused' as const,
      data: { to },
      terms: [],
    });
    server.recorder.event(event('bob@example.test'));
    server.recorder.event(event('eve@second.test'));
    assert.ok((await all()).includes('bob@example.test'));
    const theirs = await part();
    assert.ok(theirs.includes('eve@second.test') && !theirs.includes('bob@example.test'), theirs);
    stopped.abort();
  });

  it('asks for a second factor where it is told to', async () => {
    await alice('PUT', '/settings/admin/require_second_factor', { value: true });
    const refused = await alice('GET', '/overview');
    assert.equal(refused.status, 403);
    assert.equal((refused.body['error'] as Json)['kind'], 'second-factor-required');
    const json = JSON.stringify({ require_second_factor: false });
    await server.store.write.run('directory.saveSiteSettings', { actor: testActor, name: 'admin', json });
    assert.equal((await alice('GET', '/overview')).status, 200);
  });

  it('keeps a group to those who may send to it, and says so at RCPT', async () => {
    await alice('POST', '/groups', {
      address: 'team@example.test',
      members: ['bob@example.test', 'friend@far.test'],
      senders: 'members',
    });
    const ask = (sender: string, accountId: number | null) =>
      server.store.read.run('directory.closedGroup', { via: ['team@example.test'], sender, accountId });
    const bob = await server.account('bob@example.test');
    const eve = await server.account('eve@second.test');
    assert.equal(await ask('bob@example.test', bob.id), undefined);
    assert.equal(await ask('friend@far.test', null), undefined, 'a member elsewhere');
    assert.equal((await ask('eve@second.test', eve.id))?.senders, 'members');
    assert.equal((await ask('bob@example.test', null))?.senders, 'members', 'nobody has logged in as bob');
  });
});

describe('a server without a domain', () => {
  it('is set up by its link, once', async () => {
    await using server = await startTestServer({ accounts: [] });
    const link = server.setupLink ?? '';
    assert.match(link, /#\/setup\?token=/);
    const token = link.slice(link.indexOf('=') + 1);
    const post = (path: string, body: object) =>
      fetch(`http://127.0.0.1:${server.ports.http}${path}`, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json', 'X-Postern': '1' },
        body: JSON.stringify(body),
      });
    const body = { token, domain: 'new.test', address: 'ann@new.test', password: 'a long password' };
    assert.equal((await post('/auth/first-run', { ...body, token: `${token.slice(1)}A` })).status, 403);
    const made = await post('/auth/first-run', body);
    assert.equal(made.status, 200, await made.clone().text());
    assert.equal(((await made.json()) as { me: Json }).me['role'], 'admin');
    assert.ok((await server.store.read.run('directory.dkimKeys', { domain: 'new.test' })).length > 0);
    assert.equal((await post('/auth/first-run', { ...body, domain: 'more.test' })).status, 403);
  });
});
