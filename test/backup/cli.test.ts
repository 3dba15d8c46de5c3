/** `postern backup` as a person uses it: a running server, another machine, one lost mailbox, damage, a bucket. */
import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { after, before, describe, it } from 'node:test';
import { runCli } from '../../src/app/cli/run.ts';
import type { CliIo } from '../../src/app/cli/command.ts';
import { systemClock } from '../../src/base/clock.ts';
import { startAws } from '../support/aws/emulator.ts';
import { deposit, everything } from '../support/backup.ts';
import { generatedMessages } from '../support/corpus.ts';
import { imapClient } from '../support/imap-client.ts';
import { startTestServer, TEST_PASSWORD, type TestServer } from '../support/server.ts';

interface Answer {
  readonly status: number;
  readonly out: string;
  readonly err: string;
}

async function postern(
  data: string,
  words: readonly string[],
  env: Record<string, string> = {},
): Promise<Answer> {
  let [out, err] = ['', ''];
  const stdin = new PassThrough();
  stdin.end();
  const io: CliIo = {
    out: (text) => void (out += text),
    err: (text) => void (err += text),
    stdin,
    env: { POSTERN_DATA: data, ...env },
    cwd: '/',
    clock: systemClock,
    systemDataDirectory: '/nowhere',
    timeZone: 'UTC',
    width: 200,
  };
  const status = await runCli(['backup', ...words], io);
  return { status, out, err };
}

