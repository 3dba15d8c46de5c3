import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { type Output, run } from '../../bench/support/processes.ts';
import { filterSettingsSchema } from '../../src/flow/spam/settings.ts';
import { cleanEnvironment, skipWithout } from '../support/programs.ts';
import { proxyFor } from '../support/proxy.ts';
import {
  startTestServer,
  TEST_PASSWORD,
  type TestServer,
  type TestServerOptions,
} from '../support/server.ts';
import { type LineClient, lineClient } from '../support/smtp-client.ts';
import { type CliAnswer, runCommand } from '../support/cli.ts';

/** Guessing passwords at a whole server, from addresses of our choice behind a listed proxy. */

const FAILURES = 4;
const ALICE = 'alice@example.test';

async function start(more: Partial<TestServerOptions> = {}): Promise<TestServer> {
  const { config, ...rest } = more;
  const filter = filterSettingsSchema.parse({ bans: { failures: FAILURES } });
  return startTestServer({
    plaintextAuth: true,
    filter: () => filter,
    ...rest,
    config: { ...config, listen: { proxy_from: ['127.0.0.1'], ...config?.listen } },
  });
}

/** A client that the proxy says is at this address. */
async function from(address: string, port: number | undefined, tls = false): Promise<LineClient> {
  const client = await lineClient(port ?? 0);
  const family = address.includes(':') ? 'TCP6' : 'TCP4';
  client.send(`PROXY ${family} ${address} ${family === 'TCP6' ? '::1' : '127.0.0.1'} 40000 1\r\n`);
  if (tls) await client.startTls();
  return client;
}

let serial = 0;
function plain(login: string, password = `wrong ${serial++}`): string {
  return Buffer.from(`\0${login}\0${password}`).toString('base64');
}

/** What a login over SMTP is answered, or what came instead of a greeting; then the client goes. */
async function smtpLogin(
  server: TestServer,
  address: string,
  password?: string,
  login = ALICE,
): Promise<string> {
  const client = await from(address, server.ports.submission);
  try {
    const greeting = await client.reply();
    if (!greeting.startsWith('220')) return greeting;
    await client.command('EHLO there');
    return await client.command(`AUTH PLAIN ${plain(login, password)}`);
  } finally {
    client.close();
  }
}

async function imapLogin(server: TestServer, address: string, password?: string): Promise<string> {
  const client = await from(address, server.ports.imap);
  try {
    const greeting = (await client.line()) ?? '';
    if (!greeting.startsWith('* OK')) return greeting;
    client.send(`a LOGIN ${ALICE} "${password ?? `wrong ${serial++}`}"\r\n`);
    return (await client.line()) ?? '';
  } finally {
    client.close();
  }
}

async function popLogin(server: TestServer, address: string, password?: string): Promise<string> {
  const client = await from(address, server.ports.pop3);
  try {
    const greeting = (await client.line()) ?? '';
    if (!greeting.startsWith('+OK')) return greeting;
    client.send(`AUTH PLAIN ${plain(ALICE, password)}\r\n`);
    return (await client.line()) ?? '';
  } finally {
    client.close();
  }
}

async function sieveLogin(server: TestServer, address: string, password?: string): Promise<string> {
  const client = await from(address, server.ports.managesieve);
  try {
    for (;;) {
      const line = (await client.line()) ?? '';
      if (line.startsWith('BYE') || line === '') return line;
      if (line.startsWith('OK')) break;
    }
    client.send(`AUTHENTICATE "PLAIN" "${plain(ALICE, password)}"\r\n`);
    return (await client.line()) ?? '';
  } finally {
    client.close();
  }
}

function cli(server: TestServer, ...words: string[]): Promise<CliAnswer> {
  return runCommand(words, { data: server.directory });
}

async function said(server: TestServer, ...words: string[]): Promise<string> {
  const { status, out, err } = await cli(server, ...words);
  assert.equal(status, 0, err);
  return out;
}

