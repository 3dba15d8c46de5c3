/** DANE on the servers that people run: Knot DNS signs, Unbound validates, Postfix has the mail. */
import assert from 'node:assert/strict';
import { createHash, X509Certificate } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { directDefaults } from '../../src/flow/outbound/transports/direct.ts';
import { probeDirect } from '../../src/flow/outbound/transports/probe.ts';
import { spkiOf } from '../../src/mail/dane/spki.ts';
import { lookupAddresses } from '../../src/net/dns/addresses.ts';
import { createAuthority, type Authority, type Issued } from '../support/authority.ts';
import { type DirectFixture, openDirect, told } from '../support/direct-delivery.ts';
import { type DnsTable, mx } from '../support/dns-table.ts';
import { type PostfixPeer, startPostfixPeer } from '../support/postfix.ts';
import { skipUnlessRoot, skipWithout } from '../support/programs.ts';
import { type SignedDns, startSignedDns } from '../support/signed-dns.ts';
import { type SmtpPeer, startSmtpPeer } from '../support/smtp-peer.ts';

const digest = (issued: Issued): string =>
  createHash('sha256')
    .update(spkiOf(issued.der) ?? assert.fail())
    .digest('hex');

describe('DANE on Knot DNS, through Unbound', { skip: skipWithout('knotd', 'unbound', 'openssl') }, () => {
  let peer: SmtpPeer;
  let plain: SmtpPeer;
  let signed: SignedDns;
  let out: DirectFixture;
  let middle: Authority;
  let leaf: Issued;

  before(async () => {
    middle = createAuthority().below('Middle');
    leaf = middle.issue(['mx.ta.test']);
    peer = await startSmtpPeer({ tls: leaf });
    plain = await startSmtpPeer({ listen: { host: '127.0.0.2', port: peer.port } });
    const service = `_${peer.port}._tcp.mx`;
    const host = '@ MX 10 mx\nmx A 127.0.0.1\n';
    signed = await startSignedDns([
      { name: 'ee.test', signed: true, records: `${host}${service} TLSA 3 1 1 ${digest(leaf)}\n` },
      { name: 'ta.test', signed: true, records: `${host}${service} TLSA 2 1 1 ${digest(middle)}\n` },
      { name: 'wrong.test', signed: true, records: `${host}${service} TLSA 3 1 1 ${'ab'.repeat(32)}\n` },
      { name: 'pkix.test', signed: true, records: `${host}${service} TLSA 1 1 1 ${'ab'.repeat(32)}\n` },
      { name: 'none.test', signed: true, records: host },
      {
        name: 'clear.test',
        signed: true,
        records: `@ MX 10 mx\nmx A 127.0.0.2\n${service} TLSA 3 1 1 ${digest(leaf)}\n`,
      },
      { name: 'alias.test', signed: true, records: '@ MX 10 mx\nmx CNAME mx.ee.test.\n' },
      { name: 'unsigned.test', signed: false, records: `${host}${service} TLSA 3 1 1 ${'ab'.repeat(32)}\n` },
      // The zone is in order, but its TLSA records stand in one below it whose keys are not those vouched for.
      {
        name: 'bogus.test',
        signed: true,
        records: `${host}_tcp.mx NS ns\n_tcp.mx DS 12345 13 2 ${'cd'.repeat(32)}\n`,
      },
      {
        name: '_tcp.mx.bogus.test',
        signed: true,
        anchored: false,
        records: `_${peer.port} TLSA 3 1 1 ${'ab'.repeat(32)}\n`,
      },
    ]);
    out = await openDirect({ dns: signed.dns, options: { port: peer.port } });
  });
  after(async () => {
    await out?.close();
    await signed?.stop();
    await peer?.close();
    await plain?.close();
  });

  const send = async (domain: string): Promise<string> => told((await out.send(`x@${domain}`))[0]);
  const lastReport = (): string => {
    const { policy, result } = out.observed.at(-1) ?? assert.fail();
    return `${policy.type} ${policy.domain} ${result}`;
  };

  test('Unbound vouches for what is signed, and only for that', async () => {
    const secure = async (domain: string): Promise<unknown[]> => {
      const answer = await signed.dns.query(domain, 'MX');
      const addresses = await lookupAddresses(signed.dns, `mx.${domain}`);
      return [
        answer.status === 'ok' && answer.authenticated,
        addresses.status === 'ok' && addresses.authenticated,
      ];
    };
    assert.deepEqual(await secure('ee.test'), [true, true]);
    assert.deepEqual(await secure('alias.test'), [true, true]);
    assert.deepEqual(await secure('unsigned.test'), [false, false]);
    assert.equal((await signed.dns.query(`_${peer.port}._tcp.mx.bogus.test`, 'TLSA')).status, 'temporary');
  });

  test('good: the server’s key, an authority of its chain, through an alias', async () => {
    for (const domain of ['ee.test', 'ta.test', 'alias.test'])
      assert.equal(await send(domain), 'delivered TLSv1.3 verified (DANE)', domain);
    assert.equal(lastReport(), 'tlsa mx.ee.test success');
  });

  test('mismatched: deferred', async () => {
    assert.match(await send('wrong.test'), /^deferred 451 4\.7\.5 .*no TLSA record matches/);
    assert.equal(lastReport(), 'tlsa mx.wrong.test validation-failure');
  });

  test('bogus: deferred without a connection', async () => {
    const before = peer.connections();
    assert.match(await send('bogus.test'), /^deferred 451 4\.7\.5 DNS gave no validated answer/);
    assert.equal(peer.connections(), before);
    assert.equal(lastReport(), 'tlsa mx.bogus.test dnssec-invalid');
  });

  test('insecure, and signed without records: TLS as offered', async () => {
    for (const domain of ['unsigned.test', 'none.test'])
      assert.equal(await send(domain), 'delivered TLSv1.3 unverified', domain);
    assert.equal(lastReport(), 'no-policy-found none.test success');
  });

  test('records nobody can use: TLS, whatever the certificate; none where TLS is not to be had: deferred', async () => {
    assert.equal(await send('pkix.test'), 'delivered TLSv1.3 unverified');
    assert.match(await send('clear.test'), /^deferred 451 4\.7\.4/);
    assert.equal(plain.transactions.length, 0);
  });
});

