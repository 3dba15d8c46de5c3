import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { run } from '../../bench/support/processes.ts';
import { imapClient } from '../support/imap-client.ts';
import { cleanEnvironment, skipWithout } from '../support/programs.ts';
import { startTestServer, TEST_PASSWORD, type TestServer } from '../support/server.ts';

/** Programs that fetch mail by POP3: each gets the octets as they are, and takes away what it was told to. */

const BOB = 'bob@example.test';
const MESSAGES = ['.one dot', 'two\r\n..\r\n.', `${'long '.repeat(200)}`].map(
  (text, n) =>
    `From: alice@example.test\r\nTo: ${BOB}\r\nSubject: number ${n}\r\nMessage-ID: <${n}@example.test>\r\n\r\n${text}\r\n`,
);

async function fill(server: TestServer): Promise<void> {
  const client = await imapClient(server.ports.imaps ?? 0, { tls: true });
  await client.ok(`LOGIN ${BOB} "${TEST_PASSWORD}"`);
  for (const message of MESSAGES) await client.append('INBOX', message);
  client.close();
}

async function left(server: TestServer): Promise<number> {
  return (await server.account(BOB)).emails;
}

let server: TestServer;
let home: string;
before(async () => {
  server = await startTestServer();
  home = await mkdtemp(join(tmpdir(), 'postern-pop3-'));
});
after(async () => {
  await server.close();
  await rm(home, { recursive: true, force: true });
});

describe('curl by POP3', { skip: skipWithout('curl') }, () => {
  it('lists and fetches on TLS, and in clear only after STLS', async () => {
    await fill(server);
    const login = ['-sS', '-k', '--max-time', '15', '-u', `${BOB}:${TEST_PASSWORD}`];
    const env = cleanEnvironment(home);
    const { pop3, pop3s } = server.ports;
    const list = await run('curl', [...login, `pop3s://127.0.0.1:${pop3s}/`], { env });
    assert.match(list.stdout, /^1 \d+\r?\n2 \d+\r?\n3 \d+\r?\n$/);
    const one = await run('curl', [...login, '--ssl-reqd', `pop3://127.0.0.1:${pop3}/2`], { env });
    assert.equal(one.stdout, MESSAGES[1]);
    const clear = await run('curl', [...login, `pop3://127.0.0.1:${pop3}/2`], { env, allowFailure: true });
    assert.notEqual(clear.code, 0, 'a password in clear is not taken');
  });
});

describe('fetchmail', { skip: skipWithout('fetchmail') }, () => {
  it('fetches all into a program and removes them', async () => {
    if ((await left(server)) === 0) await fill(server);
    const before = await left(server);
    const rc = join(home, 'fetchmailrc');
    await writeFile(
      rc,
      `poll 127.0.0.1 protocol POP3 service ${server.ports.pop3s} user "${BOB}" password "${TEST_PASSWORD}" ssl no sslcertck fetchall mda "cat >> ${home}/fetched"\n`,
      { mode: 0o600 },
    );
    const done = await run(
      'fetchmail',
      ['-f', rc, '--nosyslog', '--pidfile', join(home, 'pid'), '-i', join(home, 'ids')],
      {
        env: cleanEnvironment(home),
        allowFailure: true,
      },
    );
    assert.equal(done.code, 0, `${done.stdout}${done.stderr}`);
    const fetched = await readFile(join(home, 'fetched'), 'utf8');
    assert.equal(fetched.match(/^Subject: number/gm)?.length, before);
    assert.match(fetched, /^two\n\.\.\n\.$/m, 'lines that begin with dots are as they were');
    assert.equal(await left(server), 0);
  });
});

describe('getmail', { skip: skipWithout('getmail') }, () => {
  it('fetches each message once by its unique id, and leaves it there', async () => {
    await fill(server);
    const fetched = join(home, 'got');
    const rc = join(home, 'getmailrc');
    await writeFile(
      rc,
      [
        '[retriever]',
        'type = SimplePOP3SSLRetriever',
        'server = 127.0.0.1',
        `port = ${server.ports.pop3s}`,
        `username = ${BOB}`,
        `password = ${TEST_PASSWORD}`,
        '[destination]',
        'type = MDA_external',
        'path = /usr/bin/tee',
        `arguments = ("-a", "${fetched}")`,
        'allow_root_commands = true',
        '[options]',
        'read_all = false',
        'delivered_to = false',
        'received = false',
        '',
      ].join('\n'),
    );
    const fetch = async (): Promise<void> => {
      const done = await run('getmail', ['--getmaildir', home, '--rcfile', rc], {
        env: cleanEnvironment(home),
        allowFailure: true,
      });
      assert.equal(done.code, 0, `${done.stdout}${done.stderr}`);
    };
    await fetch();
    await fetch();
    const text = await readFile(fetched, 'utf8');
    assert.equal(text.match(/^Subject: number/gm)?.length, MESSAGES.length);
    assert.equal(await left(server), MESSAGES.length);
  });
});
