import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { connect, createServer, type SecureContext } from 'node:tls';
import { promisify } from 'node:util';
import { systemClock, type Clock } from '../base/clock.ts';
import { Refusal } from '../base/errors.ts';
import { listen } from './listener/listen.ts';
import { serverEndPoint } from './tls-context.ts';
import { createSelfSigned, type CertificatePair } from './tls-self-signed.ts';
import { fixedTlsSource, openTlsStore } from './tls-store.ts';

const run = promisify(execFile);

function makePair(...names: string[]): CertificatePair {
  const notBefore = Date.now() - 60_000;
  return createSelfSigned({
    commonName: names[0] ?? 'x',
    names,
    notBefore,
    notAfter: notBefore + 86_400_000,
  });
}

async function directory(t: TestContext): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'tls-'));
  t.after(() => rm(dir, { recursive: true, force: true }));
  return dir;
}

async function save(dir: string, name: string, pair: CertificatePair) {
  const files = { certFile: join(dir, `${name}.crt`), keyFile: join(dir, `${name}.key`) };
  await writeFile(files.certFile, pair.cert);
  await writeFile(files.keyFile, pair.key);
  return files;
}

/** The certificate a client sees from a context. */
async function served(context: SecureContext | undefined): Promise<string> {
  const server = createServer({ SNICallback: (_, done) => done(null, context) });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const socket = connect({ port, host: '127.0.0.1', servername: 'x.test', rejectUnauthorized: false });
  await once(socket, 'secureConnect');
  const certificate = socket.getPeerX509Certificate()?.toString() ?? '';
  socket.destroy();
  server.close();
  return certificate.trim();
}

test('openssl takes the self-signed certificate and reads the same out of it', async (t) => {
  const dir = await directory(t);
  const notBefore = Date.UTC(2020, 0, 2, 3, 4, 5);
  const pair = createSelfSigned({
    commonName: 'mail.example.test',
    names: ['mail.example.test', '*.example.test', '127.0.0.1', '2001:db8::1', '::1'],
    notBefore,
    notAfter: Date.UTC(2051, 5, 6),
  });
  const { certFile, keyFile } = await save(dir, 'self', pair);
  let text: string;
  try {
    text = (await run('openssl', ['x509', '-in', certFile, '-noout', '-text'])).stdout;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return t.skip('openssl is not installed');
    throw error;
  }
  assert.match(text, /Version: 3/);
  assert.match(text, /Signature Algorithm: ecdsa-with-SHA256/);
  assert.match(text, /Subject: CN\s*=\s*mail\.example\.test/);
  assert.match(text, /Not Before: Jan {2}2 03:04:05 2020 GMT/);
  assert.match(text, /Not After : Jun {2}6 00:00:00 2051 GMT/);
  assert.match(text, /CA:FALSE/);
  assert.match(text, /Digital Signature/);
  assert.match(text, /TLS Web Server Authentication/);
  assert.match(
    text,
    /DNS:mail\.example\.test, DNS:\*\.example\.test, IP Address:127\.0\.0\.1, IP Address:2001:DB8:0:0:0:0:0:1, IP Address:0:0:0:0:0:0:0:1/,
  );
  const verified = await run('openssl', [
    'verify',
    '-x509_strict',
    '-check_ss_sig',
    '-CAfile',
    certFile,
    certFile,
  ]).catch((error: unknown) => ({ stdout: String(error) }));
  assert.match(verified.stdout, /: OK/);
  await run('openssl', ['ec', '-in', keyFile, '-check', '-noout']);
  const parsed = new X509Certificate(pair.cert);
  assert.ok(parsed.verify(parsed.publicKey));
  assert.equal(parsed.checkHost('mail.example.test'), 'mail.example.test');
  assert.equal(parsed.checkIP('2001:db8::1'), '2001:db8::1');
  assert.equal(parsed.validFromDate.getTime(), notBefore);
  const other = createSelfSigned({ commonName: 'x', names: ['x'], notBefore, notAfter: notBefore + 1000 });
  assert.notEqual(new X509Certificate(other.cert).serialNumber, parsed.serialNumber);
});

