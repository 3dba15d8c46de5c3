import assert from 'node:assert/strict';
import { createECDH, randomBytes } from 'node:crypto';
import { createServer } from 'node:https';
import type { IncomingHttpHeaders } from 'node:http';
import { createRequire } from 'node:module';
import { after, before, beforeEach, describe, it } from 'node:test';
import { makeAppPassword } from '../../src/data/access/new-app-password.ts';
import { createSelfSigned } from '../../src/net/tls-self-signed.ts';
import { tableDns } from '../support/dns-table.ts';
import { startTestServer, testActor, type TestServer } from '../support/server.ts';
import { type Answer, jmapClient, type JmapClient, mailboxes, put } from './client.ts';

const ece = createRequire(import.meta.url)('http_ece') as {
  decrypt(sealed: Buffer, options: object): Buffer;
};
const DAY = 86_400_000;
const pair = createSelfSigned({
  commonName: 'push.test',
  names: ['push.test'],
  notBefore: Date.now() - DAY,
  notAfter: Date.now() + DAY,
});

interface Pushed {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** A browser's part: keys, and what came to it. */
function browser(path: string) {
  const key = createECDH('prime256v1');
  key.generateKeys();
  const auth = randomBytes(16).toString('base64url');
  const keys = { p256dh: key.getPublicKey().toString('base64url'), auth };
  const open = ({ body }: Pushed): Answer =>
    JSON.parse(
      ece.decrypt(body, { version: 'aes128gcm', privateKey: key, authSecret: auth }).toString(),
    ) as Answer;
  return { path, keys, open };
}

describe('pushes to devices', () => {
  const service = createServer({ cert: pair.cert, key: pair.key });
  let pushed: Pushed[] = [];
  let wake: () => void = () => undefined;
  let status = 201;
  let server: TestServer;
  let bob: JmapClient;
  let inbox = '';
  let port = 0;
  let n = 0;

  before(async () => {
    service.on('request', (request, response) => {
      const parts: Buffer[] = [];
      request.on('data', (part: Buffer) => parts.push(part));
      request.on('end', () => {
        pushed.push({ path: request.url ?? '', headers: request.headers, body: Buffer.concat(parts) });
        response.writeHead(status).end();
        wake();
      });
    });
    await new Promise<void>((resolve) => service.listen(0, '127.0.0.1', resolve));
    const bound = service.address();
    port = typeof bound === 'object' && bound !== null ? bound.port : 0;
    server = await startTestServer({
      dns: tableDns({ 'push.test': { A: ['127.0.0.1'] }, 'inside.test': { A: ['10.0.0.1'] } }, false),
      pushFetch: {
        allow: (address) => address === '127.0.0.1',
        allowPort: (wanted) => wanted === port,
        ca: pair.cert,
      },
    });
    bob = await jmapClient(server, 'bob@example.test');
    inbox = (await mailboxes(bob))['inbox'] ?? '';
  });
  after(async () => {
    await server.close();
    service.closeAllConnections();
    service.close();
  });
  beforeEach(() => {
    pushed = [];
    status = 201;
  });

  const next = async (path: string): Promise<Pushed> => {
    for (;;) {
      const index = pushed.findIndex((each) => each.path === path);
      if (index >= 0) return pushed.splice(index, 1)[0] as Pushed;
      await new Promise<void>((resolve) => (wake = resolve));
    }
  };
  const set = async (args: object): Promise<Answer> => {
    const [answer] = await bob.calls(['PushSubscription/set', { ...args }]);
    assert.equal(answer?.[0], 'PushSubscription/set', JSON.stringify(answer));
    return answer?.[1] ?? {};
  };
  const subscribe = async (more: object = {}) => {
    const device = browser(`/device/${++n}`);
    const url = `https://push.test:${port}${device.path}`;
    const create = { deviceClientId: `client ${n}`, url, keys: device.keys, ...more };
    const { created } = await set({ create: { a: create } });
    return { ...device, id: created.a.id as string, created: created.a as Answer };
  };
  const verified = async (more: object = {}) => {
    const device = await subscribe(more);
    const { verificationCode } = device.open(await next(device.path));
    assert.equal((await set({ update: { [device.id]: { verificationCode } } }))['updated'][device.id], null);
    return device;
  };
  const mail = (subject: string) => put(bob, `From: a@b.test\r\nSubject: ${subject}\r\n\r\ntext\r\n`, inbox);
  const subscriptions = async (): Promise<Answer[]> =>
    (await bob.calls(['PushSubscription/get', { ids: null }]))[0]?.[1]['list'] as Answer[];

  it('the session tells the key that browsers subscribe with', async () => {
    const answer = await fetch(bob.url('/jmap/session'), { headers: bob.headers });
    const session = (await answer.json()) as Answer;
    const { applicationServerKey } = session['capabilities']['urn:ietf:params:jmap:webpush-vapid'];
    assert.equal(Buffer.from(applicationServerKey, 'base64url').length, 65);
  });

  it('a device may ask for no types yet', async () => {
    const device = await subscribe({ types: [] });
    await next(device.path);
    const [found] = (await subscriptions()).filter(({ id }) => id === device.id);
    assert.deepEqual(found?.['types'], []);
    await set({ destroy: [device.id] });
  });

  it('a device is asked first, then told of changes, in secret', async () => {
    const device = await subscribe();
    assert.deepEqual(Object.keys(device.created).toSorted(), ['expires', 'id', 'types', 'verificationCode']);
    const question = await next(device.path);
    assert.match(String(question.headers.authorization), /^vapid t=[\w.-]+, k=[\w-]+$/);
    assert.equal(question.headers['content-encoding'], 'aes128gcm');
    assert.equal(question.headers.ttl, '3600');
    const asked = device.open(question);
    assert.equal(asked['@type'], 'PushVerification');
    assert.equal(asked['pushSubscriptionId'], device.id);

    // Nothing more before the code has come back, and a wrong one is none.
    await mail('before');
    const wrong = await set({ update: { [device.id]: { verificationCode: 'guess' } } });
    assert.equal(wrong['notUpdated'][device.id].type, 'invalidProperties');
    assert.equal((await subscriptions())[0]?.['verificationCode'], null);
    const { verificationCode } = asked;
    const right = await set({ update: { [device.id]: { verificationCode } } });
    assert.deepEqual(right['updated'], { [device.id]: null });
    assert.equal((await subscriptions())[0]?.['verificationCode'], verificationCode);
    assert.deepEqual(pushed, []);

    await mail('after');
    const told = await next(device.path);
    assert.equal(told.headers.topic, 'state');
    const change = device.open(told);
    assert.equal(change['@type'], 'StateChange');
    const { state } = await bob.call('Email/get', { ids: [] });
    assert.equal(change['changed'][bob.accountId]['Email'], state);
    await set({ destroy: [device.id] });
    assert.deepEqual(await subscriptions(), []);
  });

  it('of the types it asked for, and without keys in clear', async () => {
    const device = await subscribe({ types: ['VacationResponse'], keys: null });
    const asked = await next(device.path);
    assert.equal(asked.headers['content-type'], 'application/json');
    const { verificationCode } = JSON.parse(asked.body.toString()) as Answer;
    await set({ update: { [device.id]: { verificationCode } } });
    await mail('not told');
    await bob.call('VacationResponse/set', { update: { singleton: { isEnabled: true, textBody: 'away' } } });
    const told = JSON.parse((await next(device.path)).body.toString()) as Answer;
    assert.deepEqual(Object.keys(told['changed'][bob.accountId]), ['VacationResponse']);
    await set({ destroy: [device.id] });
  });

  it('one that is gone at the push service is forgotten', async () => {
    const device = await verified();
    status = 410;
    await mail('gone');
    await next(device.path);
    for (let tries = 0; (await subscriptions()).length > 0; tries++) {
      assert.ok(tries < 200);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  });

  it('ends with the login that made it', async () => {
    await verified();
    assert.equal((await subscriptions()).length, 1);
    const { id: accountId } = await server.account('bob@example.test');
    await server.store.write.run('directory.setStatus', {
      actor: testActor,
      address: 'bob@example.test',
      status: 'suspended',
    });
    const left = () => server.store.read.run('push.of', { accountId, now: Date.now() });
    for (let tries = 0; (await left()).length > 0; tries++) {
      assert.ok(tries < 200);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    await server.store.write.run('directory.setStatus', {
      actor: testActor,
      address: 'bob@example.test',
      status: 'active',
    });
  });

  it('SSRF: what is no push service is not asked', async () => {
    const keys = browser('').keys;
    for (const url of [
      'http://push.test/',
      'https://127.0.0.1/',
      'https://[::ffff:7f00:2]/',
      'https://localhost/',
      'https://push.test:22/',
      'https://user@push.test/',
      'https://2130706434/',
      'file:///etc/passwd',
      'no url',
      '',
      `https://push.test/${'x'.repeat(3000)}`,
    ]) {
      const { notCreated } = await set({ create: { a: { deviceClientId: 'x', url, keys } } });
      if (url === 'https://127.0.0.1/') continue;
      assert.equal(notCreated?.a.type, 'invalidProperties', url);
      assert.deepEqual(notCreated.a.properties, ['url']);
    }
    // One whose name leads inside is taken, for names change, and never reached.
    const { created } = await set({
      create: { a: { deviceClientId: 'x', url: `https://inside.test:${port}/`, keys } },
    });
    for (
      let tries = 0;
      !server.logs.some(({ reason }) => String(reason).includes('inside.test has no'));
      tries++
    ) {
      assert.ok(tries < 200);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    await set({ destroy: [created.a.id, ...(await subscriptions()).map(({ id }) => String(id))] });
    assert.deepEqual(pushed, []);
  });

  it('properties that are wrong, and those that are never told', async () => {
    const { keys } = browser('');
    const url = `https://push.test:${port}/none`;
    for (const [more, property] of [
      [{ deviceClientId: '' }, 'deviceClientId'],
      [{ deviceClientId: 5 }, 'deviceClientId'],
      [{ keys: { p256dh: 'x', auth: 'y' } }, 'keys'],
      [{ keys: { ...keys, auth: 'short' } }, 'keys'],
      [{ types: [5] }, 'types'],
      [{ types: 'Email' }, 'types'],
      [{ expires: '2001-01-01T00:00:00Z' }, 'expires'],
      [{ expires: 'soon' }, 'expires'],
      [{ verificationCode: 'x' }, 'verificationCode'],
      [{ other: 1 }, 'other'],
    ] as const) {
      const { notCreated } = await set({ create: { a: { deviceClientId: 'x', url, keys, ...more } } });
      assert.deepEqual(notCreated?.a.properties, [property], JSON.stringify(more));
    }
    assert.equal(
      await bob.error('PushSubscription/get', { ids: null, properties: ['id', 'url'] }),
      'forbidden',
    );
    assert.equal(
      await bob.error('PushSubscription/get', { ids: null, properties: ['x'] }),
      'invalidArguments',
    );
    const alice = await jmapClient(server, 'alice@example.test');
    const device = await subscribe();
    await next(device.path);
    const [others] = await alice.calls(['PushSubscription/get', { ids: [device.id] }]);
    assert.deepEqual(others?.[1], { list: [], notFound: [device.id] });
    const [taken] = await alice.calls(['PushSubscription/set', { destroy: [device.id] }]);
    assert.equal(taken?.[1]['notDestroyed'][device.id].type, 'notFound');
    const far = '2199-01-01T00:00:00Z';
    const { updated } = await set({ update: { [device.id]: { expires: far } } });
    assert.ok(Date.parse(updated[device.id].expires) < Date.now() + 15 * DAY);
    await set({ destroy: [device.id] });
  });

  it('are shown to the credentials that they were made with, and to no others', async () => {
    const { id: accountId } = await server.account('bob@example.test');
    const { password, scram } = await makeAppPassword(server.store, accountId);
    await server.store.write.run('access.addAppPassword', {
      actor: testActor,
      accountId,
      name: 'Phone',
      scopes: ['mail'],
      expiresAt: null,
      scram,
    });
    const phone = await jmapClient(server, 'bob@example.test', password);
    const device = await subscribe();
    await next(device.path);
    const [got, all, changed, taken] = await phone.calls(
      ['PushSubscription/get', { ids: [device.id] }],
      ['PushSubscription/get', { ids: null }],
      ['PushSubscription/set', { update: { [device.id]: { types: ['Email'] } } }],
      ['PushSubscription/set', { destroy: [device.id] }],
    );
    assert.deepEqual(got?.[1], { list: [], notFound: [device.id] });
    assert.deepEqual(all?.[1]['list'], []);
    assert.equal(changed?.[1]['notUpdated'][device.id].type, 'notFound');
    assert.equal(taken?.[1]['notDestroyed'][device.id].type, 'notFound');
    // Its own it reads and sends back as it is.
    const [own] = await bob.calls(['PushSubscription/get', { ids: [device.id] }]);
    const { updated } = await set({ update: { [device.id]: own?.[1]['list'][0] } });
    assert.deepEqual(updated, { [device.id]: null });
    await set({ destroy: [device.id] });
  });
});
