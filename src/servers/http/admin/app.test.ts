import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { systemClock } from '../../../base/clock.ts';
import { createLogger, silentLogger } from '../../../base/log.ts';
import type { Actor } from '../../../data/directory/types.ts';
import { type InlineStore, openInlineStore } from '../../../data/inline.ts';
import { terms } from '../../../data/journal/types.ts';
import type { ServerFacts } from '../facts.ts';
import { ADMIN_BODY_BYTES, alwaysActor, createAdminApp } from './app.ts';

const facts: ServerFacts = {
  version: '1.2.3',
  mode: 'serve',
  hostname: 'mail.example.org',
  startedAt: 1,
  dataDirectory: '/nonexistent',
  publicAddresses: () => ['192.0.2.1'],
  adminAddress: () => undefined,
  listeners: () => [{ name: 'smtp', address: '::', port: 25, security: 'starttls', open: true }],
  certificates: () => [{ names: ['mail.example.org'], notBefore: 0, notAfter: 5, certFile: '/c.pem' }],
};

const operator: Actor = { name: 'cli:test', role: 'system', domainId: undefined };

let store: InlineStore;
before(async () => {
  store = await openInlineStore({ path: ':memory:', clock: systemClock });
});
after(() => store.close());

type Answer = {
  status: number;
  body: Record<string, unknown> & { error?: { kind: string; message: string } };
};

function appFor(actor: Actor = operator, logger = silentLogger) {
  return createAdminApp({ store, clock: systemClock, logger, facts }, alwaysActor(actor));
}

async function call(method: string, path: string, input?: unknown, actor: Actor = operator): Promise<Answer> {
  const request: RequestInit = { method };
  if (input !== undefined) {
    request.body = JSON.stringify(input);
    request.headers = { 'Content-Type': 'application/json' };
  }
  const response = await appFor(actor).request(`/admin/v1${path}`, request);
  return { status: response.status, body: (await response.json()) as Answer['body'] };
}

