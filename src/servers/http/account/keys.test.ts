/** Keys of correspondents: the directory of a domain, asked at this machine, and the authorities behind certificates. */
import assert from 'node:assert/strict';
import { createServer } from 'node:https';
import type { Server } from 'node:net';
import { rootCertificates } from 'node:tls';
import { X509Certificate } from 'node:crypto';
import { after, before, beforeEach, describe, it } from 'node:test';
import { type DnsTable, tableDns } from '../../../../test/support/dns-table.ts';
import { startTestServer, TEST_PASSWORD, type TestServer } from '../../../../test/support/server.ts';
import { systemClock } from '../../../base/clock.ts';
import { createSelfSigned } from '../../../net/tls-self-signed.ts';
import { directoryUrls, lookUpKey, zBase32 } from './keys-directory.ts';

const DAY = 86_400_000;

describe('Web Key Directory', () => {
  const pair = createSelfSigned({
    commonName: 'key.test',
    names: ['key.test', 'openpgpkey.key.test', 'openpgpkey.evil.test', 'evil.test'],
    notBefore: Date.now() - DAY,
    notAfter: Date.now() + DAY,
  });
  let server: Server;
  let asked: string[] = [];
  let answer: { status: number; body: Buffer; to?: string } = { status: 200, body: Buffer.from('key') };
  const zone: DnsTable = {};

  before(async () => {
    server = createServer({ cert: pair.cert, key: pair.key }, (request, response) => {
      asked.push(`${request.headers.host?.replace(/:\d+$/, '')}${request.url}`);
      const { status, body, to } = answer;
      response.writeHead(status, to === undefined ? {} : { location: to }).end(body);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  });
  beforeEach(() => {
    asked = [];
    answer = { status: 200, body: Buffer.from('key') };
    for (const name of Object.keys(zone)) delete zone[name];
    zone['key.test'] = { A: ['127.0.0.1'] };
  });
  after(() => void server.close());

  const look = (address: string, allow = (ip: string): boolean => ip === '127.0.0.1') => {
    const bound = server.address();
    const port = typeof bound === 'object' && bound !== null ? bound.port : 0;
    const dns = tableDns(zone, false);
    const fetching = { allow, allowPort: () => true, ca: pair.cert };
    return lookUpKey(
      { dns: () => dns, clock: systemClock, fetching },
      address,
      new AbortController().signal,
      port,
    );
  };

  it('is asked where the draft says', () => {
    assert.equal(zBase32(Buffer.from([0xf0, 0xbf, 0xc7])), '6n9hq');
    assert.deepEqual(directoryUrls('Joe.Doe@Example.ORG'), {
      host: 'openpgpkey.example.org',
      advanced:
        'https://openpgpkey.example.org/.well-known/openpgpkey/example.org/hu/iy9q119eutrkn8s1mk4r39qejnbu3n5q?l=Joe.Doe',
      direct: 'https://example.org/.well-known/openpgpkey/hu/iy9q119eutrkn8s1mk4r39qejnbu3n5q?l=Joe.Doe',
    });
    for (const odd of ['a', '@b.example', 'a@', 'a@localhost', 'a@[127.0.0.1]', 'a@1.2.3.4', 'a@b/../c'])
      assert.equal(directoryUrls(odd), undefined, odd);
    assert.match(directoryUrls('a&x=1#?@b.example')?.direct ?? '', /\?l=a%26x%3D1%23%3F$/);
  });

  it('by its sub-domain where there is one, by the domain itself where there is none', async () => {
    assert.deepEqual(await look('ann@key.test'), { method: 'direct', octets: Buffer.from('key') });
    zone['openpgpkey.key.test'] = { A: ['127.0.0.1'] };
    assert.deepEqual(await look('ann@key.test'), { method: 'advanced', octets: Buffer.from('key') });
    assert.deepEqual(
      asked.map((each) => each.replace(/hu\/.*/, '')),
      ['key.test/.well-known/openpgpkey/', 'openpgpkey.key.test/.well-known/openpgpkey/key.test/'],
    );
    answer = { status: 404, body: Buffer.from('no') };
    assert.equal(await look('ann@key.test'), undefined);
  });

  it('leads to no host inside, and gives no more than a key has', async () => {
    await assert.rejects(
      look('ann@key.test', () => false),
      { kind: 'not-permitted' },
    );
    answer = { status: 302, body: Buffer.alloc(0), to: 'https://10.0.0.7/key' };
    await assert.rejects(look('ann@key.test'), { kind: 'not-permitted' });
    answer = { status: 200, body: Buffer.alloc(65 * 1024) };
    await assert.rejects(look('ann@key.test'), { kind: 'too-large' });
  });
});

describe('the keys of an account', () => {
  let server: TestServer;
  before(async () => {
    server = await startTestServer();
  });
  after(() => server.close());

  const ask = async (method: string, path: string, body?: object, who = 'bob@example.test') => {
    const response = await fetch(`http://127.0.0.1:${server.ports.http}/account/v1${path}`, {
      method,
      headers: {
        authorization: `Basic ${Buffer.from(`${who}:${TEST_PASSWORD}`).toString('base64')}`,
        ...(body !== undefined && { 'content-type': 'application/json' }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    return { status: response.status, body: (await response.json()) as Record<string, unknown> };
  };
  const KEY = {
    kind: 'pgp',
    address: 'Ann@a.example',
    fingerprint: 'AB'.repeat(20),
    octets: 'a2V5',
    source: 'message',
  };

  it('are kept, trusted, listed with their octets by address, and removed', async () => {
    const made = await ask('POST', '/keys', KEY);
    assert.equal(made.status, 200, JSON.stringify(made.body));
    assert.equal(made.body['trusted'], false);
    const id = String(made.body['id']);
    assert.equal((await ask('PUT', `/keys/${id}`, { trusted: true })).body['trusted'], true);
    const all = (await ask('GET', '/keys')).body['keys'] as Record<string, unknown>[];
    assert.deepEqual(
      all.map(({ address, trusted, octets }) => [address, trusted, octets]),
      [['ann@a.example', true, undefined]],
    );
    const [ann] = (await ask('GET', '/keys?address=ANN%40a.example')).body['keys'] as Record<
      string,
      unknown
    >[];
    assert.equal(ann?.['octets'], 'a2V5');
    assert.equal((await ask('GET', `/keys/${id}`)).body['octets'], 'a2V5');
    assert.deepEqual((await ask('GET', '/keys', undefined, 'alice@example.test')).body['keys'], []);
    assert.deepEqual((await ask('DELETE', `/keys/${id}`)).body, { ok: true });
    assert.equal((await ask('DELETE', `/keys/${id}`)).status, 404);
  });

  it('have shapes: what is no key, address or fingerprint is refused', async () => {
    for (const odd of [
      { octets: '*' },
      { octets: 'AAAA'.repeat(40_000) },
      { fingerprint: 'x' },
      { address: 'nobody' },
      { source: 'god' },
      { kind: 'x' },
      { more: 1 },
    ])
      assert.equal(
        (await ask('POST', '/keys', { ...KEY, ...odd })).status,
        400,
        JSON.stringify(odd).slice(0, 80),
      );
  });

  it('authorities of certificates are those that have truly issued them', async () => {
    const root = new X509Certificate(rootCertificates[0] ?? '');
    const own = root.raw.toString('base64');
    const found = await ask('POST', '/smime/authorities', { certificates: [own] });
    assert.deepEqual(found.body, { authorities: [own] });
    // One that names the authority as its issuer and is not signed by it.
    const forged = Buffer.from(root.raw);
    forged[forged.length - 1] = (forged.at(-1) ?? 0) ^ 1;
    const none = await ask('POST', '/smime/authorities', { certificates: [forged.toString('base64')] });
    assert.deepEqual(none.body, { authorities: [] });
    assert.equal((await ask('POST', '/smime/authorities', { certificates: ['AAAA'] })).status, 400);
  });
});
