import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { type ManualClock, manualClock } from '../../../test/support/manual-clock.ts';
import { startClientMechanism } from '../../mail/sasl/client.ts';
import { type ImapTestServer, imapTestServer } from '../../../test/support/imap-server.ts';

const PLAIN = Buffer.from('\0alice@example.test\0postern').toString('base64');

test('without TLS there is no login, with STARTTLS there is', async () => {
  const server = await imapTestServer({ requireTlsForLogin: true });
  try {
    const c = await server.client();
    const greeting = await c.next(/^\* OK \[CAPABILITY /);
    assert.match(greeting, /LOGINDISABLED/);
    assert.doesNotMatch(greeting, /AUTH=/);
    await c.expect('NO [PRIVACYREQUIRED]', 'LOGIN alice@example.test postern');
    await c.expect('NO [PRIVACYREQUIRED]', 'AUTHENTICATE PLAIN');
    await c.ok('STARTTLS');
    await c.startTls();
    const [capability = ''] = await c.ok('CAPABILITY');
    assert.match(capability, /AUTH=SCRAM-SHA-256-PLUS .*AUTH=PLAIN/);
    assert.doesNotMatch(capability, /STARTTLS|LOGINDISABLED/);
    await c.expect('BAD', 'STARTTLS');
    const { tagged } = await c.command('LOGIN alice@example.test postern');
    assert.match(tagged, /^OK \[CAPABILITY .*LITERAL\+/);
  } finally {
    await server.close();
  }
});

test('plain text behind STARTTLS ends the session', async () => {
  const server = await imapTestServer();
  try {
    const c = await server.client();
    await c.response();
    c.send('a STARTTLS\r\nb LOGIN alice@example.test postern\r\n');
    assert.match(await c.closed(), /^\* BYE .*STARTTLS\r\n$/);
  } finally {
    await server.close();
  }
});

test('AUTHENTICATE with and without an initial response, cancelled, and malformed', async () => {
  const server = await imapTestServer();
  try {
    const c = await server.client();
    await c.response();
    c.send('a AUTHENTICATE PLAIN\r\n');
    await c.next('+ ');
    c.send('*\r\n');
    await c.next(/^a BAD .*cancelled/);
    await c.expect('BAD', 'AUTHENTICATE PLAIN !!!');
    await c.expect('NO [CANNOT]', 'AUTHENTICATE NOSUCH');
    c.send('b AUTHENTICATE PLAIN\r\n');
    await c.next('+ ');
    c.send(`${PLAIN}\r\n`);
    await c.next(/^b OK \[CAPABILITY /);
    await c.expect('BAD', 'LOGIN alice@example.test postern');
    const d = await server.client();
    await d.response();
    await d.ok(`AUTHENTICATE PLAIN ${PLAIN}`);
  } finally {
    await server.close();
  }
});

test('three failed logins end the session', async () => {
  const server = await imapTestServer();
  try {
    const c = await server.client();
    await c.response();
    await c.expect('NO [AUTHENTICATIONFAILED]', 'LOGIN alice@example.test wrong');
    await c.expect('NO [AUTHENTICATIONFAILED]', 'LOGIN nobody@example.test postern');
    c.send('x LOGIN a b\r\n');
    assert.match(await c.closed(), /^x NO \[AUTHENTICATIONFAILED\].*\r\n\* BYE /);
  } finally {
    await server.close();
  }
});

test('a revoked login is cut off at once, in IDLE and between commands', async () => {
  const server = await imapTestServer();
  try {
    const idle = await server.ready('INBOX');
    const waiting = await server.ready();
    idle.send('x IDLE\r\n');
    await idle.next('+ idling');
    server.authenticator.revoke();
    assert.match(await idle.closed(), /^\* BYE /);
    assert.match(await waiting.closed(), /^\* BYE /);
    assert.deepEqual(server.ended, ['login was revoked', 'login was revoked']);
  } finally {
    await server.close();
  }
});

test('a login that is revoked ends what was sent ahead, too', async () => {
  const server = await imapTestServer();
  try {
    const c = await server.ready('INBOX');
    c.send(`${Array.from({ length: 3000 }, (_, i) => `${i} NOOP\r\n`).join('')}`);
    await c.next(/^0 OK/);
    server.authenticator.revoke();
    const rest = await c.closed();
    assert.match(rest, /\* BYE The login was revoked\r\n$/);
    assert(!rest.includes('2999 OK'));
  } finally {
    await server.close();
  }
});

test('SCRAM-SHA-256 bound to the TLS connection', async () => {
  const server = await imapTestServer({ implicitTls: true });
  try {
    const c = await server.client({ tls: true });
    await c.next(/AUTH=SCRAM-SHA-256-PLUS/);
    const mechanism = startClientMechanism('SCRAM-SHA-256-PLUS', {
      login: 'alice@example.test',
      password: 'postern',
      channelBinding: { exporter: c.exporter(), serverEndPoint: undefined },
      random: randomBytes,
    });
    c.send(`a AUTHENTICATE SCRAM-SHA-256-PLUS ${mechanism.initial?.toString('base64')}\r\n`);
    for (let round = 0; round < 2; round++) {
      const challenge = (await c.next(/^\+ /)).slice(2);
      const answer = await mechanism.step(Buffer.from(challenge, 'base64'));
      assert('response' in answer, JSON.stringify(answer));
      c.send(`${answer.response.toString('base64')}\r\n`);
    }
    await c.next(/^a OK \[CAPABILITY/);
    assert.equal(mechanism.incomplete(), undefined);
  } finally {
    await server.close();
  }
});

test('silence ends a session: after a minute before login, after half an hour in IDLE', async () => {
  const clock = manualClock();
  const server = await imapTestServer({ clock });
  const early = await server.client();
  await early.response();
  const idle = await server.ready('INBOX');
  idle.send('x IDLE\r\n');
  await idle.next('+ idling');
  clock.advance(61_000);
  assert.match(await early.closed(), /^\* BYE Autologout/);
  clock.advance(4 * 60_000);
  await idle.next('* OK Still here');
  clock.advance(31 * 60_000);
  assert.match(await idle.closed(), /\* BYE Autologout/);
  clock.advance(60_000);
  const closing = server.close();
  const pump = setInterval(() => clock.advance(10_000), 1);
  await closing;
  clearInterval(pump);
});

/** Close a server whose clock stands still. */
async function closeBy(clock: ManualClock, server: ImapTestServer): Promise<void> {
  const closing = server.close();
  const pump = setInterval(() => clock.advance(10_000), 1);
  await closing;
  clearInterval(pump);
}

test('a client that is busy but does not log in has five minutes', async () => {
  const clock = manualClock();
  const server = await imapTestServer({ clock });
  const busy = await server.client();
  await busy.response();
  const inside = await server.ready();
  for (let passed = 0; passed < 300; passed += 50) {
    await busy.ok('NOOP');
    await inside.ok('NOOP');
    clock.advance(50_000);
  }
  assert.match(await busy.closed(), /^\* BYE (?:No login|Autologout)/);
  await inside.ok('NOOP');
  assert.equal(server.ended.length, 1);
  await closeBy(clock, server);
});

test('a client that never reads is cut, and its session ends', async () => {
  const clock = manualClock();
  const server = await imapTestServer({ clock });
  const c = await server.ready();
  await c.append('INBOX', `Subject: large\r\n\r\n${'0123456789\r\n'.repeat(80_000)}`);
  await c.ok('SELECT INBOX');
  c.pause();
  const before = clock.timers;
  c.send(Array.from({ length: 40 }, (_, i) => `x${i} FETCH 1 BODY.PEEK[]\r\n`).join(''));
  // The kernel takes some megabytes; then the session waits for its client, and a timer for both.
  for (let waiting = 0; waiting < 20; ) {
    await new Promise((resolve) => setTimeout(resolve, 5));
    waiting = clock.timers > before ? waiting + 1 : 0;
  }
  assert.deepEqual(server.ended, []);
  clock.advance(181_000);
  while (server.ended.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
  assert.deepEqual(server.ended, ['the peer took nothing for 180 s']);
  await closeBy(clock, server);
});

test('a graceful stop says BYE', async () => {
  const server = await imapTestServer();
  const c = await server.ready();
  const idle = await server.ready('INBOX');
  idle.send('x IDLE\r\n');
  await idle.next('+ idling');
  const closed = Promise.all([c.closed(), idle.closed()]);
  const drained = server.server.drain(5000);
  for (const last of await closed) assert.match(last, /^\* BYE \[UNAVAILABLE\] /);
  c.close();
  idle.close();
  await drained;
  await server.close();
});

test('too many bad commands end the session; each says what was expected', async () => {
  const server = await imapTestServer();
  try {
    const c = await server.ready();
    await c.expect('BAD SELECT: expected a space at octet 10', 'SELECT');
    for (let i = 0; i < 8; i++) await c.expect('BAD', 'NONSENSE');
    c.send('x NONSENSE\r\n');
    assert.match(await c.closed(), /^x BAD unknown command\r\n\* BYE Too many bad commands/);
  } finally {
    await server.close();
  }
});

test('pipelined commands are answered in order', async () => {
  const server = await imapTestServer();
  try {
    const c = await server.ready();
    c.send(
      '1 SELECT INBOX\r\n2 APPEND INBOX {12+}\r\nSubject: x\r\n\r\n3 FETCH 1 UID\r\n4 STORE 1 FLAGS.SILENT (\\Deleted)\r\n5 EXPUNGE\r\n6 LOGOUT\r\n',
    );
    const lines = (await c.closed())
      .split('\r\n')
      .filter((line) => !line.startsWith('* OK ') && !line.startsWith('* FLAGS'));
    assert.deepEqual(
      lines.map((line) => line.replace(/^(\d \w+) .*/, '$1')),
      [
        '* 0 EXISTS',
        '* 0 RECENT',
        '1 OK',
        '* 1 EXISTS',
        '* 1 RECENT',
        '2 OK',
        '* 1 FETCH (UID 1)',
        '3 OK',
        '4 OK',
        '* 1 EXPUNGE',
        '5 OK',
        '* BYE Logging out',
        '6 OK',
        '',
      ],
    );
  } finally {
    await server.close();
  }
});

test('a message is taken and given octet for octet, whatever its size, and large ones in pieces', async () => {
  const server = await imapTestServer();
  try {
    const c = await server.ready('INBOX');
    for (const size of [1, 1000, 70_000, 1_500_000]) {
      const head = Buffer.from(
        'Subject: x\r\nContent-Type: application/octet-stream\r\nContent-Transfer-Encoding: base64\r\n\r\n',
      );
      const body = Buffer.from(`${randomBytes(size).toString('base64')}\r\n`);
      const message = Buffer.concat([head, body]);
      const uid = await c.append('INBOX', message.toString('latin1'));
      const [response = ''] = (await c.ok(`UID FETCH ${uid} BODY.PEEK[]`)).filter((each) =>
        each.includes('BODY[]'),
      );
      const start = response.indexOf('\r\n') + 2;
      assert(
        Buffer.from(response, 'latin1')
          .subarray(start, start + message.length)
          .equals(message),
        String(size),
      );
      const [partial = ''] = await c.ok(`UID FETCH ${uid} BODY.PEEK[1]<3.9>`);
      const expected = body.subarray(3, 12).toString('latin1');
      assert(partial.includes(`BODY[1]<3> {${expected.length}}\r\n${expected})`), partial.slice(0, 200));
      const [binary = ''] = await c.ok(`UID FETCH ${uid} (BINARY.SIZE[1] BINARY.PEEK[1]<0.5>)`);
      assert(binary.includes(`BINARY.SIZE[1] ${size} `), binary.slice(0, 200));
    }
    assert.deepEqual(server.logged, []);
  } finally {
    await server.close();
  }
});

test('a client that does not read is waited for, not buffered', async () => {
  const server = await imapTestServer();
  try {
    const c = await server.ready('INBOX');
    const message = `Subject: x\r\n\r\n${'0123456789abcdef'.repeat(64 * 1024)}\r\n`;
    await c.append('INBOX', message);
    c.pause();
    for (let i = 0; i < 40; i++) c.send(`${i} FETCH 1 BODY.PEEK[]\r\n`);
    c.send('last NOOP\r\n');
    await new Promise((resolve) => setTimeout(resolve, 300));
    const memory = process.memoryUsage().arrayBuffers;
    assert(memory < 100 * 1024 * 1024, `${memory} octets of buffers`);
    c.resume();
    for (;;) if (((await c.response()) ?? 'last').startsWith('last')) break;
    assert.deepEqual(server.logged, []);
  } finally {
    await server.close();
  }
});
