/** The whole server's HTTP port under requests that are made to harm: each route, each kind of body, odd methods and names. */
import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { gzipSync } from 'node:zlib';
import { after, before, describe, it } from 'node:test';
import { type Answer, jmapClient, type JmapClient, mailboxes, put } from '../jmap/client.ts';
import { startTestServer, TEST_PASSWORD, type TestServer } from '../support/server.ts';

const ADMIN = 'alice@example.test';
const USER = 'bob@example.test';
const basic = (who: string) => `Basic ${Buffer.from(`${who}:${TEST_PASSWORD}`).toString('base64')}`;

let server: TestServer;
let base: string;
/** The cookie of the administrator's session, and what our own pages send besides. */
let cookie: string;
const own = () => ({ cookie, 'x-postern': '1', 'content-type': 'application/json' });

before(async () => {
  server = await startTestServer();
  base = `http://127.0.0.1:${server.ports.http}`;
  const answer = await fetch(`${base}/auth/sign-in`, {
    method: 'POST',
    headers: { 'x-postern': '1', 'content-type': 'application/json' },
    body: JSON.stringify({ login: ADMIN, password: TEST_PASSWORD }),
  });
  assert.equal(answer.status, 200, await answer.text());
  cookie = (answer.headers.getSetCookie()[0] ?? '').split(';')[0] ?? '';
});
after(() => server.close());

interface Asked {
  readonly status: number;
  readonly text: string;
  readonly headers: Headers;
}

async function ask(
  method: string,
  path: string,
  headers: Record<string, string> = {},
  body?: string | Uint8Array<ArrayBuffer>,
): Promise<Asked> {
  const response = await fetch(base + path, {
    method,
    headers,
    redirect: 'manual',
    ...(body !== undefined && { body }),
  });
  return { status: response.status, text: await response.text(), headers: response.headers };
}

/** What the server says to octets; '' when it hangs up. */
function raw(text: string, port = Number(server.ports.http)): Promise<string> {
  return new Promise((resolve, reject) => {
    let said = '';
    const socket = connect(port, '127.0.0.1', () => socket.write(text));
    socket.setTimeout(8000, () => socket.destroy());
    socket.on('data', (chunk) => (said += String(chunk)));
    socket.on('close', () => resolve(said));
    socket.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'ECONNRESET' && error.code !== 'EPIPE') reject(error);
    });
  });
}

/** Every route that the OpenAPI document names, with something for its parameters. */
async function routes(): Promise<{ readonly method: string; readonly path: string }[]> {
  const { status, text } = await ask('GET', '/admin/v1/openapi.json', { cookie });
  assert.equal(status, 200, text);
  const { paths } = JSON.parse(text) as { paths: Record<string, Record<string, unknown>> };
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.keys(methods)
      .filter((method) => ['get', 'post', 'put', 'delete', 'patch'].includes(method))
      .map((method) => ({ method: method.toUpperCase(), path: path.replaceAll(/\{\w+\}/g, '1') })),
  );
}

/** Bodies that a page of another site can have a browser send without asking us first. */
const FORMS: readonly (readonly [type: string, body: string])[] = [
  ['text/plain', '{}'],
  ['application/x-www-form-urlencoded', 'a=1'],
  [
    'multipart/form-data; boundary=x',
    '--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n--x--\r\n',
  ],
];

