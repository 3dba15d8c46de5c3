import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { type TestContext, test } from 'node:test';
import { limits } from '../../base/limits.ts';
import { silentLogger } from '../../base/log.ts';
import { Metrics } from '../../base/metrics.ts';
import { smtpReply } from '../../base/errors.ts';
import { startClientMechanism } from '../../mail/sasl/client.ts';
import { type FakeMailService, fakeMailService } from '../../../test/support/fake-mail-service.ts';
import { type ManualClock, manualClock } from '../../../test/support/manual-clock.ts';
import { type MemoryConnection, memoryConnection } from '../../../test/support/memory-connection.ts';
import { lineClient } from '../../../test/support/smtp-client.ts';
import { type SmtpTestServer, smtpTestServer } from '../../../test/support/smtp-server.ts';
import { smtpMetrics } from './metrics.ts';
import type { SmtpOptions } from './options.ts';
import type { ServedSession } from '../session-server.ts';
import { serveSmtp } from './serve.ts';

type Served = MemoryConnection & { service: FakeMailService; clock: ManualClock; session: ServedSession };

/** A session in memory. */
function served(more: Partial<SmtpOptions> = {}, service = fakeMailService(more.protocol ?? 'smtp')): Served {
  const memory = memoryConnection();
  const clock = manualClock();
  const session = serveSmtp(memory.connection, {
    protocol: 'smtp',
    service,
    hostname: 'mx.example.test',
    clock,
    logger: silentLogger,
    limits,
    ...more,
  });
  return Object.assign(memory, { service, clock, session });
}

/** Refusals noted since the greeting: these tests do not wait for it. */
function noted({ service }: Served): FakeMailService['refusals'] {
  return service.refusals.filter(({ stage }) => stage !== 'connect');
}

const ENVELOPE = 'MAIL FROM:<a@example.org>\r\nRCPT TO:<b@example.test>\r\n';

async function serverOf(t: TestContext, ...args: Parameters<typeof smtpTestServer>): Promise<SmtpTestServer> {
  const server = await smtpTestServer(...args);
  t.after(() => server.close());
  return server;
}

const END_OF_DATA: readonly [name: string, bytes: string, code: number][] = [
  ['LF.LF', '\n.\n', 550],
  ['LF.CRLF', '\n.\r\n', 550],
  ['CRLF.LF', '\r\n.\n', 550],
  ['CRLF.CRCRLF', '\r\n.\r\r\n', 550],
  ['CRCRLF.CRCRLF', '\r\r\n.\r\r\n', 550],
  ['CR.CR', '\r.\r', 550],
  ['CR.LF', '\r.\n', 550],
  ['LF.CR', '\n.\r', 550],
  ['CR.CRLF', '\r.\r\n', 550],
  ['CRLF.CR', '\r\n.\r', 550],
  ['NUL before the dot', '\r\n\0.\r\n', 550],
  ['NUL behind the dot', '\r\n.\0\r\n', 550],
  ['CRLF.SP', '\r\n. \r\n', 250],
  ['SP.CRLF', '\r\n .\r\n', 250],
  ['VT', '\r\n.\x0b\r\n', 250],
];

for (const [name, bytes, code] of END_OF_DATA) {
  test(`end of data: ${name} smuggles no second message`, async () => {
    const memory = served();
    memory.send(`EHLO client\r\n${ENVELOPE}DATA\r\n`);
    await memory.idle();
    const before = memory.output;
    assert.match(before, /354 [^\r]*\r\n$/);
    memory.send(`Subject: x\r\n\r\nlure${bytes}`);
    memory.send(`${ENVELOPE}DATA\r\nSubject: smuggled\r\n\r\n.\r\nQUIT\r\n`);
    await memory.session.done;
    const answers = memory.output.slice(before.length).split('\r\n');
    assert.deepEqual(
      answers.map((line) => line.slice(0, 3)),
      [String(code), '221', ''],
    );
    assert.equal(memory.service.taken.length, code === 250 ? 1 : 0);
    assert.equal(
      memory.service.refusals.filter(({ stage }) => stage === 'data').length,
      code === 550 ? 1 : 0,
    );
  });
}

test('a client that talks before the greeting is known for it, and served', async () => {
  const service = fakeMailService('smtp');
  const gate = Promise.withResolvers<void>();
  service.hold.connect = gate.promise;
  const memory = served({}, service);
  memory.send('EHLO client\r\n');
  await Promise.resolve();
  assert.equal(memory.output, '');
  gate.resolve();
  await memory.idle();
  assert.match(memory.output, /^220 [^\r]*\r\n250-/);
  assert.equal(service.sessions[0]?.earlyTalk, true);
});

