import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { DatabaseSync } from 'node:sqlite';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { runCommand } from '../support/cli.ts';
import { testClock } from '../support/clock.ts';
import { startTestServer, type TestServer } from '../support/server.ts';
import { lineClient } from '../support/smtp-client.ts';

const DAY = 86_400_000;
const SENDER = 'confidant@private.test';
const TARGET = 'carla-unknown@example.test';

async function refused({ ports }: TestServer, sender = SENDER): Promise<void> {
  const smtp = await lineClient(ports.smtp ?? 0);
  await smtp.talk(
    ['', '220'],
    ['EHLO mail.private.test\r\n', '250'],
    [`MAIL FROM:<${sender}>\r\n`, '250'],
    [`RCPT TO:<${TARGET}>\r\n`, '550'],
    ['QUIT\r\n', '221'],
  );
  await smtp.closed();
  smtp.close();
}

async function said(server: TestServer, ...words: string[]): Promise<string> {
  const { status, out, err } = await runCommand(words, { data: server.directory, clock: server.clock });
  assert.equal(status, 0, `postern ${words.join(' ')}: ${out}${err}`);
  return out;
}

/** What the files of the database have in them, deleted or not. */
async function octets(directory: string): Promise<string> {
  const files = (await readdir(directory)).filter((name) => name.startsWith('mail.db'));
  return (await Promise.all(files.map((name) => readFile(join(directory, name), 'latin1')))).join('');
}

describe('what the journal keeps of people', () => {
  it('after some days no address is in the database, and yet it can be asked for', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'postern-journal-'));
    const clock = testClock(Date.UTC(2030, 0, 1), 600_000);
    const server = await startTestServer({ clock, directory });
    try {
      await refused(server);
      await clock.advance(5000);
      assert.match(await said(server, 'journal', 'search'), new RegExp(`refused[^]*${SENDER}`));
      await said(server, 'journal', 'set', 'addresses_days', '2');
      await said(server, 'journal', 'set', 'ips_days', '1');
      assert.match(await said(server, 'journal', 'show'), /\* addresses_days +2/);
      await clock.advance(1.5 * DAY);
      const half = await said(server, 'journal', 'search', '--kind', 'recipient', '--json');
      assert.match(half, new RegExp(SENDER));
      assert.match(half, /"ip": "127\.0\.0\.0\/24"/);
      await clock.advance(DAY);
      for (const words of [
        ['journal', 'search', '--address', SENDER],
        ['journal', 'search', '--ip', '127.0.0.1'],
        ['trace', SENDER],
      ]) {
        const text = await said(server, ...words);
        assert.match(text, /someone-[\w-]{12}/, words.join(' '));
        assert.doesNotMatch(text, /confidant|carla/);
      }
      const none = await said(server, 'journal', 'search', '--address', 'other@private.test');
      assert.match(none, /Nothing like it/);
      await server.stop();
      assert.doesNotMatch(await octets(directory), /confidant|carla-unknown/i);
      const db = new DatabaseSync(join(directory, 'mail.db'));
      db.exec('VACUUM');
      db.close();
      assert.doesNotMatch(await octets(directory), /confidant|carla-unknown/i);
    } finally {
      await server.close();
      await rm(directory, { recursive: true, force: true });
    }
  });

  it('what is not to be kept is neither in the database nor in the log', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'postern-journal-'));
    const server = await startTestServer({ directory });
    try {
      await said(server, 'journal', 'set', 'client_ips', 'none');
      await said(server, 'journal', 'set', 'log_addresses', 'false');
      const before = server.logs.length;
      await refused(server);
      await server.recorder.flush();
      const lines = server.logs.slice(before).filter(({ msg }) => msg === 'recipient.refused');
      assert.equal(lines.length, 1);
      assert.doesNotMatch(JSON.stringify(lines), /confidant|carla|127\.0\.0\.1/);
      const row = await said(server, 'journal', 'search', '--kind', 'recipient.refused', '--json');
      assert.match(row, /"ip": "not kept"/);
      assert.match(row, new RegExp(SENDER), 'the journal has its own days');
      await said(server, 'journal', 'set', 'client_ips', 'default');
      await refused(server, 'later@private.test');
      await server.recorder.flush();
      assert.match(await said(server, 'journal', 'search', '--ip', '127.0.0.1'), /later@private\.test/);
    } finally {
      await server.close();
      await rm(directory, { recursive: true, force: true });
    }
  });

  it('a search that cannot be understood says so', async () => {
    await using server = await startTestServer();
    const wrong = async (...words: string[]): Promise<string> => {
      const { status, err } = await runCommand(['journal', ...words], { data: server.directory });
      assert.notEqual(status, 0);
      return err;
    };
    assert.match(await wrong('search', '--code', 'bad'), /it takes a code such as 550/);
    assert.match(await wrong('search', '--ip', 'x', '--address', 'a@b.test'), /One of address/);
    assert.match(await wrong('set', 'client_ips', 'some'), /one of full, network, none/);
    assert.match(await wrong('set', 'nothing', '1'), /there is no setting "nothing"/);
  });
});
