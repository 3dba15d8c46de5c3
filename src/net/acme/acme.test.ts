import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createPublicKey, verify, X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { connect as connectTcp, createServer } from 'node:net';
import { connect } from 'node:tls';
import { it, type TestContext } from 'node:test';
import { createAuthority } from '../../../test/support/authority.ts';
import { skipWithout } from '../../../test/support/programs.ts';
import { systemClock } from '../../base/clock.ts';
import { listen } from '../listener/listen.ts';
import { createSelfSigned } from '../tls-self-signed.ts';
import { openTlsStore } from '../tls-store.ts';
import { firstRecordLength, readClientHello } from './client-hello.ts';
import { certificateRequest, newCertificateKey } from './csr.ts';
import { failureOf, problemText } from './failure.ts';
import { retryAfter } from './http.ts';
import { accountKey, externalAccountBinding, newAccountKey, signed } from './jws.ts';
import { certificateId, renewalByLife, renewalByWindow } from './renewal.ts';
import { createTlsAlpnSolver } from './tls-alpn.ts';

const DAY = 86_400_000;

/** What a client of OpenSSL says first. */
async function hello(options: object): Promise<Buffer> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const socket = connect({ host: '127.0.0.1', port, rejectUnauthorized: false, ...options });
  socket.on('error', () => undefined);
  const [raw] = (await once(server, 'connection')) as [import('node:net').Socket];
  const [bytes] = (await once(raw, 'data')) as [Buffer];
  socket.destroy();
  raw.destroy();
  server.close();
  return bytes;
}

it('a first message tells its name and protocols; what is cut or bent tells nothing and harms nobody', async () => {
  const bytes = await hello({ servername: 'Mail.Example.Test', ALPNProtocols: ['acme-tls/1', 'h2'] });
  assert.deepEqual(readClientHello(bytes), {
    serverName: 'mail.example.test',
    protocols: ['acme-tls/1', 'h2'],
  });
  assert.deepEqual(readClientHello(await hello({})), { serverName: undefined, protocols: [] });
  assert.equal(firstRecordLength(Buffer.from('GET / HTTP/1.1')), 0);
  for (let end = 0; end < bytes.length; end++)
    assert.equal(readClientHello(bytes.subarray(0, end)), undefined);
  for (let at = 0; at < bytes.length; at++) {
    const bent = Buffer.from(bytes);
    bent[at] = 0xff;
    readClientHello(bent);
  }
});

it('signatures are what their headers say', () => {
  const key = accountKey(newAccountKey());
  const jws = signed(key, { a: 1 }, { url: 'https://ca/x', nonce: 'n', account: undefined });
  const header: unknown = JSON.parse(Buffer.from(jws.protected, 'base64url').toString());
  assert.deepEqual(header, { alg: 'ES256', jwk: key.jwk, nonce: 'n', url: 'https://ca/x' });
  const publicKey = createPublicKey({ key: { ...key.jwk }, format: 'jwk' });
  const data = Buffer.from(`${jws.protected}.${jws.payload}`);
  const signature = Buffer.from(jws.signature, 'base64url');
  assert.ok(verify('sha256', data, { key: publicKey, dsaEncoding: 'ieee-p1363' }, signature));
  assert.equal(signed(key, undefined, { url: 'u', nonce: 'n', account: 'kid' }).payload, '');
  const bound = externalAccountBinding(key, { keyId: 'k', hmacKey: 'c2VjcmV0' }, 'https://ca/new');
  assert.deepEqual(JSON.parse(Buffer.from(bound.payload, 'base64url').toString()), key.jwk);
});

it('openssl takes our requests', { skip: skipWithout('openssl') }, async () => {
  for (const type of ['ecdsa-p256', 'rsa-2048'] as const) {
    const request = certificateRequest(await newCertificateKey(type), ['a.example.test', '*.b.example.test']);
    const args = ['req', '-inform', 'DER', '-noout', '-text', '-verify'];
    const text = execFileSync('openssl', args, { input: request, stdio: 'pipe' }).toString();
    assert.match(text, /DNS:a\.example\.test, DNS:\*\.b\.example\.test/);
    assert.match(text, type === 'rsa-2048' ? /\(2048 bit\)/ : /prime256v1/);
  }
});

it('a certificate is named to its authority as RFC 9773 section 4.1 has it', {
  skip: skipWithout('openssl'),
}, () => {
  const authority = createAuthority();
  // Every second serial number needs an octet for its sign.
  for (let i = 0; i < 4; i++) {
    const { cert } = authority.issue(['a.example.test']);
    const args = ['x509', '-noout', '-ext', 'authorityKeyIdentifier'];
    const text = execFileSync('openssl', args, { input: cert, stdio: 'pipe' }).toString();
    const keyId = Buffer.from(
      (/(?:[0-9A-F]{2}:){19}[0-9A-F]{2}/.exec(text)?.[0] ?? '').replaceAll(':', ''),
      'hex',
    );
    const serial = Buffer.from(new X509Certificate(cert).serialNumber, 'hex');
    const positive = (serial[0] ?? 0) >= 0x80 ? Buffer.concat([Buffer.from([0]), serial]) : serial;
    assert.equal(certificateId(cert), `${keyId.toString('base64url')}.${positive.toString('base64url')}`);
  }
  assert.equal(certificateId(authority.issue(['a.example.test'], { bare: true }).cert), undefined);
});

