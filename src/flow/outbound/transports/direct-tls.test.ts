/** Direct delivery under MTA-STS, DANE and REQUIRETLS, to peers on 127.0.0.1. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { createServer as createHttps, type Server } from 'node:https';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import { type Authority, createAuthority, type Issued } from '../../../../test/support/authority.ts';
import { type DirectFixture, openDirect, told } from '../../../../test/support/direct-delivery.ts';
import { type DnsTable, mx, txt } from '../../../../test/support/dns-table.ts';
import { skipWithout } from '../../../../test/support/programs.ts';
import { type SmtpPeer, type SmtpPeerOptions, startSmtpPeer } from '../../../../test/support/smtp-peer.ts';
import { spkiOf } from '../../../mail/dane/spki.ts';
import type { TlsaRecord } from '../../../mail/dns.ts';
import type { DirectSettings } from '../routing/settings.ts';
import { probeDirect, type ProbeStep } from './probe.ts';
import { directDefaults } from './direct.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const EXTENSIONS = ['PIPELINING', '8BITMIME', 'ENHANCEDSTATUSCODES', 'SMTPUTF8'];

describe('direct delivery and TLS', { skip: skipWithout('openssl') }, () => {
  let ca: Authority;
  let good: Issued;
  let misnamed: Issued;
  let stranger: Issued;
  let peer: SmtpPeer | undefined;
  let second: SmtpPeer | undefined;
  let out: DirectFixture | undefined;
  let table: DnsTable;
  let policies: Server;
  let policyPort = 0;
  /** What the policy host says; undefined: 404. */
  let policy: string | undefined;
  let fetches = 0;

  before(async () => {
    ca = createAuthority();
    good = ca.issue(['mx.far.test', 'mx2.far.test']);
    misnamed = ca.issue(['other.test']);
    stranger = createAuthority('Stranger').issue(['mx.far.test']);
    const served = ca.issue(['mta-sts.far.test']);
    policies = createHttps({ cert: served.cert, key: served.key }, (_request, response) => {
      fetches++;
      if (policy === undefined) response.writeHead(404).end();
      else response.writeHead(200, { 'content-type': 'text/plain' }).end(policy);
    });
    await new Promise<void>((resolve) => policies.listen(0, '127.0.0.1', resolve));
    const bound = policies.address();
    policyPort = bound !== null && typeof bound === 'object' ? bound.port : 0;
  });
  after(() => {
    policies.closeAllConnections();
    policies.close();
  });
  beforeEach(() => {
    policy = undefined;
    fetches = 0;
    table = {
      'far.test': { MX: mx('mx.far.test') },
      'mx.far.test': { A: ['127.0.0.1'] },
      'mx2.far.test': { A: ['127.0.0.2'] },
      'mta-sts.far.test': { A: ['127.0.0.1'] },
    };
  });
  const shut = async (): Promise<void> => {
    await out?.close();
    await peer?.close();
    await second?.close();
    out = peer = second = undefined;
  };
  afterEach(shut);

  const open = async (
    cert: Issued | undefined,
    more: { secure?: boolean; peer?: SmtpPeerOptions; settings?: Partial<DirectSettings> } = {},
  ): Promise<{ out: DirectFixture; peer: SmtpPeer }> => {
    peer = await startSmtpPeer({ capabilities: EXTENSIONS, ...(cert && { tls: cert }), ...more.peer });
    out = await openDirect({
      table,
      secure: more.secure === true,
      ...(more.settings !== undefined && { settings: more.settings }),
      options: {
        port: peer.port,
        ca: ca.cert,
        stsFetch: { port: policyPort, ca: ca.cert, allowPrivate: true },
      },
    });
    return { out, peer };
  };
  const openSecond = async (options: SmtpPeerOptions): Promise<void> => {
    const port = peer?.port ?? assert.fail();
    second = await startSmtpPeer({
      capabilities: EXTENSIONS,
      ...options,
      listen: { host: '127.0.0.2', port },
    });
    table['far.test'] = { MX: mx('mx.far.test', 'mx2.far.test') };
  };
  const send = async (more: Parameters<DirectFixture['send']>[1] = {}): Promise<string> =>
    told((await (out ?? assert.fail()).send('x@far.test', more))[0]);
  const observed = (): string[] =>
    (out?.observed ?? []).map(
      ({ policy: by, result, mxHost }) => `${by.type} ${by.domain} ${mxHost} ${result}`,
    );

  describe('MTA-STS', () => {
    const publish = (mode: string, id = '1', mxs = ['mx.far.test'], maxAge = 86_400): void => {
      policy = [
        'version: STSv1',
        `mode: ${mode}`,
        ...mxs.map((one) => `mx: ${one}`),
        `max_age: ${maxAge}`,
      ].join('\n');
      table['_mta-sts.far.test'] = { TXT: txt(`v=STSv1; id=${id};`) };
    };

    it('enforce: a valid certificate of the host’s name, and the policy in the report', async () => {
      publish('enforce');
      const { out } = await open(good);
      assert.equal(await send(), 'delivered TLSv1.3 verified');
      assert.deepEqual(observed(), ['sts far.test mx.far.test success']);
      assert.deepEqual(out.observed[0]?.policy.mxHosts, ['mx.far.test']);
      assert.deepEqual(out.observed[0]?.policy.strings, policy?.split('\n'));
      assert.equal(out.observed[0]?.sendingIp, '127.0.0.1');
    });

    it('enforce: no TLS, another name, an authority nobody knows: deferred because of TLS, and reported', async () => {
      publish('enforce');
      for (const [cert, reply, result] of [
        [undefined, /^deferred 451 4\.7\.4 .*STARTTLS/, 'starttls-not-supported'],
        [misnamed, /^deferred 451 4\.7\.5 .*ALTNAME/, 'certificate-host-mismatch'],
        [stranger, /^deferred 451 4\.7\.5 .*UNABLE/, 'certificate-not-trusted'],
      ] as const) {
        const { out, peer } = await open(cert);
        const [outcome] = await out.send('x@far.test');
        assert.match(told(outcome), reply);
        assert.equal(outcome?.cause, 'tls');
        assert.deepEqual(observed(), [`sts far.test mx.far.test ${result}`]);
        assert.equal(peer.transactions.length, 0);
        await shut();
      }
    });

    it('enforce: a host that the policy does not name gets nothing, the named one behind it does', async () => {
      publish('enforce', '1', ['mx2.far.test']);
      const { peer } = await open(good);
      assert.match(
        await send(),
        /^deferred 451 4\.7\.5 the MTA-STS policy of far\.test does not name mx\.far\.test/,
      );
      assert.deepEqual(observed(), ['sts far.test mx.far.test validation-failure']);
      await openSecond({ tls: good });
      assert.equal(await send(), 'delivered TLSv1.3 verified');
      assert.deepEqual([peer.connections(), second?.transactions.length], [0, 1]);
    });

    it('hardening: `testing` is never enforced, its failures are reported', async () => {
      publish('testing');
      const { out, peer } = await open(misnamed);
      assert.equal(await send(), 'delivered TLSv1.3 unverified');
      policy = undefined;
      table['_mta-sts.far.test'] = { TXT: txt('v=STSv1; id=1;') };
      table['far.test'] = { MX: mx('mx2.far.test') };
      await openSecond({});
      table['far.test'] = { MX: mx('mx2.far.test') };
      assert.equal(await send(), 'delivered plain');
      assert.deepEqual(observed(), [
        'sts far.test mx.far.test certificate-host-mismatch',
        'sts far.test mx2.far.test validation-failure',
      ]);
      assert.equal(peer.transactions.length, 1);
      assert.match(out.observed[1]?.reason ?? '', /does not name mx2/);
    });

    it('hardening: enforce holds in every fallback: the second host, a broken handshake, a remembered quirk', async () => {
      publish('enforce', '1', ['mx.far.test', 'mx2.far.test']);
      const { out } = await open(good, { peer: { script: { GREETING: '421 4.3.0 no' } } });
      await openSecond({
        capabilities: [...EXTENSIONS, 'STARTTLS'],
        script: { STARTTLS: [{ do: 'raw', bytes: Buffer.from('220 go\r\nnonsense\r\n') }] },
      });
      for (const host of ['mx.far.test', 'mx2.far.test'])
        await out.flow.store.write.run('transport.keepQuirk', {
          host,
          quirk: 'plain',
          reason: '',
          forMs: DAY,
        });
      assert.match(await send(), /^deferred 4/);
      assert.equal(second?.transactions.length, 0);
    });

    it('mode none is no policy', async () => {
      publish('none');
      await open(undefined);
      assert.equal(await send(), 'delivered plain');
      assert.equal(fetches, 1);
      assert.deepEqual(observed(), ['no-policy-found far.test mx.far.test starttls-not-supported']);
    });

    it('is fetched once while its id stays, again when that changes, and kept when the new one cannot be had', async () => {
      publish('enforce');
      const { out } = await open(good, { peer: { script: { QUIT: '221 bye' } } });
      const pass = (ms: number): void => out.flow.clock.advance(ms);
      await send();
      pass(HOUR);
      await send();
      assert.equal(fetches, 1);
      publish('enforce', '2');
      pass(HOUR);
      await send();
      assert.equal(fetches, 2);
      table['_mta-sts.far.test'] = { TXT: txt('v=STSv1; id=3;') };
      policy = undefined;
      pass(HOUR);
      assert.equal(await send(), 'delivered TLSv1.3 verified', 'by the policy that is known');
      assert.equal(fetches, 3);
      await send();
      assert.equal(fetches, 3, 'not for every message');
      pass(6 * 60_000);
      await send();
      assert.equal(fetches, 4, 'but again after five minutes');
    });

    it('hardening: taking the record or the policy host away does not end a policy before its term', async () => {
      publish('enforce');
      const { out, peer } = await open(good);
      await send();
      await peer.close();
      for (const record of [{}, { bogus: true as const }]) {
        table['_mta-sts.far.test'] = record;
        out.flow.clock.advance(HOUR);
        const plain = await startSmtpPeer({ listen: { host: '127.0.0.1', port: peer.port } });
        assert.match(await send(), /^deferred .*STARTTLS/);
        await plain.close();
      }
      out.flow.clock.advance(DAY);
      const plain = await startSmtpPeer({ listen: { host: '127.0.0.1', port: peer.port } });
      assert.equal(await send(), 'delivered plain', 'its term is over');
      await plain.close();
    });

    it('a policy that cannot be had the first time: mail goes, the failure is reported', async () => {
      table['_mta-sts.far.test'] = { TXT: txt('v=STSv1; id=1;') };
      await open(good);
      assert.match(await send(), /^delivered TLSv1\.3/);
      assert.deepEqual(observed(), ['sts far.test mx.far.test sts-policy-fetch-error']);
    });

    it('the daily look renews terms and drops nothing that is in use', async () => {
      publish('enforce');
      const { out } = await open(good);
      await send();
      const stopping = new AbortController().signal;
      const look = () => out.transport.sts.refresh(out.deps, stopping);
      assert.deepEqual(await look(), { fetched: 0, unchanged: 1, failed: 0, forgotten: 0 });
      out.flow.clock.advance(21 * HOUR);
      assert.equal((await look()).fetched, 1);
      out.flow.clock.advance(21 * HOUR);
      policy = undefined;
      assert.equal((await look()).failed, 1);
      const kept = await out.flow.store.read.run('transport.sts', { domain: 'far.test' });
      assert.equal(kept?.policy?.mode, 'enforce');
      out.flow.clock.advance(2 * DAY);
      await look();
      const gone = await out.flow.store.read.run('transport.sts', { domain: 'far.test' });
      assert.equal((gone?.policy?.expiresAt ?? 0) > out.flow.clock.now(), false);
    });

    it('may be switched off', async () => {
      publish('enforce');
      await open(undefined, { settings: { mta_sts: false } });
      assert.equal(await send(), 'delivered plain');
    });
  });

  describe('DANE', () => {
    const tlsa = (usage: number, cert: Issued, break_ = false): TlsaRecord => {
      const data = createHash('sha256')
        .update(spkiOf(cert.der) ?? assert.fail())
        .digest();
      if (break_) data[0] = (data[0] ?? 0) ^ 1;
      return { usage, selector: 1, matchingType: 1, data };
    };
    const name = (host = 'mx.far.test'): string => `_${peer?.port ?? 0}._tcp.${host}`;
    const secure = { secure: true };

    it('a certificate nobody knows but the record does, whatever its name', async () => {
      const odd = createAuthority('Odd').issue(['elsewhere.test']);
      const { out } = await open(odd, secure);
      table[name()] = { TLSA: [tlsa(3, odd)] };
      assert.equal(await send(), 'delivered TLSv1.3 verified (DANE)');
      assert.deepEqual(observed(), ['tlsa mx.far.test mx.far.test success']);
      assert.match(out.observed[0]?.policy.strings[0] ?? '', /^3 1 1 [0-9a-f]{64}$/);
    });

    it('an authority in the chain, with the host’s name; the recipient’s domain will do as well', async () => {
      const middle = ca.below('Middle');
      await open(middle.issue(['far.test']), secure);
      table[name()] = { TLSA: [tlsa(2, middle)] };
      assert.equal(await send(), 'delivered TLSv1.3 verified (DANE)');
      await shut();
      await open(middle.issue(['other.test']), secure);
      table[name()] = { TLSA: [tlsa(2, middle)] };
      assert.match(await send(), /^deferred 451 4\.7\.5 .*DANE: the certificate does not name mx\.far\.test/);
      assert.deepEqual(observed(), ['tlsa mx.far.test mx.far.test certificate-host-mismatch']);
    });

    it('another certificate, or no TLS at all: deferred, and never in clear', async () => {
      const { out, peer } = await open(good, secure);
      table[name()] = { TLSA: [tlsa(3, good, true)] };
      const [outcome] = await out.send('x@far.test');
      assert.match(told(outcome), /^deferred 451 4\.7\.5 .*no TLSA record matches/);
      assert.equal(outcome?.cause, 'tls');
      peer.options.capabilities = EXTENSIONS;
      assert.deepEqual(observed(), ['tlsa mx.far.test mx.far.test validation-failure']);
      assert.equal(peer.transactions.length, 0);
      await peer.close();
      peer.options.script = {};
      const plain = await startSmtpPeer({ listen: { host: '127.0.0.1', port: peer.port } });
      assert.match(await send(), /^deferred 451 4\.7\.4/);
      assert.equal(plain.transactions.length, 0);
      await plain.close();
    });

    it('hardening: a bogus TLSA answer defers, it does not downgrade; the next host may serve', async () => {
      const { out, peer } = await open(good, secure);
      table[name()] = { bogus: true };
      const [outcome] = await out.send('x@far.test');
      assert.match(
        told(outcome),
        /^deferred 451 4\.7\.5 DNS gave no validated answer about the TLSA records/,
      );
      assert.equal(outcome?.cause, 'tls');
      assert.equal(peer.connections(), 0);
      assert.deepEqual(observed(), ['tlsa mx.far.test mx.far.test dnssec-invalid']);
      await openSecond({ tls: good });
      assert.match(await send(), /^delivered/);
    });

    it('hardening: one spoilt address answer does not switch DANE off', async () => {
      await open(good, secure);
      table['mx.far.test'] = { A: ['127.0.0.1'], bogus: ['AAAA'] };
      table[name()] = { TLSA: [tlsa(3, good, true)] };
      assert.match(await send(), /^deferred 451 4\.7\.5/);
    });

    it('counts only when MX, addresses and TLSA are all validated', async () => {
      const { out } = await open(good, secure);
      const parts = ['far.test', 'mx.far.test', name()];
      table[name()] = { TLSA: [tlsa(3, good, true)] };
      for (const part of parts) {
        const entry = table[part] ?? assert.fail();
        table[part] = { ...entry, insecure: true };
        assert.match(await send(), /^delivered/, `${part} is not signed`);
        table[part] = entry;
      }
      assert.match(await send(), /^deferred/);
      assert.ok(
        !out.asked.slice(0, 3).some((question) => question.startsWith('TLSA')),
        'nothing asked in vain',
      );
    });

    it('records of PKIX usages only: TLS is a must, the certificate is not looked at', async () => {
      await open(stranger, secure);
      table[name()] = { TLSA: [tlsa(1, good), tlsa(0, ca)] };
      assert.equal(await send(), 'delivered TLSv1.3 unverified');
      assert.deepEqual(observed(), ['tlsa mx.far.test mx.far.test tlsa-invalid']);
      await shut();
      await open(undefined, secure);
      table[name()] = { TLSA: [tlsa(1, good)] };
      assert.match(await send(), /^deferred 451 4\.7\.4/);
    });

    it('aliases: the name at the end, then the name itself; one that leads out of the signed world', async () => {
      const odd = createAuthority('Odd').issue(['end.test']);
      await open(odd, secure);
      table['mx.far.test'] = { alias: 'end.test' };
      table['end.test'] = { A: ['127.0.0.1'] };
      table[name('end.test')] = { TLSA: [tlsa(3, odd)] };
      assert.equal(await send(), 'delivered TLSv1.3 verified (DANE)');
      delete table[name('end.test')];
      table[name()] = { TLSA: [tlsa(3, odd)] };
      assert.match(await send(), /verified \(DANE\)/);
      table['end.test'] = { A: ['127.0.0.1'], insecure: true };
      table[name()] = { TLSA: [tlsa(3, odd, true)] };
      assert.match(await send(), /^deferred 451 4\.7\.5/, 'the alias itself is signed');
      table['mx.far.test'] = { alias: 'end.test', insecure: true };
      assert.match(await send(), /^delivered .*unverified/);
    });

    it('outranks MTA-STS, whichever is stricter', async () => {
      policy = 'version: STSv1\nmode: enforce\nmx: other.test\nmax_age: 86400\n';
      table['_mta-sts.far.test'] = { TXT: txt('v=STSv1; id=1;') };
      await open(misnamed, secure);
      table[name()] = { TLSA: [tlsa(3, misnamed)] };
      assert.match(await send(), /verified \(DANE\)/);
      assert.equal(fetches, 0);
      delete table[name()];
      assert.match(await send(), /^deferred .*does not name/);
    });

    it('may be switched off', async () => {
      await open(undefined, { ...secure, settings: { dane: false } });
      table[name()] = { TLSA: [tlsa(3, good)] };
      assert.equal(await send(), 'delivered plain');
    });
  });

  describe('what a message asks for (RFC 8689)', () => {
    const capable = { peer: { capabilities: [...EXTENSIONS, 'REQUIRETLS'] } };

    it('REQUIRETLS: a signed way, a valid certificate and the extension', async () => {
      const { peer } = await open(good, { ...capable, secure: true });
      assert.equal(await send({ requireTls: true }), 'delivered TLSv1.3 verified');
      assert.match(peer.transactions[0]?.params ?? '', /REQUIRETLS/);
    });

    it('REQUIRETLS: a host that an MTA-STS policy names will do, one that nobody vouches for will not', async () => {
      await open(good, capable);
      assert.match(await send({ requireTls: true }), /^failed 550 5\.7\.30 .*neither DNSSEC nor MTA-STS/);
      policy = 'version: STSv1\nmode: testing\nmx: mx.far.test\nmax_age: 86400\n';
      table['_mta-sts.far.test'] = { TXT: txt('v=STSv1; id=1;') };
      assert.equal(await send({ requireTls: true }), 'delivered TLSv1.3 verified');
      table['_mta-sts.far.test'] = { bogus: true };
    });

    it('REQUIRETLS: without TLS, certificate or extension it fails with 5.7.30, unless another host has all', async () => {
      for (const [cert, why] of [
        [undefined, /STARTTLS/],
        [misnamed, /ALTNAME/],
      ] as const) {
        await open(cert, { ...capable, secure: true });
        assert.match(await send({ requireTls: true }), /^failed 550 5\.7\.30 /);
        assert.match(await send({ requireTls: true }), why);
        await shut();
      }
      const { peer } = await open(good, { secure: true });
      assert.match(await send({ requireTls: true }), /^failed 550 5\.7\.30 .*does not support REQUIRETLS/);
      await openSecond({ tls: good, capabilities: [...EXTENSIONS, 'REQUIRETLS'] });
      assert.equal(await send({ requireTls: true }), 'delivered TLSv1.3 verified');
      assert.equal(peer.transactions.length, 0);
    });

    it('REQUIRETLS: a host that is not there, or DNS that does not answer, is no reason to give up', async () => {
      await open(good, { secure: true });
      table['far.test'] = { MX: mx('mx.far.test', 'gone.far.test') };
      table['gone.far.test'] = { A: ['127.0.0.3'] };
      assert.match(await send({ requireTls: true }), /^deferred/);
      table['far.test'] = { MX: mx('mx.far.test'), insecure: true };
      table['_mta-sts.far.test'] = { bogus: true };
      assert.match(await send({ requireTls: true }), /^deferred 451 4\.7\.5 .*cannot be had/);
    });

    it('REQUIRETLS outweighs "TLS-Required: No"', async () => {
      policy = 'version: STSv1\nmode: enforce\nmx: mx.far.test\nmax_age: 86400\n';
      table['_mta-sts.far.test'] = { TXT: txt('v=STSv1; id=1;') };
      const { peer } = await open(misnamed, capable);
      const header = 'TLS-Required: No\r\n';
      assert.match(await send({ header, requireTls: true }), /^failed 550 5\.7\.30 .*ALTNAME/);
      assert.equal(peer.transactions.length, 0);
      assert.equal(await send({ header }), 'delivered TLSv1.3 unverified');
    });

    it('"TLS-Required: No" passes by DANE and MTA-STS, but not by REQUIRETLS', async () => {
      policy = 'version: STSv1\nmode: enforce\nmx: mx.far.test\nmax_age: 86400\n';
      table['_mta-sts.far.test'] = { TXT: txt('v=STSv1; id=1;') };
      await open(undefined);
      const header = 'TLS-Required: No\r\n';
      assert.equal(await send({ header }), 'delivered plain');
      assert.match(await send({ header, requireTls: true }), /^failed 550 5\.7\.30/);
      for (const odd of [
        'TLS-Required: Yes\r\n',
        'TLS-Required: No\r\nTLS-Required: No\r\n',
        'X-TLS-Required: No\r\n',
        '',
      ])
        assert.match(await send({ header: odd }), /^deferred 451 4\.7\.4/, odd);
      assert.deepEqual(new Set(observed()), new Set(['sts far.test mx.far.test starttls-not-supported']));
    });
  });

  describe('hosts with odd TLS', () => {
    /** STARTTLS that breaks in the handshake so many times. */
    const breaking = (times: number): SmtpPeerOptions => {
      return {
        script: {
          STARTTLS: Array.from({ length: times }, () => ({
            do: 'reply-close' as const,
            reply: '220 2.0.0 go',
          })),
        },
      };
    };
    const quirk = async () =>
      (out ?? assert.fail()).flow.store.read.run('transport.quirk', { host: 'mx.far.test' });

    it('a form that works is found and remembered, the usual one tried again after a week', async () => {
      const { out, peer } = await open(good, { peer: breaking(1) });
      assert.equal(await send(), 'delivered TLSv1.3 verified');
      assert.equal((await quirk())?.quirk, 'small-hello');
      assert.equal(peer.connections(), 2);
      out.flow.clock.advance(HOUR);
      await send();
      assert.equal(peer.connections(), 3, 'straight by the form that works');
      out.flow.clock.advance(8 * DAY);
      await send();
      assert.equal(await quirk(), undefined, 'it has been mended');
    });

    it('TLS 1.2 alone', async () => {
      await open(good, { peer: breaking(2) });
      assert.equal(await send(), 'delivered TLSv1.2 verified');
      assert.equal((await quirk())?.quirk, 'tls1.2');
    });

    it('none at all: in clear, for an hour, then a day; reported as what it is', async () => {
      const { out, peer } = await open(good, { peer: breaking(100) });
      assert.equal(await send(), 'delivered plain');
      assert.equal(peer.connections(), 4);
      const first = (await quirk()) ?? assert.fail();
      assert.deepEqual([first.quirk, first.until - first.lastAt], ['plain', HOUR]);
      out.flow.clock.advance(HOUR / 2);
      await send();
      assert.equal(peer.connections(), 5, 'TLS is not tried');
      out.flow.clock.advance(HOUR);
      await send();
      const again = (await quirk()) ?? assert.fail();
      assert.equal(again.until - again.lastAt, DAY);
      assert.deepEqual(
        new Set(observed()),
        new Set(['no-policy-found far.test mx.far.test validation-failure']),
      );
    });

    it('a certificate that is no good is no quirk; where a policy asks for TLS nothing goes in clear', async () => {
      policy = 'version: STSv1\nmode: enforce\nmx: mx.far.test\nmax_age: 86400\n';
      table['_mta-sts.far.test'] = { TXT: txt('v=STSv1; id=1;') };
      const { peer } = await open(good, { peer: breaking(100) });
      assert.match(await send(), /^deferred .*handshake failed/);
      assert.equal(await quirk(), undefined);
      assert.equal(peer.connections(), 3);
      peer.options.script = {};
      assert.equal(await send(), 'delivered TLSv1.3 verified');
    });
  });

  describe('a dry run', () => {
    const probe = async (address = 'x@far.test') => {
      const { deps } = out ?? assert.fail();
      const options = {
        port: peer?.port ?? 0,
        ca: ca.cert,
        stsFetch: { port: policyPort, ca: ca.cert, allowPrivate: true },
      };
      return probeDirect(deps, directDefaults(), address, options);
    };
    const short = (steps: readonly ProbeStep[]): string[] =>
      steps.map(({ step, result }) => `${step} ${result}`);

    it('says each step in plain words, and sends nothing', async () => {
      policy = 'version: STSv1\nmode: enforce\nmx: mx.far.test\nmax_age: 86400\n';
      table['_mta-sts.far.test'] = { TXT: txt('v=STSv1; id=1;') };
      const { peer } = await open(good);
      const report = await probe();
      assert.ok(report.deliverable);
      assert.deepEqual(short(report.steps), [
        'mx ok',
        'dane ok',
        'mta-sts ok',
        'policy ok',
        'connect ok',
        'tls ok',
        'mail ok',
        'rcpt ok',
      ]);
      assert.match(
        report.steps.map(({ text }) => text).join('\n'),
        /enforce, for mx\.far\.test[\s\S]*certificate valid/,
      );
      assert.equal(peer.transactions.length, 0);
      assert.deepEqual(
        peer.commands.filter((line) => !line.startsWith('EHLO')),
        ['STARTTLS', 'MAIL FROM:<>', 'RCPT TO:<x@far.test>', 'RSET', 'QUIT'],
      );
      assert.ok(report.transcript.some((line) => line.includes('RCPT TO')));
      assert.deepEqual(observed(), [], 'reports do not hear of it');
    });

    it('says what is wrong: no such domain, no recipient, a certificate, the next host', async () => {
      const { peer } = await open(misnamed, { peer: { script: { RCPT: '550 5.1.1 who?' } } });
      assert.deepEqual(short((await probe('x@gone.test')).steps), ['mx problem']);
      const refused = await probe();
      assert.ok(!refused.deliverable);
      assert.equal(refused.steps.at(-1)?.text, '550 5.1.1 who?');
      assert.match(refused.steps.find(({ step }) => step === 'tls')?.text ?? '', /certificate not valid/);
      peer.options.script = { GREETING: '554 5.3.2 no' };
      await openSecond({});
      const next = await probe();
      assert.ok(next.deliverable);
      assert.deepEqual(
        short(next.steps).filter((one) => one.startsWith('connect')),
        ['connect problem', 'connect ok'],
      );
    });
  });
});