describe('CSRF', () => {
  it('no route that changes something obeys a cookie without the field that our pages send', async () => {
    const all = [
      ...(await routes()).filter(({ method }) => method !== 'GET'),
      { method: 'POST', path: '/jmap/api' },
      { method: 'POST', path: '/jmap/upload/A1/' },
      { method: 'POST', path: '/account/refused/ABCDE-FGHJK/release' },
      { method: 'POST', path: '/account/refused/ABCDE-FGHJK/delete' },
    ];
    assert.ok(all.length > 120, String(all.length));
    const before = await server.store.read.run('directory.audit', { limit: 1000 });
    for (const { method, path } of all) {
      // These take no cookie at all: what they are given says who asks.
      if (['/oauth/token', '/oauth/revoke', '/oauth/register'].includes(path)) continue;
      for (const [type, body] of [...FORMS, ['application/json', '{}'] as const]) {
        const { status, text } = await ask(method, path, { cookie, 'content-type': type }, body);
        assert.ok([400, 401, 403].includes(status), `${method} ${path} ${type}: ${status} ${text}`);
      }
    }
    assert.deepEqual(await server.store.read.run('directory.audit', { limit: 1000 }), before);
  });

  it('nor one that comes from another site, whatever else it says', async () => {
    const all = (await routes()).filter(({ method }) => method !== 'GET');
    for (const { method, path } of [...all, { method: 'POST', path: '/jmap/api' }]) {
      for (const foreign of [{ origin: 'https://evil.example' }, { origin: 'null' }]) {
        const { status } = await ask(method, path, { ...own(), ...foreign }, '{}');
        assert.equal(status, 403, `${method} ${path} ${JSON.stringify(foreign)}`);
      }
      if (/^\/oauth\/(?:token|revoke|register)$/.test(path)) continue;
      const { status } = await ask(method, path, { ...own(), 'sec-fetch-site': 'cross-site' }, '{}');
      assert.ok(status === 403 || status === 401, `${method} ${path} cross-site: ${status}`);
    }
  });

  it('a password that the browser remembers is not sent for other sites: forms are no JSON, and have an Origin', async () => {
    const all = (await routes()).filter(
      ({ method, path }) => method !== 'GET' && !path.startsWith('/oauth/'),
    );
    for (const { method, path } of [...all, { method: 'POST', path: '/jmap/api' }]) {
      if (method !== 'POST') continue;
      for (const [type, body] of FORMS) {
        const headers = { authorization: basic(ADMIN), 'content-type': type };
        const { status, text } = await ask(method, path, headers, body);
        assert.ok([400, 401, 403].includes(status), `${method} ${path} ${type}: ${status} ${text}`);
      }
    }
  });

  it('nothing is read by another site either: every private answer is refused, or may not be embedded', async () => {
    for (const path of ['/jmap/session', '/admin/v1/overview', '/account/v1/contacts', '/auth/me']) {
      for (const site of ['cross-site', 'same-site']) {
        const { status } = await ask('GET', path, { cookie, 'sec-fetch-site': site });
        assert.ok(status === 403 || status === 401, `${path} ${site}: ${status}`);
      }
      const { headers } = await ask('GET', path, { cookie });
      assert.equal(headers.get('cross-origin-resource-policy'), 'same-origin', path);
      assert.equal(headers.get('access-control-allow-origin'), null, path);
    }
    const preflight = await ask('OPTIONS', '/jmap/api', {
      origin: `${base}`,
      'access-control-request-method': 'POST',
      'access-control-request-headers': 'x-postern',
    });
    assert.equal(preflight.headers.get('access-control-allow-origin'), null);
    assert.ok(preflight.status >= 400, String(preflight.status));
  });
});

