import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { type IncomingHttpHeaders, request as plainRequest } from 'node:http';
import { request as tlsRequest } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import { after, before, describe, it } from 'node:test';
import { systemClock } from '../../../base/clock.ts';
import { silentLogger } from '../../../base/log.ts';
import { Metrics } from '../../../base/metrics.ts';
import { type InlineStore, openInlineStore } from '../../../data/inline.ts';
import { createTlsAlpnSolver } from '../../../net/acme/tls-alpn.ts';
import { createHttpSolver } from '../../../net/acme/solvers.ts';
import { createSelfSigned } from '../../../net/tls-self-signed.ts';
import { openTlsStore, type TlsStore } from '../../../net/tls-store.ts';
import type { ServerFacts } from '../facts.ts';
import { createWebServer, type WebServer } from '../servers.ts';
import { acceptedEncodings } from './files.ts';
import { isAppPage } from './static.ts';

const DAY = 86_400_000;
const pairFor = (name: string) =>
  createSelfSigned({
    commonName: name,
    names: [name],
    notBefore: Date.now() - DAY,
    notAfter: Date.now() + DAY,
  });

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

describe('the web app over HTTP and HTTPS', () => {
  let dist: string;
  let store: InlineStore;
  let tls: TlsStore;
  let server: WebServer;
  let port = 0;
  let securePort = 0;
  const pair = pairFor('mail.example.test');
  const proofs = createHttpSolver();
  const validations = createTlsAlpnSolver(systemClock);
  /** Whom the server takes for a proxy of its own; tests come from loopback. */
  const facts: ServerFacts = {
    version: '1',
    mode: 'serve',
    hostname: 'mail.example.test',
    startedAt: 1,
    dataDirectory: '/nowhere',
    publicAddresses: () => [],
    adminAddress: () => undefined,
    listeners: () => [{ name: 'imaps', address: '::', port: 993, security: 'tls', open: true }],
    certificates: () => [],
  };

  before(async () => {
    dist = await mkdtemp(join(tmpdir(), 'pst-web-'));
    await mkdir(join(dist, 'assets'));
    await mkdir(join(dist, '.hidden'));
    const files: Record<string, string> = {
      'index.html': '<!doctype html><title>the app</title>',
      'index.html.br': 'brotli of the page',
      'sw.js': 'worker()',
      'manifest.webmanifest': '{}',
      'icon.svg': '<svg/>',
      'assets/main-abc.js': 'script()',
      'assets/main-abc.js.br': 'br of the script',
      'assets/main-abc.js.gz': 'gz of the script',
      'assets/style-abc.css': 'a{}',
      '.sources': 'secret',
      '.hidden/file.txt': 'secret',
    };
    for (const [name, text] of Object.entries(files)) await writeFile(join(dist, name), text);
    await symlink('/etc/passwd', join(dist, 'passwd.txt'));
    await symlink('/etc', join(dist, 'etc'));
    store = await openInlineStore({ path: ':memory:', clock: systemClock });
    tls = await openTlsStore({ files: [], clock: systemClock });
    tls.install([pair]);
    tls.answerValidations(validations);
    const target = { address: '127.0.0.1', port: 0 };
    server = await createWebServer(
      {
        store,
        clock: systemClock,
        logger: silentLogger,
        metrics: new Metrics(),
        facts,
        acme: proofs,
        mounts: [
          (app) =>
            app.get('/fails', () => {
              throw new Error('a bug');
            }),
        ],
      },
      {
        directory: dist,
        places: [
          { target, allowedHosts: undefined, operational: true },
          { target, allowedHosts: undefined, operational: false, tls: tls.source('https', 'strict') },
        ],
      },
    );
    const [plain, secure] = server.listeners();
    assert.deepEqual(
      [plain?.name, plain?.security, secure?.name, secure?.security],
      ['http', 'none', 'https', 'tls'],
    );
    port = plain?.port ?? 0;
    securePort = secure?.port ?? 0;
  });
  after(async () => {
    await server.drain(100);
    await store.close();
    await rm(dist, { recursive: true, force: true });
  });

  const ask = (
    path: string,
    headers: Record<string, string> = {},
    { secure = false, method = 'GET' } = {},
  ): Promise<Answer> =>
    new Promise((resolve, reject) => {
      const options = {
        host: '127.0.0.1',
        path,
        method,
        agent: false,
        headers: { host: 'mail.example.test', ...headers },
      };
      const sent = secure
        ? tlsRequest({ ...options, port: securePort, ca: pair.cert, servername: 'mail.example.test' })
        : plainRequest({ ...options, port });
      sent.on('response', (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (chunk) => (text += chunk));
        response.on('end', () =>
          resolve({ status: response.statusCode ?? 0, headers: response.headers, text }),
        );
      });
      sent.on('error', reject).end();
    });

  it('its page at each of its addresses', async () => {
    for (const path of [
      '/',
      '/mail',
      '/mail/inbox/17',
      '/settings/security',
      '/admin',
      '/admin/queue',
      '/sign-in',
      '/consent?request=1',
      '/invitation',
      '/setup',
    ]) {
      const { status, text, headers } = await ask(path);
      assert.equal(status, 200, path);
      assert.match(text, /the app/);
      assert.match(
        String(headers['content-security-policy']),
        /^default-src 'none'; script-src 'self'; .*frame-ancestors 'none'$/,
      );
      assert.equal(headers['cache-control'], 'no-cache');
      assert.equal(headers['content-type'], 'text/html; charset=utf-8');
    }
    for (const path of [
      '/admin/v1/domains',
      '/mailbox',
      '/index.html',
      '/nothing',
      '/assets/',
      '/assets/none.js',
    ])
      assert.equal((await ask(path)).status, 404, path);
    assert.ok(isAppPage('/admin/v10') && !isAppPage('/admin/v1'));
  });

  it('its files, with types, and how long they may be kept', async () => {
    const script = await ask('/assets/main-abc.js');
    assert.equal(script.text, 'script()');
    assert.equal(script.headers['content-type'], 'text/javascript; charset=utf-8');
    assert.equal(script.headers['cache-control'], 'public, max-age=31536000, immutable');
    const worker = await ask('/sw.js');
    assert.equal(worker.headers['service-worker-allowed'], '/');
    assert.equal(worker.headers['cache-control'], 'no-cache');
    // What a worker may fetch is said by the answer that its script came with.
    assert.match(String(worker.headers['content-security-policy']), /connect-src 'self'/);
    assert.equal((await ask('/manifest.webmanifest')).headers['content-type'], 'application/manifest+json');
    assert.equal((await ask('/icon.svg')).headers['content-type'], 'image/svg+xml');
    assert.equal((await ask('/assets/style-abc.css')).headers['content-type'], 'text/css; charset=utf-8');
  });

  it('compressed forms for those who take them', async () => {
    for (const [accept, encoding, text] of [
      ['gzip, deflate, br', 'br', 'br of the script'],
      ['gzip', 'gzip', 'gz of the script'],
      ['br;q=0, gzip;q=0.5', 'gzip', 'gz of the script'],
      ['br;q=0.0', undefined, 'script()'],
      ['identity', undefined, 'script()'],
      ['', undefined, 'script()'],
    ] as const) {
      const answer = await ask('/assets/main-abc.js', { 'accept-encoding': accept });
      assert.equal(answer.headers['content-encoding'], encoding, accept);
      assert.equal(answer.text, text);
      assert.equal(answer.headers['vary'], 'Accept-Encoding');
      assert.equal(answer.headers['content-length'], String(text.length));
      assert.equal(answer.headers['content-type'], 'text/javascript; charset=utf-8');
    }
    assert.equal((await ask('/', { 'accept-encoding': 'br' })).text, 'brotli of the page');
    assert.equal(acceptedEncodings('x,'.repeat(10_000)).size, 2);
  });

  it('nothing twice to who has it already', async () => {
    const first = await ask('/');
    const { etag = '' } = first.headers;
    const again = await ask('/', { 'if-none-match': `"x", W/${etag}` });
    assert.equal(again.status, 304);
    assert.equal(again.text, '');
    assert.equal((await ask('/', { 'if-none-match': '"x"' })).status, 200);
    assert.notEqual((await ask('/', { 'accept-encoding': 'br' })).headers.etag, etag);
    const head = await ask('/', {}, { method: 'HEAD' });
    assert.equal(head.status, 200);
    assert.equal(head.text, '');
    assert.equal(head.headers['content-length'], String(first.text.length));
  });

  it('no path leads outside, through a link, or to what is hidden', async () => {
    for (const path of [
      '/../../../etc/passwd',
      '/assets/../../etc/passwd',
      '/%2e%2e/%2e%2e/etc/passwd',
      '/..%2f..%2fetc/passwd',
      '/..%5c..%5cetc%5cpasswd',
      '//etc/passwd',
      '/assets//../.sources',
      '/passwd.txt',
      '/etc/passwd',
      '/etc/hostname',
      '/.sources',
      '/.hidden/file.txt',
      '/assets/main-abc.js%00.txt',
      '/assets/main-abc.js.br',
      '/index.html.br',
      '/__proto__',
      '/constructor',
    ]) {
      const { status, text } = await ask(path);
      assert.doesNotMatch(text, /root:|secret|brotli|br of/, path);
      assert.ok(status === 404 || status === 400, `${path}: ${status}`);
    }
  });

  it('what is built anew is served at once', async () => {
    const clock = { ...systemClock, at: 0, monotonic: () => clock.at };
    const { createWebFiles } = await import('./files.ts');
    const folder = await mkdtemp(join(tmpdir(), 'pst-web-'));
    try {
      const files = createWebFiles(folder, clock);
      assert.equal(await files.find('/index.html', ''), undefined);
      await writeFile(join(folder, 'index.html'), 'one');
      clock.at += 2000;
      assert.equal((await files.find('/index.html', ''))?.octets.toString(), 'one');
      await writeFile(join(folder, 'index.html'), 'second');
      await writeFile(join(folder, 'new.js'), 'new');
      clock.at += 2000;
      assert.equal((await files.find('/index.html', ''))?.octets.toString(), 'second');
      assert.equal((await files.find('/new.js', ''))?.octets.toString(), 'new');
      await rm(join(folder, 'index.html'));
      clock.at += 2000;
      assert.equal(await files.find('/new.js', ''), undefined);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });

  it('the document of messages: nothing runs in it', async () => {
    const { status, headers, text } = await ask('/frame/message');
    assert.equal(status, 200);
    const policy = String(headers['content-security-policy']);
    assert.match(policy, /^default-src 'none';/);
    assert.match(
      policy,
      /sandbox allow-same-origin allow-popups allow-popups-to-escape-sandbox allow-modals$/,
    );
    assert.doesNotMatch(policy, /allow-scripts|script-src/);
    assert.equal(headers['x-frame-options'], 'SAMEORIGIN');
    assert.doesNotMatch(text, /<script/);
  });

  it('how to connect is told at /about', async () => {
    assert.match(
      (await ask('/about')).text,
      /Reading mail \(IMAP\)<\/td><td>mail\.example\.test<\/td><td>993/,
    );
  });

  it('security headers on every kind of answer', async () => {
    await proofs.present({ token: 'tok', name: 'mail.example.test', keyAuthorization: 'tok.key' } as never);
    const kinds: [path: string, status: number, headers?: Record<string, string>, method?: string][] = [
      ['/', 200],
      ['/about', 200],
      ['/frame/message', 200],
      ['/assets/main-abc.js', 200],
      ['/sw.js', 200],
      ['/icon.svg', 200],
      ['/nothing', 404],
      ['/fails', 500],
      ['/', 404, {}, 'POST'],
      ['/', 403, { origin: 'https://evil.example' }],
      ['/.well-known/mta-sts.txt', 404],
      ['/autodiscover/autodiscover.xml', 405],
      ['/.well-known/acme-challenge/tok', 200],
      ['/.well-known/acme-challenge/none', 404],
      ['/', 400, { host: 'bad host' }],
    ];
    for (const secure of [false, true]) {
      for (const [path, status, headers = {}, method = 'GET'] of kinds) {
        const answer = await ask(path, headers, { secure, method });
        const where = `${method} ${path} ${secure}`;
        assert.equal(answer.status, status, where);
        const of = (name: string): string => String(answer.headers[name] ?? '');
        assert.equal(of('x-content-type-options'), 'nosniff', where);
        assert.equal(of('referrer-policy'), 'no-referrer', where);
        assert.equal(of('cross-origin-opener-policy'), 'same-origin', where);
        assert.equal(of('cross-origin-resource-policy'), 'same-origin', where);
        assert.match(of('permissions-policy'), /camera=\(\).*geolocation=\(\).*microphone=\(\)/, where);
        assert.match(of('content-security-policy'), /^default-src 'none'/, where);
        assert.doesNotMatch(of('content-security-policy'), /unsafe-eval|script-src[^;]*unsafe|\*/, where);
        assert.match(of('x-frame-options'), path === '/frame/message' ? /^SAMEORIGIN$/ : /^DENY$/, where);
        assert.notEqual(of('cache-control'), '', where);
        assert.equal(of('strict-transport-security'), secure ? 'max-age=31536000' : '', where);
        for (const name of ['server', 'x-powered-by']) assert.equal(of(name), '', where);
      }
    }
    assert.equal(
      (await ask('/', { host: 'localhost:1' }, { secure: true })).headers['strict-transport-security'],
      undefined,
    );
  });

  it('HTTPS speaks TLS 1.2 and later, HTTP/1.1, and the certificate of the name; a new one at once', async () => {
    const handshake = (
      options: object,
    ): Promise<{ version: string | null; protocol: string | false; cn: string }> =>
      new Promise((resolve, reject) => {
        const socket = connectTls(
          { host: '127.0.0.1', port: securePort, rejectUnauthorized: false, ...options },
          () => {
            const { CN } = socket.getPeerCertificate().subject;
            resolve({
              version: socket.getProtocol(),
              protocol: socket.alpnProtocol ?? false,
              cn: String(CN),
            });
            socket.destroy();
          },
        );
        socket.on('error', reject);
      });
    const usual = await handshake({ servername: 'mail.example.test', ALPNProtocols: ['h2', 'http/1.1'] });
    assert.deepEqual(usual, { version: 'TLSv1.3', protocol: 'http/1.1', cn: 'mail.example.test' });
    assert.equal((await handshake({ maxVersion: 'TLSv1.2' })).version, 'TLSv1.2');
    await assert.rejects(handshake({ minVersion: 'TLSv1', maxVersion: 'TLSv1.1' }));
    await assert.rejects(handshake({ ALPNProtocols: ['smtp'] }), 'ALPACA: no other protocol');
    await assert.rejects(handshake({ ALPNProtocols: ['acme-tls/1'], servername: 'mail.example.test' }));
    const other = pairFor('other.example.test');
    tls.install([pair, other]);
    assert.equal((await handshake({ servername: 'other.example.test' })).cn, 'other.example.test');
    const challenge = { name: 'mail.example.test', keyAuthorization: 'token.key' } as never;
    await validations.present(challenge);
    const proof = await handshake({ ALPNProtocols: ['acme-tls/1'], servername: 'mail.example.test' });
    assert.equal(proof.protocol, 'acme-tls/1');
    assert.equal((await ask('/', {}, { secure: true })).status, 200, 'and pages meanwhile');
    await validations.remove(challenge);
  });
});