test('the store serves by name, by wildcard, and the first where it knows none', async (t) => {
  const dir = await directory(t);
  const first = makePair('mail.one.test');
  const second = makePair('mail.two.test', '*.two.test');
  const files = [await save(dir, 'one', first), await save(dir, 'two', second)];
  const store = await openTlsStore({ files, clock: systemClock });
  const source = store.source('smtp', 'opportunistic');
  const cases: [string | undefined, CertificatePair][] = [
    [undefined, first],
    ['mail.one.test', first],
    ['MAIL.TWO.TEST', second],
    ['imap.two.test', second],
    ['a.b.two.test', first],
    ['two.test', first],
    ['__proto__', first],
  ];
  for (const [name, pair] of cases) assert.equal(await served(source.context(name)), pair.cert.trim(), name);
  assert.equal(source.context('mail.one.test'), source.context(), 'contexts are made once');
  assert.notEqual(store.source('imap', 'strict').context(), source.context());
  assert.deepEqual(
    store.certificates().map(({ names }) => names),
    [['mail.one.test'], ['mail.two.test', '*.two.test']],
  );
  const installed = makePair('acme.test');
  store.install([installed]);
  assert.equal(await served(source.context('acme.test')), installed.cert.trim());
});

test('a store without certificates has none to give until one is installed', async () => {
  const store = await openTlsStore({ files: [], clock: systemClock });
  const source = store.source('smtp', 'opportunistic');
  assert.equal(source.context('x.test'), undefined);
  store.install([makePair('x.test')]);
  assert.ok(source.context());
});

test('reload takes the new pair, keeps the old one when the new does not fit, and says why', async (t) => {
  const dir = await directory(t);
  const old = makePair('mail.test');
  const files = await save(dir, 'mail', old);
  const store = await openTlsStore({ files: [files], clock: systemClock });
  const source = store.source('smtp', 'opportunistic');
  const kept = source.context();
  assert.deepEqual(await store.reload(), { changed: false, problems: [] });
  assert.equal(source.context(), kept);

  const renewed = makePair('mail.test');
  await writeFile(files.certFile, renewed.cert);
  const half = await store.reload();
  assert.equal(half.changed, false);
  assert.match(half.problems[0] ?? '', /mail\.key is not the key of .*mail\.crt/);
  assert.equal(source.context(), kept);

  await writeFile(files.keyFile, renewed.key);
  assert.deepEqual(await store.reload(), { changed: true, problems: [] });
  assert.equal(await served(source.context()), renewed.cert.trim());

  await writeFile(files.certFile, 'rubbish');
  assert.match((await store.reload()).problems[0] ?? '', /holds no usable PEM certificate/);
  await rm(files.keyFile);
  assert.match((await store.reload()).problems[0] ?? '', /cannot read .*mail\.key/);
  assert.equal(await served(source.context()), renewed.cert.trim());
});

test('watching notices a change by itself', async (t) => {
  const dir = await directory(t);
  const files = await save(dir, 'mail', makePair('mail.test'));
  const clock: Clock = { ...systemClock, setTimer: (_, fn) => systemClock.setTimer(5, fn) };
  const store = await openTlsStore({ files: [files], clock });
  const report = Promise.withResolvers<unknown>();
  const watching = store.watch(60_000, report.resolve);
  t.after(() => watching.stop());
  const renewed = makePair('mail.test', 'new.test');
  await writeFile(files.keyFile, renewed.key);
  await writeFile(files.certFile, renewed.cert);
  await report.promise;
  while (!store.certificates()[0]?.names.includes('new.test'))
    await new Promise((resolve) => setTimeout(resolve, 5));
});