describe('answers', () => {
  it('private ones are kept by nobody, are framed by nobody, and say what they are', async () => {
    const client = await jmapClient(server, USER);
    const blob = await client.upload('<script>alert(1)</script>', 'text/html');
    const paths: [path: string, headers: Record<string, string>][] = [
      ...(await routes())
        .filter(
          ({ method, path }) => method === 'GET' && path !== '/oauth/authorize' && !path.includes('live'),
        )
        .map(({ path }): [string, Record<string, string>] => [path, { cookie }]),
      ['/jmap/session', { cookie }],
      [`/jmap/download/${client.accountId}/${blob}/x.html?accept=text/html`, client.headers],
      ['/jmap/nothing', { cookie }],
      ['/account/refused', client.headers],
      ['/.well-known/jmap', {}],
    ];
    assert.ok(paths.length > 60, String(paths.length));
    for (const [path, headers] of paths) {
      const answer = await ask('GET', path, headers);
      const of = (name: string): string => answer.headers.get(name) ?? '';
      assert.ok(
        answer.status < 500 || answer.status === 503,
        `${path}: ${answer.status} ${answer.text} ${JSON.stringify(server.logs.at(-1))}`,
      );
      assert.match(of('cache-control'), /no-store|private/, path);
      assert.equal(of('x-content-type-options'), 'nosniff', path);
      assert.equal(of('x-frame-options'), 'DENY', path);
      assert.match(of('content-security-policy'), /^default-src 'none'/, path);
      const page = path === '/account/refused' || path.includes('/download/');
      if (!page) assert.doesNotMatch(of('content-type'), /html/, path);
    }
  });

  it('odd methods are answered with a refusal and do nothing', async () => {
    for (const method of ['TRACE', 'TRACK', 'PROPFIND', 'PATCH', 'LOCK', 'DEBUG', 'get']) {
      const said = await raw(
        `${method} /admin/v1/overview HTTP/1.1\r\nHost: localhost\r\nCookie: ${cookie}\r\nX-Secret: told\r\nConnection: close\r\n\r\n`,
      );
      assert.match(said, /^(?:HTTP\/1\.1 4\d\d |$)/, `${method}: ${said.slice(0, 100)}`);
      assert.ok(!said.includes('told'), `${method} echoes what it was sent`);
    }
    for (const target of ['example.com:25', '127.0.0.1:22', '/']) {
      const said = await raw(`CONNECT ${target} HTTP/1.1\r\nHost: ${target}\r\n\r\n`);
      assert.doesNotMatch(said, /^HTTP\/1\.1 2/, said);
    }
    // Tunnelling a method through another one is no feature here.
    const tunnelled = await ask(
      'POST',
      '/admin/v1/accounts/bob@example.test',
      {
        ...own(),
        'x-http-method-override': 'DELETE',
      },
      '{}',
    );
    assert.ok(tunnelled.status >= 400);
    assert.equal((await server.account(USER)).status, 'active');
  });

  it('requests that two readers could take apart differently are refused (smuggling)', async () => {
    const head =
      'POST /auth/sign-in HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nX-Postern: 1\r\n';
    for (const rest of [
      'Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /x HTTP/1.1\r\n\r\n',
      'Content-Length: 2\r\nContent-Length: 20\r\n\r\n{}',
      'Transfer-Encoding: identity, chunked, gzip\r\n\r\n0\r\n\r\n',
      'Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n',
      'Content-Length: +2\r\n\r\n{}',
      'Content-Length: 2\nX: y\r\n\r\n{}',
    ]) {
      const said = await raw(head + rest);
      const answers = said.split('HTTP/1.1 ').slice(1);
      assert.ok(answers.length <= 1, `${rest}: ${said}`);
      assert.doesNotMatch(said, /^HTTP\/1\.1 2/, rest);
    }
  });

  it('encoded slashes and dots lead to no other route and no file', async () => {
    for (const path of [
      '/auth%2fme',
      '/mail/..%2f..%2f..%2fetc%2fpasswd',
      '/admin%2fv1%2foverview',
      '/static/..;/admin/v1/overview',
      '/jmap/download/../../admin/v1/overview',
      '/%61dmin/v1/overview',
      '/admin/v1/overview/',
      '/admin/v1//overview',
      '/admin/v1/./overview',
      '/ADMIN/v1/overview',
    ]) {
      const said = await raw(`GET ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`);
      assert.doesNotMatch(said, /"health"|root:x:/, path);
    }
    const bob = await raw(
      `GET /%61dmin/v1/overview HTTP/1.1\r\nHost: localhost\r\nAuthorization: ${basic(USER)}\r\nConnection: close\r\n\r\n`,
    );
    assert.doesNotMatch(bob, /"health"/);
  });

  it('a Host that is not ours, on the clear port and over TLS, is told nothing of another name', async () => {
    const wrong = await raw('GET /jmap/session HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n');
    assert.match(wrong, /^HTTP\/1\.1 421 /);
    for (const host of ['evil.example', 'localhost@evil.example', 'localhost evil', 'localhost/../x', '']) {
      const said = await raw(
        `GET /jmap/session HTTP/1.1\r\nHost: ${host}\r\nAuthorization: ${basic(USER)}\r\nConnection: close\r\n\r\n`,
      );
      assert.match(said, /^HTTP\/1\.1 4\d\d /, host);
    }
    const twice = await raw(
      'GET / HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\nConnection: close\r\n\r\n',
    );
    assert.match(twice, /^HTTP\/1\.1 4\d\d /);
    const forwarded = await ask('GET', '/jmap/session', {
      authorization: basic(USER),
      'x-forwarded-host': 'evil.example',
      'x-forwarded-proto': 'https',
      forwarded: 'host=evil.example',
    });
    assert.doesNotMatch(forwarded.text, /evil\.example|https:/);
  });
});