test('a client that waits for a delayed greeting is served after the delay', async () => {
  const service = fakeMailService('smtp');
  service.greeting = { pauseMs: 2000, earlyTalk: smtpReply(554, '5.5.1', 'Wait') };
  const memory = served({}, service);
  await memory.idle();
  await new Promise((resolve) => setImmediate(resolve));
  memory.clock.advance(1999);
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(memory.output, '');
  memory.clock.advance(1);
  await new Promise((resolve) => setImmediate(resolve));
  assert.match(memory.output, /^220 /);
  assert.equal(service.sessions[0]?.earlyTalk, false);
  memory.send('EHLO client\r\n');
  await memory.idle();
  assert.match(memory.output, /250 LIMITS/);
  assert.equal(service.sessions[0]?.earlyPipelining, false);
  memory.connection.destroy();
  await memory.session.done;
});

test('a client that talks into the delay ends it, and is refused where that is wanted', async () => {
  for (const wanted of [undefined, smtpReply(554, '5.5.1', 'Wait for the greeting')]) {
    const service = fakeMailService('smtp');
    service.greeting = { pauseMs: 20_000, earlyTalk: wanted };
    const memory = served({}, service);
    await memory.idle();
    memory.send('E');
    await new Promise((resolve) => setImmediate(resolve));
    assert.match(memory.output, wanted === undefined ? /^220 / : /^554 5\.5\.1 Wait for the greeting\r\n$/);
    assert.equal(service.sessions[0]?.earlyTalk, true);
    assert.equal(service.refusals.length, wanted === undefined ? 0 : 1);
    memory.connection.destroy();
    await memory.session.done;
    assert.equal(memory.clock.timers, 0);
  }
});

test('draining does not wait for a delayed greeting, and a client that leaves in it leaves nothing behind', async () => {
  const service = fakeMailService('smtp');
  service.greeting = { pauseMs: 20_000, earlyTalk: undefined };
  const memory = served({}, service);
  await memory.idle();
  memory.session.drain();
  await memory.session.done;
  assert.match(memory.output, /^421 4\.3\.2/);
  const other = served({}, service);
  await other.idle();
  other.connection.destroy();
  await other.session.done;
  assert.equal(other.clock.timers, 0);
});

test('a pipelined group is answered in one write', async () => {
  const memory = served();
  memory.send('EHLO client\r\n');
  await memory.idle();
  const before = memory.writes.length;
  memory.send(`${ENVELOPE}${'RCPT TO:<c@example.test>\r\n'.repeat(20)}DATA\r\n`);
  await memory.idle();
  assert.equal(memory.writes.length, before + 1);
  memory.send(`x\r\n.\r\n${ENVELOPE}RSET\r\n`);
  await memory.idle();
  assert.equal(memory.writes.length, before + 3, 'the answer to a message waits for nothing');
});

test('a sink that is busy is waited for: nothing more is read', async () => {
  const service = fakeMailService('smtp');
  const memory = served({}, service);
  memory.send(`EHLO client\r\n${ENVELOPE}DATA\r\n`);
  await memory.idle();
  const gate = Promise.withResolvers<void>();
  service.hold.write = gate.promise;
  for (let i = 0; i < 10; i++) memory.send('line\r\n');
  let idle = false;
  void memory.idle().then(() => (idle = true));
  for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve));
  assert.equal(idle, false);
  gate.resolve();
  await memory.idle();
  memory.send('.\r\n');
  await memory.idle();
  assert.equal(service.taken[0]?.body.length, 60);
});

test('a refused message that never ends ends the session', async () => {
  const memory = served({ limits: { ...limits, messageBytes: 1000 } });
  memory.send(`EHLO client\r\n${ENVELOPE}DATA\r\n`);
  await memory.idle();
  const piece = Buffer.from(`${'x'.repeat(998)}\r\n`.repeat(100));
  for (let i = 0; i < 30 && !memory.connection.closed; i++) {
    memory.send(piece);
    await memory.idle();
  }
  await memory.session.done;
  assert.match(memory.output, /552 5\.3\.4 Message too large\r\n$/);
  assert.deepEqual(
    noted(memory).map(({ reason }) => reason),
    ['message over 1000 octets'],
  );
  assert.equal(memory.service.aborted, 1);
  assert.equal(memory.service.abandoned, 1);
});

const REFUSED_MESSAGES: readonly [name: string, commands: string, refusal: RegExp][] = [
  [
    'DATA too large',
    `DATA\r\n${'x'.repeat(70)}\r\n${'y'.repeat(900)}\r\n${'z'.repeat(90)}\r\n.\r\n`,
    /over 1000/,
  ],
  ['BDAT too large', `BDAT 1001 LAST\r\n${'x'.repeat(1001)}`, /over 1000/],
  ['a bare LF', 'DATA\r\nx\ny\r\n.\r\n', /bare lf/],
  [
    'refused by the flow as it came',
    'RCPT TO:<nowrite@example.test>\r\nDATA\r\nx\r\n.\r\n',
    /Too large for this/,
  ],
];

