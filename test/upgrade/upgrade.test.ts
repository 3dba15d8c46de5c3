/** A database of every released schema version opens with today's program, also when an upgrade was killed on the way. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, globSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { zstdDecompressSync } from 'node:zlib';
import { checkUpgrade } from '../../src/app/upgrade.ts';
import { systemClock } from '../../src/base/clock.ts';
import { Refusal } from '../../src/base/errors.ts';
import { silentLogger } from '../../src/base/log.ts';
import { schemaOf } from '../../src/data/db/before-upgrade.ts';
import { schemaVersion } from '../../src/data/db/migrations/index.ts';
import { openStore } from '../../src/data/open.ts';
import { openInlineStore } from '../../src/data/inline.ts';
import { checkInvariants } from '../../src/data/mailstore/invariants.ts';
import { openSqlite } from '../../src/data/db/sqlite.ts';

const folder = 'test/fixtures/upgrade';
const opener = `
  import { openStore } from '../../src/data/open.ts';
import { openInlineStore } from './src/data/inline.ts';
  import { systemClock } from './src/base/clock.ts';
  process.stdout.write('begin');
  await (await openInlineStore({ path: process.argv[1], clock: systemClock })).close();
`;

async function unpack(fixture: string): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'postern-upgrade-'));
  await writeFile(join(directory, 'mail.db'), zstdDecompressSync(await readFile(fixture)));
  return directory;
}

/** Open a data directory in a child process and kill it some milliseconds after it began. */
function openAndKill(directory: string, afterMs: number): Promise<void> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, ['--input-type=module-typescript', '-e', opener, directory], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    child.stdout.once('data', () => setTimeout(() => child.kill('SIGKILL'), afterMs));
    child.once('exit', () => resolve());
  });
}

async function assertWhole(directory: string): Promise<void> {
  const store = await openInlineStore({ path: directory, clock: systemClock });
  try {
    assert.deepEqual(await store.inspect(checkInvariants), []);
    const accounts = await store.read.run('directory.accounts', {});
    assert.deepEqual(
      accounts.map(({ address }) => address),
      ['alice@example.org', 'bob@example.org'],
    );
    const [alice] = accounts;
    const boxes = await store.read.run('mailstore.mailboxes', { accountId: alice?.id ?? 0 });
    const counts = Object.fromEntries(
      boxes.filter(({ messages }) => messages > 0).map(({ name, messages }) => [name, messages]),
    );
    assert.deepEqual(counts, { Archive: 3, INBOX: 10 });
    const inbox = boxes.find(({ name }) => name === 'INBOX');
    const rows = await store.read.run('mailstore.fetch', {
      mailboxId: inbox?.id ?? 0,
      ranges: [{ from: 12, to: 12 }],
      want: ['content'],
      limit: 1,
    });
    const text = await store.blobs.bytes(rows[0]?.content?.blobId ?? 0);
    assert.match(text.toString(), /Subject: message 11\r\n/);
    assert.equal((await store.read.run('queue.list', { limit: 100 })).length, 12);
    assert.ok((await store.read.run('journal.find', { term: 'm:m3@example.com', limit: 5 })).length > 0);
    await store.write.run('mailstore.createMailbox', {
      accountId: alice?.id ?? 0,
      name: 'After the upgrade',
    });
  } finally {
    await store.close();
  }
}

test('there is a fixture of every schema version up to this one', () => {
  for (let version = 1; version <= schemaVersion; version++) {
    assert.ok(
      existsSync(join(folder, `v${version}.db.zst`)),
      `v${version} is missing: node scripts/upgrade-fixture.ts`,
    );
  }
});

for (const fixture of globSync(join(folder, '*.db.zst'))) {
  test(`${fixture} opens, and again after kills on the way`, async () => {
    const directory = await unpack(fixture);
    try {
      for (const afterMs of [0, 3, 8]) await openAndKill(directory, afterMs);
      await assertWhole(directory);
    } finally {
      await rm(directory, { recursive: true });
    }
  });
}

test('a database of a newer program is left alone, with a sentence that says what to do', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'postern-upgrade-'));
  const db = openSqlite(join(directory, 'mail.db'), 'writer');
  db.exec('PRAGMA user_version = 999');
  db.close();
  await assert.rejects(
    openInlineStore({ path: directory, clock: systemClock }),
    /newer Postern \(schema 999; .*Start the newer version/,
  );
  await assert.rejects(openStore({ directory, clock: systemClock, logger: silentLogger }), (error) => {
    // A sentence at the start of the server, not a stack.
    assert.ok(error instanceof Refusal);
    assert.match(error.message, /newer Postern \(schema 999/);
    return true;
  });
  await rm(directory, { recursive: true });
});

test('the database as it was is kept until the next upgrade, also through kills', async () => {
  const directory = await unpack(join(folder, 'v1.db.zst'));
  try {
    const kept = join(directory, 'before-upgrade');
    for (const afterMs of [0, 3]) await openAndKill(directory, afterMs);
    await (await openInlineStore({ path: directory, clock: systemClock })).close();
    assert.deepEqual(await readdir(kept), ['mail-v1.db']);
    assert.equal(schemaOf(join(kept, 'mail-v1.db')), 1);
    const copy = openSqlite(join(kept, 'mail-v1.db'), 'reader');
    assert.equal(copy.prepare('PRAGMA integrity_check').get()?.integrity_check, 'ok');
    assert.equal(copy.prepare('SELECT COUNT(*) AS count FROM accounts').get()?.count, 2);
    copy.close();
    // A start without an upgrade leaves it alone.
    await (await openInlineStore({ path: directory, clock: systemClock })).close();
    assert.ok(existsSync(join(kept, 'mail-v1.db')));
  } finally {
    await rm(directory, { recursive: true });
  }
});

test('upgrade --check tries it on a copy and changes nothing', async () => {
  const directory = await unpack(join(folder, 'v1.db.zst'));
  try {
    const { ok, lines } = await checkUpgrade(directory);
    assert.ok(ok, lines.join('\n'));
    assert.match(
      lines.join('\n'),
      /schema 1, this version \d[^]*filter[^]*Tried on a copy: all went well[^]*no backup/,
    );
    assert.equal(schemaOf(join(directory, 'mail.db')), 1);
    assert.deepEqual(
      (await readdir(directory)).filter((name) => !name.startsWith('mail.db')),
      [],
    );

    const db = openSqlite(join(directory, 'mail.db'), 'writer');
    db.exec(
      'PRAGMA foreign_keys = OFF; DELETE FROM emails WHERE id = (SELECT MIN(email_id) FROM placements)',
    );
    db.close();
    const broken = await checkUpgrade(directory);
    assert.ok(!broken.ok);
    assert.match(broken.lines.join('\n'), /NOT WELL: .*does not exist/);
  } finally {
    await rm(directory, { recursive: true });
  }
});