describe('bodies', () => {
  /** Takers of JSON, with who asks. */
  const takers = (): [string, string][] => [
    ['POST', '/auth/sign-in'],
    ['POST', '/auth/invitation/look'],
    ['POST', '/oauth/register'],
    ['PUT', '/account/v1/preferences'],
    ['PUT', '/account/v1/rules'],
    ['POST', '/account/v1/masked'],
    ['POST', '/admin/v1/filter/what-if'],
    ['PUT', '/admin/v1/filter/settings/refuse'],
    ['POST', '/jmap/api'],
  ];

  it('arrays and objects 100,000 deep are an error of the client and stop nobody', async () => {
    const deep = [
      '['.repeat(100_000),
      '['.repeat(100_000) + ']'.repeat(100_000),
      `${'{"a":'.repeat(90_000)}1${'}'.repeat(90_000)}`,
      `{"using":["urn:ietf:params:jmap:core"],"methodCalls":[["Core/echo",{"a":${'['.repeat(100_000)}${']'.repeat(100_000)}},"0"]]}`,
      `{"settings":${'{"a":'.repeat(60_000)}1${'}'.repeat(60_000)}}`,
      `{"value":${'['.repeat(100_000)}${']'.repeat(100_000)}}`,
      `{"theme":"dark","x":${'['.repeat(5000)}${']'.repeat(5000)}}`,
    ];
    for (const [method, path] of takers()) {
      for (const body of deep) {
        const { status, text } = await ask(method, path, own(), body);
        const where = `${method} ${path} ${body.slice(0, 40)}: ${status} ${text.slice(0, 200)}`;
        assert.ok(status < 500, where);
      }
    }
    assert.equal((await ask('GET', '/health/live')).status, 200);
  });

  it('names like __proto__ and constructor are names, and change no object of ours', async () => {
    const poison = '"__proto__":{"polluted":"yes"},"constructor":{"prototype":{"polluted":"yes"}}';
    for (const [method, path] of takers()) {
      const { status, text } = await ask(method, path, own(), `{${poison}}`);
      assert.ok(status < 500, `${method} ${path}: ${status} ${text}`);
    }
    for (const name of ['__proto__', 'constructor', 'toString', 'hasOwnProperty']) {
      const setting = await ask('PUT', `/admin/v1/filter/settings/${name}`, own(), '{"value":1}');
      assert.ok([400, 404].includes(setting.status), `${name}: ${setting.status} ${setting.text}`);
      const whatIf = await ask(
        'POST',
        '/admin/v1/filter/what-if',
        own(),
        `{"settings":{"${name}":{"polluted":"yes"}},"days":1}`,
      );
      assert.ok(whatIf.status < 500, `${name}: ${whatIf.status} ${whatIf.text}`);
    }
    const client = await jmapClient(server, USER);
    const inbox = (await mailboxes(client))['inbox'] ?? '';
    const id = await put(client, 'Subject: x\r\n\r\nbody\r\n', inbox);
    for (const name of ['__proto__', 'constructor', 'toString', '__defineGetter__']) {
      const bad: [string, object][] = [
        ['Email/get', { ids: [name], properties: [name] }],
        ['Email/get', { ids: [name] }],
        ['Email/set', { update: JSON.parse(`{"${name}":{"keywords/$seen":true}}`) as object }],
        ['Email/set', { update: { [id]: JSON.parse(`{"${name}/polluted":true}`) as object } }],
        [
          'Email/set',
          { update: { [id]: JSON.parse(`{"keywords/${name}":true,"keywords/${name}/x":true}`) as object } },
        ],
        [
          'Mailbox/set',
          { create: JSON.parse(`{"${name}":{"name":"${name}","parentId":"#${name}"}}`) as object },
        ],
        ['Mailbox/query', { filter: JSON.parse(`{"${name}":1}`) as object }],
        ['Identity/set', { create: JSON.parse(`{"a":{"${name}":{"polluted":"yes"}}}`) as object }],
        [name, {}],
      ];
      for (const [method, args] of bad) {
        const response = await ask(
          'POST',
          '/jmap/api',
          { ...client.headers, 'content-type': 'application/json' },
          JSON.stringify({
            using: [
              'urn:ietf:params:jmap:core',
              'urn:ietf:params:jmap:mail',
              'urn:ietf:params:jmap:submission',
            ],
            methodCalls: [[method, { accountId: client.accountId, ...args }, '0']],
          }),
        );
        assert.equal(response.status, 200, response.text);
        assert.doesNotMatch(
          response.text,
          /serverFail|polluted":"yes"/,
          `${method} ${name}: ${response.text}`,
        );
      }
    }
    assert.equal(({} as Record<string, unknown>)['polluted'], undefined);
  });

  it('compressed bodies are not opened (bombs)', async () => {
    const bomb = Uint8Array.from(gzipSync(Buffer.from(`{"login":"${'a'.repeat(20_000_000)}"}`)));
    const mark = process.memoryUsage().rss;
    for (const [method, path] of takers()) {
      for (const encoding of ['gzip', 'deflate', 'br', 'gzip, gzip']) {
        const { status } = await ask(method, path, { ...own(), 'content-encoding': encoding }, bomb);
        assert.ok(status >= 400 && status < 500, `${path} ${encoding}: ${status}`);
      }
    }
    assert.ok(process.memoryUsage().rss - mark < 300 * 1024 * 1024);
  });

  it('one that is too large is refused by what it says, and where it says nothing at the limit', async () => {
    for (const [method, path] of takers()) {
      const said = await raw(
        `${method} ${path} HTTP/1.1\r\nHost: 127.0.0.1:${server.ports.http}\r\nCookie: ${cookie}\r\nX-Postern: 1\r\nContent-Type: application/json\r\nContent-Length: 99999999999\r\nConnection: close\r\n\r\n{`,
      );
      assert.match(said, /^HTTP\/1\.1 4\d\d /, path);
    }
  });

  it('ones that break off or are framed wrongly are told to nobody as failures of the server', async () => {
    const { accountId, headers } = await jmapClient(server, USER);
    const before = server.logs.length;
    for (const path of ['/auth/sign-in', '/jmap/api', `/jmap/upload/${accountId}/`, '/account/v1/senders']) {
      const head = `POST ${path} HTTP/1.1\r\nHost: localhost\r\nX-Postern: 1\r\nContent-Type: application/json\r\nAuthorization: ${headers['authorization']}\r\n`;
      await raw(`${head}Transfer-Encoding: chunked\r\n\r\n2\n{}\r\n0\r\n\r\n`);
      await new Promise<void>((resolve) => {
        const socket = connect(Number(server.ports.http), '127.0.0.1', () => {
          socket.write(`${head}Content-Length: 100\r\n\r\n{`, () => setImmediate(() => socket.destroy()));
        });
        socket.on('error', () => undefined);
        socket.on('close', () => resolve());
      });
    }
    // Answered behind them.
    assert.equal((await ask('GET', '/jmap/session', headers)).status, 200);
    const failures = server.logs
      .slice(before)
      .filter(({ level }) => Number(level) >= 50 || level === 'error');
    assert.deepEqual(failures, []);
  });
});

