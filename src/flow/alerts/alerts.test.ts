import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { dkimResults, type FlowFixture, mailbox, openFlow } from '../../../test/support/flow.ts';
import { firstOctets, queuedContent } from '../outbound/content.ts';
import { type AlertFacts, runChecks } from './checks.ts';
import { type Alerts, createAlerts } from './service.ts';
import { type AlertKind, alertSettingsSchema, defaultAlerts } from './settings.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const GIB = 1024 ** 3;

function well(now: number): AlertFacts {
  return {
    now,
    queue: [{ state: 'queued', count: 3, oldest: now - MINUTE }],
    destinations: [{ destination: 'gmail.com', waiting: 2, failed: 1, delivered: 50, reply: '' }],
    certificates: [
      { names: ['mx.example.test'], notBefore: now - DAY, notAfter: now + 60 * DAY },
      { names: ['short.example.test'], notBefore: now - 3 * DAY, notAfter: now + 3 * DAY },
    ],
    disk: { free: 50 * GIB, total: 100 * GIB, reserve: 5 * GIB, low: false, since: undefined },
    lists: 0,
    failedLogins: 20,
    holds: [],
    backup: undefined,
    intakeSince: undefined,
  };
}

describe('what an alert is for', () => {
  const now = Date.UTC(2030, 0, 1);
  const keys = (more: Partial<AlertFacts>, settings = defaultAlerts): string[] =>
    runChecks({ ...well(now), ...more }, settings).found.map(({ key }) => key);
  const held = { account: 'bob@example.test', messages: 1, recipients: 1, oldest: now };
  const backup = { everyHours: 24, startedAt: now - 90 * DAY };
  const success = {
    at: now - 30 * HOUR,
    snapshot: '',
    bytes: 0,
    added: 0,
    emails: 0,
    tookMs: 0,
    snapshots: 1,
    problems: [],
  };
  const drill = {
    at: now,
    ok: false,
    snapshot: '',
    snapshotAt: now,
    mailboxes: 0,
    messages: 0,
    compared: 0,
    tookMs: 0,
    problems: ['broken'],
  };
  const cases: readonly (readonly [string, Partial<AlertFacts>, readonly string[]])[] = [
    ['nothing is wrong', {}, []],
    ['many wait', { queue: [{ state: 'queued', count: 1000 }] }, ['queue size']],
    ['one waits long', { queue: [{ state: 'queued', count: 1, oldest: now - 5 * HOUR }] }, ['queue age']],
    ['held mail waits for a person', { queue: [{ state: 'held', count: 5000, oldest: 1 }] }, []],
    [
      'a large provider refuses',
      { destinations: [{ destination: 'gmail.com', waiting: 4, failed: 1, delivered: 2, reply: '550 no' }] },
      ['destination gmail.com'],
    ],
    [
      'a small one',
      { destinations: [{ destination: 'small.test', waiting: 4, failed: 1, delivered: 0, reply: '' }] },
      [],
    ],
    [
      'a certificate ends',
      { certificates: [{ names: ['a.test'], notAfter: now + DAY }] },
      ['certificate a.test'],
    ],
    [
      'the disk fills',
      { disk: { free: 9 * GIB, total: 100 * GIB, reserve: 5 * GIB, low: false, since: undefined } },
      ['disk'],
    ],
    ['a list has us', { lists: 3 }, ['dns-list']],
    ['somebody guesses', { failedLogins: 200 }, ['attack']],
    [
      'an account is held',
      { holds: [{ ...held, hold: { reason: 'x', since: 1 } }] },
      ['hold bob@example.test'],
    ],
    ['single messages are', { holds: [{ ...held, hold: undefined }] }, []],
    ['a backup is young', { backup: { ...backup, success } }, []],
    [
      'a backup is old',
      { backup: { ...backup, success: { ...success, at: now - 3 * DAY } } },
      ['backup age'],
    ],
    ['there never was one', { backup }, ['backup age']],
    ['a drill failed', { backup: { ...backup, success, drill } }, ['backup drill']],
    ['mail waits at Amazon', { intakeSince: now - HOUR }, ['ses']],
  ];
  for (const [name, facts, wanted] of cases) {
    it(name, () => assert.deepEqual(keys(facts), wanted));
  }

  it('nothing of what is not wanted', () => {
    const settings = alertSettingsSchema.parse({ off: ['attack'] });
    assert.deepEqual(keys({ failedLogins: 900 }, settings), []);
    assert.ok(runChecks({ ...well(now), lists: undefined }, settings).unknown.has('dns-list'));
  });
});

