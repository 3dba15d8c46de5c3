import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { startDnsServer, type DnsServerOptions, type Zone } from '../../../test/support/dns-server.ts';
import { systemClock, type Clock } from '../../base/clock.ts';
import { checkReverse } from '../../mail/iprev.ts';
import { lookupAddresses, reverseName } from './addresses.ts';
import { parseDnsServer, parseResolvConf, readResolvConf } from './resolv-conf.ts';
import { createResolver, type ResolverOptions } from './resolver.ts';

/** A clock whose monotonic time can be pushed forward; timers are real. */
function movableClock(): Clock & { skip(ms: number): void } {
  let skipped = 0;
  return {
    ...systemClock,
    monotonic: () => systemClock.monotonic() + skipped,
    skip: (ms) => {
      skipped += ms;
    },
  };
}

async function setUp(
  t: TestContext,
  zone: Zone,
  options: DnsServerOptions & {
    trusted?: boolean;
    limits?: ResolverOptions['limits'];
    mixCase?: boolean;
  } = {},
) {
  const server = await startDnsServer(zone, options);
  t.after(() => server.close());
  const clock = movableClock();
  const dns = createResolver({
    servers: [{ address: server.address, port: server.port, trusted: options.trusted ?? true }],
    clock,
    ...(options.mixCase !== undefined && { mixCase: options.mixCase }),
    ...(options.limits && { limits: options.limits }),
  });
  return { server, dns, clock };
}

test('each record type comes back in its shape', async (t) => {
  const { dns } = await setUp(t, {
    'a.test': {
      A: ['192.0.2.1', '192.0.2.2'],
      AAAA: ['2001:db8::1'],
      MX: [
        { preference: 10, exchange: 'mx.a.test' },
        { preference: 0, exchange: '' },
      ],
      TXT: ['v=spf1 -all', 'x'.repeat(600), [Buffer.from([0xff, 0x00, 0x2e])]],
      NS: ['ns.a.test'],
      TLSA: [{ usage: 3, selector: 1, matchingType: 1, certificate: Buffer.alloc(32, 7) }],
    },
  });
  const a = await dns.query('A.TEST.', 'A');
  assert.deepEqual(a, { status: 'ok', records: ['192.0.2.1', '192.0.2.2'], ttl: 300, authenticated: false });
  const aaaa = await dns.query('a.test', 'AAAA');
  assert.ok(aaaa.status === 'ok' && aaaa.records[0] === '2001:db8::1');
  const mx = await dns.query('a.test', 'MX');
  assert.ok(mx.status === 'ok');
  assert.deepEqual(mx.records, [
    { preference: 10, exchange: 'mx.a.test' },
    { preference: 0, exchange: '' },
  ]);
  const txt = await dns.query('a.test', 'TXT');
  assert.ok(txt.status === 'ok');
  assert.deepEqual(
    txt.records.map((record) => [record.text.length, record.chunks.length]),
    [
      [11, 1],
      [600, 3],
      [3, 1],
    ],
  );
  assert.equal(txt.records[2]?.text, '\xff\x00.');
  const tlsa = await dns.query('a.test', 'TLSA');
  assert.ok(tlsa.status === 'ok');
  assert.deepEqual(tlsa.records, [{ usage: 3, selector: 1, matchingType: 1, data: Buffer.alloc(32, 7) }]);
  const ns = await dns.query('a.test', 'NS');
  assert.ok(ns.status === 'ok' && ns.records[0] === 'ns.a.test');
});

test('nodata and nxdomain are told apart and kept for the SOA minimum', async (t) => {
  const { dns, server, clock } = await setUp(t, { 'here.test': {} });
  const nodata = await dns.query('here.test', 'A');
  assert.deepEqual(nodata, { status: 'nodata', ttl: 60, authenticated: false });
  assert.equal((await dns.query('gone.test', 'A')).status, 'nxdomain');
  assert.equal((await dns.query('gone.test', 'A')).status, 'nxdomain');
  assert.equal(server.asked.length, 2);
  clock.skip(61_000);
  await dns.query('gone.test', 'A');
  assert.equal(server.asked.length, 3);
});

test('a denial without SOA is not cached', async (t) => {
  const { dns, server } = await setUp(t, {}, { negativeTtl: null });
  await dns.query('gone.test', 'A');
  await dns.query('gone.test', 'A');
  assert.equal(server.asked.length, 2);
});

