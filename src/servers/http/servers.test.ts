import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { request as httpRequest } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { systemClock } from '../../base/clock.ts';
import { silentLogger } from '../../base/log.ts';
import { Metrics } from '../../base/metrics.ts';
import { type InlineStore, openInlineStore } from '../../data/inline.ts';
import type { ListenerFacts, ServerFacts } from './facts.ts';
import { createHttpServers, createWebServer, type HttpServers, type WebServer } from './servers.ts';
import { fromThisMachine, judgeRequest, LOOPBACK_HOSTS } from './web/guard.ts';

let data: string;
let store: InlineStore;
let servers: HttpServers;
let port = 0;
let listeners: ListenerFacts[] = [];
let stopping = false;
const metrics = new Metrics();

const facts = (): ServerFacts => ({
  version: '1.2.3',
  mode: 'try',
  hostname: 'mail.<b>example.test',
  startedAt: 1,
  dataDirectory: data,
  publicAddresses: () => [],
  adminAddress: () => undefined,
  listeners: () => listeners,
  certificates: () => [],
  stopping: () => stopping,
});

before(async () => {
  data = await mkdtemp(join(tmpdir(), 'pst-'));
  store = await openInlineStore({ path: ':memory:', clock: systemClock });
  metrics.counter('postern_test_total', 'A counter').inc(7);
  const target = { address: '127.0.0.1', port: 0 };
  const web = {
    places: [{ target, allowedHosts: LOOPBACK_HOSTS, operational: true }],
    notes: ['Password: <postern>'],
    limits: { headersMs: 300, checkMs: 50 },
  };
  servers = await createHttpServers(
    { store, clock: systemClock, logger: silentLogger, metrics, facts: facts() },
    { web },
  );
  port = servers.web.listeners()[0]?.port ?? 0;
  listeners = [
    { name: 'imaps', address: '127.0.0.1', port: 1993, security: 'tls', open: true },
    { name: 'imaps', address: '::1', port: 1993, security: 'tls', open: true },
    ...servers.web.listeners(),
  ];
});

after(async () => {
  await servers.drain(100);
  await store.close();
  await rm(data, { recursive: true, force: true });
});

interface Answer {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  text: string;
}

function get(
  path: string,
  headers: Record<string, string> = {},
  target: object = { host: '127.0.0.1', port },
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = httpRequest({ ...target, path, headers, agent: false }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk) => (text += chunk));
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, text }),
      );
    });
    sent.on('error', reject).end();
  });
}

/** Raw bytes to the port, and all that comes back until the server closes. */
function raw(text: string): Promise<string> {
  return new Promise((resolve) => {
    let answer = '';
    const socket = connect(port, '127.0.0.1', () => socket.write(text));
    socket.on('data', (chunk) => (answer += chunk.toString('latin1')));
    socket.on('error', () => {}).on('close', () => resolve(answer));
  });
}

