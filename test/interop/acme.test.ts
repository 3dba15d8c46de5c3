import assert from 'node:assert/strict';
import { createPublicKey, X509Certificate } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import { startDnsServer, type TestDnsServer } from '../support/dns-server.ts';
import { type Pebble, type PebbleOptions, startPebble } from '../support/pebble.ts';
import { skipWithout } from '../support/programs.ts';
import { systemClock as clock } from '../../src/base/clock.ts';
import { type AcmeListenOptions, listenAcme } from '../../src/servers/http/web/acme-listener.ts';
import { type AcmeClient, createAcmeClient } from '../../src/net/acme/client.ts';
import { newCertificateKey } from '../../src/net/acme/csr.ts';
import { AcmeFailure } from '../../src/net/acme/failure.ts';
import { type AcmeHttp, createAcmeHttp } from '../../src/net/acme/http.ts';
import { accountKey, type ExternalAccount, newAccountKey } from '../../src/net/acme/jws.ts';
import { obtainCertificate, type Solver } from '../../src/net/acme/order.ts';
import { createDnsSolver, createHttpSolver, type DnsChallenge } from '../../src/net/acme/solvers.ts';
import { createTlsAlpnSolver } from '../../src/net/acme/tls-alpn.ts';

const proofs = createHttpSolver();
const validations = createTlsAlpnSolver(clock);

/** Everything under these names is at 127.0.0.1. */
const NAMES = ['mail.example.test', 'a.example.test', 'b.example.test', 'xn--bcher-kva.example.test'];

async function obtain(from: AcmeClient, names: readonly string[], solver: Solver, rsa = false) {
  const key = await newCertificateKey(rsa ? 'rsa-2048' : 'ecdsa-p256');
  const chain = await obtainCertificate(from, { names, key, solver, clock });
  const certificate = new X509Certificate(chain);
  assert.ok(certificate.checkPrivateKey(key));
  return { chain, certificate };
}