describe('what a small request of somebody who is signed in asks for', () => {
  const using = ['urn:ietf:params:jmap:core', 'urn:ietf:params:jmap:mail', 'urn:ietf:params:jmap:blob'];

  it('has an end: parts of one upload by many names, one field by many spellings, one text referred to often', async () => {
    const { headers, accountId, upload } = await jmapClient(server, USER);
    const ask = async (...methodCalls: readonly (readonly [string, object, string])[]) => {
      const response = await fetch(`${base}/jmap/api`, {
        method: 'POST',
        headers: { ...headers, 'content-type': 'application/json' },
        body: JSON.stringify({ using, methodCalls }),
      });
      const { methodResponses } = (await response.json()) as { methodResponses: [string, Answer, string][] };
      return methodResponses.map(([name, answer]) => (name === 'error' ? String(answer['type']) : name));
    };
    const open = (n: number): string => `Content-Type: multipart/mixed; boundary=b${n}\r\n\r\n--b${n}\r\n`;
    const octets = `${'x'.repeat(76)}\r\n`.repeat(55_000);
    const levels = [0, 1, 2, 3, 4, 5];
    const blob = await upload(
      `From: a@else.test\r\n${levels.map(open).join('')}\r\n${octets}`,
      'message/rfc822',
    );
    const ids = levels.slice(1).map((level) => `${blob}-e1${'_1'.repeat(level - 1)}`);
    const whole = ['data', 'data:asText', 'data:asBase64'];
    assert.deepEqual(await ask(['Blob/get', { accountId, ids: ids.slice(0, 1), properties: whole }, 'a']), [
      'Blob/get',
    ]);
    assert.deepEqual(await ask(['Blob/get', { accountId, ids, properties: whole }, 'a']), [
      'requestTooLarge',
    ]);

    const large = await upload(`Subject: ${'x'.repeat(201_000)}\r\n\r\nhi`, 'message/rfc822');
    const spellings = Array.from(
      { length: 251 },
      (_, n) =>
        `header:${[...'subject'].map((c, i) => (((n >> i) & 1) === 1 ? c.toUpperCase() : c)).join('')}${n > 127 ? ':asText' : ''}`,
    );
    const parse = (properties: readonly string[]) =>
      ask(['Email/parse', { accountId, blobIds: [large, `${large}-1`], properties }, 'a']);
    assert.deepEqual(await parse(spellings.slice(0, 10)), ['Email/parse']);
    assert.deepEqual(await parse(spellings), ['invalidArguments']);
    const parts = (names: readonly string[]) =>
      ask([
        'Email/parse',
        { accountId, blobIds: [large], properties: ['bodyStructure'], bodyProperties: names },
        'a',
      ]);
    assert.deepEqual(await parts(spellings.slice(0, 100)), ['Email/parse']);
    assert.deepEqual(await parts(spellings.slice(0, 250)), ['requestTooLarge']);
    assert.deepEqual(await parse(spellings.slice(0, 250)), ['requestTooLarge']);

    const text = 'y'.repeat(1_000_000);
    const again = Object.fromEntries(
      Array.from({ length: 200 }, (_, n) => [`#r${n}`, { resultOf: 'a', name: 'Core/echo', path: '/text' }]),
    );
    assert.deepEqual(
      await ask(['Core/echo', { text }, 'a'], ['Core/echo', again, 'b'], ['Core/echo', {}, 'c']),
      ['Core/echo', 'requestTooLarge', 'Core/echo'],
    );
  });
});

