import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { makeConfig } from '../../src/app/config-load.ts';
import { type RunningServer, startServer } from '../../src/app/server.ts';
import { silentLogger } from '../../src/base/log.ts';
import type { JournalKind, JournalRow } from '../../src/data/journal/types.ts';
import { testClock } from '../support/clock.ts';
import { startTestServer, TEST_PASSWORD } from '../support/server.ts';
import { lineClient } from '../support/smtp-client.ts';

const MESSAGE = 'From: <a@remote.test>\r\nSubject: hello\r\n\r\nhello\r\n.\r\n';

const plain = (address: string, password: string): string =>
  Buffer.from(`\0${address}\0${password}`).toString('base64');

async function mailsOf(
  server: Awaited<ReturnType<typeof startTestServer>>,
  address: string,
): Promise<number> {
  return (await server.account(address)).emails;
}

/** What the journal has of a kind, newest first. */
async function eventsOf(server: RunningServer, kind: JournalKind): Promise<JournalRow[]> {
  await server.recorder.flush();
  return server.store.read.run('journal.recent', { from: 0, to: Number.MAX_SAFE_INTEGER, kind, limit: 100 });
}

describe('the whole server', () => {
  it('takes mail on SMTP, LMTP, submission and submissions into mailboxes', async () => {
    await using server = await startTestServer();
    const { ports } = server;
    for (const [port, hello] of [
      [ports.smtp, 'EHLO remote.test'],
      [ports.lmtp, 'LHLO remote.test'],
    ] as const) {
      assert.ok(port);
      const client = await lineClient(port);
      await client.talk(
        ['', '220'],
        [`${hello}\r\n`, '250'],
        ['MAIL FROM:<a@remote.test>\r\n', '250'],
        ['RCPT TO:<bob@example.test>\r\n', '250'],
        ['DATA\r\n', '354'],
        [MESSAGE, '250'],
        ['QUIT\r\n', '221'],
      );
      client.close();
    }
    for (const [port, tls] of [
      [ports.submission, false],
      [ports.submissions, true],
    ] as const) {
      assert.ok(port);
      const client = await lineClient(port, { tls });
      await client.talk(['', '220'], ['EHLO here\r\n', '250']);
      if (!tls) {
        await client.talk(['AUTH PLAIN AAAA\r\n', '5'], ['STARTTLS\r\n', '220']);
        await client.startTls();
        await client.talk(['EHLO here\r\n', '250']);
      }
      await client.talk(
        [`AUTH PLAIN ${plain('alice@example.test', TEST_PASSWORD)}\r\n`, '235'],
        ['MAIL FROM:<alice@example.test>\r\n', '250'],
        ['RCPT TO:<bob@example.test>\r\n', '250'],
        ['DATA\r\n', '354'],
        ['From: <alice@example.test>\r\n\r\nhello\r\n.\r\n', '250'],
        ['QUIT\r\n', '221'],
      );
      client.close();
    }
    assert.equal(await mailsOf(server, 'bob@example.test'), 4);
  });

  it('finishes a transaction under way when it stops, and refuses new ones with 421', async () => {
    const server = await startTestServer();
    assert.ok(server.ports.smtp);
    const busy = await lineClient(server.ports.smtp);
    const idle = await lineClient(server.ports.smtp);
    await idle.talk(['', '220'], ['EHLO remote.test\r\n', '250']);
    await busy.talk(
      ['', '220'],
      ['EHLO remote.test\r\n', '250'],
      ['MAIL FROM:<a@remote.test>\r\n', '250'],
      ['RCPT TO:<bob@example.test>\r\n', '250'],
      ['DATA\r\n', '354'],
    );
    const stopped = server.stop({ graceMs: 5000 });
    assert.match(await idle.reply(), /^421/);
    assert.equal(await mailsOf(server, 'bob@example.test'), 0);
    await busy.talk([MESSAGE, '250']);
    assert.match(await busy.reply(), /^421/);
    busy.close();
    idle.close();
    await stopped;
    const again = await startTestServer({ directory: server.directory });
    assert.equal(
      await mailsOf(again, 'bob@example.test'),
      1,
      'what was answered 250 is there after a restart',
    );
    await again.close();
    await rm(server.directory, { recursive: true });
  });

  it('takes live keys on reload, names those that need a restart, and keeps the rest', async () => {
    await using server = await startTestServer();
    assert.ok(server.ports.smtp);
    const before = server.config;
    const result = await server.reload({
      ...before,
      delimiter: '-',
      limits: { ...before.limits, message_size: 1000, sessions: 5 },
    });
    assert.deepEqual(result, {
      applied: ['delimiter', 'limits.message_size'],
      restart: ['limits.sessions'],
      problems: [],
    });
    const client = await lineClient(server.ports.smtp);
    await client.talk(['', '220']);
    assert.match(await client.command('EHLO remote.test'), /SIZE 1000\b/);
    await client.talk(
      ['MAIL FROM:<a@remote.test>\r\n', '250'],
      ['RCPT TO:<bob-lists@example.test>\r\n', '250'],
      ['RCPT TO:<bob+lists@example.test>\r\n', '550'],
    );
    client.close();
  });

  it('tells of logins where it tells of the rest of the session', async () => {
    await using server = await startTestServer();
    const { submissions, imaps } = server.ports;
    assert.ok(submissions !== undefined && imaps !== undefined);
    const smtp = await lineClient(submissions, { tls: true });
    await smtp.talk(
      ['', '220'],
      ['EHLO here\r\n', '250'],
      [`AUTH PLAIN ${plain('alice@example.test', 'wrong')}\r\n`, '535'],
      ['MAIL FROM:<alice@example.test>\r\n', '530'],
      [`AUTH PLAIN ${plain('alice@example.test', TEST_PASSWORD)}\r\n`, '235'],
      ['QUIT\r\n', '221'],
    );
    smtp.close();
    const imap = await lineClient(imaps, { tls: true });
    assert.match((await imap.line()) ?? '', /^\* OK/);
    // Another reason than above: repeats of one from the same network are counted in one event.
    imap.send('a LOGIN nobody@example.test wrong\r\n');
    assert.match((await imap.line()) ?? '', /^a NO/);
    imap.close();
    const failed = await eventsOf(server, 'login.failed');
    const [trace] = failed
      .filter(({ data }) => data['protocol'] === 'submission')
      .map((event) => event.trace);
    assert.ok(trace);
    const session = await server.store.read.run('journal.byTrace', { trace });
    assert.deepEqual(
      session.map(({ kind, data }) => [kind, data['session'], data['ip']]),
      ['login.failed', 'session.refused', 'login.succeeded'].map((kind) => [kind, trace, '127.0.0.1']),
    );
    const other = failed.find(({ data }) => data['protocol'] === 'imap');
    assert.ok(other !== undefined && other.trace !== trace);
    assert.equal(other.data['session'], other.trace);
  });

  it('notes a refused connection with our own port', async () => {
    await using server = await startTestServer({ config: { limits: { sessions: 1 } } });
    assert.ok(server.ports.smtp);
    const first = await lineClient(server.ports.smtp);
    await first.talk(['', '220']);
    const second = await lineClient(server.ports.smtp);
    await second.reply().catch(() => undefined);
    second.close();
    first.close();
    const events = await eventsOf(server, 'connection.refused');
    assert.deepEqual(
      events.map(({ data }) => [data['port'], data['stage']]),
      [[server.ports.smtp, 'total']],
    );
  });

  it('leaves out what needs a certificate, and offers no login, when there is none', async () => {
    await using server = await startTestServer({ certificate: false });
    assert.deepEqual(
      server.leftOut.map(({ service }) => service).toSorted(),
      ['imaps', 'pop3s', 'submissions'].filter((service) =>
        server.leftOut.some((left) => left.service === service),
      ),
    );
    assert.equal(server.ports.submissions, undefined);
    assert.ok(server.ports.submission);
    const client = await lineClient(server.ports.submission);
    await client.talk(['', '220']);
    const offers = await client.command('EHLO here');
    assert.doesNotMatch(offers, /AUTH|STARTTLS/);
    client.close();
  });

  it('leaves nothing running when a port is taken, and says which', async () => {
    await using server = await startTestServer();
    const directory = await mkdtemp(join(tmpdir(), 'postern-test-'));
    const listen = {
      smtp: ['127.0.0.1:0'],
      submission: [`127.0.0.1:${server.ports.smtp}`],
      submissions: [],
      imap: [],
      imaps: [],
      managesieve: [],
      http: [],
    };
    const config = makeConfig({ hostname: 'mx.example.test', data: directory, listen });
    await assert.rejects(startServer({ config, logger: silentLogger }), {
      name: 'Refusal',
      message: new RegExp(`^submission: 127\\.0\\.0\\.1:${server.ports.smtp} is taken`),
    });
    const after = await startServer({
      config: { ...config, listen: { ...config.listen, submission: [] } },
      logger: silentLogger,
    });
    await after.stop({ graceMs: 0 });
    await rm(directory, { recursive: true });
  });

  it('forgets deleted mail after the undelete period, by its own clock', async () => {
    const clock = testClock(undefined, 600_000);
    await using server = await startTestServer({ clock, config: { store: { undelete: '2d' } } });
    assert.ok(server.ports.lmtp);
    const client = await lineClient(server.ports.lmtp);
    await client.talk(
      ['', '220'],
      ['LHLO remote.test\r\n', '250'],
      ['MAIL FROM:<a@remote.test>\r\n', '250'],
      ['RCPT TO:<bob@example.test>\r\n', '250'],
      ['DATA\r\n', '354'],
      [`Subject: large\r\n\r\n${'x'.repeat(900).concat('\r\n').repeat(400)}.\r\n`, '250'],
    );
    client.close();
    const bodies = async (): Promise<number> => {
      let count = 0;
      for await (const _body of server.store.bodies.list()) count++;
      return count;
    };
    assert.equal(await bodies(), 1);
    const { read, write } = server.store;
    const { id: accountId } = await server.account('bob@example.test');
    const mailboxes = await read.run('mailstore.mailboxes', { accountId });
    // Wherever the filter put it: nobody writes such mail.
    const lies = mailboxes.find(({ messages }) => messages > 0);
    assert.ok(lies);
    await write.run('mailstore.expunge', { accountId, mailboxId: lies.id, anyFlag: true });
    await clock.advance(1.9 * 86_400_000);
    assert.equal(await bodies(), 1, 'a deleted message can be brought back');
    await clock.advance(0.2 * 86_400_000);
    assert.equal(await bodies(), 0);
  });
});