describe('plain HTTP leads to HTTPS', () => {
  it('where the client came from elsewhere, and what is for others stays', async () => {
    const { createRedirect } = await import('./redirect.ts');
    const look = (
      request: { url: string; host: string; from: string; at?: number },
      { secure = 443 as number | null, operational = true } = {},
    ): string => {
      let said = 'passed';
      const redirect = createRedirect({
        port: () => secure ?? undefined,
        isProxy: (each) => each === '10.0.0.9',
        operational,
      });
      const response = {
        writeHead: (status: number, headers: Record<string, string>) => {
          said = `${status} ${headers['Location'] ?? ''}`;
        },
        end: () => undefined,
      };
      redirect(
        {
          url: request.url,
          headers: { host: request.host },
          socket: { remoteAddress: request.from, localPort: request.at ?? 80 },
        } as never,
        response as never,
      );
      return said;
    };
    const far = { url: '/mail?x=1', host: 'mail.example.test', from: '192.0.2.7' };
    assert.equal(look(far), '308 https://mail.example.test/mail?x=1');
    assert.equal(
      look({ ...far, host: 'mail.example.test:8025', at: 8025 }, { secure: 8443 }),
      '308 https://mail.example.test:8443/mail?x=1',
    );
    assert.equal(look({ ...far, host: '[2001:db8::1]:80' }), '308 https://[2001:db8::1]/mail?x=1');
    // In a container: both ports are mapped.
    assert.equal(look({ ...far, at: 8080 }, { secure: 2443 }), '308 https://mail.example.test/mail?x=1');
    assert.equal(look(far, { secure: null }), 'passed');
    for (const from of ['127.0.0.1', '::1', '::ffff:127.0.0.1', '10.0.0.9'])
      assert.equal(look({ ...far, from }), 'passed');
    assert.equal(look({ ...far, url: '/health/ready' }), 'passed');
    assert.match(look({ ...far, url: '/health/ready' }, { operational: false }), /^308/);
    for (const url of ['//evil.example/', 'http://evil.example/', '*'])
      assert.equal(look({ ...far, url }), '308 https://mail.example.test/', url);
    for (const host of ['', 'a b', 'evil.example/x', 'x@y', 'a\r\nb', '.', 'a'.repeat(400)])
      assert.match(look({ ...far, host }), /^400/, host);
  });
});