describe('header injection', () => {
  let client: JmapClient;
  let drafts: string;
  before(async () => {
    client = await jmapClient(server, USER);
    drafts = (await mailboxes(client))['drafts'] ?? '';
    assert.ok(drafts);
  });

  /** The header of what was made of an Email object; undefined: it was refused. */
  async function made(email: object): Promise<string | undefined> {
    const answer = await client.call('Email/set', {
      create: { a: { mailboxIds: { [drafts]: true }, ...email } },
    });
    const created = (answer['created'] as Answer | null)?.['a'] as Answer | undefined;
    if (created === undefined) {
      const why = (answer['notCreated'] as Answer)['a'] as Answer;
      assert.notEqual(why['type'], 'serverFail', JSON.stringify([email, why]));
      return undefined;
    }
    const { list } = (await client.call('Email/get', { ids: [created['id']], properties: ['blobId'] })) as {
      list: { blobId: string }[];
    };
    return (await client.download(list[0]?.blobId ?? '')).text();
  }

  const BREAKS = ['\r\n', '\n', '\r', '\r\n\r\n', '\u2028', '\u0085', '\0\r\n', '\r\n\t\r\n', '\v', '\f'];

  it('no property of an email, of whatever kind, begins a header field or the body', async () => {
    for (const end of BREAKS) {
      const evil = `x${end}Bcc: victim@far.test${end}X-Evil: 1`;
      const address = { name: evil, email: `a${end}Bcc: victim@far.test@example.test` };
      const blobId = await client.upload('octets');
      const file = { blobId, type: 'text/csv', name: 'x.csv' };
      const cases: [string, object][] = [
        ['subject', { subject: evil }],
        ['from name', { from: [{ name: evil, email: 'bob@example.test' }] }],
        ['from email', { from: [address] }],
        ['to', { to: [address, { name: null, email: evil }] }],
        ['sender', { sender: [address] }],
        ['messageId', { messageId: [evil] }],
        ['inReplyTo', { inReplyTo: [evil], references: [evil] }],
        ['sentAt', { sentAt: `2026-01-01T00:00:00Z${end}X-Evil: 1` }],
        ['header raw', { 'header:X-My': evil }],
        ['header text', { 'header:X-My:asText': evil }],
        ['header addresses', { 'header:X-My:asAddresses': [address] }],
        ['header groups', { 'header:X-My:asGroupedAddresses': [{ name: evil, addresses: [address] }] }],
        ['header ids', { 'header:X-My:asMessageIds': [evil] }],
        ['header urls', { 'header:X-My:asURLs': [evil] }],
        ['header all', { 'header:X-My:asText:all': [evil, evil] }],
        ['header name', { [`header:X-My${end}X-Evil`]: 'v' }],
        ['header name form', { [`header:X-My${end}X-Evil:asText`]: 'v' }],
        ['attachment name', { attachments: [{ ...file, name: evil }] }],
        [
          'attachment name, long',
          { attachments: [{ ...file, name: `${'n'.repeat(299)}😀${end}X-Evil: 1` }] },
        ],
        ['attachment type', { attachments: [{ ...file, type: `text/csv${end}X-Evil: 1` }] }],
        ['attachment charset', { attachments: [{ ...file, charset: evil }] }],
        ['attachment cid', { attachments: [{ ...file, cid: evil, disposition: 'inline' }] }],
        ['attachment disposition', { attachments: [{ ...file, disposition: evil }] }],
        ['attachment location', { attachments: [{ ...file, location: evil }] }],
        ['attachment language', { attachments: [{ ...file, language: [evil] }] }],
        ['attachment header', { attachments: [{ ...file, 'header:X-My:asText': evil }] }],
        ['part type', { bodyStructure: { type: `multipart/mixed${end}X-Evil: 1`, subParts: [] } }],
      ];
      for (const [what, email] of cases) {
        const text = await made(email);
        if (text === undefined) continue;
        const where = `${what} with ${JSON.stringify(end)}: ${JSON.stringify(text.slice(0, 600))}`;
        // Bare CR and LF are line ends to somebody.
        const lines = text.split(/\r\n|\r|\n/);
        assert.ok(!lines.some((line) => /^(?:X-Evil|Bcc) *:/i.test(line)), where);
        const body = text.indexOf('\r\n\r\n');
        assert.ok(!/\r(?!\n)|(?<!\r)\n|\0/.test(text.slice(0, body)), where);
        assert.match(text.slice(0, body), /^MIME-Version: 1\.0$/m, where);
      }
    }
  });

  it('nor an identity, a vacation answer, or a Sieve form', async () => {
    for (const end of ['\r\n', '\n', '\r']) {
      const evil = `x${end}Bcc: victim@far.test`;
      const { notCreated, created } = await client.call('Identity/set', {
        create: { a: { email: 'bob@example.test', name: evil, replyTo: [{ name: evil, email: evil }] } },
      });
      assert.notEqual((notCreated as Answer | null)?.['a']?.['type'], 'serverFail');
      const identity = (created as Answer | null)?.['a'] as Answer | undefined;
      if (identity !== undefined) {
        const { list } = (await client.call('Identity/get', { ids: [identity['id']] })) as { list: Answer[] };
        const text = await made({ from: [{ name: list[0]?.['name'], email: 'bob@example.test' }] });
        assert.doesNotMatch(text ?? '', /^Bcc:/im);
      }
      const vacation = await ask(
        'PUT',
        '/account/v1/vacation',
        { ...client.headers, 'content-type': 'application/json' },
        JSON.stringify({ vacation: { enabled: true, subject: evil, text: 'away' } }),
      );
      assert.ok(vacation.status < 500, vacation.text);
      await client.calls([
        'VacationResponse/set',
        {
          accountId: client.accountId,
          update: { singleton: { isEnabled: true, subject: evil, textBody: 'away', htmlBody: null } },
        },
      ]);
      const generated = await ask('GET', '/account/v1/scripts/generated', client.headers);
      assert.equal(generated.status, 200);
      const { script } = JSON.parse(generated.text) as { script: string };
      // In a quoted string, whose line ends are taken out where the answer gets its Subject.
      assert.ok(script.split(':subject')[1]?.trimStart().startsWith('"x'), script);
      for (const label of [evil, '"><script>', '=HYPERLINK("x")']) {
        const masked = await ask(
          'POST',
          '/account/v1/masked',
          { ...client.headers, 'content-type': 'application/json' },
          JSON.stringify({ label, site: evil }),
        );
        assert.ok(masked.status < 500, masked.text);
        if (masked.status === 200)
          assert.match(
            (JSON.parse(masked.text) as { address: string }).address,
            /^[a-z0-9.-]+@example\.test$/,
          );
      }
      const note = await ask(
        'POST',
        '/admin/v1/invitations',
        own(),
        JSON.stringify({ domain: 'example.test', note: evil }),
      );
      assert.ok(note.status < 500, note.text);
    }
    await client.calls([
      'VacationResponse/set',
      { accountId: client.accountId, update: { singleton: { isEnabled: false } } },
    ]);
  });
});

