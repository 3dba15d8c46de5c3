import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { runCommand } from '../support/cli.ts';
import { mx, tableDns } from '../support/dns-table.ts';
import type { ConfigInput } from '../../src/app/config.ts';
import { readConfig } from '../../src/app/config-load.ts';
import { imapClient } from '../support/imap-client.ts';
import { startTestServer, TEST_PASSWORD, type TestServer } from '../support/server.ts';
import { lineClient } from '../support/smtp-client.ts';
import { startSmtpPeer } from '../support/smtp-peer.ts';

/** What a collector is told: OTLP/HTTP in JSON. */
interface Span {
  traceId: string;
  spanId: string;
  parentSpanId?: string;
  name: string;
  kind: number;
  startTimeUnixNano: string;
  endTimeUnixNano: string;
  attributes: { key: string; value: Record<string, unknown> }[];
  status: { code?: number };
}

interface Collector {
  readonly url: string;
  readonly spans: Span[];
  readonly bodies: string[];
  readonly headers: Record<string, unknown>[];
  /** Status of its answers; 0: it never answers. */
  answer: number;
  close(): Promise<void>;
}

async function startCollector(): Promise<Collector> {
  const server = createServer((call, response) => {
    let body = '';
    call.on('data', (piece: Buffer) => void (body += piece.toString()));
    call.on('end', () => {
      collector.headers.push({ ...call.headers, path: call.url });
      if (collector.answer === 0) return;
      response.writeHead(collector.answer, { 'content-type': 'application/json' }).end('{}');
      if (collector.answer !== 200) return;
      collector.bodies.push(body);
      const told = JSON.parse(body) as { resourceSpans: { scopeSpans: { spans: Span[] }[] }[] };
      collector.spans.push(
        ...told.resourceSpans.flatMap((one) => one.scopeSpans.flatMap(({ spans }) => spans)),
      );
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const collector: Collector = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    spans: [],
    bodies: [],
    headers: [],
    answer: 200,
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
  return collector;
}

function value({ attributes }: Span, key: string): unknown {
  const found = attributes.find((one) => one.key === key);
  return found === undefined ? undefined : Object.values(found.value)[0];
}

const SECRET_LINE = 'the eagle has landed';

async function receive({ ports }: TestServer, to = 'bob@example.test'): Promise<string> {
  const smtp = await lineClient(ports.smtp ?? 0);
  await smtp.talk(
    ['', '220'],
    ['EHLO mail.good.test\r\n', '250'],
    ['MAIL FROM:<ann@good.test>\r\n', '250'],
    [`RCPT TO:<${to}>\r\n`, '250'],
    ['RCPT TO:<nobody@example.test>\r\n', '550'],
    ['DATA\r\n', '354'],
  );
  smtp.send(`From: <ann@good.test>\r\nTo: <${to}>\r\nSubject: ${SECRET_LINE}\r\n\r\n${SECRET_LINE}\r\n.\r\n`);
  const taken = await smtp.reply();
  await smtp.talk(['QUIT\r\n', '221']);
  await smtp.closed();
  smtp.close();
  return / as (\S+)/.exec(taken)?.[1] ?? assert.fail(taken);
}

async function submit({ ports }: TestServer): Promise<string> {
  const smtp = await lineClient(ports.submission ?? 0);
  const login = Buffer.from(`\0alice@example.test\0${TEST_PASSWORD}`).toString('base64');
  await smtp.talk(
    ['', '220'],
    ['EHLO here\r\n', '250'],
    [`AUTH PLAIN ${login}\r\n`, '235'],
    ['MAIL FROM:<alice@example.test>\r\n', '250'],
    ['RCPT TO:<pal@peer.test>\r\n', '250'],
    ['DATA\r\n', '354'],
  );
  smtp.send(
    `From: <alice@example.test>\r\nTo: <pal@peer.test>\r\nSubject: ${SECRET_LINE}\r\n\r\nHi\r\n.\r\n`,
  );
  const taken = await smtp.reply();
  await smtp.talk(['QUIT\r\n', '221']);
  await smtp.closed();
  smtp.close();
  return / as (\S+)/.exec(taken)?.[1] ?? assert.fail(taken);
}

async function until(done: () => boolean): Promise<void> {
  for (let i = 0; i < 1000 && !done(); i++) await new Promise((resolve) => setTimeout(resolve, 10));
  assert.ok(done());
}

async function metric({ metrics }: TestServer, start: string): Promise<number> {
  const line = (await metrics.text()).split('\n').find((one) => one.startsWith(start));
  return Number(line?.slice(line.lastIndexOf(' ') + 1));
}

/** Run `work` with a server that tells a collector, and a host for its mail; what is told stands when it ends. */
async function told(
  { telemetry, listen }: Pick<ConfigInput, 'telemetry' | 'listen'>,
  work: (server: TestServer, collector: Collector) => Promise<void>,
  answer = 200,
): Promise<Collector> {
  const collector = await startCollector();
  collector.answer = answer;
  const peer = await startSmtpPeer({});
  const table = { 'peer.test': { MX: mx('mx.peer.test') }, 'mx.peer.test': { A: ['127.0.0.1'] } };
  try {
    const server = await startTestServer({
      plaintextAuth: true,
      dns: tableDns(table, false),
      directPort: peer.port,
      config: { telemetry: { endpoint: collector.url, ...telemetry }, ...(listen && { listen }) },
    });
    try {
      await work(server, collector);
    } finally {
      await server.close();
    }
    return collector;
  } finally {
    await collector.close();
    await peer.close();
  }
}

async function delivered({ logs }: TestServer): Promise<void> {
  await until(() => logs.some(({ msg }) => msg === 'delivery.delivered'));
}

async function webAnswer({ ports }: TestServer, traceparent: string): Promise<void> {
  const call = request({ port: ports.http ?? 0, host: '127.0.0.1', path: '/', headers: { traceparent } });
  call.end();
  const [response] = await once(call, 'response');
  response.resume();
  await once(response, 'end');
}

const PARENT = `${'ab'.repeat(16)}-${'cd'.repeat(8)}`;

describe('traces for OpenTelemetry', () => {
  it('a message that comes in, and one that goes out, step by step, as parts of their sessions', async () => {
    const names: { in?: string; out?: string } = {};
    const { spans, bodies, headers } = await told({}, async (server) => {
      names.in = await receive(server);
      names.out = await submit(server);
      await delivered(server);
    });
    assert.equal(headers[0]?.['path'], '/v1/traces');
    assert.equal(new Set(spans.map(({ spanId }) => spanId)).size, spans.length);
    const byId = new Map(spans.map((span) => [span.spanId, span]));
    /** Names from the outermost on. */
    const path = (span: Span): string[] => {
      const parent = span.parentSpanId === undefined ? undefined : byId.get(span.parentSpanId);
      assert.equal(parent === undefined, span.parentSpanId === undefined, 'a parent that nobody knows');
      if (parent === undefined) return [span.name];
      assert.equal(parent.traceId, span.traceId);
      return [...path(parent), span.name];
    };
    const commits = spans.filter(({ name }) => name === 'commit');
    for (const [trace, more] of [
      [names.in, ['judge', 'authenticate']],
      [names.out, ['judge', 'sign']],
    ] as const) {
      const commit = commits.find((span) => value(span, 'postern.trace') === trace) ?? assert.fail(trace);
      assert.deepEqual(path(commit), ['smtp session', 'DATA', 'commit']);
      const same = spans.filter(({ traceId }) => traceId === commit.traceId);
      const paths = same.map((span) => path(span).join('/'));
      for (const step of ['connect', 'EHLO', 'MAIL', 'RCPT', 'QUIT'])
        assert.ok(paths.includes(`smtp session/${step}`), step);
      for (const step of more) assert.ok(paths.includes(`smtp session/DATA/${step}`), step);
      for (const span of same) assert.ok(BigInt(span.startTimeUnixNano) <= BigInt(span.endTimeUnixNano));
    }
    const attempt = spans.find(({ name }) => name === 'delivery attempt') ?? assert.fail('no attempt');
    assert.deepEqual(path(attempt), ['smtp session', 'DATA', 'delivery attempt']);
    assert.equal(value(attempt, 'postern.trace'), names.out);
    assert.deepEqual(
      ['postern.outcome', 'postern.transport', 'postern.destination', 'server.address', 'smtp.reply'].map(
        (key) => value(attempt, key),
      ),
      ['delivered', 'direct', 'peer.test', 'mx.peer.test', '250 2.0.0'],
    );
    const refused = spans.filter(({ name, status }) => name === 'RCPT' && status.code === 2);
    assert.deepEqual(
      refused.map((span) => value(span, 'smtp.reply_code')),
      ['550'],
    );
    const all = bodies.join('\n');
    assert.doesNotMatch(all, /eagle|@|127\.0\.0\.1/, 'neither contents nor addresses');
  });

  it('addresses where they are wanted, IMAP commands, what administrators do; headers from a file', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'postern-telemetry-'));
    const file = join(directory, 'headers');
    await writeFile(file, '# ours\nAuthorization: Bearer x-y-z\n\n');
    const telemetry = { addresses: true, imap_over_ms: 0, headers_file: file };
    const { spans, bodies, headers } = await told({ telemetry }, async (server) => {
      await submit(server);
      await delivered(server);
      const imap = await imapClient(server.ports.imap ?? 0);
      await imap.ok(`LOGIN bob@example.test "${TEST_PASSWORD}"`);
      await imap.ok('SELECT INBOX');
      imap.close();
      assert.equal((await runCommand(['account', 'list'], { data: server.directory })).status, 0);
      await webAnswer(server, `00-${PARENT}-01`);
      const [target, key] = [join(directory, 'backups'), join(directory, 'key')];
      await mkdir(target);
      await writeFile(key, Buffer.alloc(32, 7), { mode: 0o600 });
      for (const words of [['set', 'target', target], ['set', 'key_file', key], ['create']])
        assert.equal((await runCommand(['backup', ...words], { data: server.directory })).status, 0);
    });
    await rm(directory, { recursive: true });
    assert.equal(headers[0]?.['authorization'], 'Bearer x-y-z');
    const attempt = spans.find(({ name }) => name === 'delivery attempt');
    assert.equal(attempt && value(attempt, 'postern.recipient'), 'pal@peer.test');
    const select = spans.find(({ name }) => name === 'imap SELECT');
    assert.equal(select && value(select, 'user.name'), 'bob@example.test');
    const admin = spans.find(({ name }) => name === 'http admin');
    assert.equal(admin && value(admin, 'http.route'), '/admin/v1/accounts');
    const backup = spans.find(({ name }) => name === 'backup create') ?? assert.fail('no backup');
    assert.equal(backup.status.code, undefined);
    const web = spans.find(({ name }) => name === 'http web');
    assert.ok(
      web && web.parentSpanId === undefined && web.traceId !== 'ab'.repeat(16),
      'a stranger names no parent',
    );
    assert.doesNotMatch(bodies.join('\n'), /eagle|correct horse/);
  });

  it('a proxy of ours says what a request is a part of, and whether it is traced', async () => {
    const listen = { proxy_from: ['127.0.0.1/32'] };
    const { spans } = await told({ listen }, async (server) => {
      await webAnswer(server, `00-${PARENT}-01`);
      await webAnswer(server, `00-${PARENT}-00`);
      await webAnswer(server, '00-nonsense');
    });
    const web = spans.filter(({ name }) => name === 'http web');
    assert.deepEqual(
      web.map(({ traceId, parentSpanId }) => [traceId === 'ab'.repeat(16), parentSpanId]),
      [
        [true, 'cd'.repeat(8)],
        [false, undefined],
      ],
    );
  });

  for (const [name, answer] of [
    ['refuses', 500],
    ['never answers', 0],
  ] as const) {
    it(`a collector that ${name} costs no mail; it is told of once`, async () => {
      const { spans } = await told(
        {},
        async (server, collector) => {
          // More than one request takes.
          for (let i = 0; i < 52; i++) await receive(server);
          await until(() => collector.headers.length > 0);
          if (answer === 0) return;
          await until(() => server.logs.some(({ level }) => level === 'warn'));
          const warnings = server.logs.filter(({ msg }) => /telemetry/.test(String(msg)));
          assert.equal(warnings.length, 1, JSON.stringify(warnings));
          assert.ok((await metric(server, 'postern_trace_spans_total{outcome="dropped"}')) >= 512);
        },
        answer,
      );
      assert.deepEqual(spans, []);
    });
  }

  it('none of a message that is not sampled, on its way in or out', async () => {
    const { spans } = await told({ telemetry: { sample_ratio: 0 } }, async (server) => {
      await submit(server);
      await delivered(server);
    });
    assert.deepEqual(spans, []);
  });

  it('is off unless a collector is named, here or for all programs of the machine', async () => {
    const read = (text: string, environment: Record<string, string>): string =>
      readConfig(`hostname = "mail.example.org"\n${text}`, 'postern.toml', environment, '/').telemetry
        .endpoint;
    const environment = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318' };
    assert.equal(read('', {}), '');
    assert.equal(read('', environment), 'http://collector:4318');
    assert.equal(read('', { ...environment, OTEL_SDK_DISABLED: 'true' }), '');
    assert.equal(read('[telemetry]\nendpoint = "http://other:4318"', environment), 'http://other:4318');
    await assert.rejects(
      startTestServer({ config: { telemetry: { endpoint: 'collector:4318' } } }),
      /telemetry\.endpoint: "collector:4318" is not a URL/,
    );
  });
});