describe('postern backup', () => {
  let server: TestServer;
  let root: string;
  let key: string;
  const place = (): string => join(root, 'backup');
  const ok = async (...words: string[]): Promise<string> => {
    const { status, out, err } = await postern(server.directory, words);
    assert.equal(status, 0, `${words.join(' ')}: ${err}${out}`);
    return out;
  };

  before(async () => {
    root = await mkdtemp(join(tmpdir(), 'postern-backup-cli-'));
    key = join(root, 'key');
    await writeFile(key, 'k'.repeat(40));
    server = await startTestServer();
    const { write } = server.store;
    for (const address of ['alice@example.test', 'bob@example.test']) {
      const { id: accountId } = await server.account(address);
      for (const name of ['Archive/2025', 'Archive'])
        await write.run('mailstore.createMailbox', { accountId, name }).catch(() => undefined);
    }
    const large = { octets: Buffer.from(`Subject: large\r\n\r\n${'large '.repeat(300_000)}\r\n`) };
    const middling = { octets: Buffer.concat([Buffer.from('Subject: m\r\n\r\n'), randomText(100_000)]) };
    for (const [n, { octets }] of [...generatedMessages(40), large, middling].entries())
      await deposit(server.store, octets, n);
  });
  after(async () => {
    await server.close();
    await rm(root, { recursive: true, force: true });
  });

  it('says what is missing before it does anything', async () => {
    const { status, err } = await postern(server.directory, ['create', '--to', place()]);
    assert.equal(status, 2);
    assert.match(err, /--passphrase-file FILE, --key-file FILE or POSTERN_BACKUP_PASSPHRASE/);
    assert.match((await postern(server.directory, ['create'])).err, /No place for backups is set/);
    assert.match(
      (await postern(server.directory, ['list', '--from', place(), '--key-file', key])).err,
      /is its disk mounted/,
    );
  });

  it('is made by the running server, again with only what is new, and shows in the list', async () => {
    assert.match(await ok('create', '--to', place(), '--key-file', key), /is made: 42 message\(s\)/);
    const before = await sizeOf(place());
    assert.match(await ok('create', '--to', place(), '--key-file', key), /is made/);
    assert.ok((await sizeOf(place())) - before < before / 4, 'the second one takes little');
    const { value } = await json(server.directory, ['list', '--from', place(), '--key-file', key]);
    assert.equal((value as { snapshots: unknown[] }).snapshots.length, 2);
    const wrong = await postern(server.directory, ['list', '--from', place()], {
      POSTERN_BACKUP_PASSPHRASE: 'x',
    });
    assert.match(wrong.err, /locked with a key file/);
  });

  it('holds nothing that can be read without the key', async () => {
    for await (const path of filesBelow(place())) {
      const octets = await readFile(path);
      assert.ok(!octets.includes('generated-') && !octets.includes('example.test'), path);
    }
  });

  it('restores onto a new machine, where IMAP reads the mail', async () => {
    const fresh = join(root, 'fresh');
    const { status, out, err } = await postern(fresh, ['restore', '--from', place(), '--key-file', key]);
    assert.equal(status, 0, err);
    assert.match(out, /42 message\(s\).*are in/);
    const again = await postern(fresh, ['restore', '--from', place(), '--key-file', key]);
    assert.match(again.err, /is not empty/);
    assert.deepEqual(await everything(fresh), await everything(server.directory));

    const other = await startTestServer({ directory: fresh });
    try {
      const client = await imapClient(other.ports.imaps ?? 0, { tls: true });
      await client.next(/OK/);
      await client.ok('LOGIN bob@example.test', ` "${TEST_PASSWORD}"`);
      const selected = await client.ok('SELECT Archive');
      // New mail never gets a UID that a client may have seen since the backup.
      assert.match(selected.join('\n'), /UIDNEXT 10000\d\d/);
      const [fetched = ''] = await client.ok('UID FETCH 1 (FLAGS BODY.PEEK[])');
      assert.match(fetched, /Subject: =\?utf-8\?q\?generated_message_1\?=/);
      client.close();
    } finally {
      await other.close();
    }
  });

  it('brings one message, one mailbox and one account back, without doubles', async () => {
    const { id: accountId } = await server.account('bob@example.test');
    const boxes = await server.store.read.run('mailstore.mailboxes', { accountId });
    const archive = boxes.find(({ name }) => name === 'Archive');
    assert.ok(archive);
    const before = [...(await everything(server.directory))].filter(([where]) =>
      where.includes('bob@example.test Archive '),
    );
    const gone = { accountId, mailboxId: archive.id, anyFlag: true };
    await server.store.write.run('mailstore.expunge', { ...gone, ranges: [{ from: 1, to: 3 }] });
    const from = ['--from', place(), '--key-file', key, '--account', 'bob@example.test'];

    assert.match(
      await ok('restore', ...from, '--mailbox', 'Archive', '--uid', '2'),
      /1 message\(s\) are back/,
    );
    assert.match(
      await ok('restore', ...from, '--mailbox', 'Archive'),
      /Archive: 2 restored, 5 there already/,
    );
    assert.match(await ok('restore', ...from), /0 message\(s\) are back/);
    const after = [...(await everything(server.directory))].filter(([where]) =>
      where.includes('bob@example.test Archive '),
    );
    assert.deepEqual(after.map(([, what]) => what).toSorted(), before.map(([, what]) => what).toSorted());

    assert.match(
      await ok('restore', ...from, '--to', 'alice@example.test', '--below', 'Bob'),
      /Bob\/INBOX: \d+ restored/,
    );
    const files = join(root, 'eml');
    assert.match(
      await ok('restore', ...from, '--mailbox', 'inbox', '--eml', files),
      /message\(s\) of bob@example.test are in/,
    );
    assert.ok((await readdir(join(files, 'INBOX'))).every((name) => /^\d+\.eml$/.test(name)));
    const missing = await postern(server.directory, ['restore', ...from, '--mailbox', 'None']);
    assert.match(missing.err, /has no mailbox "None" in the backup, but .*INBOX/);
    // Nothing is left of what it took.
    assert.deepEqual(
      (await readdir(server.directory)).filter((name) => name.startsWith('scratch-')),
      [],
    );
  });

  it('is set, made, and tried by a drill, and both show in status and metrics', async () => {
    for (const [name, value] of [
      ['target', place()],
      ['key_file', key],
      ['keep_daily', '3'],
    ] as const)
      await ok('set', name, value);
    assert.match(
      (await postern(server.directory, ['set', 'every_hours', 'often'])).err,
      /every_hours: it takes a/,
    );
    assert.match(await ok('create'), /is made/);
    const drilled = await ok('drill');
    assert.match(drilled, /the database is whole/);
    const compared = /(\d+) of them the server still has, the same/.exec(drilled)?.[1];
    assert.ok(Number(compared) > 40, drilled);
    assert.match(await ok('show'), /Restore drill .* all well/);
    const metrics = await server.metrics.registry.metrics();
    assert.match(metrics, /postern_restore_drill_ok 1/);
    assert.match(metrics, /postern_backup_failed 0/);
    assert.match(metrics, /postern_backup_snapshots 1/);
  });

  it('refuses a second one at the same time, and says who is at work', async () => {
    await writeFile(
      join(place(), 'lock'),
      JSON.stringify({
        token: 'x',
        purpose: 'create',
        host: 'elsewhere',
        pid: 7,
        world: 'w',
        since: Date.now() - 300_000,
        renewed: Date.now(),
      }),
    );
    const { status, err } = await postern(server.directory, ['create']);
    assert.equal(status, 1);
    assert.match(err, /Another process is at work .*create on elsewhere, process 7.* for 5 min/);
    await rm(join(place(), 'lock'));
    assert.match(await ok('create'), /is made/);
  });

  it('finds damage, and the drill does too', async () => {
    assert.match(await ok('verify'), /read back whole/);
    let victim = '';
    for await (const path of filesBelow(join(place(), 'chunks'))) {
      if (victim === '' || (await stat(path)).size > (await stat(victim)).size) victim = path;
    }
    await truncate(victim, 1000);
    const { status, out } = await postern(server.directory, ['verify']);
    assert.equal(status, 1);
    assert.match(out, /THE BACKUP IS DAMAGED:\n.*chunk [0-9a-f]{40} of the backup is damaged/);
    assert.match((await postern(server.directory, ['drill'])).out, /THE RESTORE DRILL FAILED/);
    assert.match(await server.metrics.registry.metrics(), /postern_restore_drill_ok 0/);
    // What the server still has is written anew, and the backup is whole again.
    assert.match((await postern(server.directory, ['verify', '--repair'])).out, /make a backup now/);
    await ok('create');
    assert.match(await ok('verify'), /read back whole/);
  });

  it('goes to a bucket and comes from it', async () => {
    const aws = await startAws();
    try {
      aws.s3.createBucket('backups');
      const credentials = join(root, 'credentials');
      await writeFile(credentials, `${aws.accessKeyId}:${aws.secretAccessKey}\n`);
      const at = [
        '--endpoint',
        aws.endpoint,
        '--region',
        aws.region,
        '--credentials-file',
        credentials,
        '--key-file',
        key,
      ];
      assert.match(await ok('create', '--to', 's3://backups/a/b', ...at), /is made/);
      assert.match(await ok('verify', '--from', 's3://backups/a/b', ...at), /read back whole/);
      const fresh = join(root, 'from-bucket');
      const restored = await postern(fresh, ['restore', '--from', 's3://backups/a/b', '--as-it-was', ...at]);
      assert.equal(restored.status, 0, restored.err);
      assert.deepEqual(await everything(fresh), await everything(server.directory));
      assert.match(await ok('prune', '--from', 's3://backups/a/b', ...at), /1 backup\(s\) stay; 0 chunks/);
      assert.deepEqual(aws.s3.keys('backups', 'a/b/lock'), []);
      assert.deepEqual(aws.violations, []);
    } finally {
      await aws.close();
    }
  });
});

function randomText(length: number): Buffer {
  return Buffer.from(
    Array.from({ length }, () => String.fromCharCode(33 + Math.floor(Math.random() * 90))).join(''),
  );
}

async function json(data: string, words: readonly string[]): Promise<{ value: unknown }> {
  const { out, err } = await postern(data, [...words, '--json']);
  assert.notEqual(out, '', err);
  return { value: JSON.parse(out) };
}

async function* filesBelow(directory: string): AsyncGenerator<string> {
  for (const entry of await readdir(directory, { withFileTypes: true, recursive: true }))
    if (entry.isFile()) yield join(entry.parentPath, entry.name);
}

async function sizeOf(directory: string): Promise<number> {
  let sum = 0;
  for await (const path of filesBelow(directory)) sum += (await stat(path)).size;
  return sum;
}