test('answers are cached for their TTL, which runs down', async (t) => {
  const { dns, server, clock } = await setUp(t, { 'a.test': { A: ['192.0.2.1'], ttl: 100 } });
  await dns.query('a.test', 'A');
  clock.skip(40_000);
  const again = await dns.query('a.test', 'A');
  assert.ok(again.status === 'ok' && again.ttl <= 60 && again.ttl > 50);
  assert.equal(server.asked.length, 1);
  clock.skip(61_000);
  await dns.query('a.test', 'A');
  assert.equal(server.asked.length, 2);
});

test('TTL 0 is not cached; the cache is bounded', async (t) => {
  const zone: Zone = { 'zero.test': { A: ['192.0.2.1'], ttl: 0 } };
  for (let i = 0; i < 20; i++) zone[`n${i}.test`] = { A: ['192.0.2.1'] };
  const { dns, server } = await setUp(t, zone, { limits: { cacheEntries: 5 } });
  await dns.query('zero.test', 'A');
  await dns.query('zero.test', 'A');
  assert.equal(server.asked.length, 2);
  for (let i = 0; i < 20; i++) await dns.query(`n${i}.test`, 'A');
  await dns.query('n19.test', 'A');
  assert.equal(server.asked.length, 22);
  await dns.query('n0.test', 'A');
  assert.equal(server.asked.length, 23);
});

test('CNAME chains are followed inside and across answers; loops and long ones are temporary', async (t) => {
  const zone: Zone = {
    'www.test': { CNAME: 'cdn.test', ttl: 30 },
    'cdn.test': { CNAME: 'host.test' },
    'host.test': { A: ['192.0.2.9'] },
    'fwd.test': { CNAME: 'host.test', fault: { kind: 'bare-cname' } },
    'loop.test': { CNAME: 'pool.test' },
    'pool.test': { CNAME: 'loop.test' },
    'bare1.test': { CNAME: 'bare2.test', fault: { kind: 'bare-cname' } },
    'bare2.test': { CNAME: 'bare1.test', fault: { kind: 'bare-cname' } },
    'dead.test': { CNAME: 'nowhere.test' },
    'empty.test': { CNAME: 'void.test' },
    'void.test': {},
  };
  const { dns } = await setUp(t, zone);
  const www = await dns.query('www.test', 'A');
  assert.deepEqual(www, {
    status: 'ok',
    records: ['192.0.2.9'],
    ttl: 30,
    authenticated: false,
    canonicalName: 'host.test',
  });
  const fwd = await dns.query('fwd.test', 'A');
  assert.ok(fwd.status === 'ok' && fwd.records[0] === '192.0.2.9' && fwd.canonicalName === 'host.test');
  assert.equal((await dns.query('loop.test', 'A')).status, 'temporary');
  assert.equal((await dns.query('bare1.test', 'A')).status, 'temporary');
  assert.equal((await dns.query('dead.test', 'A')).status, 'nxdomain');
  assert.equal((await dns.query('empty.test', 'A')).status, 'nodata');
  const alias = await dns.query('www.test', 'CNAME');
  assert.ok(alias.status === 'ok' && alias.records[0] === 'cdn.test');
});

test('a truncated answer is fetched over TCP', async (t) => {
  const many = Array.from({ length: 60 }, (_, i) => `${i} ${'y'.repeat(200)}`);
  const { dns, server } = await setUp(t, { 'big.test': { TXT: many, fault: { kind: 'truncated' } } });
  const big = await dns.query('big.test', 'TXT');
  assert.ok(big.status === 'ok' && big.records.length === 60);
  assert.deepEqual(server.asked, ['udp TXT big.test', 'tcp TXT big.test']);
});

test('forged answers (id, question, not a response) are not believed', async (t) => {
  const { dns } = await setUp(t, {
    'bank.test': { A: ['192.0.2.1'], fault: { kind: 'forged', address: '203.0.113.66' } },
  });
  const answer = await dns.query('bank.test', 'A');
  assert.ok(answer.status === 'ok');
  assert.deepEqual(answer.records, ['192.0.2.1']);
});

test('mixed case goes out and comes back', async (t) => {
  const name = 'abcdefghijklmnopqrstuvwxyz.test';
  const { dns, server } = await setUp(t, { [name]: { A: ['192.0.2.1'] } }, { mixCase: true });
  const answer = await dns.query(name, 'A');
  assert.ok(answer.status === 'ok' && answer.canonicalName === undefined);
  assert.notEqual(server.asked[0], `udp A ${name}`);
  assert.equal(server.asked[0]?.toLowerCase(), `udp a ${name}`);
});