describe('DANE and MTA-STS rules with Postfix at the other end', {
  skip: skipWithout('postfix', 'openssl') || skipUnlessRoot(),
}, () => {
  let directory: string;
  let mailboxes: SmtpPeer;
  let postfix: PostfixPeer;
  let out: DirectFixture | undefined;

  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'postern-dane-'));
    mailboxes = await startSmtpPeer({ protocol: 'lmtp' });
    postfix = await startPostfixPeer({
      directory,
      domain: 'peer.test',
      users: ['carol'],
      lmtpPort: mailboxes.port,
      routes: { 'away.test': 9 },
      insideHelo: 'inside.peer.test',
    });
  });
  after(async () => {
    await out?.close();
    await postfix?.stop();
    await mailboxes?.close();
    await rm(directory, { recursive: true, force: true });
  });

  test('its own key by DANE-EE, another key, and what its log says', async () => {
    const der = Buffer.from(new X509Certificate(await readFile(join(directory, 'peer.pem'))).raw);
    const data = createHash('sha256')
      .update(spkiOf(der) ?? assert.fail())
      .digest();
    const name = `_${postfix.port}._tcp.mx.peer.test`;
    const table: DnsTable = {
      'peer.test': { MX: mx('mx.peer.test') },
      'mx.peer.test': { A: ['127.0.0.1'] },
      [name]: { TLSA: [{ usage: 3, selector: 1, matchingType: 1, data }] },
    };
    out = await openDirect({ table, secure: true, options: { port: postfix.port } });
    const send = async (): Promise<string> => told((await out?.send('carol@peer.test'))?.[0]);
    assert.equal(await send(), 'delivered TLSv1.3 verified (DANE)');
    table[name] = { TLSA: [{ usage: 3, selector: 1, matchingType: 1, data: Buffer.alloc(32) }] };
    assert.match(await send(), /^deferred 451 4\.7\.5 .*no TLSA record matches/);
    table[name] = {};
    assert.match(await send(), /^delivered TLSv1\.3 unverified/);
    const report = await probeDirect(out.deps, directDefaults(), 'nobody@peer.test', { port: postfix.port });
    assert.equal(report.deliverable, false);
    assert.match(report.steps.at(-1)?.text ?? '', /^550 5\.1\.1 .*User unknown/);
  });
});
