import assert from 'node:assert/strict';
import { connect, type TLSSocket } from 'node:tls';
import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { after, before, describe, it } from 'node:test';
import { type Clock, systemClock } from '../../src/base/clock.ts';
import { type CliAnswer, runCommand } from '../support/cli.ts';
import { startDnsServer, type TestDnsServer } from '../support/dns-server.ts';
import { imapClient } from '../support/imap-client.ts';
import { type AcmeFront, freePort, type Pebble, startAcmeFront, startPebble } from '../support/pebble.ts';
import { skipWithout } from '../support/programs.ts';
import { startTestServer, TEST_PASSWORD, type TestServer } from '../support/server.ts';

/** The whole program and Pebble: from no certificate to one that looks after itself. */

const HOST = 'mx.example.test';
const DAY = 86_400_000;
/** Milliseconds until a test that waits in vain fails. */
const PATIENCE_MS = 15_000;

function cli(server: TestServer, ...words: string[]): Promise<CliAnswer> {
  return runCommand(['certificate', ...words], { data: server.directory });
}

async function set(server: TestServer, values: Readonly<Record<string, string>>): Promise<void> {
  for (const [name, value] of Object.entries(values)) {
    const { status, err } = await cli(server, 'set', name, value);
    assert.equal(status, 0, `${name}: ${err}`);
  }
}