describe('files of messages', () => {
  it('are saved, never shown: whatever type is asked for, sandboxed, under a name that cannot lie or lead away', async () => {
    const client = await jmapClient(server, USER);
    const blob = await client.upload('<script>alert(1)</script>', 'text/html');
    const download = (name: string, accept: string) =>
      ask('GET', `/jmap/download/${client.accountId}/${blob}/${name}?accept=${accept}`, client.headers);
    for (const accept of [
      'text/html',
      'image/svg%2Bxml',
      'application/xhtml%2Bxml',
      'text/xml',
      'application/pdf',
    ]) {
      const { status, headers } = await download('x', accept);
      assert.equal(status, 200);
      assert.match(headers.get('content-disposition') ?? '', /^attachment;/);
      assert.equal(headers.get('content-security-policy'), "default-src 'none'; sandbox");
      assert.equal(headers.get('x-content-type-options'), 'nosniff');
    }
    for (const accept of ['text/html%0d%0aSet-Cookie:%20a=b', 'x', 'text/html,text/plain', '%00']) {
      const { headers } = await download('x', accept);
      assert.equal(headers.get('content-type'), 'application/octet-stream', accept);
      assert.equal(headers.get('set-cookie'), null);
    }
    const long = encodeURIComponent(`${'n'.repeat(299)}😀.exe`);
    for (const name of [
      'a%0d%0aSet-Cookie:%20a=b',
      'a%22;filename=%22b.exe',
      '..%2f..%2fetc%2fpasswd',
      '..%5c..%5cx.exe',
      'photo%E2%80%AEgpj.exe',
      'a%00b',
      '%ff%fe',
      '.htaccess',
      long,
    ]) {
      const { status, headers } = await download(name, 'text/plain');
      const field = headers.get('content-disposition') ?? '';
      assert.equal(status, 200, name);
      assert.equal(headers.get('set-cookie'), null);
      // A plain name stands as it is; any other in the form that can say every letter (RFC 6266).
      assert.match(
        field,
        /^attachment; filename(?:="[\w. !~%-]+"|=[\w.!~%-]+|\*=utf-8''[\w.!~%-]+)$/i,
        `${name}: ${field}`,
      );
      const [, plain, coded = ''] = /filename(?:="?([^"*]*)"?|\*=utf-8''(.*))$/i.exec(field) ?? [];
      const told = plain ?? decodeURIComponent(coded);
      assert.doesNotMatch(
        told,
        /[/\\"\p{Cc}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/u,
        `${name}: ${field}`,
      );
      assert.ok(!told.startsWith('.'), `${name}: ${field}`);
    }
  });

  it('are no scripts, style sheets or workers of our pages, whose policy would let them run', async () => {
    const { headers, accountId } = await jmapClient(server, ADMIN);
    const upload = await fetch(`${base}/jmap/upload/${accountId}/`, {
      method: 'POST',
      headers,
      body: 'alert(1)',
    });
    const { blobId } = (await upload.json()) as { blobId: string };
    const file = `/jmap/download/${accountId}/${blobId}/x.js?accept=text/javascript`;
    const as = (dest: string, path: string) =>
      ask('GET', path, { cookie, 'sec-fetch-site': 'same-origin', 'sec-fetch-dest': dest });
    for (const dest of [
      'script',
      'style',
      'worker',
      'sharedworker',
      'serviceworker',
      'audioworklet',
      'iframe',
      'object',
      'embed',
      'manifest',
      'font',
      'xslt',
      'json',
    ])
      for (const path of [file, '/account/v1/preferences', '/jmap/session', '/auth/me', '/admin/v1/overview'])
        assert.ok([401, 403].includes((await as(dest, path)).status), `${dest} ${path}`);
    for (const dest of ['empty', 'document', 'image']) assert.equal((await as(dest, file)).status, 200, dest);
  });

  it('that a browser has kept are asked for again: after the session they are for nobody', async () => {
    const { headers, accountId } = await jmapClient(server, ADMIN);
    const upload = await fetch(`${base}/jmap/upload/${accountId}/`, {
      method: 'POST',
      headers,
      body: 'secret',
    });
    const { blobId } = (await upload.json()) as { blobId: string };
    const file = `/jmap/download/${accountId}/${blobId}/x`;
    const first = await ask('GET', file, { cookie });
    assert.equal(first.text, 'secret');
    assert.match(first.headers.get('cache-control') ?? '', /^private, no-cache$/);
    const etag = first.headers.get('etag') ?? '';
    assert.notEqual(etag, '');
    const again = await ask('GET', file, { cookie, 'if-none-match': etag });
    assert.equal(again.status, 304);
    assert.equal(again.text, '');
    assert.equal((await ask('GET', file, { 'if-none-match': etag })).status, 401);
    assert.equal((await ask('GET', `${file}y`, { cookie, 'if-none-match': '"B999999"' })).status, 200);
    // Programs have keepers of their own (RFC 8620 section 6.2).
    const program = await ask('GET', file, { authorization: basic(ADMIN) });
    assert.match(program.headers.get('cache-control') ?? '', /immutable/);
  });

  it('the way to the session, and every redirect, stays on this server', async () => {
    for (const path of ['/.well-known/jmap', '/.well-known/jmap?x=//evil.example']) {
      const { headers } = await ask('GET', path);
      assert.equal(headers.get('location'), '/jmap/session');
    }
    for (const path of [
      '//evil.example/',
      '//evil.example/%2e%2e',
      '/\\evil.example',
      '/sign-in?next=//evil.example',
    ]) {
      const said = await raw(`GET ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`);
      assert.doesNotMatch(said, /^location:/im, path);
    }
  });
});

