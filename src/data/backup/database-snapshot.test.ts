import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, writeSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { openSqlite } from '../db/sqlite.ts';
import { LogRestarted, openDatabaseSnapshot } from './database-snapshot.ts';

/** Moves amounts between rows, grows and shrinks the file, and writes the log back all the time. */
const writer = `
  import { DatabaseSync } from 'node:sqlite';
  const db = new DatabaseSync(process.argv[1]);
  db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF; PRAGMA wal_autocheckpoint = 40');
  db.exec('CREATE TABLE account (id INTEGER PRIMARY KEY, amount INTEGER NOT NULL, filler BLOB)');
  db.exec('CREATE TABLE entry (id INTEGER PRIMARY KEY, body BLOB)');
  for (let i = 1; i <= 300; i++) db.prepare('INSERT INTO account VALUES (?, 100, zeroblob(1500))').run(i);
  process.stdout.write('ready');
  const any = (n) => 1 + Math.floor(Math.random() * n);
  for (let round = 0; ; round++) {
    db.exec('BEGIN IMMEDIATE');
    for (let i = 0; i < any(4); i++) {
      db.prepare('UPDATE account SET amount = amount - 1 WHERE id = ?').run(any(300) );
      db.prepare('UPDATE account SET amount = amount + 1 WHERE id = ?').run(any(300));
    }
    db.prepare('INSERT INTO entry (body) VALUES (randomblob(?))').run(any(9000));
    if (round % 7 === 0) db.prepare('DELETE FROM entry WHERE id % 3 = ?').run(any(3) - 1);
    db.exec('COMMIT');
    if (round % 500 === 0) db.exec('PRAGMA wal_checkpoint(TRUNCATE)');
    // Sometimes nobody writes for a moment, and the log is written back whole.
    if (round % 50 === 0) await new Promise((resolve) => setTimeout(resolve, any(8)));
  }
`;

function contents(db: ReturnType<typeof openSqlite>): string {
  const rows = db
    .prepare(
      `SELECT (SELECT SUM(amount) FROM account) AS sum, (SELECT COUNT(*) FROM entry) AS entries,
        (SELECT COALESCE(SUM(length(body) * id % 1000003), 0) FROM entry) AS bodies,
        (SELECT SUM(amount * id) FROM account) AS weighted`,
    )
    .get();
  return JSON.stringify(rows);
}

/** Undefined: the log began anew while it was read, as it may at any time; whoever makes a backup tries again. */
function opened(path: string): ReturnType<typeof openDatabaseSnapshot> | undefined {
  try {
    return openDatabaseSnapshot(path);
  } catch (error) {
    if (error instanceof LogRestarted) return undefined;
    throw error;
  }
}

test('a copy of the pages is the database of one moment, whatever is written meanwhile', async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'postern-pages-'));
  t.after(() => rm(directory, { recursive: true, force: true }));
  const path = join(directory, 'mail.db');
  const child = spawn(process.execPath, ['--input-type=module', '-e', writer, path], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  t.after(() => child.kill('SIGKILL'));
  await once(child.stdout, 'data');
  let restarts = 0;
  const seen = new Set<string>();
  for (let round = 0; round < 40; round++) {
    const copy = join(directory, `copy-${round}.db`);
    const snapshot = opened(path);
    if (snapshot === undefined) {
      restarts++;
      continue;
    }
    const file = openSync(copy, 'wx');
    try {
      const wanted = contents(snapshot.db);
      for (let first = 1; first <= snapshot.pages; first += 16) {
        writeSync(file, snapshot.read(first, 16));
        // Time for the writer to come past us.
        if (first % 64 === 1) await new Promise((resolve) => setTimeout(resolve, 1));
      }
      const db = openSqlite(copy, 'reader');
      assert.equal(db.prepare('PRAGMA integrity_check').get()?.integrity_check, 'ok');
      assert.equal(contents(db), wanted);
      db.close();
      seen.add(wanted);
    } catch (error) {
      if (!(error instanceof LogRestarted)) throw error;
      restarts++;
    } finally {
      closeSync(file);
      snapshot.close();
    }
  }
  t.diagnostic(`${seen.size} different moments, ${restarts} times the log began anew`);
  assert.ok(seen.size > 10, 'the writer was at work');
});