test('failures are temporary and say what happened', async (t) => {
  const { dns, server } = await setUp(
    t,
    {
      'dead.test': { fault: { kind: 'servfail' } },
      'no.test': { fault: { kind: 'refused' } },
      'lost.test': { fault: { kind: 'drop' } },
      'junk.test': { fault: { kind: 'garbage' } },
    },
    { limits: { firstTimeoutMs: 150 } },
  );
  assert.deepEqual(await dns.query('dead.test', 'A'), {
    status: 'temporary',
    reason: 'SERVFAIL from 127.0.0.1',
  });
  const lost = await dns.query('lost.test', 'A');
  assert.deepEqual(lost, { status: 'temporary', reason: 'timeout from 127.0.0.1' });
  assert.equal((await dns.query('no.test', 'A')).status, 'temporary');
  assert.equal((await dns.query('junk.test', 'A')).status, 'temporary');
  const before = server.asked.length;
  await dns.query('dead.test', 'A');
  assert.equal(server.asked.length, before, 'a failure is remembered for some seconds');
});

test('a lost datagram is asked again; the next server takes over from a dead one', async (t) => {
  const { dns } = await setUp(
    t,
    { 'a.test': { A: ['192.0.2.1'], fault: { kind: 'drop', times: 1 } } },
    { limits: { firstTimeoutMs: 150 } },
  );
  assert.equal((await dns.query('a.test', 'A')).status, 'ok');

  const dead = await startDnsServer({ 'b.test': { fault: { kind: 'drop' } } });
  const good = await startDnsServer({ 'b.test': { A: ['192.0.2.2'] }, 'c.test': { A: ['192.0.2.3'] } });
  t.after(() => Promise.all([dead.close(), good.close()]));
  const servers = [dead, good].map(({ address, port }) => ({ address, port, trusted: false }));
  const both = createResolver({ servers, clock: systemClock, limits: { firstTimeoutMs: 150 } });
  assert.equal((await both.query('b.test', 'A')).status, 'ok');
  assert.equal((await both.query('c.test', 'A')).status, 'ok');
  assert.equal(dead.asked.length, 1, 'a server that timed out is asked last for a while');
});

test('a server without EDNS is asked without it', async (t) => {
  const { dns } = await setUp(t, { 'old.test': { A: ['192.0.2.1'], fault: { kind: 'no-edns' } } });
  assert.equal((await dns.query('old.test', 'A')).status, 'ok');
});

test('AD counts only from a trusted server', async (t) => {
  const zone: Zone = {
    'a.test': { A: ['192.0.2.1'] },
    'b.test': { CNAME: 'a.test', fault: { kind: 'bare-cname' } },
  };
  const trusted = await setUp(t, zone, { authenticated: true });
  const yes = await trusted.dns.query('a.test', 'A');
  assert.ok(yes.status === 'ok' && yes.authenticated);
  const chain = await trusted.dns.query('b.test', 'A');
  assert.ok(chain.status === 'ok' && chain.authenticated);
  const untrusted = await setUp(t, zone, { authenticated: true, trusted: false });
  const no = await untrusted.dns.query('a.test', 'A');
  assert.ok(no.status === 'ok' && !no.authenticated);
});

test('equal questions in flight share one packet; others are bounded', async (t) => {
  const zone: Zone = { 'a.test': { A: ['192.0.2.1'], fault: { kind: 'slow', ms: 20 } } };
  for (let i = 0; i < 30; i++) zone[`n${i}.test`] = { A: ['192.0.2.1'], fault: { kind: 'slow', ms: 5 } };
  const { dns, server } = await setUp(t, zone, { limits: { concurrency: 3, waiting: 20 } });
  const same = await Promise.all(Array.from({ length: 50 }, () => dns.query('a.test', 'A')));
  assert.ok(same.every((answer) => answer.status === 'ok'));
  assert.equal(server.asked.length, 1);
  const many = await Promise.all(Array.from({ length: 30 }, (_, i) => dns.query(`n${i}.test`, 'A')));
  assert.equal(many.filter((answer) => answer.status === 'ok').length, 23);
  assert.equal(many.filter((answer) => answer.status === 'temporary').length, 7);
  assert.ok(server.peak() <= 3);
});