describe('admin API', () => {
  it('takes a domain from nothing to a working account and away again', async () => {
    const added = await call('POST', '/domains', { name: 'Example.ORG' });
    assert.equal(added.status, 200);
    assert.equal((added.body['domain'] as { name: string }).name, 'example.org');
    const keys = added.body['dkim'] as { algorithm: string; selector: string }[];
    assert.deepEqual(
      keys.map(({ algorithm }) => algorithm),
      ['rsa-sha256', 'ed25519-sha256'],
    );

    const password = 'correct horse';
    const alice = await call('POST', '/accounts', { address: 'Alice@example.org', password, quota: 1000 });
    assert.equal(alice.status, 200, JSON.stringify(alice.body));
    const account = alice.body['account'] as Record<string, unknown>;
    assert.equal(account['address'], 'alice@example.org');
    assert.equal(account['quota'], 1000);

    assert.equal(
      (await call('POST', '/aliases', { address: 'info@example.org', targets: ['alice@example.org'] }))
        .status,
      200,
    );
    assert.equal(
      (await call('POST', '/accounts/alice%40example.org/grants', { address: '@example.net' })).status,
      200,
    );
    assert.equal((await call('PUT', '/accounts/alice@example.org/role', { role: 'admin' })).status, 200);
    const shown = await call('GET', '/accounts/alice@example.org');
    assert.deepEqual(shown.body['grants'], ['@example.net']);
    assert.deepEqual(shown.body['aliases'], [
      { address: 'info@example.org', targets: ['alice@example.org'] },
    ]);
    assert.equal((shown.body['account'] as { role: string }).role, 'admin');

    const domain = await call('GET', '/domains/example.org');
    assert.equal((domain.body['accounts'] as unknown[]).length, 1);
    assert.equal((await call('DELETE', '/domains/example.org')).body.error?.kind, 'conflict');

    const status = await call('GET', '/status');
    assert.equal(status.body['accounts'], 1);
    assert.equal(status.body['aliases'], 1);
    assert.equal(status.body['hostname'], 'mail.example.org');

    // The only administrator stays.
    assert.equal((await call('DELETE', '/accounts/alice@example.org')).status, 409);
    await call('POST', '/accounts', { address: 'bob@example.org', password, role: 'admin' });
    assert.equal((await call('DELETE', '/accounts/alice@example.org')).status, 200);
    assert.equal((await call('GET', '/accounts/alice@example.org')).status, 404);
    const removed = await call('GET', '/accounts?removed=true');
    assert.deepEqual(
      (removed.body['accounts'] as { address: string }[]).map(({ address }) => address),
      ['alice@example.org'],
    );
    assert.equal((await call('POST', '/accounts/alice@example.org/restore', {})).status, 200);
    assert.equal((await call('GET', '/accounts/alice@example.org')).status, 200);
  });

  it('never lets a secret out', async () => {
    await call('POST', '/domains', { name: 'secret.example' });
    await call('POST', '/accounts', { address: 'a@secret.example', password: 'a good password' });
    const seen = [];
    for (const path of [
      '/dkim',
      '/domains/secret.example',
      '/accounts',
      '/accounts/a@secret.example',
      '/audit',
    ]) {
      const { status, body } = await call('GET', path);
      assert.equal(status, 200);
      seen.push(JSON.stringify(body));
    }
    assert.doesNotMatch(seen.join(), /PRIVATE KEY|privateKey|argon2|good password/);
  });

  it('gives the DNS records of a domain', async () => {
    await call('POST', '/domains', { name: 'records.example' });
    const { body } = await call('GET', '/domains/records.example/records');
    const records = body['records'] as { name: string; type: string; value: string }[];
    assert.ok(records.some(({ type, value }) => type === 'MX' && value === '10 mail.example.org'));
    assert.ok(records.some(({ type, value }) => type === 'A' && value === '192.0.2.1'));
    const keys = records.filter(({ name }) => name.endsWith('._domainkey.records.example'));
    assert.equal(keys.length, 2);
    const { body: all } = await call('GET', '/accounts');
    const admins = (all['accounts'] as { address: string; role: string; createdAt: number }[]).filter(
      ({ role }) => role === 'admin',
    );
    const first = admins.toSorted((a, b) => a.createdAt - b.createdAt)[0]?.address;
    const reports = records.filter(({ value }) => value.includes('rua='));
    assert.ok(first);
    assert.equal(reports.length, 2);
    for (const { value } of reports) assert.ok(value.includes(`rua=mailto:${first}`), value);
  });

  it('says what is wrong with a request in one sentence and by its status', async () => {
    const cases: [Answer, number, string, RegExp][] = [
      [await call('POST', '/domains', { name: 'not a domain' }), 400, 'bad-input', /not a domain name/],
      [await call('POST', '/domains', { nam: 'x.example' }), 400, 'bad-input', /name/],
      [
        await call('POST', '/accounts', { address: 'x@nowhere.example', password: 'long enough' }),
        404,
        'not-found',
        /nowhere\.example/,
      ],
      [
        await call('POST', '/accounts', { address: 'nobody', password: 'long enough' }),
        400,
        'bad-input',
        /not an address/,
      ],
      [
        await call('POST', '/accounts', { address: 'x@secret.example', password: 'short' }),
        400,
        'bad-input',
        /too short/,
      ],
      [
        await call('PUT', '/accounts/none@secret.example/quota', { quota: 1 }),
        404,
        'no-such-account',
        /none@secret\.example/,
      ],
      [await call('PUT', '/accounts/a@secret.example/quota', { quota: -1 }), 400, 'bad-input', /quota/],
      [await call('GET', '/queue?limit=0'), 400, 'bad-input', /limit/],
      [await call('GET', '/queue/nothing'), 404, 'not-found', /nothing/],
      [await call('POST', '/queue/nothing/hold', {}), 404, 'not-found', /nothing/],
      [await call('GET', '/nothing'), 404, 'not-found', /no GET/],
    ];
    for (const [{ status, body }, expected, kind, words] of cases) {
      assert.deepEqual([status, body.error?.kind], [expected, kind], JSON.stringify(body));
      assert.match(body.error?.message ?? '', words);
    }
  });

  it('takes JSON only, and not too much of it', async () => {
    const send = (body: string, type: string) =>
      appFor().request('/admin/v1/domains', { method: 'POST', body, headers: { 'Content-Type': type } });
    assert.equal((await send('name=form.example', 'application/x-www-form-urlencoded')).status, 400);
    assert.equal((await send('{"name":"plain.example"}', 'text/plain')).status, 400);
    assert.equal((await send('{"name":', 'application/json')).status, 400);
    assert.equal((await send('["name"]', 'application/json')).status, 400);
    const large = JSON.stringify({ name: 'x'.repeat(ADMIN_BODY_BYTES) });
    const response = await send(large, 'application/json');
    assert.equal(response.status, 413);
    assert.equal(((await response.json()) as Answer['body']).error?.kind, 'too-large');
  });

  it('hides what went wrong inside behind an id that the log explains', async () => {
    const lines: string[] = [];
    const logger = createLogger({ level: 'error', pretty: false, write: (line) => lines.push(line) });
    const broken = { ...store, read: { run: () => Promise.reject(new Error('secret detail')) } };
    const app = createAdminApp({ store: broken, clock: systemClock, logger, facts }, alwaysActor(operator));
    const response = await app.request('/admin/v1/domains');
    const text = await response.text();
    assert.equal(response.status, 500);
    assert.doesNotMatch(text, /secret detail|at /);
    const id = /the id (\w{18})/.exec(text)?.[1] ?? 'none';
    assert.ok(lines.some((line) => line.includes(id) && line.includes('secret detail')));
  });

  it('shows nothing to somebody who is no administrator', async () => {
    const user: Actor = { name: 'a@secret.example', role: 'user', domainId: 1 };
    for (const path of [
      '/domains',
      '/accounts',
      '/trace?last=true',
      '/status',
      '/audit',
      '/queue',
      '/dkim',
    ]) {
      assert.equal((await call('GET', path, undefined, user)).status, 403, path);
    }
    assert.equal((await call('POST', '/domains', { name: 'user.example' }, user)).status, 403);
    assert.equal((await call('POST', '/queue/retry', {}, user)).status, 403);
  });

  it('brings deleted mail back for those who administer the domain', async () => {
    await call('POST', '/domains', { name: 'undelete.example' });
    const domain = await store.read.run('directory.domain', { name: 'undelete.example' });
    assert.ok(domain);
    const bob = { address: 'bob@undelete.example', displayName: '', role: 'user', quota: 0 } as const;
    await store.write.run('directory.addAccount', { actor: operator, ...bob, hash: 'none', scram: null });
    const carol: Actor = { name: 'carol@undelete.example', role: 'domain-admin', domainId: domain.id };
    const undelete = (address: string, actor: Actor) =>
      call('POST', `/accounts/${address}/undelete`, { since: 0 }, actor);
    const { status, body } = await undelete(bob.address, carol);
    assert.equal(status, 404, 'she may; there is nothing');
    assert.match(body.error?.message ?? '', /No deleted message/);
    const foreign = { ...carol, domainId: domain.id + 1 };
    for (const address of [bob.address, 'nobody@undelete.example'])
      assert.equal((await undelete(address, foreign)).status, 403, address);
    assert.equal((await undelete(bob.address, { ...carol, role: 'user' })).status, 403);
  });

  it('keeps what several people change at the same moment', async () => {
    const steps = ['dns', 'send', 'receive', 'backup'];
    await Promise.all(steps.map((id) => call('PUT', `/setup/steps/${id}`, { skipped: true })));
    const { body } = await call('GET', '/setup');
    const states = body['steps'] as { id: string; state: string }[];
    assert.deepEqual(
      states.filter(({ state }) => state === 'skipped').map(({ id }) => id),
      steps,
    );

    const app = appFor(operator);
    const changes = { 'greylist.delay_s': 90, messages_per_hour: 7, tls_reports: false, 'vault.days': 9 };
    await Promise.all(
      Object.entries(changes).map(async ([name, value]) => {
        const headers = { 'Content-Type': 'application/json' };
        const request = { method: 'PUT', headers, body: JSON.stringify({ value }) };
        assert.equal((await app.request(`/admin/v1/filter/settings/${name}`, request)).status, 200, name);
      }),
    );
    const { body: after } = await call('GET', '/filter/settings');
    assert.deepEqual((after['changed'] as string[]).toSorted(), Object.keys(changes).toSorted());
  });

  it('keeps an audit of who did what', async () => {
    await call('POST', '/domains', { name: 'audited.example' });
    const { body } = await call('GET', '/audit?limit=3');
    const rows = body['rows'] as { actor: string; action: string; subject: string }[];
    assert.ok(
      rows.some(
        ({ actor, action, subject }) =>
          actor === 'cli:test' && action === 'domain.dkim-key' && subject === 'audited.example',
      ),
    );
  });
});

