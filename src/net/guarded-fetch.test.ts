import assert from 'node:assert/strict';
import { createServer as createPlain, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createTls } from 'node:https';
import type { Server } from 'node:net';
import { after, before, beforeEach, describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';
import { type DnsTable, tableDns } from '../../test/support/dns-table.ts';
import { systemClock } from '../base/clock.ts';
import { Refusal } from '../base/errors.ts';
import type { Dns } from '../mail/dns.ts';
import { type GuardedFetchOptions, guardedFetch, guardedUrl, wholeBody } from './guarded-fetch.ts';
import { isPublicAddress } from './public-address.ts';
import { createSelfSigned } from './tls-self-signed.ts';

const DAY = 86_400_000;
const pair = createSelfSigned({
  commonName: 'far.test',
  names: ['far.test', 'other.test'],
  notBefore: Date.now() - DAY,
  notAfter: Date.now() + DAY,
});

/** What the code says about the tests' own host: that it is public. */
const loopbackToo = (address: string): boolean => address === '127.0.0.1' || isPublicAddress(address);

function portOf(server: Server): number {
  const bound = server.address();
  return typeof bound === 'object' && bound !== null ? bound.port : 0;
}

describe('guarded fetch', () => {
  let secure: Server;
  let plain: Server;
  let answer: (request: IncomingMessage, response: ServerResponse) => void;
  let seen: { target: string; headers: IncomingMessage['headers']; body: string }[] = [];
  const table: DnsTable = {
    'far.test': { A: ['127.0.0.1'] },
    'other.test': { A: ['127.0.0.1'] },
    'inside.test': { A: ['10.0.0.1'] },
    'mapped.test': { AAAA: ['::ffff:10.0.0.1', '::ffff:7f00:1', '64:ff9b::a00:1'] },
    'metadata.test': { A: ['169.254.169.254'] },
    'broken.test': { bogus: true },
  };
  let asked: string[] = [];

  const take = (request: IncomingMessage, response: ServerResponse): void => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      const target = `${request.method} ${request.headers.host} ${request.url}`;
      seen.push({ target, headers: request.headers, body: Buffer.concat(parts).toString() });
      answer(request, response);
    });
  };
  before(async () => {
    secure = createTls({ cert: pair.cert, key: pair.key }, take);
    plain = createPlain(take);
    for (const server of [secure, plain])
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  });
  after(() => {
    for (const server of [secure, plain]) {
      (server as ReturnType<typeof createPlain>).closeAllConnections();
      server.close();
    }
  });
  beforeEach(() => {
    seen = [];
    asked = [];
    answer = (_request, response) => response.end('here');
  });
  const at = (host: string, path = '/'): string => `https://${host}:${portOf(secure)}${path}`;
  const http = (host: string, path = '/'): string => `http://${host}:${portOf(plain)}${path}`;
  const fetch = (url: string, more: Partial<GuardedFetchOptions> = {}) =>
    guardedFetch({
      url,
      maxBytes: 1000,
      timeoutMs: 5000,
      resolver: tableDns(table, false, asked),
      clock: systemClock,
      allow: loopbackToo,
      allowPort: (port) => port === portOf(secure) || port === portOf(plain),
      ca: pair.cert,
      ...more,
    });
  const refused = async (url: string, kind: string, more: Partial<GuardedFetchOptions> = {}) => {
    try {
      const response = await fetch(url, more);
      await wholeBody(response);
    } catch (error) {
      assert.ok(error instanceof Refusal, String(error));
      assert.equal(error.kind, kind, `${url}: ${error.message}`);
      return error.message;
    }
    assert.fail(`${url} was fetched`);
  };

  it('gets what is there', async () => {
    const response = await fetch(at('far.test', '/a?b=c#d'), { headers: { accept: 'image/*' } });
    assert.equal(response.status, 200);
    assert.equal((await wholeBody(response)).toString(), 'here');
    assert.equal(response.address, '127.0.0.1');
    assert.equal(seen[0]?.target, `GET far.test:${portOf(secure)} /a?b=c`);
    assert.equal(seen[0]?.headers.accept, 'image/*');
    for (const name of ['cookie', 'referer', 'authorization', 'x-forwarded-for'])
      assert.equal(seen[0]?.headers[name], undefined, name);
  });

  it('posts', async () => {
    const response = await fetch(at('far.test'), {
      method: 'POST',
      body: Buffer.from('List-Unsubscribe=One-Click'),
    });
    assert.equal(response.status, 200);
    response.close();
    assert.equal(seen[0]?.body, 'List-Unsubscribe=One-Click');
  });

  it('wants a certificate that is valid for the name', async () => {
    await refused(at('far.test'), 'unavailable', { ca: undefined });
    table['wrong.test'] = { A: ['127.0.0.1'] };
    await refused(at('wrong.test'), 'unavailable');
    assert.deepEqual(seen, []);
  });

  it('SSRF: addresses beside us, however they are written, are not asked', async () => {
    for (const host of [
      '127.0.0.1',
      '127.1',
      '2130706433',
      '0x7f000001',
      '0x7f.1',
      '0177.0.0.1',
      '017700000001',
      '127.0.0.1.',
      '0.0.0.0',
      '0',
      '[::]',
      '[::1]',
      '[::ffff:127.0.0.1]',
      '[::ffff:7f00:1]',
      '[0:0:0:0:0:ffff:7f00:0001]',
      '[::7f00:1]',
      '[64:ff9b::7f00:1]',
      '[64:ff9b::10.0.0.1]',
      '[fe80::1]',
      '[fd00::1]',
      '[2002:7f00:1::]',
      '10.0.0.1',
      '172.16.0.1',
      '192.168.0.1',
      '100.64.0.1',
      '169.254.169.254',
      '0xA9FEA9FE',
      '224.0.0.1',
      '255.255.255.255',
      '①27.0.0.1',
      'localhost',
      'localhost.',
      'intranet',
    ])
      await refused(`https://${host}/`, 'not-permitted', { allow: undefined, allowPort: undefined });
    assert.deepEqual(asked, [], 'not even DNS is asked');
    assert.deepEqual(seen, []);
  });

  it('SSRF: names that lead beside us are not asked', async () => {
    for (const host of ['inside.test', 'inside.test.', 'mapped.test', 'metadata.test'])
      await refused(at(host), 'not-permitted', { allow: undefined });
    await refused(at('far.test'), 'not-permitted', { allow: undefined });
    await refused(at('far.test.'), 'not-permitted', { allow: undefined });
    assert.deepEqual(seen, []);
  });

  it('SSRF: URLs of other kinds, with a login, at other ports', async () => {
    for (const url of [
      'http://far.test/',
      'file:///etc/passwd',
      'gopher://far.test/',
      'ftp://far.test/',
      'data:text/plain,x',
      'https://user@far.test/',
      'https://user:pass@far.test/',
      'https://far.test@127.0.0.1:x/',
      'https://',
      'https:///',
      'no url',
      `https://far.test/${'a'.repeat(9000)}`,
    ])
      await refused(url, 'bad-input');
    for (const port of [22, 25, 6379, 8080])
      await refused(`https://far.test:${port}/`, 'not-permitted', { allowPort: undefined });
    await refused('http://far.test:443/', 'not-permitted', { allowHttp: true, allowPort: undefined });
    assert.equal(guardedUrl('https://far.test:443/').host, 'far.test');
    // A backslash is a slash: what follows is no host.
    assert.equal(guardedUrl('https://far.test\\@127.0.0.1/').hostname, 'far.test');
    assert.equal(guardedUrl('https://far.test\\.evil.test/').hostname, 'far.test');
    assert.deepEqual(seen, []);
  });

  it('SSRF: the address that was looked at is asked, whatever DNS says next (rebinding)', async () => {
    let turn = 0;
    const rebinding: Dns = {
      query: (name, type) => {
        if (type !== 'A') return tableDns({}, false).query(name, type);
        const address = turn++ === 0 ? '127.0.0.1' : '10.0.0.1';
        return tableDns({ 'far.test': { A: [address] } }, false).query(name, type);
      },
    };
    const response = await fetch(at('far.test'), { resolver: rebinding });
    assert.equal(response.address, '127.0.0.1');
    response.close();
    assert.equal(turn, 1, 'DNS is asked once');
    await refused(at('far.test'), 'not-permitted', { resolver: rebinding });
  });

  it('SSRF: each redirect is looked at as the first URL was', async () => {
    const targets: Record<string, string> = {
      'not-permitted':
        'https://127.1/ https://inside.test/ https://[::1]/ http://far.test/ https://far.test:22/',
      'bad-input': 'file:///etc/passwd ftp://far.test/ https://a:b@far.test/',
    };
    for (const [kind, list] of Object.entries(targets))
      for (const location of list.split(' ')) {
        answer = (_request, response) => response.writeHead(302, { location }).end();
        await refused(at('far.test'), kind, {
          redirects: 3,
          allowHttp: location.startsWith('http:'),
          allow: (address) => address === '127.0.0.1' && !location.includes('127.1'),
        });
      }
    answer = (_request, response) => response.writeHead(302, { location: '/again' }).end();
    assert.match(await refused(at('far.test'), 'unavailable', { redirects: 3 }), /too often/);
  });

  it('follows redirects, and tells another host no secrets', async () => {
    answer = (request, response) => {
      if (request.url === '/end') response.end('there');
      else if (request.headers.host?.startsWith('far') === true)
        response.writeHead(301, { location: at('other.test', '/x') }).end();
      else response.writeHead(307, { location: 'end' }).end();
    };
    const response = await fetch(at('far.test'), {
      redirects: 3,
      headers: { authorization: 'Bearer secret', accept: 'image/*' },
    });
    assert.equal((await wholeBody(response)).toString(), 'there');
    assert.equal(response.url, at('other.test', '/end'));
    assert.deepEqual(
      seen.map(({ headers }) => [headers.authorization, headers.accept]),
      [
        ['Bearer secret', 'image/*'],
        [undefined, 'image/*'],
        [undefined, 'image/*'],
      ],
    );
  });

  it('a redirect is the answer where none is followed, and always to a POST', async () => {
    answer = (_request, response) => response.writeHead(303, { location: at('other.test') }).end();
    assert.equal((await fetch(at('far.test'))).status, 303);
    assert.equal((await fetch(at('far.test'), { method: 'POST', redirects: 5 })).status, 303);
    assert.equal(seen.length, 2);
  });

  it('plain HTTP where it is allowed', async () => {
    const response = await fetch(http('far.test'), { allowHttp: true });
    assert.equal((await wholeBody(response)).toString(), 'here');
  });

  it('bodies that are too long: told beforehand, or without end', async () => {
    answer = (_request, response) =>
      response.writeHead(200, { 'content-length': '1001' }).end('x'.repeat(1001));
    await refused(at('far.test'), 'too-large');
    let closed: (() => void) | undefined;
    const gone = new Promise<void>((resolve) => (closed = resolve));
    answer = (_request, response) => {
      response.on('close', () => closed?.());
      const more = (): void =>
        void (response.destroyed || (response.write('y'.repeat(500)), setImmediate(more)));
      more();
    };
    await refused(at('far.test'), 'too-large');
    await gone;
  });

  it('compressed bodies are not opened (bombs)', async () => {
    for (const encoding of ['gzip', 'br', 'deflate', 'x-other']) {
      answer = (_request, response) =>
        response
          .writeHead(200, { 'content-encoding': encoding })
          .end(gzipSync(Buffer.alloc(10_000_000)).subarray(0, 500));
      await refused(at('far.test'), 'unavailable');
    }
    assert.equal(seen[0]?.headers['accept-encoding'], 'identity');
  });

  it('hosts that say nothing, or a little now and then, get their time and no more', async () => {
    answer = () => undefined;
    await refused(at('far.test'), 'unavailable', { timeoutMs: 200 });
    answer = (_request, response) => {
      const timer = setInterval(() => response.write('z'), 20);
      response.on('close', () => clearInterval(timer));
    };
    assert.match(await refused(at('far.test'), 'unavailable', { timeoutMs: 300 }), /more than 1 s/);
    const never: Dns = { query: () => new Promise(() => undefined) };
    await refused(at('far.test'), 'unavailable', { timeoutMs: 100, resolver: never });
  });

  it('an answer that nobody reads ends with its time', async () => {
    let closed: (() => void) | undefined;
    const gone = new Promise<void>((resolve) => (closed = resolve));
    answer = (_request, response) => {
      response.on('close', () => closed?.());
      response.write('a');
    };
    assert.equal((await fetch(at('far.test'), { timeoutMs: 100 })).status, 200);
    await gone;
  });

  it('ends when nobody waits for it any more', async () => {
    const controller = new AbortController();
    answer = () => controller.abort();
    await refused(at('far.test'), 'unavailable', { signal: controller.signal });
  });

  it('what breaks off, and names without addresses', async () => {
    answer = (_request, response) => {
      response.writeHead(200, { 'content-length': '100' });
      response.write('half');
      setImmediate(() => response.destroy());
    };
    await refused(at('far.test'), 'unavailable');
    answer = (request) => request.socket.destroy();
    await refused(at('far.test'), 'unavailable');
    await refused(at('nowhere.test'), 'unavailable');
    await refused(at('broken.test'), 'unavailable');
    answer = (_request, response) => {
      for (let i = 0; i < 30; i++) response.setHeader(`x-${i}`, 'h'.repeat(1000));
      response.end();
    };
    await refused(at('far.test'), 'unavailable');
  });
});
