import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { run, stopTree, until } from '../../bench/support/processes.ts';
import { guideSettings } from '../support/guide-settings.ts';
import { type ImapClient, imapClient } from '../support/imap-client.ts';
import { recordTls } from '../support/imap-recorder.ts';
import { cleanEnvironment, skipWithout } from '../support/programs.ts';
import { startTestServer, TEST_PASSWORD, type TestServer } from '../support/server.ts';

/** Programs that fetch mail by IMAP and hand it on. */

const BOB = 'bob@example.test';
const PATIENCE_MS = 20_000;
const message = (n: number): string =>
  `From: alice@example.test\r\nTo: ${BOB}\r\nSubject: number ${n}\r\nMessage-ID: <${n}@example.test>\r\n\r\n.dot\r\ncaf\u00e9 ${n}\r\n`;

let server: TestServer;
let home: string;
let client: ImapClient;

before(async () => {
  server = await startTestServer();
  client = await imapClient(server.ports.imaps ?? 0, { tls: true });
  await client.ok(`LOGIN ${BOB} "${TEST_PASSWORD}"`);
  home = await mkdtemp(join(tmpdir(), 'postern-fetch-'));
});
after(async () => {
  client.close();
  await server.close();
  await rm(home, { recursive: true, force: true });
});

async function empty(): Promise<void> {
  await client.ok('SELECT INBOX');
  await client.ok('STORE 1:* +FLAGS (\\Deleted)').catch(() => undefined);
  await client.ok('CLOSE');
}

async function inbox(): Promise<string> {
  const [line = ''] = await client.ok('STATUS INBOX (MESSAGES UNSEEN)');
  return line.replace(/^STATUS \S+ /, '');
}

async function subjects(file: string): Promise<string[]> {
  const text = await readFile(file, 'latin1').catch(() => '');
  return text.match(/^Subject: number \d+/gm) ?? [];
}

describe('fetchmail by IMAP', { skip: skipWithout('fetchmail') }, () => {
  async function configure(port: number, words: string, to: string): Promise<string[]> {
    const rc = join(home, `${to}rc`);
    const settings = guideSettings('fetchmail by IMAP', {
      'mail.example.org': 'localhost',
      '993': `${port}`,
      'alice@example.org': BOB,
      'your password': TEST_PASSWORD,
      'ssl keep': `ssl no sslcertck ${words}`,
      '/usr/bin/procmail -d %T': `cat >> ${home}/${to}`,
    });
    await writeFile(rc, settings, { mode: 0o600 });
    return ['-f', rc, '--nosyslog', '--pidfile', join(home, `${to}.pid`), '-i', join(home, `${to}.ids`)];
  }

  it('fetches what is unseen, marks it and leaves it; then takes all away', async () => {
    await empty();
    for (const n of [1, 2]) await client.append('INBOX', message(n));
    await client.append('INBOX', message(3), '\\Seen');
    const fetchmail = async (words: string, to: string): Promise<number | null> => {
      const args = await configure(server.ports.imaps ?? 0, words, to);
      return (await run('fetchmail', args, { env: cleanEnvironment(home), allowFailure: true })).code;
    };
    assert.equal(await fetchmail('keep', 'unseen'), 0);
    assert.deepEqual(await subjects(join(home, 'unseen')), ['Subject: number 1', 'Subject: number 2']);
    assert.match(
      await readFile(join(home, 'unseen'), 'latin1'),
      /^\.dot\ncaf\u00e9 1\n/m,
      'octets as they were',
    );
    assert.equal(await inbox(), '(MESSAGES 3 UNSEEN 0)');
    assert.equal(await fetchmail('keep', 'again'), 1, 'there is nothing new');
    assert.equal(await fetchmail('fetchall', 'all'), 0);
    assert.equal((await subjects(join(home, 'all'))).length, 3);
    assert.equal(await inbox(), '(MESSAGES 0 UNSEEN 0)');
  });

  it('waits in IDLE for new mail', async (t) => {
    await empty();
    await client.append('INBOX', message(1));
    await using imap = await recordTls(server.ports.imaps ?? 0);
    const args = await configure(imap.port, 'keep idle', 'idle');
    // A version in the background watches; in the foreground it does the same and ends with us.
    const child = spawn('fetchmail', [...args, '--nodetach', '-d', '60'], {
      env: cleanEnvironment(home),
      stdio: 'ignore',
    });
    t.after(() => child.pid !== undefined && stopTree(child.pid));
    const idles = (): number => imap.said().filter((line) => line.endsWith(' IDLE')).length;
    await until('the first IDLE', PATIENCE_MS, 50, () => idles() > 0);
    assert.deepEqual(await subjects(join(home, 'idle')), ['Subject: number 1']);
    await client.append('INBOX', message(2));
    await until('the second message', PATIENCE_MS, 50, async () =>
      (await subjects(join(home, 'idle'))).includes('Subject: number 2'),
    );
    await until('IDLE again', PATIENCE_MS, 50, () => idles() > 1);
  });
});

describe('getmail by IMAP', { skip: skipWithout('getmail') }, () => {
  async function getmail(to: string, changes: Readonly<Record<string, string>> = {}): Promise<void> {
    const rc = join(home, 'getmailrc');
    const settings = guideSettings('getmail by IMAP', {
      'mail.example.org': '127.0.0.1',
      '993': `${server.ports.imaps}`,
      'alice@example.org': BOB,
      'your password': TEST_PASSWORD,
      // It does not deliver as root but to a program that may.
      '/usr/bin/procmail': `/usr/bin/tee\narguments = ("-a", "${join(home, to)}")\nallow_root_commands = true`,
      ...changes,
    });
    await writeFile(rc, settings);
    const done = await run('getmail', ['--getmaildir', home, '--rcfile', rc], {
      env: cleanEnvironment(home),
      allowFailure: true,
    });
    assert.equal(done.code, 0, `${done.stdout}${done.stderr}`);
  }

  it('fetches two mailboxes once, then moves what it has fetched', async () => {
    await empty();
    await client.ok('CREATE "Gr&APwA3w-e"');
    for (const n of [1, 2]) await client.append('INBOX', message(n));
    await client.append('"Gr&APwA3w-e"', message(3));
    await getmail('got');
    await getmail('got');
    assert.deepEqual(
      (await subjects(join(home, 'got'))).toSorted(),
      [1, 2, 3].map((n) => `Subject: number ${n}`),
      'each of them once',
    );
    await getmail('moved', {
      '\n[destination]': 'move_on_delete = Archive\n\n[destination]',
      'read_all = false': 'read_all = true\ndelete = true',
    });
    assert.match((await client.ok('STATUS Archive (MESSAGES)')).join(), /MESSAGES 3/);
    assert.equal(await inbox(), '(MESSAGES 0 UNSEEN 0)');
  });
});