describe('trace', () => {
  before(async () => {
    const event = (trace: string, at: number, found: string[]) => ({
      trace,
      at,
      kind: 'message.accepted' as const,
      data: { from: 'a@example.net' },
      terms: found,
    });
    await store.write.run('journal.append', {
      events: [
        event('trace-one', 1000, [
          terms.messageId('one@example.net'),
          terms.queueId('q1'),
          terms.address('Ann@Example.net'),
        ]),
        event('trace-two', 2000, [terms.address('ann@example.net'), terms.network('2001:db8::1')]),
      ],
    });
  });

  async function traces(query: string): Promise<string[]> {
    const { status, body } = await call('GET', `/trace?${query}`);
    assert.equal(status, 200, JSON.stringify(body));
    return (body['traces'] as { trace: string }[]).map(({ trace }) => trace);
  }

  it('finds by message id with and without brackets, queue id, address, IP address', async () => {
    assert.deepEqual(await traces(`term=${encodeURIComponent('<one@example.net>')}`), ['trace-one']);
    assert.deepEqual(await traces('term=one@example.net'), ['trace-one']);
    assert.deepEqual(await traces('term=q1'), ['trace-one']);
    assert.deepEqual(await traces('term=ANN@example.NET'), ['trace-one', 'trace-two']);
    assert.deepEqual(await traces('term=2001:DB8:0::1'), ['trace-two']);
    assert.deepEqual(await traces('term=nobody@example.net'), []);
  });

  it('shows the newest, or those of a time', async () => {
    assert.deepEqual(await traces('last=true'), ['trace-two']);
    assert.deepEqual(await traces('last=true&limit=2'), ['trace-one', 'trace-two']);
    assert.deepEqual(await traces('from=500&to=1500'), ['trace-one']);
    assert.deepEqual(await traces('term=ann@example.net&from=1500'), ['trace-two']);
    const { body } = await call('GET', '/trace?term=ann@example.net&limit=1');
    assert.equal(body['more'], true);
  });

  it('wants to know what to look for', async () => {
    assert.equal((await call('GET', '/trace')).status, 400);
  });

  it('sees the message that was waited for among what else happened to the address', async () => {
    const name = 'waits@probe.example';
    await call('POST', '/domains', { name: 'probe.example' });
    await call('POST', '/accounts', { address: name, password: 'correct horse' });
    const { body } = await call('POST', '/setup/test-mail/expect', { address: name });
    const state = async () => (await call('GET', `/setup/test-mail/${String(body['id'])}`)).body['state'];
    assert.equal(await state(), 'waiting');
    const at = systemClock.now();
    const of = [terms.address(name)];
    const refused = {
      trace: 'spam',
      at,
      kind: 'message.refused',
      data: { reason: 'no' },
      terms: of,
    } as const;
    await store.write.run('journal.append', { events: [refused] });
    assert.equal(await state(), 'failed');
    const data = { from: 'friend@far.example' };
    const logins = Array.from({ length: 80 }, (_, n) => ({
      trace: `login-${n}`,
      at: at + 2 + n,
      kind: 'login.succeeded' as const,
      data: {},
      terms: of,
    }));
    await store.write.run('journal.append', {
      events: [
        { trace: 'wanted', at: at + 1, kind: 'message.accepted', data, terms: of },
        { trace: 'wanted', at: at + 1, kind: 'message.deposited', data: {}, terms: of },
        ...logins,
      ],
    });
    assert.equal(await state(), 'arrived');
  });
});
