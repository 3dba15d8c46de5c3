import assert from 'node:assert/strict';
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { makeConfig } from '../../src/app/config-load.ts';
import { parseListen } from '../../src/app/config-values.ts';
import { webPlace } from '../../src/app/http.ts';
import { configuredLogger } from '../../src/app/run.ts';
import { startTestServer, type TestServer } from '../support/server.ts';
import { lineClient } from '../support/smtp-client.ts';
import { startSmtpPeer } from '../support/smtp-peer.ts';
import { type CliAnswer, runCommand } from '../support/cli.ts';

/** What an administrator does with a server that runs. */

async function deliver(server: TestServer, count: number): Promise<void> {
  const client = await lineClient(server.ports.lmtp ?? 0);
  await client.talk(['', '220'], ['LHLO remote.test\r\n', '250']);
  for (let i = 0; i < count; i++) {
    await client.talk(
      ['MAIL FROM:<a@remote.test>\r\n', '250'],
      ['RCPT TO:<bob@example.test>\r\n', '250'],
      ['DATA\r\n', '354'],
      [`Subject: number ${i}\r\n\r\nhello\r\n.\r\n`, '250'],
    );
  }
  client.close();
}

function cli(server: TestServer, ...words: string[]): Promise<CliAnswer> {
  return runCommand(words, { data: server.directory });
}

function get(port: number, path: string, host: string): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const sent = request(
      { host: '127.0.0.1', port, path, headers: { Host: host }, agent: false },
      (answer) => {
        let text = '';
        answer.setEncoding('utf8').on('data', (piece: string) => (text += piece));
        answer.on('end', () => resolve({ status: answer.statusCode ?? 0, text }));
      },
    );
    sent.on('error', reject).end();
  });
}

describe('postern account undelete', () => {
  it('lists deleted mail and brings it back to where it was, or to INBOX', async () => {
    await using server = await startTestServer();
    await deliver(server, 3);
    const { read, write } = server.store;
    const { id: accountId } = await server.account('bob@example.test');
    const mailbox = (name: string) => read.run('mailstore.mailbox', { accountId, name });
    const inbox = await mailbox('INBOX');
    assert.ok(inbox);
    await write.run('mailstore.createMailbox', { accountId, name: 'Old' });
    await write.run('mailstore.createMailbox', { accountId, name: 'Kept' });
    const ranges = (uid: number) => [{ from: uid, to: uid }];
    for (const [uid, name] of [
      [1, 'Old'],
      [2, 'Kept'],
    ] as const) {
      const target = await mailbox(name);
      assert.ok(target);
      const move = { accountId, mailboxId: inbox.id, targetId: target.id, ranges: ranges(uid) };
      await write.run('mailstore.move', move);
      if (name === 'Kept')
        await write.run('mailstore.expunge', { accountId, mailboxId: target.id, anyFlag: true });
    }
    await write.run('mailstore.deleteMailbox', { accountId, name: 'Old' });
    await write.run('mailstore.expunge', { accountId, mailboxId: inbox.id, anyFlag: true });

    const list = await cli(server, 'account', 'undelete', 'bob@example.test');
    assert.equal(list.out.match(/^ *\d+ +\d{4}-/gm)?.length, 3, list.out + list.err);
    assert.match(list.out, /Kept$/m);
    assert.match(list.out, /INBOX$/m);
    assert.match(list.out, /gone; it would go to INBOX/);
    assert.equal((await server.account('bob@example.test')).emails, 0, 'a list changes nothing');

    const kept = await cli(server, 'account', 'undelete', 'bob@example.test', '--mailbox', 'Kept');
    assert.equal(kept.out, '1 message(s) are back in Kept.\n', kept.err);
    assert.equal((await mailbox('Kept'))?.messages, 1);
    const ids = [...list.out.matchAll(/^ *(\d+) .*INBOX/gm)].map(([, id = '']) => id);
    const back = await cli(
      server,
      'account',
      'undelete',
      'bob@example.test',
      ...ids.flatMap((id) => ['--id', id]),
    );
    assert.equal(back.out, '2 message(s) are back in INBOX.\n', back.err);
    assert.equal((await mailbox('INBOX'))?.messages, 2);

    const none = await cli(server, 'account', 'undelete', 'bob@example.test', '--since', '2d');
    assert.equal(none.status, 1);
    assert.match(none.err, /No deleted message is like that/);
    assert.equal((await cli(server, 'account', 'undelete', 'bob@example.test', '--id', 'x')).status, 2);
    assert.match((await cli(server, 'account', 'undelete', 'no@example.test')).err, /There is no account/);
    const traced = await cli(server, 'trace', 'bob@example.test');
    assert.match(traced.out, /account\.undelete/);
    assert.match(traced.out, /by: cli:/);
  });
});