for (const [name, commands, refusal] of REFUSED_MESSAGES) {
  test(`a refused message is noted once, with its sender and recipients: ${name}`, async () => {
    const memory = served({ limits: { ...limits, messageBytes: 1000 } });
    memory.send(`EHLO client\r\n${ENVELOPE}RCPT TO:<c@example.test>\r\n`);
    await memory.idle();
    const [verb = '', ...rest] = commands.split(/(?<=DATA\r\n)/);
    memory.send(verb);
    await memory.idle();
    memory.send(rest.join(''));
    await memory.idle();
    assert.match(memory.output, /\r\n55\d [^\r]*\r\n$/);
    const [first, ...others] = noted(memory);
    assert.ok(first);
    assert.equal(others.length, 0);
    assert.deepEqual([first.stage, first.from], ['data', 'a@example.org']);
    assert.deepEqual(first.to?.slice(0, 2), ['b@example.test', 'c@example.test']);
    assert.match(first.reason, refusal);
    memory.connection.destroy();
    await memory.session.done;
  });
}

test('what is refused outside of a transaction names nobody', async () => {
  const memory = served();
  memory.send(`EHLO client\r\n${ENVELOPE}RSET\r\nDATA\r\nNONSENSE\r\n`);
  await memory.idle();
  assert.deepEqual(
    noted(memory).map(({ from, to }) => [from, to]),
    [
      [undefined, undefined],
      [undefined, undefined],
    ],
  );
  memory.connection.destroy();
  await memory.session.done;
});

test('a lost connection abandons the transaction and aborts the message', async () => {
  const memory = served();
  memory.send(`EHLO client\r\n${ENVELOPE}BDAT 10\r\n12345`);
  await memory.idle();
  memory.connection.destroy();
  await memory.session.done;
  assert.equal(memory.service.aborted, 1);
  assert.equal(memory.service.abandoned, 1);
  assert.equal(memory.service.ended.length, 1);
  assert.equal(memory.clock.timers, 0);
});

test('a connection the flow fails on gets 451 and is closed; so does a refusal without its own words', async () => {
  const service = fakeMailService('smtp');
  service.hold.connect = Promise.reject(new Error('a bug'));
  const memory = served({}, service);
  await memory.session.done;
  assert.match(memory.output, /^451 4\.3\.0 [^\r]*\r\n$/);
});

test('a reply can break no line, whatever the flow puts into it', async () => {
  const service = fakeMailService('smtp');
  service.refuseConnect = smtpReply(554, '5.7.1', `no\r\n250 yes\u2028 ${'x'.repeat(1000)}`);
  const memory = served({}, service);
  await memory.session.done;
  assert.match(memory.output, /^554 5\.7\.1 no\?\?250 yes\? x+\.\.\.\r\n$/);
  assert(memory.output.length <= 512);
});

test('a domain of 255 octets is too long for a path', async () => {
  const memory = served();
  const label = 'a'.repeat(62);
  memory.send(`EHLO client\r\nMAIL FROM:<x@${`${label}.`.repeat(4)}abc>\r\n`);
  await memory.idle();
  assert.match(memory.output, /\r\n501 5\.1\.7 [^\r]*\r\n$/);
});

test('a login revoked while its message is being stored: the message is answered, then the session ends', async (t) => {
  const { port, service, authenticator } = await serverOf(t, 'submission', { requireTlsForAuth: false });
  const client = await lineClient(port);
  const gate = Promise.withResolvers<void>();
  service.hold.finish = gate.promise;
  await client.talk(
    ['', '220'],
    ['EHLO client\r\n', '250'],
    ['AUTH PLAIN AGFsaWNlQGV4YW1wbGUudGVzdABwb3N0ZXJu\r\n', '235'],
    ['MAIL FROM:<alice@example.test>\r\n', '250'],
    ['RCPT TO:<b@example.org>\r\n', '250'],
    ['DATA\r\n', '354'],
  );
  client.send('x\r\n.\r\nNOOP\r\n');
  await new Promise((resolve) => setTimeout(resolve, 10));
  authenticator.revoke();
  gate.resolve();
  assert.match(await client.reply(), /^250 /);
  assert.match(await client.reply(), /^421 4\.7\.0/);
  assert.equal(await client.closed(), '');
  client.close();
});

test('plain text on a session that speaks TLS ends it without a command being run', async (t) => {
  const { port, service } = await serverOf(t, 'smtp');
  const client = await lineClient(port);
  await client.talk(['', '220'], ['EHLO client\r\n', '250'], ['STARTTLS\r\n', '220']);
  client.send(`EHLO client\r\n${ENVELOPE}DATA\r\nx\r\n.\r\n`);
  const rest = await client.closed();
  assert.doesNotMatch(rest, /^(?:250|354)/m);
  client.close();
  assert.equal(service.taken.length, 0);
  assert(service.refusals.some(({ stage }) => stage === 'starttls'));
});