test('names that cannot be asked for are nxdomain, without a packet; an abort is temporary', async (t) => {
  const { dns, server } = await setUp(t, { 'slow.test': { fault: { kind: 'slow', ms: 50 } } });
  const names = [
    '',
    '.',
    'a..test',
    `${'a'.repeat(64)}.test`,
    `${'a.'.repeat(127)}test`,
    'b\u00fccher.test',
    'a b.test',
    'a\n.test',
  ];
  for (const name of names) assert.deepEqual(await dns.query(name, 'A'), { status: 'nxdomain' }, name);
  assert.equal(server.asked.length, 0);
  const controller = new AbortController();
  const pending = dns.query('slow.test', 'A', controller.signal);
  controller.abort();
  assert.deepEqual(await pending, { status: 'temporary', reason: 'aborted' });
});

test('addresses of a host', async (t) => {
  const { dns } = await setUp(t, {
    'both.test': { A: ['192.0.2.1'], AAAA: ['2001:db8::1'] },
    'none.test': {},
  });
  assert.deepEqual(await lookupAddresses(dns, 'both.test'), {
    status: 'ok',
    ipv6: ['2001:db8::1'],
    ipv4: ['192.0.2.1'],
    authenticated: false,
  });
  assert.deepEqual(await lookupAddresses(dns, 'none.test'), {
    status: 'none',
    nxdomain: false,
    authenticated: false,
  });
  assert.deepEqual(await lookupAddresses(dns, 'gone.test'), {
    status: 'none',
    nxdomain: true,
    authenticated: false,
  });
});

test('reverse names and forward confirmation', async (t) => {
  assert.equal(reverseName('192.0.2.55'), '55.2.0.192.in-addr.arpa');
  assert.equal(reverseName('::ffff:192.0.2.55'), '55.2.0.192.in-addr.arpa');
  const six = `1.${'0.'.repeat(23)}8.b.d.0.1.0.0.2.ip6.arpa`;
  assert.equal(reverseName('2001:db8::1'), six);
  assert.equal(reverseName('nonsense'), undefined);
  const { dns } = await setUp(t, {
    '55.2.0.192.in-addr.arpa': { PTR: ['liar.test', 'mail.test'] },
    'mail.test': { A: ['192.0.2.55'], AAAA: ['2001:db8::1'] },
    'liar.test': { A: ['192.0.2.1'] },
    '56.2.0.192.in-addr.arpa': { PTR: ['liar.test'] },
    [six]: { PTR: ['mail.test'] },
    '58.2.0.192.in-addr.arpa': { fault: { kind: 'servfail' } },
  });
  const confirmed = async (ip: string): Promise<readonly unknown[]> => {
    const { result, name, claimed } = await checkReverse({ ip, dns });
    return [result, name, claimed.at(0)];
  };
  assert.deepEqual(await confirmed('192.0.2.55'), ['pass', 'mail.test', 'liar.test']);
  assert.deepEqual(await confirmed('2001:db8::1'), ['pass', 'mail.test', 'mail.test']);
  assert.deepEqual(await confirmed('192.0.2.56'), ['fail', undefined, 'liar.test']);
  assert.deepEqual(await confirmed('192.0.2.57'), ['permerror', undefined, undefined]);
  assert.equal((await checkReverse({ ip: '192.0.2.58', dns })).result, 'temperror');
});

test('resolv.conf and server texts', async (t) => {
  const dir = await mkdtemp(join(tmpdir(), 'resolv-'));
  t.after(() => rm(dir, { recursive: true }));
  const path = join(dir, 'resolv.conf');
  await writeFile(
    path,
    '# x\nsearch a.test\nnameserver 192.0.2.53\nnameserver 127.0.0.53\nnameserver nonsense\nnameserver ::1\n',
  );
  assert.deepEqual(await readResolvConf(path), [
    { address: '192.0.2.53', port: 53, trusted: false },
    { address: '127.0.0.53', port: 53, trusted: true },
    { address: '::1', port: 53, trusted: true },
  ]);
  assert.deepEqual(await readResolvConf(join(dir, 'absent')), [
    { address: '127.0.0.1', port: 53, trusted: true },
  ]);
  assert.equal(parseResolvConf('nameserver 192.0.2.53\noptions edns0 trust-ad\n')[0]?.trusted, true);
  assert.equal(
    parseResolvConf('nameserver 127.0.0.11\n')[0]?.trusted,
    false,
    "Docker's forwarder proves nothing",
  );
  assert.deepEqual(parseDnsServer('[2001:db8::53]:5353'), {
    address: '2001:db8::53',
    port: 5353,
    trusted: false,
  });
  assert.deepEqual(parseDnsServer('127.0.0.1:5353'), { address: '127.0.0.1', port: 5353, trusted: true });
  assert.equal(parseDnsServer('dns.test'), undefined);
  assert.equal(parseDnsServer('192.0.2.1:0'), undefined);
});