test('opening a store with an unusable pair names the file', async (t) => {
  const dir = await directory(t);
  const files = await save(dir, 'mail', { cert: makePair('a.test').cert, key: makePair('b.test').key });
  await assert.rejects(openTlsStore({ files: [files], clock: systemClock }), (error) => {
    return error instanceof Refusal && /mail\.key is not the key of/.test(error.message);
  });
});

test('tls-server-end-point is the SHA-256 of an ECDSA/SHA-256 certificate', () => {
  const certificate = new X509Certificate(makePair('a.test').cert);
  assert.equal(
    serverEndPoint(certificate)?.toString('hex'),
    certificate.fingerprint256.replaceAll(':', '').toLowerCase(),
  );
});

test('TLS 1.1 is refused by both profiles; CBC ciphers only by the strict one', async (t) => {
  const pair = makePair('a.test');
  const attempt = async (profile: 'strict' | 'opportunistic', client: object): Promise<string> => {
    const listener = await listen({
      target: { address: '127.0.0.1', port: 0 },
      tls: fixedTlsSource(pair, 'test', profile),
      maxTotal: 0,
      maxPerAddress: 0,
      clock: systemClock,
      onRefused: () => undefined,
      onConnection: (connection) => connection.end(),
    });
    t.after(() => listener.close().then(() => listener.closeAll()));
    const { port } = listener;
    const socket = connect({
      port,
      host: '127.0.0.1',
      servername: 'a.test',
      rejectUnauthorized: false,
      ...client,
    });
    t.after(() => socket.destroy());
    return new Promise<string>((resolve) => {
      socket.on('secureConnect', () => resolve(socket.getCipher().name));
      socket.on('error', () => resolve('refused'));
    });
  };
  const cbc = { ciphers: 'ECDHE-ECDSA-AES128-SHA', maxVersion: 'TLSv1.2' };
  assert.equal(await attempt('strict', cbc), 'refused');
  assert.equal(await attempt('opportunistic', cbc), 'ECDHE-ECDSA-AES128-SHA');
  const gcm = { ciphers: 'ECDHE-ECDSA-AES128-GCM-SHA256', maxVersion: 'TLSv1.2' };
  assert.equal(await attempt('strict', gcm), 'ECDHE-ECDSA-AES128-GCM-SHA256');
  const old = { minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1', ciphers: 'ALL:@SECLEVEL=0' };
  for (const profile of ['strict', 'opportunistic'] as const)
    assert.equal(await attempt(profile, old), 'refused');
});

test('keys may be encrypted, in the form of PKCS #8 and in the older one; a reload opens them too', async (t) => {
  const dir = await directory(t);
  const pair = makePair('a.example');
  const key = createPrivateKey(pair.key);
  const cipher = { format: 'pem', cipher: 'aes-256-cbc', passphrase: 'sesame' } as const;
  const forms = [
    key.export({ type: 'pkcs8', ...cipher }).toString(),
    key.export({ type: 'sec1', ...cipher }).toString(),
  ];
  assert.match(forms[0] ?? '', /BEGIN ENCRYPTED PRIVATE KEY/);
  assert.match(forms[1] ?? '', /Proc-Type: 4,ENCRYPTED/);
  for (const form of forms) {
    const files = [await save(dir, 'a', { ...pair, key: form })];
    const store = await openTlsStore({ files, clock: systemClock, passphrase: 'sesame' });
    assert.notEqual(store.source('smtp', 'strict').context(), undefined);
    const next = makePair('b.example');
    const locked = createPrivateKey(next.key).export({ type: 'pkcs8', ...cipher });
    await save(dir, 'a', { ...next, key: locked.toString() });
    assert.deepEqual(await store.reload(), { changed: true, problems: [] });
    assert.deepEqual(store.certificates()[0]?.names, ['b.example']);
    await save(dir, 'a', { ...pair, key: form });
    for (const [passphrase, words] of [
      [undefined, /is encrypted, and its passphrase is not given/],
      ['wrong', /cannot be opened with the passphrase/],
    ] as const) {
      await assert.rejects(openTlsStore({ files, clock: systemClock, passphrase }), words);
    }
  }
});

test('a ticket or session of one service is not resumed by another service', async (t) => {
  const pair = makePair('a.test');
  const services = ['submissions', 'imaps', 'smtp'] as const;
  // Also where all processes share a secret, so that any of them may resume what another began.
  for (const ticketSecret of [undefined, Buffer.alloc(32, 7)]) {
    const store = await openTlsStore({
      files: [],
      clock: systemClock,
      ...(ticketSecret && { ticketSecret }),
    });
    store.install([pair]);
    const ports = new Map<string, number>();
    for (const service of services) {
      const listener = await listen({
        target: { address: '127.0.0.1', port: 0 },
        tls: store.source(service, service === 'smtp' ? 'opportunistic' : 'strict'),
        maxTotal: 0,
        maxPerAddress: 0,
        clock: systemClock,
        onRefused: () => undefined,
        onConnection: async (connection) => {
          void connection.write('hello');
          await connection.end();
        },
      });
      t.after(() => listener.close().then(() => listener.closeAll()));
      ports.set(service, listener.port);
    }
    const visit = async (
      service: string,
      options: object,
    ): Promise<{ reused: boolean; session: Buffer | undefined }> => {
      const port = ports.get(service) ?? 0;
      const socket = connect({
        host: '127.0.0.1',
        port,
        servername: 'a.test',
        rejectUnauthorized: false,
        ...options,
      });
      let session: Buffer | undefined;
      socket.on('session', (one: Buffer) => {
        session = one;
      });
      socket.resume();
      await once(socket, 'secureConnect');
      const reused = socket.isSessionReused();
      await once(socket, 'close');
      return { reused, session };
    };
    for (const version of ['TLSv1.3', 'TLSv1.2'] as const) {
      const only = { minVersion: version, maxVersion: version };
      const { session } = await visit('imaps', only);
      assert.ok(session, `${version}: no session was offered`);
      for (const service of services) {
        const { reused } = await visit(service, { ...only, session });
        assert.equal(reused, service === 'imaps', `${version}: a session of imaps at ${service}`);
      }
      // Nor where another certificate has come meanwhile and the secret is this process's own.
      const fresh = await visit('imaps', only);
      store.install([makePair('a.test')]);
      if (ticketSecret === undefined)
        assert.equal((await visit('imaps', { ...only, session: fresh.session })).reused, false);
      store.install([pair]);
    }
  }
});

test('a certificate that stays keeps its contexts when others come', async () => {
  const store = await openTlsStore({ files: [], clock: systemClock });
  const [stays, goes] = [makePair('a.test'), makePair('b.test')];
  store.install([stays, goes]);
  const source = store.source('imaps', 'strict');
  const before = source.context('a.test');
  store.install([stays, makePair('b.test')]);
  assert.equal(source.context('a.test'), before);
  assert.equal(store.certificates().length, 2);
});

test('a client may not renegotiate', async (t) => {
  const listener = await listen({
    target: { address: '127.0.0.1', port: 0 },
    tls: fixedTlsSource(makePair('a.test'), 'test', 'opportunistic'),
    maxTotal: 0,
    maxPerAddress: 0,
    clock: systemClock,
    onRefused: () => undefined,
    onConnection: async (connection) => {
      await connection.write('hello');
      await connection.read();
      await connection.end();
    },
  });
  t.after(() => listener.close().then(() => listener.closeAll()));
  const { port } = listener;
  const socket = connect({ host: '127.0.0.1', port, rejectUnauthorized: false, maxVersion: 'TLSv1.2' });
  t.after(() => socket.destroy());
  await once(socket, 'data');
  const outcome = await new Promise<string>((resolve) => {
    socket.once('error', (error) => resolve(`refused: ${error.message}`));
    socket.renegotiate({ rejectUnauthorized: false }, (error) =>
      resolve(error === null ? 'done' : 'refused'),
    );
  });
  assert.match(outcome, /^refused.*no renegotiation/i);
});