describe('ACME with Pebble', { skip: skipWithout('pebble', 'openssl') }, () => {
  let listener: Awaited<ReturnType<typeof listenAcme>>;
  let dns: TestDnsServer;
  const running: Pebble[] = [];
  let refusedNonces = 0;
  /** The one without anything odd. */
  let plain: Pebble;

  before(async () => {
    const target: AcmeListenOptions['target'] = { address: '127.0.0.1', port: 0 };
    listener = await listenAcme({ target, proofs, validations, clock });
    dns = await startDnsServer(Object.fromEntries(NAMES.map((name) => [name, { A: ['127.0.0.1'] }])));
    plain = await pebble();
  });
  after(async () => {
    for (const pebble of running) await pebble.stop();
    await listener.drain(0);
    await dns.close();
  });

  async function pebble(options: Partial<PebbleOptions> = {}): Promise<Pebble> {
    const place = { httpPort: listener.port, tlsPort: listener.port, dnsPort: dns.port };
    const made = await startPebble({ ...place, ...options });
    running.push(made);
    return made;
  }

  async function client(of: Pebble, external?: ExternalAccount): Promise<AcmeClient> {
    const https = createAcmeHttp({ clock, userAgent: 'test', ca: of.authority.cert });
    const http: AcmeHttp = {
      ...https,
      async request(...args) {
        const answer = await https.request(...args);
        if (answer.body.includes('urn:ietf:params:acme:error:badNonce')) refusedNonces++;
        return answer;
      },
    };
    const made = createAcmeClient({ directory: of.directory, key: accountKey(newAccountKey()), http, clock });
    await made.register({ contact: ['admin@example.test'], external });
    return made;
  }

  it('three names by HTTP in one certificate, with every second nonce refused and its chain up to the root', async () => {
    const issuer = await pebble({ env: { PEBBLE_WFE_NONCEREJECT: '50', PEBBLE_CHAIN_LENGTH: '2' } });
    const account = await client(issuer);
    const { chain, certificate } = await obtain(account, NAMES.slice(0, 3), proofs);
    assert.deepEqual(
      (certificate.subjectAltName ?? '').split(', ').toSorted(),
      NAMES.slice(0, 3)
        .map((name) => `DNS:${name}`)
        .toSorted(),
    );
    const [, ...above] = (chain.match(/-----BEGIN[^]+?END CERTIFICATE-----/g) ?? []).map(
      (pem) => new X509Certificate(pem),
    );
    const roots = new X509Certificate(await issuer.root());
    let below = certificate;
    for (const one of [...above, roots]) {
      assert.ok(below.verify(one.publicKey), `${below.subject} is not signed by ${one.subject}`);
      below = one;
    }
    assert.equal(above.length, 2);
    assert.ok(refusedNonces > 0);
    // Nothing is shown any longer.
    const answer = await fetch(
      `http://127.0.0.1:${listener.port}/.well-known/acme-challenge/abcdefghijklmnopqrstuvwx`,
    );
    assert.equal(answer.status, 404);
  });

  it('by handshake (RFC 8737), with an RSA key, for a name in A-labels', async () => {
    const account = await client(plain);
    const { certificate } = await obtain(account, ['xn--bcher-kva.example.test'], validations, true);
    assert.equal(
      createPublicKey(certificate.publicKey.export({ type: 'spki', format: 'pem' })).asymmetricKeyType,
      'rsa',
    );
    assert.equal(validations.pending(), false);
  });

  it('by DNS: a wildcard and the name above it, whose records stand beside each other and are gone afterwards', async () => {
    const account = await client(plain);
    const seen: string[][] = [];
    const records: DnsChallenge = {
      async put(name, value) {
        const node = (dns.zone[name] ??= {});
        node.TXT = [...(node.TXT ?? []), value];
      },
      async remove(name, value) {
        const node = dns.zone[name];
        seen.push([...((node?.TXT ?? []) as string[])]);
        if (node !== undefined) node.TXT = (node.TXT ?? []).filter((one) => one !== value);
      },
    };
    const solver = createDnsSolver({ dns: records, clock, waitMs: 10 });
    const { certificate } = await obtain(account, ['example.test', '*.example.test'], solver);
    assert.deepEqual((certificate.subjectAltName ?? '').split(', ').toSorted(), [
      'DNS:*.example.test',
      'DNS:example.test',
    ]);
    assert.deepEqual([seen[0]?.length, dns.zone['_acme-challenge.example.test']?.TXT], [2, []]);
  });

  it('authorizations that are valid already are not proven again', async () => {
    const account = await client(await pebble({ env: { PEBBLE_AUTHZREUSE: '100' } }));
    await obtain(account, ['mail.example.test'], proofs);
    const nobody: Solver = {
      type: 'http-01',
      present: async () => assert.fail('nothing had to be proven'),
      remove: async () => undefined,
    };
    await obtain(account, ['mail.example.test'], nobody);
  });

  it("what cannot be proven is told in the authority's words, for each name", async () => {
    const account = await client(plain);
    const liar: Solver = {
      type: 'http-01',
      present: async (challenge) =>
        challenge.name === 'b.example.test'
          ? proofs.present({ ...challenge, keyAuthorization: 'wrong' })
          : proofs.present(challenge),
      remove: (challenge) => proofs.remove(challenge),
    };
    await assert.rejects(obtain(account, NAMES.slice(0, 3), liar), (error) => {
      assert.ok(error instanceof AcmeFailure);
      assert.match(error.message, /^b\.example\.test: .*wrong/);
      assert.doesNotMatch(error.message, /a\.example\.test/);
      assert.equal(error.type, 'unauthorized');
      return true;
    });
    await assert.rejects(
      obtain(account, ['gone.example.test'], proofs),
      /^AcmeFailure: gone\.example\.test: /,
    );
    // The account is as good as before.
    await obtain(account, ['mail.example.test'], proofs);
  });

  it('an account at the shop of the authority, where it wants one', async () => {
    const external = {
      keyId: 'kid-7',
      hmacKey: 'zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W',
    };
    const issuer = await pebble({ external });
    await assert.rejects(client(issuer), /set eab\.key_id and eab\.hmac_key_file/);
    await assert.rejects(
      client(issuer, { ...external, hmacKey: `A${external.hmacKey.slice(1)}` }),
      AcmeFailure,
    );
    await obtain(await client(issuer, external), ['mail.example.test'], proofs);
  });

  it('an authority that is not there, or not who it says', async () => {
    const http = createAcmeHttp({ clock, userAgent: 'test' });
    const key = accountKey(newAccountKey());
    const ask = (directory: string) => createAcmeClient({ directory, key, http, clock }).directory();
    await assert.rejects(ask('https://127.0.0.1:1/dir'), /127\.0\.0\.1:1: connection refused/);
    await assert.rejects(ask('http://127.0.0.1:1/dir'), /no https URL/);
    const [issuer] = running;
    if (issuer !== undefined) await assert.rejects(ask(issuer.directory), /certificate/);
  });
});