test('draining cuts off what outlasts its grace, and nobody new is served', async (t) => {
  const { port, server, clock, service } = await serverOf(t, 'smtp');
  const busy = await lineClient(port);
  await busy.talk(['', '220'], ['EHLO client\r\n', '250'], ['MAIL FROM:<a@example.org>\r\n', '250']);
  let over = false;
  const done = server.drain(30_000).then(() => (over = true));
  await new Promise((resolve) => setTimeout(resolve, 10));
  await assert.rejects(lineClient(port));
  assert.equal(over, false);
  clock.advance(30_000);
  await done;
  assert.equal(await busy.closed(), '');
  assert.deepEqual(service.ended.length, 1);
  busy.close();
});

test('more sessions than allowed get 421', async (t) => {
  const { port } = await serverOf(t, 'smtp', { maxTotal: 2, maxPerAddress: 1 });
  const first = await lineClient(port);
  await first.talk(['', '220']);
  const second = await lineClient(port);
  assert.match(await second.reply(), /^421 4\.7\.0 Too many connections from your address/);
  for (const client of [first, second]) client.close();
});

test('the flow sees who it talks to, and metrics count', async (t) => {
  const metrics = new Metrics();
  const { port, service } = await serverOf(t, 'submission', { hooks: smtpMetrics(metrics)('submission') });
  const seen: unknown[] = [];
  const { mail } = service;
  service.mail = (session, path, params) => {
    seen.push({
      ...session,
      tls: session.tls?.version,
      login: session.login?.address,
      id: session.id.length,
    });
    return mail.call(service, session, path, params);
  };
  const client = await lineClient(port);
  await client.talk(['', '220'], ['EHLO before\r\n', '250'], ['STARTTLS\r\n', '220']);
  await client.startTls();
  await client.talk(
    ['EHLO after\r\n', '250'],
    ['AUTH PLAIN AGFsaWNlQGV4YW1wbGUudGVzdABwb3N0ZXJu\r\n', '235'],
    ['MAIL FROM:<alice@example.test>\r\n', '250'],
    ['RCPT TO:<b@example.org>\r\n', '250'],
    ['DATA\r\n', '354'],
    ['hello\r\n.\r\n', '250'],
    ['QUIT\r\n', '221'],
  );
  client.close();
  assert.partialDeepStrictEqual(seen, [
    {
      id: 18,
      protocol: 'submission',
      remoteAddress: '127.0.0.1',
      localPort: port,
      helo: 'after',
      extended: true,
    },
  ]);
  assert.partialDeepStrictEqual(seen, [{ tls: 'TLSv1.3', login: 'alice@example.test' }]);
  const text = await metrics.text();
  assert.match(text, /postern_smtp_messages_total\{protocol="submission",outcome="accepted"\} 1/);
  assert.match(text, /postern_smtp_message_octets_total\{protocol="submission"\} 7/);
  assert.match(
    text,
    /postern_smtp_logins_total\{protocol="submission",mechanism="PLAIN",outcome="succeeded"\} 1/,
  );
  assert.match(text, /postern_smtp_starttls_total\{protocol="submission",version="TLSv1\.3"\} 1/);
});

for (const password of ['postern', 'wrong']) {
  test(`SCRAM-SHA-256 over AUTH with the ${password} password`, async (t) => {
    const { port } = await serverOf(t, 'submission', { requireTlsForAuth: false });
    const client = await lineClient(port);
    await client.talk(['', '220'], ['EHLO client\r\n', '250']);
    const mechanism = startClientMechanism('SCRAM-SHA-256', {
      login: 'alice@example.test',
      password,
      channelBinding: undefined,
      random: randomBytes,
    });
    let reply = await client.command(`AUTH SCRAM-SHA-256 ${mechanism.initial?.toString('base64')}`);
    while (reply.startsWith('334 ')) {
      const step = await mechanism.step(Buffer.from(reply.slice(4), 'base64'));
      assert('response' in step);
      reply = await client.command(step.response.toString('base64'));
    }
    assert.match(reply, password === 'postern' ? /^235 2\.7\.0/ : /^535 5\.7\.8/);
    if (password === 'postern') assert.equal(mechanism.incomplete(), undefined);
    client.close();
  });
}

test('a flow that fails at the very end does not keep the server from stopping', async (t) => {
  const { port, service, server } = await serverOf(t, 'smtp');
  service.end = () => {
    throw new Error('a bug');
  };
  const client = await lineClient(port);
  await client.talk(['', '220']);
  const done = server.drain(1000);
  client.close();
  await done;
  assert.equal(server.sessions(), 0);
});