describe('HTTP port', () => {
  it('says what runs and how to connect, without anything of its own being taken for markup', async () => {
    const { status, headers, text } = await get('/');
    assert.equal(status, 200);
    assert.match(text, /mail\.&lt;b&gt;example\.test/);
    assert.match(text, /Password: &lt;postern&gt;/);
    assert.equal(text.match(/1993/g)?.length, 1);
    assert.match(String(headers['content-security-policy']), /default-src 'none'; style-src 'sha256-/);
    assert.equal(headers['x-content-type-options'], 'nosniff');
    assert.equal(headers['x-frame-options'], 'DENY');
  });

  it('answers to the names of this machine only', async () => {
    for (const host of [`localhost:${port}`, '127.0.0.1', '[::1]:99', 'LOCALHOST']) {
      assert.equal((await get('/health/live', { Host: host })).status, 200, host);
    }
    for (const host of [
      'evil.example',
      `localhost.evil.example:${port}`,
      '127.0.0.1.evil.example',
      'localhost:80:80',
      '[::1',
    ]) {
      const { status, text } = await get('/metrics', { Host: host });
      assert.ok(status === 421 || status === 400, `${host}: ${status}`);
      assert.doesNotMatch(text, /postern_test_total/);
    }
    assert.match(
      (await get('/', { Host: 'evil.example' })).text,
      /answers to the name localhost, 127\.0\.0\.1, \[::1\] only/,
    );
    assert.match(
      await raw('GET http://evil.example/metrics HTTP/1.1\r\nHost: localhost\r\n\r\n'),
      /^HTTP\/1\.1 421 /,
    );
    assert.match(await raw('GET /metrics HTTP/1.1\r\nHost:\r\n\r\n'), /^HTTP\/1\.1 4/);
    assert.match(await raw('GET /metrics HTTP/1.0\r\n\r\n'), /^HTTP\/1\.1 421 /);
  });

  it('refuses scripts of other sites', async () => {
    assert.equal((await get('/', { Origin: `http://127.0.0.1:${port}` })).status, 200);
    for (const origin of [
      'https://evil.example',
      'null',
      `http://localhost:${port}`,
      'http://127.0.0.1:1',
      '',
    ]) {
      const { status } = await get('/', { Origin: origin, Host: `127.0.0.1:${port}` });
      assert.equal(status, 403, origin);
    }
  });

  it('is ready when it is, and says what is missing when it is not', async () => {
    assert.equal((await get('/health/ready')).status, 200);
    const [first, ...rest] = listeners;
    assert.ok(first);
    listeners = [{ ...first, open: false }, ...rest];
    const closed = await get('/health/ready');
    assert.equal(closed.status, 503);
    assert.match(closed.text, /not listening: imaps \(1993\)/);
    listeners = [first, ...rest];
    stopping = true;
    assert.equal((await get('/health/ready')).status, 503);
    assert.equal((await get('/health/live')).status, 200);
    stopping = false;
  });

  it('is not ready when the store takes no commit', async () => {
    const broken = { ...store, write: { run: () => Promise.reject(new Error('disk is on fire')) } };
    const deps = { store: broken, clock: systemClock, logger: silentLogger, metrics, facts: facts() };
    const web = await createWebServer(deps, {
      places: [{ target: { address: '127.0.0.1', port: 0 }, allowedHosts: undefined, operational: true }],
    });
    const place = { host: '127.0.0.1', port: web.listeners()[0]?.port };
    const { status, text } = await get('/health/ready', { Host: 'any.example' }, place);
    await web.drain(100);
    assert.equal(status, 503);
    assert.match(text, /disk is on fire/);
  });

  it('gives metrics to those who may see them', async () => {
    const { text, headers } = await get('/metrics');
    assert.match(text, /^postern_test_total 7$/m);
    assert.match(String(headers['content-type']), /^text\/plain/);
    const deps = { store, clock: systemClock, logger: silentLogger, metrics, facts: facts() };
    const target = { address: '127.0.0.1', port: 0 };
    const open: WebServer = await createWebServer(deps, {
      places: [{ target, allowedHosts: undefined, operational: false }],
    });
    const place = { host: '127.0.0.1', port: open.listeners()[0]?.port };
    for (const path of ['/metrics', '/health/ready', '/health/live']) {
      assert.equal((await get(path, { Host: 'mail.example.org' }, place)).status, 404);
      assert.equal((await get(path, { Host: 'localhost' }, place)).status, 200, 'from this machine itself');
    }
    assert.equal((await get('/', { Host: 'mail.example.org' }, place)).status, 200);
    await open.drain(100);
  });

  it('does not serve the admin API', async () => {
    assert.equal((await get('/admin/v1/domains')).status, 404);
  });

  it('cuts off who sends a header byte by byte, and refuses a header without end', async () => {
    assert.match(await raw('GET / HTTP/1.1\r\nHost: localhost\r\nX-Slow: '), /^HTTP\/1\.1 408 /);
    assert.match(
      await raw(`GET / HTTP/1.1\r\nHost: localhost\r\nX: ${'x'.repeat(20_000)}`),
      /^HTTP\/1\.1 431 /,
    );
  });

  it('names the port that is taken', async () => {
    const deps = { store, clock: systemClock, logger: silentLogger, metrics, facts: facts() };
    const taken = createWebServer(deps, {
      places: [{ target: { address: '127.0.0.1', port }, allowedHosts: undefined, operational: true }],
    });
    await assert.rejects(taken, new RegExp(`127\\.0\\.0\\.1:${port} is taken`));
  });
});

describe('admin socket', () => {
  it('serves the admin API as the user who runs the server', async () => {
    const target = { socketPath: servers.admin.socketPath };
    const { status, text } = await get('/admin/v1/status', { Host: 'postern' }, target);
    assert.equal(status, 200);
    assert.equal((JSON.parse(text) as { version: string }).version, '1.2.3');
    await store.write.run('directory.addDomain', {
      actor: { name: 'system', role: 'system', domainId: undefined },
      name: 'a.example',
    });
    assert.equal((await get('/admin/v1/domains/a.example', { Host: 'postern' }, target)).status, 200);
  });

  it('reads no body beyond its limit, even one whose length nobody told', async () => {
    const answer = await new Promise<number>((resolve) => {
      const path = '/admin/v1/domains';
      const headers = { Host: 'postern', 'Content-Type': 'application/json', 'Transfer-Encoding': 'chunked' };
      const sent = httpRequest(
        { socketPath: servers.admin.socketPath, method: 'POST', path, headers },
        (response) => {
          resolve(response.statusCode ?? 0);
          sent.destroy();
        },
      );
      sent.on('error', () => {});
      const chunk = Buffer.alloc(64 * 1024, ' ');
      for (let i = 0; i < 20; i++) sent.write(chunk);
    });
    assert.equal(answer, 413);
  });

  it('has no other pages', async () => {
    assert.equal((await get('/', { Host: 'postern' }, { socketPath: servers.admin.socketPath })).status, 404);
  });
});

describe('fromThisMachine', () => {
  it('is true for loopback addresses asked for by a name of this machine', () => {
    const headers = { host: 'localhost:8025' };
    for (const address of ['127.0.0.1', '::1', '::ffff:127.0.0.1'])
      assert.ok(fromThisMachine(address, headers, '/metrics'), address);
    for (const address of ['192.0.2.1', '2001:db8::1', '::ffff:192.0.2.1', ''])
      assert.ok(!fromThisMachine(address, headers, '/metrics'), address);
    assert.ok(!fromThisMachine('127.0.0.1', { host: 'evil.example:8025' }, '/metrics'));
  });
});

describe('judgeRequest', () => {
  it('lets a server under its own name be used by its own pages behind a proxy', () => {
    const headers = { host: 'mail.example.org', origin: 'https://mail.example.org' };
    assert.equal(judgeRequest(headers, '/', ['mail.example.org']), undefined);
    assert.equal(judgeRequest({ ...headers, host: 'mail.example.org:443' }, '/', undefined), undefined);
    assert.equal(judgeRequest({ ...headers, origin: 'https://evil.example' }, '/', undefined)?.status, 403);
    assert.equal(judgeRequest({ ...headers, host: 'user@mail.example.org' }, '/', undefined)?.status, 403);
  });
});
