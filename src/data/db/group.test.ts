import assert from 'node:assert/strict';
import { test } from 'node:test';
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
