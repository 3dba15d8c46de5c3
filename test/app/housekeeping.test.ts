import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { runCommand } from '../support/cli.ts';
import { mx, tableDns } from '../support/dns-table.ts';
import { imapClient } from '../support/imap-client.ts';
import { startTestServer, TEST_PASSWORD, type TestServer } from '../support/server.ts';
import { lineClient } from '../support/smtp-client.ts';
import { startSmtpPeer } from '../support/smtp-peer.ts';

/** A server whose disk fills, and what an administrator sees and sets. */

const BOB = 'bob@example.test';
const GIB = 1024 ** 3;

async function said(server: TestServer, ...words: string[]): Promise<string> {
  const { status, out, err } = await runCommand(words, { data: server.directory });
  assert.equal(status, 0, err);
  return out;
}

async function sendOut({ ports }: TestServer): Promise<void> {
  const submission = await lineClient(ports.submission ?? 0);
  const plain = Buffer.from(`\0${BOB}\0${TEST_PASSWORD}`).toString('base64');
  await submission.talk(
    ['', '220'],
    ['EHLO there\r\n', '250'],
    [`AUTH PLAIN ${plain}\r\n`, '235'],
    [`MAIL FROM:<${BOB}>\r\n`, '250'],
    ['RCPT TO:<pal@peer.test>\r\n', '250'],
    ['DATA\r\n', '354'],
    [`From: <${BOB}>\r\nSubject: out\r\n\r\nHi\r\n.\r\n`, '250'],
  );
  submission.close();
}

async function until(done: () => boolean): Promise<void> {
  for (let i = 0; i < 1000 && !done(); i++) await new Promise((resolve) => setTimeout(resolve, 10));
  assert.ok(done());
}

describe('a disk that fills', () => {
  it('puts new mail off everywhere; reading, deleting and the queue go on', async () => {
    let free = 50 * GIB;
    let busy = true;
    const peer = await startSmtpPeer({
      script: { RCPT: () => (busy ? '451 4.2.0 Come again' : undefined) },
    });
    const old = await mkdtemp(join(tmpdir(), 'postern-old-'));
    await writeFile(join(old, '1.eml'), 'Subject: old\r\n\r\nfrom another server\r\n');
    const server = await startTestServer({
      plaintextAuth: true,
      directPort: peer.port,
      dns: tableDns({ 'peer.test': { MX: mx('mx.peer.test') }, 'mx.peer.test': { A: ['127.0.0.1'] } }, false),
      diskSpace: async () => ({ free, total: 100 * GIB }),
    });
    try {
      const imap = await imapClient(server.ports.imap ?? 0);
      await imap.ok(`LOGIN ${BOB} "${TEST_PASSWORD}"`);
      await imap.ok('APPEND INBOX {2+}\r\na\n');
      assert.doesNotMatch(await said(server, 'status'), /DISK FULL/);
      await sendOut(server);
      await until(() => server.logs.some(({ msg }) => msg === 'delivery.deferred'));

      free = GIB;
      await said(server, 'housekeeping', 'set', 'trash_days', '10');
      const smtp = await lineClient(server.ports.smtp ?? 0);
      await smtp.talk(
        ['', '220'],
        ['EHLO there\r\n', '250'],
        ['MAIL FROM:<dan@elsewhere.test>\r\n', '452 4.3.1'],
      );
      const lmtp = await lineClient(server.ports.lmtp ?? 0);
      await lmtp.talk(
        ['', '220'],
        ['LHLO there\r\n', '250'],
        ['MAIL FROM:<dan@elsewhere.test>\r\n', '452 4.3.1'],
      );
      const submission = await lineClient(server.ports.submission ?? 0);
      const plain = Buffer.from(`\0${BOB}\0${TEST_PASSWORD}`).toString('base64');
      await submission.talk(
        ['', '220'],
        ['EHLO there\r\n', '250'],
        [`AUTH PLAIN ${plain}\r\n`, '235'],
        [`MAIL FROM:<${BOB}>\r\n`, '452 4.3.1'],
      );
      const bring = ['import', 'eml', old, '--account', BOB] as const;
      const brought = await runCommand(bring, { data: server.directory, cwd: old });
      assert.notEqual(brought.status, 0);
      assert.match(brought.err + brought.out, /disk here is nearly full/);
      await said(server, 'backup', 'set', 'target', old);
      const key = join(old, 'key');
      await writeFile(key, Buffer.alloc(32, 7), { mode: 0o600 });
      await said(server, 'backup', 'set', 'key_file', key);
      const back = ['backup', 'restore', '--account', BOB] as const;
      assert.match((await runCommand(back, { data: server.directory })).err, /disk here is nearly full/);
      const refused = await imap.command('APPEND INBOX {2+}\r\na\n');
      assert.match(JSON.stringify(refused), /NO \[UNAVAILABLE\]/);
      assert.match(await said(server, 'status'), /DISK FULL +new mail is put off since/);
      assert.match(await server.metrics.text(), /^postern_disk_low 1$/m);
      assert.ok(server.logs.some(({ msg }) => String(msg).startsWith('disk: nearly full')));
      assert.ok(
        server.logs.some(({ msg }) => msg === 'disk.low'),
        'the journal knows',
      );
      await imap.ok('SELECT INBOX');
      await imap.ok('STORE 1 +FLAGS (\\Deleted)');
      await imap.ok('EXPUNGE');
      const came = (): number => peer.transactions.filter(({ to }) => to.length > 0).length;
      assert.equal(came(), 0);
      busy = false;
      await said(server, 'queue', 'retry', '--all');
      await until(() => came() === 1);

      free = 50 * GIB;
      await said(server, 'housekeeping', 'set', 'trash_days', 'default');
      await imap.ok('APPEND INBOX {2+}\r\na\n');
      await said(server, ...bring);
      await smtp.talk(['MAIL FROM:<dan@elsewhere.test>\r\n', '250']);
      for (const client of [smtp, lmtp, submission, imap]) client.close();
    } finally {
      await server.close();
      await peer.close();
      await rm(old, { recursive: true });
    }
  });
});