it('when to renew: two thirds of its life at the latest, a little before for some; or a moment of the window', () => {
  const life = { notBefore: 0, notAfter: 90 * DAY };
  assert.equal(renewalByLife(life, 0), 60 * DAY);
  assert.equal(renewalByLife(life, 1), 57 * DAY);
  assert.equal(renewalByWindow({ start: 10, end: 20 }, 0), 10);
  assert.equal(renewalByWindow({ start: 10, end: 20 }, 0.999), 19);
});

it('how long to wait, in seconds or by a date, within reason', () => {
  const now = Date.UTC(2030, 0, 1);
  assert.equal(retryAfter('120', now), 120_000);
  assert.equal(retryAfter('Tue, 01 Jan 2030 01:00:00 GMT', now), 3_600_000);
  assert.equal(retryAfter('Mon, 31 Dec 2029 01:00:00 GMT', now), 0);
  assert.equal(retryAfter('999999999', now), 7 * DAY);
  for (const odd of [undefined, 'soon', '-5', '']) assert.equal(retryAfter(odd, now), undefined);
});

it("an authority's words are one line, whatever it says", () => {
  const problem = {
    type: 'urn:ietf:params:acme:error:rejectedIdentifier',
    detail: 'no\u001b[2J\r\nway',
    subproblems: [{ detail: 'a.test: bad' }, { detail: 5 }, 7],
  };
  const failure = failureOf(400, problem, 5000);
  assert.deepEqual(
    [failure.type, failure.message, failure.retryAfterMs],
    ['rejectedIdentifier', 'no [2J way; a.test: bad', 5000],
  );
  assert.equal(problemText({ detail: 'x'.repeat(9000) }).length, 500);
  for (const odd of [undefined, 'text', [1], { type: 7 }])
    assert.deepEqual(
      [failureOf(502, odd, undefined).type, failureOf(502, odd, undefined).message],
      ['http502', 'HTTP status 502'],
    );
});

async function served(t: TestContext) {
  const store = await openTlsStore({ files: [], clock: systemClock });
  const now = Date.now();
  const life = { notBefore: now - DAY, notAfter: now + DAY };
  store.install([createSelfSigned({ commonName: 'mail.test', names: ['mail.test'], ...life })]);
  const solver = createTlsAlpnSolver(systemClock);
  store.answerValidations(solver);
  let sessions = 0;
  const listener = await listen({
    target: { address: '127.0.0.1', port: 0 },
    tls: store.source('imaps', 'strict'),
    maxTotal: 0,
    maxPerAddress: 0,
    clock: systemClock,
    onRefused: () => undefined,
    onConnection: async (connection) => {
      sessions++;
      void connection.write('* OK\r\n');
      await connection.end();
    },
  });
  t.after(() => listener.close().then(() => listener.closeAll()));
  return { solver, port: listener.port, sessions: () => sessions };
}

it('while a name is being proven, mail programs are served as always, in whatever pieces they speak', async (t) => {
  const { solver, port, sessions } = await served(t);
  const challenge = { name: 'mail.test', token: 't'.repeat(20), keyAuthorization: 'x.y' };
  await solver.present(challenge);
  const talk = async (options: object, first?: Buffer): Promise<string> => {
    const raw = connectTcp(port, '127.0.0.1');
    if (first !== undefined) raw.write(first);
    const socket = connect({ socket: raw, servername: 'mail.test', rejectUnauthorized: false, ...options });
    let text = '';
    socket.on('data', (piece: Buffer) => (text += piece.toString()));
    socket.on('error', () => undefined);
    await Promise.race([once(socket, 'close'), once(socket, 'end')]);
    const subject = socket.getPeerX509Certificate()?.subject;
    socket.destroy();
    return `${text.trim()} ${socket.alpnProtocol || 'none'} ${subject ?? ''}`.trim();
  };
  assert.equal(await talk({}), '* OK none CN=mail.test');
  // With other protocols beside it, or for a name that is not being proven, it is nobody's validation.
  assert.match(await talk({ ALPNProtocols: ['acme-tls/1', 'imap'] }), /^\* OK none/);
  assert.match(await talk({ ALPNProtocols: ['acme-tls/1'], servername: 'other.test' }), /^\* OK none/);
  assert.equal(sessions(), 3);
  assert.match(await talk({ ALPNProtocols: ['acme-tls/1'] }), /^acme-tls\/1/);
  assert.equal(sessions(), 3);
  await solver.remove(challenge);
  assert.match(await talk({ ALPNProtocols: ['acme-tls/1'] }), /^\* OK none/);
  // A client that says nothing, and one that goes at once, keep nobody out.
  await solver.present(challenge);
  const silent = connectTcp(port, '127.0.0.1');
  const gone = connectTcp(port, '127.0.0.1');
  gone.end(Buffer.from([22, 3, 1]));
  gone.on('error', () => undefined);
  assert.equal(await talk({}), '* OK none CN=mail.test');
  silent.destroy();
});