describe('telling', () => {
  let flow: FlowFixture;
  let facts: AlertFacts;
  let alerts: Alerts;
  const stopping = new AbortController();
  beforeEach(async () => {
    flow = await openFlow();
    facts = well(flow.clock.now());
    alerts = createAlerts({
      deps: () => flow.deps,
      metrics: flow.metrics,
      facts: async () => facts,
      signal: stopping.signal,
    });
  });
  afterEach(() => flow.close());

  const mails = async (): Promise<string[]> =>
    (await mailbox(flow.store, flow.alice)).map(({ text }) => text.replaceAll('\r\n', '\n'));
  const look = async (more: Partial<AlertFacts>, passed = 0): Promise<void> => {
    flow.clock.advance(passed);
    facts = { ...well(flow.clock.now()), ...more };
    await alerts.look();
  };
  const set = (settings: unknown): Promise<unknown> =>
    flow.store.write.run('directory.saveSiteSettings', {
      actor: flow.admin,
      name: 'alerts',
      json: JSON.stringify(settings),
    });

  it('is one mail to the administrators, not one for each, and one when it is over', async () => {
    await look({ failedLogins: 300 });
    assert.equal((await mails()).length, 1);
    assert.match((await mails())[0] ?? '', /Subject: mx\.example\.test: Somebody guesses passwords/);
    await look({ failedLogins: 300, queue: [{ state: 'queued', count: 2000 }] }, 30 * MINUTE);
    assert.equal((await mails()).length, 1, 'nothing new within the hour');
    await look({ queue: [{ state: 'queued', count: 2000 }] }, 31 * MINUTE);
    const second = (await mails())[1] ?? '';
    assert.match(second, /New:\n\nSince .*: 2000 recipients wait/);
    assert.match(second, /Well again:\n\nFrom .* until .*Somebody guesses/);
    assert.equal((await flow.store.read.run('alerts.list', null)).length, 1);
    for (let hour = 0; hour < 20; hour++) await look({ queue: [{ state: 'queued', count: 2000 }] }, HOUR);
    assert.equal((await mails()).length, 2);
    await look({ queue: [{ state: 'queued', count: 2000 }] }, 5 * HOUR);
    assert.match((await mails())[2] ?? '', /Still so:/);
    assert.match(await flow.metrics.text(), /^postern_alerts\{kind="queue"\} 1$/m);
  });

  const bad = { state: 'queued', count: 2000 };
  const held = { account: 'bob@example.test', messages: 1, recipients: 1, oldest: 1 };
  const kinds: readonly (readonly [AlertKind, () => Partial<AlertFacts>])[] = [
    ['queue', () => ({ queue: [bad] })],
    [
      'destination',
      () => ({
        destinations: [{ destination: 'gmail.com', waiting: 9, failed: 1, delivered: 2, reply: '' }],
      }),
    ],
    ['certificate', () => ({ certificates: [{ names: ['a.test'], notAfter: flow.clock.now() + DAY }] })],
    [
      'disk',
      () => ({ disk: { free: GIB, total: 100 * GIB, reserve: 5 * GIB, low: true, since: undefined } }),
    ],
    ['dns-list', () => ({ lists: 3 })],
    ['attack', () => ({ failedLogins: 500 })],
    ['hold', () => ({ holds: [{ ...held, hold: { reason: 'x', since: 1 } }] })],
    ['backup', () => ({ backup: { everyHours: 24, startedAt: flow.clock.now() - 9 * DAY } })],
    ['ses', () => ({ intakeSince: flow.clock.now() - HOUR })],
  ];
  for (const [kind, facts] of kinds) {
    it(`of ${kind}: once when it begins, once when it is over, then it is forgotten`, async () => {
      const open = async (): Promise<string> =>
        new RegExp(`^postern_alerts\\{kind="${kind}"\\} (\\d)$`, 'm').exec(await flow.metrics.text())?.[1] ??
        '';
      await look(facts());
      await look(facts(), 2 * HOUR);
      assert.equal((await mails()).length, 1);
      assert.match((await mails())[0] ?? '', /^New:$/m);
      assert.equal(await open(), '1');
      await look({}, 2 * HOUR);
      await look({}, 2 * HOUR);
      assert.equal((await mails()).length, 2);
      assert.match((await mails())[1] ?? '', /^Subject: .*well again$/m);
      assert.equal(await open(), '0');
      assert.deepEqual(await flow.store.read.run('alerts.list', null), []);
    });
  }

  it('goes to addresses elsewhere too, signed, by the queue; the copy here needs none', async () => {
    await set({ mail_to: ['ops@far.test', 'pager@other.test'] });
    await look({ queue: [bad] });
    assert.equal((await mails()).length, 1);
    const [entry, ...more] = await flow.store.read.run('queue.list', { limit: 10 });
    assert.ok(entry);
    assert.deepEqual(more, [], 'one message');
    assert.equal(entry.message.reversePath, 'postmaster@example.test');
    assert.deepEqual(
      entry.recipients.map(({ address }) => address),
      ['ops@far.test', 'pager@other.test'],
    );
    const octets = await firstOctets(queuedContent(flow.store.blobs, entry.message), Number.MAX_SAFE_INTEGER);
    const text = octets.toString('latin1');
    assert.match(text, /^Subject: mx\.example\.test: 2000 recipients wait in the queue/m);
    assert.match(text, /^Auto-Submitted: auto-generated\r$/m);
    assert.ok((await dkimResults(flow, octets)).some((result) => result.startsWith('pass ')));
    assert.deepEqual(await alerts.test(), {
      mailed: ['alice@example.test'],
      queued: ['ops@far.test', 'pager@other.test'],
      webhook: undefined,
    });
    await set({ mail: false, mail_to: ['ops@far.test'] });
    await look({ failedLogins: 900 }, 2 * HOUR);
    assert.equal((await mails()).length, 2, 'with the test, and none after it');
    assert.equal((await flow.store.read.run('queue.list', { limit: 10 })).length, 3);
  });

  it('does not wait when it is critical, and forgets nothing that it cannot judge', async () => {
    await look({ failedLogins: 300 });
    await look({ failedLogins: 300, lists: 3 }, 6 * MINUTE);
    assert.match((await mails())[1] ?? '', /needs you: An address of ours/);
    await look({ lists: undefined }, 2 * HOUR);
    assert.deepEqual(
      (await flow.store.read.run('alerts.list', null)).map(({ key }) => key),
      ['dns-list'],
    );
  });

  it('goes to a webhook with a signature, not into our own network unless it may, and is off when it is off', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'postern-alerts-'));
    const file = join(directory, 'key');
    await writeFile(file, 'secret\n');
    const got: { body: string; signature: string }[] = [];
    const server = createServer((request, response) => {
      let body = '';
      request.on('data', (piece: Buffer) => void (body += piece.toString()));
      request.on('end', () => {
        got.push({ body, signature: String(request.headers['postern-signature']) });
        response.writeHead(204).end();
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`;
    try {
      await set({ mail: false, webhook: { url, secret_file: file } });
      assert.match((await alerts.test()).webhook ?? '', /no public address/);
      await set({ mail: false, webhook: { url, secret_file: file, private: true } });
      assert.deepEqual(await alerts.test(), { mailed: [], queued: [], webhook: '' });
      await look({ failedLogins: 300 });
      const { body, signature } = got[1] ?? assert.fail('nothing came');
      const [, time, hmac] = /^t=(\d+),v1=([0-9a-f]{64})$/.exec(signature) ?? [];
      assert.equal(hmac, createHmac('sha256', 'secret').update(`${time}.${body}`).digest('hex'));
      assert.equal(JSON.parse(body).new[0].kind, 'attack');
      assert.deepEqual(await mails(), []);
    } finally {
      await new Promise((resolve) => server.close(resolve));
      await rm(directory, { recursive: true });
    }
  });
});