describe('guessing passwords', () => {
  it('is counted over SMTP and IMAP together; then the client is refused with the reason and the end', async () => {
    await using server = await start();
    for (let i = 0; i < FAILURES / 2; i++) {
      assert.match(await smtpLogin(server, '192.0.2.7'), /^535 5\.7\.8 /);
      assert.match(await imapLogin(server, '192.0.2.7'), /^a NO \[AUTHENTICATIONFAILED\] /);
    }
    const words =
      /Too many failed logins from your address 192\.0\.2\.7; try again after \d{4}-\d\d-\d\d \d\d:\d\d UTC/;
    assert.match(
      await smtpLogin(server, '192.0.2.7', TEST_PASSWORD),
      new RegExp(`^421 4\\.7\\.0 ${words.source}`),
    );
    assert.match(
      await imapLogin(server, '192.0.2.7', TEST_PASSWORD),
      new RegExp(`^\\* BYE \\[UNAVAILABLE\\] ${words.source}$`),
    );
    assert.match(await smtpLogin(server, '192.0.2.8', TEST_PASSWORD), /^235 /, 'its neighbour gets in');

    for (const [port, begins] of [
      [server.ports.submissions, '421 4.7.0 Too many failed'],
      [server.ports.imaps, '* BYE [UNAVAILABLE] Too many failed'],
    ] as const) {
      const client = await from('192.0.2.7', port, true);
      const line = (await client.line()) ?? '';
      assert.ok(line.startsWith(begins), line);
      assert.equal(await client.line(), undefined, 'and that is all');
      client.close();
    }
    const mail = await from('192.0.2.7', server.ports.smtp);
    assert.match(await mail.reply(), /^220 /, "other hosts' mail flows");
    mail.close();
  });

  it('is counted over POP3 and ManageSieve too; a ban shuts their doors, and the trace names the protocol', async () => {
    await using server = await start();
    for (let i = 0; i < FAILURES / 2; i++) {
      assert.match(await popLogin(server, '192.0.2.7'), /^-ERR \[AUTH\] /);
      assert.match(await sieveLogin(server, '192.0.2.7'), /^NO /);
    }
    const words = 'Too many failed logins from your address 192.0.2.7; try again after';
    const pop = await popLogin(server, '192.0.2.7', TEST_PASSWORD);
    assert.ok(pop.startsWith('-ERR') && pop.includes(words), pop);
    const sieve = await sieveLogin(server, '192.0.2.7', TEST_PASSWORD);
    assert.ok(sieve.startsWith('BYE') && sieve.includes(words), sieve);
    assert.match(await smtpLogin(server, '192.0.2.7', TEST_PASSWORD), /^421 4\.7\.0 Too many/);
    assert.match(await popLogin(server, '192.0.2.8', TEST_PASSWORD), /^\+OK/, 'its neighbour gets in');
    assert.match(await sieveLogin(server, '192.0.2.8', TEST_PASSWORD), /^OK/);
    await server.recorder.flush();
    const trace = (await said(server, 'trace', ALICE)).replaceAll(/\s+/g, ' ');
    for (const protocol of ['pop3', 'managesieve']) {
      assert.ok(trace.includes(`Why: wrong password. Service: ${protocol}.`), trace);
      assert.match(trace, new RegExp(`signed in from \\[192\\.0\\.2\\.8\\][^>]*Service: ${protocol}\\.`));
    }
  });

  it('leaves one line in the log, an event that a trace finds, and a metric', async () => {
    await using server = await start();
    for (let i = 0; i < FAILURES; i++) await smtpLogin(server, '192.0.2.7');
    await smtpLogin(server, '192.0.2.7');
    await smtpLogin(server, '192.0.2.7');
    const lines = server.logs.filter(({ msg }) => msg === 'ban.set');
    assert.deepEqual(
      lines.map(({ subject, reason }) => ({ subject, reason })),
      [{ subject: '192.0.2.7', reason: '4 failed logins within 10 min' }],
    );
    await server.recorder.flush();
    const trace = await said(server, 'trace', '192.0.2.7');
    assert.match(trace, /Logins from 192\.0\.2\.7 are refused until/);
    assert.match(trace, /To end it now: postern ban lift 192\.0\.2\.7/);
    assert.match(trace, /A connection from \[192\.0\.2\.7\] was refused/);
    const metrics = await server.metrics.text();
    assert.match(metrics, /postern_bans_total\{kind="network"\} 1\n/);
    assert.match(metrics, /postern_bans_active 1\n/);
    assert.match(metrics, /postern_connections_refused_total\{listener="submission",reason="ban"\} 2/);
  });

  it('ends an open session of a banned client at its next failure, and not before', async () => {
    await using server = await start();
    const smtp = await from('192.0.2.7', server.ports.submission);
    const imap = await from('192.0.2.7', server.ports.imap);
    await smtp.reply();
    await smtp.command('EHLO there');
    await imap.line();
    for (let i = 0; i < FAILURES; i++) await smtpLogin(server, '192.0.2.7');
    assert.match(await smtp.command('NOOP'), /^250 /);
    assert.match(await smtp.command(`AUTH PLAIN ${plain(ALICE)}`), /^535 /);
    assert.match(await smtp.reply(), /^421 4\.7\.0 Too many failed logins from your address/);
    assert.equal(await smtp.line(), undefined);
    imap.send(`a LOGIN ${ALICE} nonsense\r\n`);
    assert.match((await imap.line()) ?? '', /^a NO \[AUTHENTICATIONFAILED\]/);
    assert.match(
      (await imap.line()) ?? '',
      /^\* BYE \[UNAVAILABLE\] Too many failed logins from your address/,
    );
    assert.equal(await imap.line(), undefined);
  });

  it('counts SCRAM, and neither an exchange that is broken off nor a right password of a suspended account', async () => {
    await using server = await start();
    for (let i = 0; i <= FAILURES; i++) {
      const client = await from('192.0.2.7', server.ports.submission);
      await client.talk(['', '220'], ['EHLO there\r\n', '250'], ['AUTH PLAIN\r\n', '334'], ['*\r\n', '501']);
      client.close();
    }
    const actor = { name: 'system', role: 'system', domainId: undefined } as const;
    await server.store.write.run('directory.setStatus', {
      actor,
      address: 'bob@example.test',
      status: 'suspended',
    });
    for (let i = 0; i <= FAILURES; i++) {
      assert.match(await smtpLogin(server, '192.0.2.7', TEST_PASSWORD, 'bob@example.test'), /^525 /);
    }
    for (let i = 0; i < FAILURES; i++) {
      const client = await from('192.0.2.7', server.ports.submission);
      await client.talk(['', '220'], ['EHLO there\r\n', '250']);
      const first = Buffer.from(`n,,n=${ALICE},r=abcdefghijkl`).toString('base64');
      const challenge = await client.command(`AUTH SCRAM-SHA-256 ${first}`);
      const [nonce = ''] = Buffer.from(challenge.slice(4), 'base64').toString().split(',');
      const final = `c=biws,${nonce},p=${Buffer.alloc(32).toString('base64')}`;
      assert.match(await client.command(Buffer.from(final).toString('base64')), /^535 /);
      client.close();
    }
    assert.match(await smtpLogin(server, '192.0.2.7', TEST_PASSWORD), /^421 /);
  });

  it('never bans this machine or the proxy itself, whatever name is tried', async () => {
    await using server = await start();
    for (const [i, header] of ['PROXY TCP4 127.0.0.1 127.0.0.1 1 1\r\n', 'PROXY UNKNOWN\r\n'].entries()) {
      for (let n = 0; n <= FAILURES; n++) {
        const client = await lineClient(server.ports.submission ?? 0);
        client.send(header);
        await client.talk(['', '220'], ['EHLO there\r\n', '250']);
        assert.match(await client.command(`AUTH PLAIN ${plain(`nobody${i}@example.test`)}`), /^535 /);
        client.close();
      }
    }
    assert.equal(await said(server, 'ban', 'list'), 'Nobody is banned.\n');
  });

  it('believes an address from a listed proxy only: XCLIENT is no command, a header of others no header', async () => {
    await using server = await start({ config: { listen: { proxy_from: [] } } });
    const client = await lineClient(server.ports.submission ?? 0);
    await client.talk(['', '220'], ['EHLO there\r\n', '250'], ['XCLIENT ADDR=192.0.2.9\r\n', '500']);
    client.close();
    const liar = await from('192.0.2.9', server.ports.submission);
    assert.match(await liar.reply(), /^220 /);
    assert.match(await liar.reply(), /^50\d /, 'taken for a command');
    liar.close();
  });

  it('from many places slows strangers only: known places get in, new ones when it is lifted', async () => {
    await using server = await start();
    assert.match(await imapLogin(server, '203.0.113.5', TEST_PASSWORD), /^a OK /);
    for (let i = 0; i < FAILURES; i++) assert.match(await smtpLogin(server, `10.0.${i}.1`), /^535 /);
    const closed = /Too many failed logins to this account from elsewhere; from a new place try again after/;
    assert.match(
      await smtpLogin(server, '198.51.100.1', TEST_PASSWORD),
      new RegExp(`^454 4\\.7\\.0 ${closed.source}`),
    );
    assert.match(
      await imapLogin(server, '198.51.100.1', TEST_PASSWORD),
      new RegExp(`^a NO \\[UNAVAILABLE\\] ${closed.source}`),
    );
    assert.match(await smtpLogin(server, '203.0.113.77', TEST_PASSWORD), /^235 /, 'the /24 of home is home');
    assert.match(await smtpLogin(server, '198.51.100.1', TEST_PASSWORD, 'bob@example.test'), /^235 /);
    const client = await from('198.51.100.1', server.ports.submission);
    await client.talk(['', '220'], ['EHLO there\r\n', '250']);
    const first = Buffer.from(`n,,n=${ALICE},r=abcdefghijkl`).toString('base64');
    assert.match(await client.command(`AUTH SCRAM-SHA-256 ${first}`), /^454 4\.7\.0 /, 'before any proof');
    client.close();
    const stubborn = await from('198.51.100.1', server.ports.submission);
    await stubborn.talk(['', '220'], ['EHLO there\r\n', '250']);
    for (let i = 0; i < 3; i++) assert.match(await stubborn.command(`AUTH PLAIN ${plain(ALICE)}`), /^454 /);
    assert.match(await stubborn.reply(), /^421 4\.7\.0 Too many failed logins, closing/);
    assert.match(await said(server, 'ban', 'list'), /^alice@example\.test {2}from places it does not know$/m);
    assert.match(await said(server, 'ban', 'lift', 'Alice@example.test'), /lifted/);
    assert.match(await smtpLogin(server, '198.51.100.1', TEST_PASSWORD), /^235 /);
  });

  it('is remembered over a restart; lifted it is over at once, and exempted it never comes', async (t) => {
    const directory = await mkdtemp(join(tmpdir(), 'postern-bans-'));
    t.after(() => rm(directory, { recursive: true, force: true }));
    const first = await start({ directory });
    for (let i = 0; i < FAILURES; i++) await smtpLogin(first, '2001:db8:1:2::5');
    const before = await said(first, 'ban', 'list', '--json');
    await first.close();
    await using server = await start({ directory });
    assert.equal(await said(server, 'ban', 'list', '--json'), before);
    assert.match(
      await smtpLogin(server, '2001:db8:1:2:3::9', TEST_PASSWORD),
      /^421 .*your network 2001:db8:1:2::\/64/,
    );
    assert.equal(
      await said(server, 'ban', 'lift', '2001:db8:1:2::9'),
      'The ban of 2001:db8:1:2::/64 is lifted: logins are possible at once.\n',
    );
    assert.match(await smtpLogin(server, '2001:db8:1:2:3::9', TEST_PASSWORD), /^235 /);
    await said(server, 'ban', 'exempt', 'add', '198.51.100.0/24', '--note', 'the office');
    for (let i = 0; i <= FAILURES; i++) assert.match(await smtpLogin(server, '198.51.100.7'), /^535 /);
    await said(server, 'ban', 'exempt', 'remove', '198.51.100.0/24');
    for (let i = 0; i < FAILURES; i++) await smtpLogin(server, '198.51.100.7');
    assert.match(await smtpLogin(server, '198.51.100.7'), /^421 /);
  });
});

