import assert from 'node:assert/strict';
import { createServer } from 'node:https';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import { tableDns } from '../../../test/support/dns-table.ts';
import { systemClock } from '../../base/clock.ts';
import { silentLogger } from '../../base/log.ts';
import { Metrics } from '../../base/metrics.ts';
import { type InlineStore, openInlineStore } from '../../data/inline.ts';
import { hashPassword } from '../../data/directory/passwords.ts';
import { newVapidKeys } from '../../net/web-push/vapid.ts';
import { createSelfSigned } from '../../net/tls-self-signed.ts';
import { merged, statesOf, textOf } from './push-device.ts';
import { createPushSender, type PushSender } from './push-sender.ts';

const DAY = 86_400_000;
const actor = { name: 'system', role: 'system', domainId: undefined } as const;
const pair = createSelfSigned({
  commonName: 'push.test',
  names: ['push.test'],
  notBefore: Date.now() - DAY,
  notAfter: Date.now() + DAY,
});

describe('push sender', () => {
  const service = createServer({ cert: pair.cert, key: pair.key });
  const keys = newVapidKeys();
  let store: InlineStore;
  let sender: PushSender;
  let accountId = 0;
  let port = 0;
  let pushed: string[] = [];
  /** What the service answers, in order; 201 when there is nothing more. */
  let answers: number[] = [];
  let wake: () => void = () => undefined;
  let n = 0;

  before(async () => {
    service.on('request', (request, response) => {
      let text = '';
      request.setEncoding('utf8').on('data', (part) => (text += part));
      request.on('end', () => {
        pushed.push(text);
        response.writeHead(answers.shift() ?? 201, { 'retry-after': '0' }).end();
        wake();
      });
    });
    await new Promise<void>((resolve) => service.listen(0, '127.0.0.1', resolve));
    const bound = service.address();
    port = typeof bound === 'object' && bound !== null ? bound.port : 0;
    store = await openInlineStore({ path: ':memory:', clock: systemClock });
    await store.write.run('directory.addDomain', { actor, name: 'example.test' });
  });
  after(async () => {
    await store.close();
    service.closeAllConnections();
    service.close();
  });
  beforeEach(async () => {
    pushed = [];
    answers = [];
    const address = `user${++n}@example.test`;
    const secrets = await hashPassword('long password', { minLength: 1 });
    await store.write.run('directory.addAccount', {
      actor,
      address,
      displayName: '',
      role: 'user',
      quota: 0,
      ...secrets,
    });
    accountId = (await store.read.run('directory.account', { address }))?.id ?? 0;
    sender = create();
  });
  afterEach(() => sender.stop());

  const create = () =>
    createPushSender({
      store,
      logger: silentLogger,
      metrics: new Metrics(),
      keys,
      subject: 'https://mail.example.test/',
      limits: { gatherMs: 10, intervalMs: 20, retryMs: 5, failures: 4, verificationMs: 5 },
      fetch: {
        resolver: tableDns({ 'push.test': { A: ['127.0.0.1'] } }, false),
        clock: systemClock,
        allow: (address) => address === '127.0.0.1',
        allowPort: (wanted) => wanted === port,
        ca: pair.cert,
      },
    });
  const subscribe = async (expiresAt = Date.now() + DAY): Promise<number> => {
    const subscription = {
      accountId,
      device: 'd',
      url: `https://push.test:${port}/${n}`,
      keys: undefined,
      types: undefined,
      code: 'c',
      login: { kind: 'password', id: 0 },
      expiresAt,
    } as const;
    const { id } = await store.write.run('push.add', { subscription, most: 50 });
    await store.write.run('push.update', { id, accountId, types: undefined, expiresAt, verified: true });
    return id;
  };
  const change = () => store.write.run('mailstore.createMailbox', { accountId, name: `m${++n}` });
  const until = async (done: () => boolean | Promise<boolean>): Promise<void> => {
    for (let tries = 0; !(await done()); tries++) {
      assert.ok(tries < 500, 'it never came');
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  };
  const left = async () => (await store.read.run('push.of', { accountId, now: Date.now() })).length;

  it('tells those that were subscribed before the start, and gathers what changes', async () => {
    await subscribe();
    await sender.start();
    // The first look is what everything after it is compared with.
    await until(async () => {
      await change();
      return pushed.length > 0;
    });
    const before = pushed.length;
    for (let i = 0; i < 10; i++) await change();
    await until(() => pushed.length > before);
    assert.ok(pushed.length - before <= 3, `${pushed.length - before} pushes for changes at one time`);
    assert.match(pushed.at(-1) ?? '', /"@type":"StateChange"/);
  });

  it('tries again what was not taken, with what has changed since', async () => {
    await subscribe();
    await sender.start();
    answers = [503, 429];
    await until(async () => {
      await change();
      return pushed.length >= 3;
    });
    const state = await store.read.run('jmap.state', { accountId });
    await until(() => pushed.some((text) => text.includes(`"Email":"${state.seq}"`)));
    assert.equal(await left(), 1);
  });

  it('gives one up that fails and fails, or is gone', async () => {
    await subscribe();
    await sender.start();
    answers = Array.from({ length: 100 }, () => 500);
    await until(async () => {
      await change();
      return (await left()) === 0;
    });
    assert.equal(pushed.length, 4);
    answers = [404];
    pushed = [];
    await subscribe();
    sender.changed(accountId);
    await until(async () => {
      await change();
      return (await left()) === 0;
    });
    assert.equal(pushed.length, 1);
  });

  it('asks a device a few times, and lets no account flood others', async () => {
    answers = [500, 500, 500, 500];
    const subscription = {
      id: 1,
      accountId,
      device: 'd',
      url: `https://push.test:${port}/`,
      keys: undefined,
    };
    const begin = (): void =>
      sender.begin({
        ...subscription,
        types: undefined,
        code: 'c',
        verified: false,
        login: { kind: 'password', id: 0 },
        createdAt: 0,
        expiresAt: Date.now() + DAY,
        toldAt: undefined,
        failures: 0,
      });
    begin();
    await until(() => pushed.length === 3);
    answers = [];
    assert.throws(
      () => {
        for (let i = 0; i < 100; i++) begin();
      },
      { kind: 'limit' },
    );
  });

  it('sweeps away those whose time or login is over', async () => {
    await subscribe(Date.now() + 50);
    const subscription = {
      accountId,
      device: 'other',
      url: 'https://push.test/x',
      keys: undefined,
      types: ['Email'],
      code: 'c',
      expiresAt: Date.now() + DAY,
    };
    for (const kind of ['session', 'grant', 'app'] as const)
      await store.write.run('push.add', {
        subscription: { ...subscription, device: kind, login: { kind, id: 4711 } },
        most: 50,
      });
    await assert.rejects(
      store.write.run('push.add', {
        subscription: { ...subscription, login: { kind: 'app', id: 1 } },
        most: 2,
      }),
      { kind: 'limit' },
    );
    await until(() =>
      store.read.run('push.of', { accountId, now: Date.now() }).then((all) => all.length === 3),
    );
    await store.write.run('push.sweep', null);
    assert.deepEqual(
      await store.read
        .run('push.after', { after: 0, now: 0, limit: 100 })
        .then((all) => all.filter((each) => each.accountId === accountId)),
      [],
    );
  });

  it('what is told fits into a push', () => {
    const states = Object.fromEntries(
      Array.from({ length: 200 }, (_, i) => [`A${i + 1}`, { Email: '17', Mailbox: '17' }]),
    );
    const text = textOf(states, 150);
    assert.ok(Buffer.byteLength(text) <= 3993);
    assert.ok(Object.hasOwn((JSON.parse(text) as { changed: object }).changed, 'A150'), 'its own first');
    assert.equal(statesOf({ A1: { Email: '1' } }, ['Mailbox']), undefined);
    assert.deepEqual(
      merged({ A1: { Email: '1', Thread: '1' } }, { A1: { Email: '2' }, A2: { Email: '3' } }),
      {
        A1: { Email: '2', Thread: '1' },
        A2: { Email: '3' },
      },
    );
  });
});