describe('masked addresses in JMAP', () => {
  it('are accepted as identities of their owner, and of nobody else', async () => {
    const bob = await jmapClient(server, USER);
    const made = await ask(
      'POST',
      '/account/v1/masked',
      { ...bob.headers, 'content-type': 'application/json' },
      JSON.stringify({ label: 'shop' }),
    );
    const { address } = JSON.parse(made.text) as { address: string };
    const mine = await bob.call('Identity/set', { create: { a: { email: address, name: 'B.' } } });
    assert.ok((mine['created'] as Answer | null)?.['a']?.['id'], JSON.stringify(mine));
    const alice = await jmapClient(server, ADMIN);
    const theirs = await alice.call('Identity/set', { create: { a: { email: address, name: 'A.' } } });
    assert.equal((theirs['notCreated'] as Answer)['a']['type'], 'forbiddenFrom');
  });
});

describe('tokens', () => {
  it('a Bearer token that is not good is called so, not a wrong password', async () => {
    for (const path of ['/jmap/session', '/account/v1/contacts', '/admin/v1/overview']) {
      const { status, text, headers } = await ask('GET', path, { authorization: 'Bearer pst_at_nothing' });
      assert.equal(status, 401, path);
      assert.match(text, /token is not good/, path);
      assert.match(headers.get('www-authenticate') ?? '', /Bearer/, path);
    }
  });
});

describe('log injection', () => {
  it('names with line ends and escapes stay one line of the log, and one value of the journal', async () => {
    const login = 'a\r\n{"level":"error","msg":"forged"}\u001b[31m@example.test';
    const { status } = await ask(
      'POST',
      '/auth/sign-in',
      { 'x-postern': '1', 'content-type': 'application/json', 'user-agent': 'x\u00ff<script>' },
      JSON.stringify({ login, password: 'wrong' }),
    );
    assert.equal(status, 401);
    assert.ok(!server.logs.some(({ msg }) => msg === 'forged'));
    const events = await server.store.read.run('journal.recent', { from: 0, to: 8.64e15, limit: 200 });
    assert.ok(!events.some(({ kind }) => String(kind).includes('forged')));
  });
});