async function until(what: string, met: () => boolean | Promise<boolean>): Promise<void> {
  const late = Date.now() + PATIENCE_MS;
  while (!(await met())) {
    assert.ok(Date.now() < late, `${what}: not yet`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

async function tls(port: number, ca?: string, servername = HOST): Promise<TLSSocket> {
  const trust = ca === undefined ? { rejectUnauthorized: false } : { ca };
  const socket = connect({ host: '127.0.0.1', port, servername, ...trust });
  // The server's greeting: the handshake is over for both.
  await once(socket, 'data');
  return socket;
}

/** Serial number of the certificate that a new connection gets. */
async function serial(port: number, ca?: string): Promise<string> {
  const socket = await tls(port, ca);
  const number = socket.getPeerX509Certificate()?.serialNumber ?? '';
  socket.destroy();
  return number;
}

describe('certificates by ACME', { skip: skipWithout('pebble', 'openssl') }, () => {
  let dns: TestDnsServer;
  let pebble: Pebble;
  let front: AcmeFront;
  let server: TestServer;
  let shift = 0;
  let challengePort = 0;
  const clock: Clock = { ...systemClock, now: () => systemClock.now() + shift };

  before(async () => {
    challengePort = await freePort();
    const names = [HOST, 'also.example.test', 'autoconfig.example.test'];
    dns = await startDnsServer(Object.fromEntries(names.map((name) => [name, { A: ['127.0.0.1'] }])));
    pebble = await startPebble({ httpPort: challengePort, tlsPort: challengePort, dnsPort: dns.port });
    front = await startAcmeFront(pebble);
    const listen = { acme: [`127.0.0.1:${challengePort}`] };
    server = await startTestServer({ certificate: false, clock, config: { listen } });
  });
  after(async () => {
    await server.close();
    await front.stop();
    await pebble.stop();
    await dns.close();
  });

  const listed = async () => (await cli(server, 'list')).out;

  it('nothing is requested before the terms are agreed to and it is switched on', async () => {
    assert.equal(server.ports.imaps, undefined);
    await set(server, { directory: front.directory, ca_file: pebble.caFile, contact: 'admin@example.test' });
    const refused = await cli(server, 'set', 'enabled', 'true');
    assert.equal(refused.status, 1);
    assert.match(refused.err, /agree to the terms of service/);
    assert.match(await listed(), /no certificate[^]*not requested by this server/);
    assert.match((await cli(server, 'terms')).out, /^data:text\/plain,Do%20what%20thou%20wilt/);
    assert.equal((await cli(server, 'renew')).status, 1);
    assert.deepEqual(front.orders, []);
  });

  it('then one comes by itself, and the services that waited for it begin', async () => {
    await set(server, { terms_agreed: 'true', enabled: 'true' });
    await until(
      'imaps listens',
      () => server.ports.imaps !== undefined && server.ports.submissions !== undefined,
    );
    // A client that trusts the authority's root gets a chain that holds, for our name.
    assert.notEqual(await serial(server.ports.imaps ?? 0, await pebble.root()), '');
    assert.match(await listed(), /^mx\.example\.test +good for 18\d\d d/);
    assert.equal(
      (await cli(server, 'renew')).out,
      'Nothing is due: every certificate that is wanted is there.\n',
    );
    assert.deepEqual(
      front.orders.map(({ identifiers }) => identifiers.map(({ value }) => value)),
      [[HOST]],
    );
  });

  it('a renewal is served to new connections at once, while open sessions go on with what they have', async () => {
    const imaps = server.ports.imaps ?? 0;
    const session = await imapClient(imaps, { tls: true });
    await session.ok(`LOGIN alice@example.test "${TEST_PASSWORD}"`);
    await session.ok('SELECT INBOX');
    const first = await serial(imaps);
    const renewed = await cli(server, 'renew', HOST);
    assert.match(renewed.out, /^mx\.example\.test: a new certificate is in use, until /);
    assert.notEqual(await serial(imaps), first);
    assert.notEqual(await serial(server.ports.submissions ?? 0), first);
    await session.append('INBOX', 'Subject: still here\r\n\r\nhello\r\n');
    await session.ok('NOOP');
    session.close();
    // RFC 9773 section 5: it is told which one it comes for. And it is one account all along.
    assert.match(front.orders.at(-1)?.replaces ?? '', /^[\w-]+\.[\w-]+$/);
    assert.match(pebble.output(), /There are now 1 accounts/);
    assert.doesNotMatch(pebble.output(), /There are now 2 accounts/);
  });

  it('the authority may want it renewed early (ARI), and says why', async () => {
    const imaps = server.ports.imaps ?? 0;
    const before = await serial(imaps);
    const now = clock.now();
    front.wish = { start: now - DAY, end: now - 1000, explanationURL: 'https://ca.example/incident' };
    // It is asked again when it said, and no sooner.
    shift += 7 * 3_600_000;
    await server.certificates.changed();
    await until('it is renewed', async () => (await serial(imaps)) !== before);
    const later = clock.now() + 100 * DAY;
    front.wish = { start: later, end: later + DAY, explanationURL: 'https://ca.example/incident' };
    await server.certificates.changed();
    await until('the wish is known', async () =>
      /because +https:\/\/ca\.example\/incident/.test(await listed()),
    );
    const [state] = await server.certificates.states();
    const renewAt = state?.have?.issued?.renewAt ?? 0;
    assert.ok(renewAt >= later && renewAt <= later + DAY);
    assert.ok(front.askedAbout.length >= 2);
  });

  it('without a wish two thirds of its life are its time', async () => {
    front.wish = undefined;
    await cli(server, 'renew', HOST);
    const before = await serial(server.ports.imaps ?? 0);
    shift += 3 * 365 * DAY;
    await server.certificates.changed();
    await new Promise((resolve) => setTimeout(resolve, 200));
    assert.equal(await serial(server.ports.imaps ?? 0), before);
    // Of five years, until 3 years and 122 days.
    shift += 125 * DAY;
    await server.certificates.changed();
    await until('it is renewed', async () => (await serial(server.ports.imaps ?? 0)) !== before);
    // Pebble's clock has stayed behind.
    shift = 0;
  });

  it('an authority that has had enough is left alone as long as it says; the certificate stays, and people see it', async () => {
    const before = await serial(server.ports.imaps ?? 0);
    front.fail('/order-plz', 1, {
      status: 429,
      headers: { 'Retry-After': '7200' },
      body: { type: 'urn:ietf:params:acme:error:rateLimited', detail: 'too many certificates already' },
    });
    const { status, out } = await cli(server, 'renew', HOST);
    assert.deepEqual([status, out], [1, `${HOST}: none was issued: too many certificates already\n`]);
    const [state] = await server.certificates.states();
    assert.ok((state?.have?.retryAt ?? 0) >= clock.now() + 7_100_000);
    const orders = front.orders.length;
    await server.certificates.changed();
    assert.match(await listed(), /FAILED +1 time\(s\) in a row: too many certificates already/);
    const shown = await runCommand(['status'], { data: server.directory });
    assert.match(shown.out, /CERTIFICATE +mx\.example\.test: no certificate could be got: too many/);
    const trace = await runCommand(['trace', HOST], { data: server.directory });
    assert.match(
      trace.out,
      /issued no certificate for mx\.example\.test\n +Why: too many certificates already\./,
    );
    assert.match(trace.out, /issued a certificate for mx\.example\.test\n +It is the first\./);
    assert.match(await server.metrics.text(), /^postern_acme_failing 1$/m);
    assert.equal(await serial(server.ports.imaps ?? 0), before);
    assert.equal(front.orders.length, orders);
  });

  it('further names come with a new certificate; a domain whose DNS is wrong fails alone', async () => {
    await set(server, {
      names: 'also.example.test',
      'domain_hosts.example.test': 'autoconfig,mta-sts',
    });
    await until(
      'both were tried',
      async () =>
        /FAILED/.test(await listed()) && /names +mx\.example\.test, also\.example\.test/.test(await listed()),
    );
    assert.match(
      await listed(),
      /autoconfig\.example\.test +NONE YET\n +FAILED +1 time\(s\) in a row: mta-sts\.example\.test: /,
    );
    dns.zone['mta-sts.example.test'] = { A: ['127.0.0.1'] };
    assert.equal((await cli(server, 'renew')).status, 0);
    (await tls(server.ports.imaps ?? 0, await pebble.root(), 'mta-sts.example.test')).destroy();
  });

  it('what the authority has forgotten of us is told again', async () => {
    front.fail('/order-plz', 1, {
      status: 400,
      body: { type: 'urn:ietf:params:acme:error:accountDoesNotExist', detail: 'who are you' },
    });
    assert.equal((await cli(server, 'renew', HOST)).status, 0);
    for (const status of [500, 503]) {
      front.fail('/order-plz', 1, { status });
      assert.match((await cli(server, 'renew', HOST)).out, new RegExp(`HTTP status ${status}`));
    }
    front.fail('/dir', 1, { status: 200 });
    assert.match((await cli(server, 'renew', HOST)).out, /no ACME directory: it has no newNonce/);
  });

  it('it survives a restart, and ends are warned of', async () => {
    const before = await serial(server.ports.imaps ?? 0);
    await server.abandon();
    const { directory } = server;
    // Nobody would renew it any more.
    shift = 365 * 5 * DAY;
    server = await startTestServer({ certificate: false, clock, directory });
    assert.equal(await serial(server.ports.imaps ?? 0), before);
    await until('it is told', () =>
      server.logs.some(({ msg }) => msg === 'tls: a certificate in use ends soon'),
    );
    assert.match(await server.metrics.text(), /^postern_certificates_expiring 2$/m);
    const trace = await runCommand(['trace', HOST], { data: directory });
    assert.match(
      trace.out.replaceAll(/\s+/g, ' '),
      /The certificate for mx\.example\.test, also\.example\.test ends on 2031-/,
    );
    shift = 0;
    await server.close();
    await rm(directory, { recursive: true, force: true });
  });
});

describe('proofs at the ports that are there', { skip: skipWithout('pebble', 'openssl') }, () => {
  it('by the HTTP port behind a proxy, and by handshake at a port that serves mail', async () => {
    await using server = await startTestServer();
    const { http = 0, imaps = 0 } = server.ports;
    const dns = await startDnsServer({ [HOST]: { A: ['127.0.0.1'] } });
    const pebble = await startPebble({ httpPort: http, tlsPort: imaps, dnsPort: dns.port });
    try {
      await set(server, {
        directory: pebble.directory,
        ca_file: pebble.caFile,
        terms_agreed: 'true',
        enabled: 'true',
      });
      await until('by HTTP', async () => /good for 18\d\d d/.test((await cli(server, 'list')).out));
      const before = await serial(imaps);
      await set(server, { challenge: 'tls-alpn-01' });
      const [renewed] = await Promise.all([cli(server, 'renew', HOST), serial(imaps), serial(imaps)]);
      assert.equal(renewed.status, 0, renewed.out);
      assert.notEqual(await serial(imaps), before);
      await set(server, { challenge: 'dns-01' });
      assert.match((await cli(server, 'renew', HOST)).out, /dns-01 needs a DNS provider/);
    } finally {
      await pebble.stop();
      await dns.close();
    }
  });
});