describe('postern ban', () => {
  it('reads well at three in the morning', async () => {
    await using server = await start();
    assert.equal(await said(server, 'ban', 'list'), 'Nobody is banned.\n');
    for (let i = 0; i < FAILURES; i++) await smtpLogin(server, '192.0.2.7');
    assert.match(await said(server, 'status'), /^Banned +1 from logging in: postern ban list$/m);
    assert.match(
      await said(server, 'ban', 'add', '198.51.100.99/24', '--for', '1h', '--reason', 'saw them in the log'),
      /^198\.51\.100\.0\/24 may not log in until \d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\n$/,
    );
    const list = await said(server, 'ban', 'list');
    assert.equal(
      list.replace(/\d{4}-\d\d-\d\d \d\d:\d\d:\d\d/g, 'TIME'),
      [
        '198.51.100.0/24',
        '    until TIME (59 min left), since TIME',
        '    set by hand: saw them in the log',
        '192.0.2.7',
        '    until TIME (14 min left), since TIME',
        '    4 failed logins within 10 min',
        '',
        'To end one: postern ban lift 198.51.100.0/24',
        '',
      ].join('\n'),
    );
    assert.match(
      await smtpLogin(server, '198.51.100.3', TEST_PASSWORD),
      /^421 .* are closed until .* by the administrator/,
    );
    const json = JSON.parse(await said(server, 'ban', 'list', '--json')) as {
      bans: Record<string, unknown>[];
    };
    assert.deepEqual(
      json.bans.map(({ kind, subject, cause, offences }) => ({ kind, subject, cause, offences })),
      [
        { kind: 'network', subject: '198.51.100.0/24', cause: 'manual', offences: 0 },
        { kind: 'network', subject: '192.0.2.7', cause: 'guessing', offences: 1 },
      ],
    );
    await said(server, 'ban', 'lift', '198.51.100.0/24');
    assert.match(await smtpLogin(server, '198.51.100.3', TEST_PASSWORD), /^235 /);
    const audit = await said(server, 'audit');
    assert.match(audit, /ban\.lift +198\.51\.100\.0\/24/);
    assert.match(audit, /ban\.add +198\.51\.100\.0\/24/);
  });

  it('says what is wrong, and how to say it right', async () => {
    await using server = await start();
    const wrong = async (...words: string[]): Promise<string> => {
      const { status, err } = await cli(server, 'ban', ...words);
      assert.notEqual(status, 0);
      return err;
    };
    assert.match(await wrong('add', 'example.net'), /is not a network: write it as 192\.0\.2\.7/);
    assert.match(await wrong('add', '0.0.0.0/0'), /\/0 is too wide: a network has at least \/8/);
    assert.match(await wrong('add', '192.0.2.7', '--for', 'ever'), /write it as 30min, 1h or 7d/);
    assert.match(await wrong('lift', '192.0.2.7'), /192\.0\.2\.7 is not banned/);
    assert.match(await wrong('exempt', 'remove', '192.0.2.7'), /is not on the list/);
    await said(server, 'ban', 'add', '192.0.2.7', '--for', '7d');
    assert.match(await wrong('add', '192.0.2.7', '--for', '1h'), /banned for longer than that already/);
  });

  it('is for administrators only', async () => {
    await using server = await start();
    const domainAdmin = { name: ALICE, role: 'domain-admin', domainId: 1 } as const;
    const { write } = server.store;
    const network = '192.0.2.7';
    for (const attempt of [
      write.run('bans.add', { actor: domainAdmin, network, forMs: 60_000, reason: '' }),
      write.run('bans.lift', { actor: domainAdmin, kind: 'network', subject: network }),
      write.run('bans.exempt', { actor: domainAdmin, network, note: '' }),
      write.run('bans.unexempt', { actor: domainAdmin, network }),
    ]) {
      await assert.rejects(attempt, { name: 'Refusal', kind: 'not-permitted' });
    }
  });
});

