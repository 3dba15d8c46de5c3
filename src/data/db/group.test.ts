import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { SegmentWriter } from '../blobs/segments.ts';
import { type GroupOutcome, runGroup } from './group.ts';
import { migrateSqlite } from './migrate.ts';
import { openSqlite, SqliteSession } from './sqlite.ts';

const actor = { name: 'test', role: 'system', domainId: undefined };

function store(): SqliteSession {
  const db = openSqlite(':memory:', 'writer');
  migrateSqlite(db);
  return new SqliteSession(db);
}

function names(session: SqliteSession): unknown[] {
  return session.db
    .prepare('SELECT name FROM domains ORDER BY name')
    .all()
    .map(({ name }) => name);
}

const addDomain = (id: number, name: string) => ({ id, name: 'directory.addDomain', args: { actor, name } });

function summary(outcome: GroupOutcome): string[] {
  return outcome.answers.map((answer) => {
    if (answer.ok) return `${answer.id} ok`;
    return `${answer.id} ${'refusal' in answer ? answer.refusal.kind : 'bug'}`;
  });
}

test("one write's refusal costs the others of its group nothing", async () => {
  const session = store();
  const outcome = await runGroup(
    session,
    [
      addDomain(1, 'a.example'),
      addDomain(2, 'a.example'),
      addDomain(3, 'b.example'),
      { id: 4, name: 'no.such', args: {} },
    ],
    1000,
  );
  assert.deepEqual(summary(outcome), ['1 ok', '2 already-exists', '3 ok', '4 bug']);
  assert.equal(outcome.broken, undefined);
  assert.deepEqual(names(session), ['a.example', 'b.example']);
  assert.equal(session.db.isTransaction, false);
});

test('a refused write wakes nobody, and leaves nothing of what it did before it was refused', async () => {
  const session = store();
  const account = {
    actor,
    address: 'a@a.example',
    displayName: '',
    role: 'user',
    quota: 10,
    hash: '$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHRzYWx0$aGFzaGhhc2hoYXNoaGFzaGhhc2hoYXNoaGFzaGhhc2g',
    scram: null,
  };
  const made = await runGroup(
    session,
    [addDomain(1, 'a.example'), { id: 2, name: 'directory.addAccount', args: account }],
    1000,
  );
  assert.deepEqual(summary(made), ['1 ok', '2 ok']);
  const deposit = {
    accountId: 1,
    mailbox: { name: 'INBOX' },
    prefix: Buffer.alloc(0),
    hidden: [],
    set: { flags: 0, keywords: [] },
    receivedAt: 0,
    trace: undefined,
    ignoreQuota: false,
  };
  const tooMuch = {
    blob: { size: 100, encoding: 'raw', data: Buffer.alloc(100), file: undefined },
    content: {
      envelope: Buffer.alloc(0),
      bodystructure: Buffer.alloc(0),
      structure: '{}',
      sentAt: undefined,
      messageId: undefined,
      references: [],
    },
    deposits: [deposit],
    overQuota: 'junk',
    queue: [],
    events: [],
  };
  const outcome = await runGroup(
    session,
    [{ id: 3, name: 'delivery.accept', args: tooMuch }, addDomain(4, 'b.example')],
    1000,
  );
  assert.deepEqual(summary(outcome), ['3 over-quota', '4 ok']);
  assert.deepEqual(outcome.after.accounts, []);
  assert.equal(session.db.prepare('SELECT count(*) AS n FROM blobs').get()?.n, 0);
});

test('when the disk is full the whole group is refused, nothing of it stays, and the next group works', async () => {
  const session = store();
  const pages = Number(session.db.prepare('PRAGMA page_count').get()?.page_count);
  session.db.exec(`PRAGMA max_page_count = ${pages}`);
  const many = Array.from({ length: 300 }, (_, i) => addDomain(i, `d${i}-${'x'.repeat(40)}.example`));
  const outcome = await runGroup(session, many, 1000);
  assert.equal(outcome.broken, undefined);
  assert.ok(
    outcome.answers.every(
      (answer) => !answer.ok && 'refusal' in answer && answer.refusal.kind === 'storage-full',
    ),
  );
  assert.equal(outcome.answers.length, 300);
  assert.deepEqual(names(session), []);
  session.db.exec('PRAGMA max_page_count = 100000');
  assert.deepEqual(summary(await runGroup(session, [addDomain(1, 'a.example')], 1000)), ['1 ok']);
});

test('a commit that fails breaks the connection and promises nothing', async () => {
  const session = store();
  const outcome = await runGroup(
    {
      db: session.db,
      prepare: (statement) => session.prepare(statement),
      control(text: string) {
        if (text === 'COMMIT') throw Object.assign(new Error('disk I/O error'), { errcode: 10 });
        session.control(text);
      },
    } as SqliteSession,
    [addDomain(1, 'a.example')],
    1000,
  );
  assert.deepEqual(summary(outcome), ['1 unavailable']);
  assert.equal(outcome.broken, 'disk I/O error');
  assert.deepEqual(names(session), []);
});