describe('postern housekeeping', () => {
  it('shows and sets, of the site, an account, a domain; mistakes are told', async () => {
    const server = await startTestServer({});
    try {
      assert.match(await said(server, 'housekeeping', 'show'), /^ {2}junk_days +30$/m);
      await said(server, 'housekeeping', 'set', 'quota.warn_percent', '70');
      await said(server, 'housekeeping', 'set', 'junk_days', '0', '--account', 'Bob@example.test');
      await said(
        server,
        'housekeeping',
        'archive',
        'example.test',
        'vault@archive.test',
        '--direction',
        'inbound',
      );
      const shown = await said(server, 'housekeeping', 'show');
      assert.match(shown, /^\* quota\.warn_percent +70$/m);
      assert.match(shown, /^\* junk_days of bob@example\.test +0$/m);
      assert.match(shown, /^\* archive of example\.test +vault@archive\.test \(inbound\)$/m);
      await said(server, 'housekeeping', 'archive', 'example.test', 'off');
      await said(server, 'housekeeping', 'set', 'junk_days', 'default', '--account', BOB);
      assert.doesNotMatch(await said(server, 'housekeeping', 'show'), /archive of|junk_days of/);
      for (const words of [
        ['set', 'trash_days', '-1'],
        ['set', 'trash', '1'],
        ['set', 'trash_days', '3', '--account', 'nobody@example.test'],
        ['archive', 'elsewhere.test', 'vault@archive.test'],
      ]) {
        const { status } = await runCommand(['housekeeping', ...words], { data: server.directory });
        assert.notEqual(status, 0, words.join(' '));
      }
    } finally {
      await server.close();
    }
  });
});

describe('postern alert', () => {
  it('tells what is wrong, tries whether it can tell, and sets of what', async () => {
    const server = await startTestServer({
      certificate: false,
      diskSpace: async () => ({ free: 7 * GIB, total: 100 * GIB }),
    });
    try {
      assert.match(await said(server, 'alert', 'list'), /^Nothing is wrong\.$/m);
      assert.match(
        await said(server, 'alert', 'test'),
        /A mail is in the inbox of alice@example\.test\. There is no webhook\./,
      );
      const inbox = await server.store.read.run('mailstore.mailbox', {
        accountId: (await server.account('alice@example.test')).id,
        name: 'INBOX',
      });
      assert.equal(inbox?.messages, 1);
      await said(server, 'alert', 'set', 'off', '["disk"]');
      assert.match(await said(server, 'alert', 'show'), /^\* off +\["disk"\]$/m);
      const { status, err } = await runCommand(['alert', 'set', 'webhook.url', 'https://hooks.example/x'], {
        data: server.directory,
      });
      assert.equal(status, 1);
      assert.match(err, /secret_file/);
      assert.equal(
        (await runCommand(['alert', 'set', 'nothing', '1'], { data: server.directory })).status,
        1,
      );
    } finally {
      await server.close();
    }
  });
});