describe('clients that people have', { skip: skipWithout('swaks', 'curl') }, () => {
  const env = cleanEnvironment(tmpdir());
  const program = (name: string, ...args: string[]): Promise<Output> =>
    run(name, args, { env, allowFailure: true });

  it('swaks and curl are refused when banned, and get in when it is lifted', async () => {
    await using server = await start();
    await using smtp = await proxyFor(server.ports.submission ?? 0, '192.0.2.7');
    await using imap = await proxyFor(server.ports.imap ?? 0, '192.0.2.7');
    const swaks = (password: string): Promise<Output> =>
      program(
        'swaks',
        '--server',
        '127.0.0.1',
        '--port',
        `${smtp.port}`,
        '--quit-after',
        'AUTH',
        '--timeout',
        '10',
        '--auth',
        'PLAIN',
        '--auth-user',
        ALICE,
        '--auth-password',
        password,
      );
    const curl = (password: string): Promise<Output> =>
      program(
        'curl',
        '-sS',
        '-v',
        '--max-time',
        '10',
        '--user',
        `${ALICE}:${password}`,
        `imap://127.0.0.1:${imap.port}/`,
      );
    for (let i = 0; i < FAILURES / 2; i++) {
      assert.match((await swaks(`wrong ${i}`)).stdout, /<\*\* 535 5\.7\.8 /);
      assert.match((await curl(`wrong ${i}`)).stderr, /NO \[AUTHENTICATIONFAILED\]/);
    }
    assert.match(
      (await swaks(TEST_PASSWORD)).stdout,
      /<\*\* 421 4\.7\.0 Too many failed logins from your address 192\.0\.2\.7/,
    );
    assert.match(
      (await curl(TEST_PASSWORD)).stderr,
      /BYE \[UNAVAILABLE\] Too many failed logins from your address/,
    );
    await said(server, 'ban', 'lift', '192.0.2.7');
    assert.match((await swaks(TEST_PASSWORD)).stdout, /<- {2}235 2\.7\.0/);
    assert.match((await curl(TEST_PASSWORD)).stdout, /INBOX/);
  });
});