describe('metrics', () => {
  it('tell how things stand: queue, certificate, accounts, disk', async () => {
    await using server = await startTestServer({ holdOutgoing: 'a test' });
    const client = await lineClient(server.ports.submissions ?? 0, { tls: true });
    const login = Buffer.from('\0bob@example.test\0correct horse').toString('base64');
    await client.talk(
      ['', '220'],
      ['EHLO here\r\n', '250'],
      [`AUTH PLAIN ${login}\r\n`, '235'],
      ['MAIL FROM:<bob@example.test>\r\n', '250'],
      ['RCPT TO:<x@elsewhere.test>\r\n', '250'],
      ['DATA\r\n', '354'],
      ['From: <bob@example.test>\r\nSubject: hello\r\n\r\nhello\r\n.\r\n', '250'],
    );
    client.close();
    const { text } = await get(server.ports.http ?? 0, '/metrics', 'localhost');
    assert.match(text, /^postern_queue_recipients\{state="held"\} 1$/m);
    assert.match(text, /^postern_queue_recipients\{state="queued"\} 0$/m);
    assert.match(text, /^postern_queue_oldest_seconds\{state="held"\} \d/m);
    assert.match(text, /^postern_certificate_expiry_seconds\{name="[^"]+"\} \d{8,}$/m);
    assert.match(text, /^postern_accounts 2$/m);
    assert.match(text, /^postern_store_database_bytes [1-9]\d{3,}$/m);
    assert.match(text, /^postern_store_free_bytes [1-9]/m);
  });
});

describe('the HTTP port', () => {
  it('answers on loopback to the names of this machine only', async () => {
    await using server = await startTestServer();
    const port = server.ports.http ?? 0;
    assert.equal((await get(port, '/metrics', `localhost:${port}`)).status, 200);
    assert.equal((await get(port, '/metrics', 'rebound.example')).status, 421);
  });

  it('tells strangers about the server only where the configuration names the address', () => {
    const told = (text: string) => {
      const spec = parseListen(text);
      assert.ok(spec);
      const { allowedHosts, operational } = webPlace(spec, undefined);
      return [allowedHosts !== undefined, operational];
    };
    assert.deepEqual(told('127.0.0.1:8025'), [true, true]);
    assert.deepEqual(told('[::1]:8025'), [true, true]);
    assert.deepEqual(told('*:8025'), [false, false]);
    assert.deepEqual(told('0.0.0.0:8025'), [false, false]);
    assert.deepEqual(told('192.0.2.1:8025'), [false, true]);
  });

  it('has its admin socket where the configuration wants it', async () => {
    const place = await mkdtemp(join(tmpdir(), 'pst-'));
    const socket = join(place, 'admin.sock');
    {
      await using server = await startTestServer({ config: { listen: { admin_socket: socket } } });
      assert.equal(server.adminSocket, socket);
      assert.ok((await stat(socket)).isSocket());
      assert.equal((await cli(server, 'status')).status, 0, 'the command line finds it');
    }
    await rm(place, { recursive: true });
  });
});

describe('a reload', () => {
  it('sends by the new relay from the next attempt on', async () => {
    const peer = await startSmtpPeer();
    await using server = await startTestServer();
    const relay = {
      ...server.config.relay,
      host: '127.0.0.1',
      port: peer.port,
      tls: 'opportunistic',
    } as const;
    const { applied, restart } = await server.reload({ ...server.config, relay });
    assert.deepEqual(applied, ['relay.host', 'relay.port', 'relay.tls']);
    assert.deepEqual(restart, []);
    const client = await lineClient(server.ports.submissions ?? 0, { tls: true });
    const login = Buffer.from('\0bob@example.test\0correct horse').toString('base64');
    await client.talk(
      ['', '220'],
      ['EHLO here\r\n', '250'],
      [`AUTH PLAIN ${login}\r\n`, '235'],
      ['MAIL FROM:<bob@example.test>\r\n', '250'],
      ['RCPT TO:<x@elsewhere.test>\r\n', '250'],
      ['DATA\r\n', '354'],
      ['From: <bob@example.test>\r\nSubject: hello\r\n\r\nhello\r\n.\r\n', '250'],
    );
    client.close();
    for (let i = 0; i < 500 && peer.transactions.length === 0; i++)
      await new Promise((resolve) => setTimeout(resolve, 10));
    assert.equal(peer.transactions.length, 1);
    await peer.close();
  });

  it('changes nothing when the relay cannot be used', async () => {
    await using server = await startTestServer();
    const { relay } = server.config;
    const wanted = {
      ...server.config,
      delimiter: '-',
      relay: { ...relay, host: 'relay.test', username: 'u' },
    };
    const missing = { ...wanted, relay: { ...wanted.relay, password_file: '/nowhere' } };
    await assert.rejects(server.reload(missing), /relay\.password_file: cannot read \/nowhere/);
    assert.equal(server.config.delimiter, '+');

    const file = join(server.directory, 'secret');
    await writeFile(file, 'secret\n');
    const good = { ...wanted, relay: { ...wanted.relay, password_file: file } };
    assert.deepEqual((await server.reload(good)).problems, []);
    await rm(file);
    const again = await server.reload({ ...good, delimiter: '.' });
    assert.match(again.problems.join(), /cannot read/, 'an unchanged relay stays');
    assert.equal(server.config.delimiter, '.');
  });
});

describe('the log', () => {
  it('takes a new level while it is in use, for those who write to it already', () => {
    const lines: string[] = [];
    const log = { level: 'warn', format: 'json' } as const;
    const logger = configuredLogger(makeConfig({ hostname: 'mx.example.test', log }), (line) =>
      lines.push(line),
    );
    const child = logger.child({ part: 'x' });
    child.info({}, 'hidden');
    child.warn({}, 'first');
    logger.setLevel('debug');
    child.debug({}, 'second');
    assert.deepEqual(
      lines.map((line) => (JSON.parse(line) as { msg: string }).msg),
      ['first', 'second'],
    );
  });
});