/** A database with segments and one account, which may hold `quota` octets. */
async function storeWithSegments(t: TestContext, quota: number) {
  const directory = mkdtempSync(join(tmpdir(), 'postern-group-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  const db = openSqlite(':memory:', 'writer');
  migrateSqlite(db);
  const session = new SqliteSession(db, new SegmentWriter(join(directory, 'segments')));
  const account = {
    actor,
    address: 'a@a.example',
    displayName: '',
    role: 'user',
    quota,
    hash: 'none',
    scram: null,
  };
  const requests = [addDomain(1, 'a.example'), { id: 2, name: 'directory.addAccount', args: account }];
  assert.deepEqual(summary(await runGroup(session, requests, 1000)), ['1 ok', '2 ok']);
  const sizes = (): number[] =>
    readdirSync(join(directory, 'segments')).map((name) => statSync(join(directory, 'segments', name)).size);
  return { session, sizes };
}

function deliverTo(id: number, length: number) {
  const deposit = {
    accountId: 1,
    mailbox: { name: 'INBOX' },
    prefix: Buffer.alloc(0),
    hidden: [],
    set: { flags: 0, keywords: [] },
    receivedAt: 0,
    trace: undefined,
    ignoreQuota: false,
  };
  const none = { sentAt: undefined, messageId: undefined, references: [] };
  const content = { envelope: Buffer.alloc(0), bodystructure: Buffer.alloc(0), structure: '{}', ...none };
  const blob = { size: length, encoding: 'raw', data: Buffer.alloc(length, id), file: undefined };
  const args = { blob, content, deposits: [deposit], overQuota: 'junk', queue: [], events: [] };
  return { id, name: 'delivery.accept', args };
}

function bodiesOf(session: SqliteSession): unknown[] {
  return session.db.prepare('SELECT size, substr(file, 28) AS at, data FROM blobs ORDER BY id').all();
}

test('of a refused write nothing stands in the segment, between bodies that are kept', async (t) => {
  const { session, sizes } = await storeWithSegments(t, 0);
  const { blob, content, deposits } = deliverTo(2, 90_000).args;
  // Its body is stored before its mailbox turns out to be missing.
  const args = { accountId: 1, mailboxId: 999, blob, content, deposit: deposits[0] };
  const refused = { id: 2, name: 'mailstore.append', args };
  const requests = [deliverTo(1, 40_000), refused, deliverTo(3, 50_000), deliverTo(4, 5000)];
  const outcome = await runGroup(session, requests, 1000);
  assert.deepEqual(summary(outcome), ['1 ok', '2 no-such-mailbox', '3 ok', '4 ok']);
  assert.deepEqual(sizes(), [90_000]);
  const rows = bodiesOf(session) as { size: number; at: string | null; data: Uint8Array | null }[];
  assert.deepEqual(
    rows.map(({ size, at, data }) => [size, at, data?.length]),
    [
      [40_000, '0000000000', undefined],
      [50_000, '0000040000', undefined],
      [5000, null, 5000],
    ],
  );
});

/** The session, whose COMMIT fails once in this way. */
function failingOnce(session: SqliteSession, error: Error): SqliteSession {
  let failed = false;
  return Object.assign(Object.create(session) as SqliteSession, {
    prepare: (statement: Parameters<SqliteSession['prepare']>[0]) => session.prepare(statement),
    control(text: string) {
      if (text === 'COMMIT' && !failed) {
        failed = true;
        throw error;
      }
      session.control(text);
    },
  });
}

test('when the commit finds the disk full, the room of its bodies is given back', async (t) => {
  const { session, sizes } = await storeWithSegments(t, 0);
  await runGroup(session, [deliverTo(1, 40_000)], 1000);
  const full = failingOnce(session, Object.assign(new Error('full'), { errcode: 13 }));
  assert.deepEqual(summary(await runGroup(full, [deliverTo(2, 60_000)], 1000)), ['2 storage-full']);
  assert.deepEqual(sizes(), [40_000]);
  assert.deepEqual(summary(await runGroup(full, [deliverTo(3, 70_000)], 1000)), ['3 ok']);
  assert.deepEqual(sizes(), [110_000]);
});

test('a commit that fails may come back: its bodies stay, and nothing is written behind them', async (t) => {
  const { session, sizes } = await storeWithSegments(t, 0);
  await runGroup(session, [deliverTo(1, 40_000)], 1000);
  const bad = failingOnce(session, Object.assign(new Error('disk I/O error'), { errcode: 10 }));
  const outcome = await runGroup(bad, [deliverTo(2, 60_000)], 1000);
  assert.deepEqual([...summary(outcome), outcome.broken], ['2 unavailable', 'disk I/O error']);
  await runGroup(bad, [deliverTo(3, 70_000)], 1000);
  assert.deepEqual(
    sizes().toSorted((a, b) => a - b),
    [70_000, 100_000],
  );
});

test('a segment that cannot be written breaks the store and no row is kept', async () => {
  const db = openSqlite(':memory:', 'writer');
  migrateSqlite(db);
  const session = new SqliteSession(db, new SegmentWriter('/dev/null/segments'));
  const account = {
    actor,
    address: 'a@a.example',
    displayName: '',
    role: 'user',
    quota: 0,
    hash: 'none',
    scram: null,
  };
  await runGroup(
    session,
    [addDomain(1, 'a.example'), { id: 2, name: 'directory.addAccount', args: account }],
    1000,
  );
  const outcome = await runGroup(session, [deliverTo(3, 40_000)], 1000);
  assert.deepEqual(summary(outcome), ['3 unavailable']);
  assert.match(outcome.broken ?? '', /ENOTDIR/);
  assert.deepEqual(bodiesOf(session), []);
});
