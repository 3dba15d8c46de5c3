import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { systemClock } from '../../base/clock.ts';
import { createLogger, type Logger } from '../../base/log.ts';
import { scanMessage } from '../../mail/message/scanner.ts';
import { serializeStructure } from '../../mail/message/serialize.ts';
import { ChangeHub } from '../changes.ts';
import { type InlineStore, openInlineStore } from '../inline.ts';
import { contentOf, DOMAIN, newAccount, operations, SYSTEM } from '../mailstore/contract-fixtures.ts';
import { openStore } from '../open.ts';
import type { Store } from '../store.ts';
import { inlineSearch } from './inline.ts';
import { mailboxEmails } from './mailbox-emails.ts';
import { openSearch } from './open.ts';
import type { SearchField, SearchIndex } from './types.ts';

interface Bench {
  readonly directory: string;
  readonly logged: string[];
  readonly logger: Logger;
}

async function place(t: TestContext): Promise<Bench> {
  const directory = await mkdtemp(join(tmpdir(), 'postern-search-'));
  t.after(() => rm(directory, { recursive: true, force: true }));
  const logged: string[] = [];
  const logger = createLogger({ level: 'info', pretty: false, write: (line) => logged.push(line) });
  return { directory, logged, logger };
}

/** A store with an account, and an index over it. */
async function setting(t: TestContext) {
  const bench = await place(t);
  const store = await openInlineStore({ path: bench.directory, clock: systemClock });
  t.after(() => store.close());
  await operations(store).write('directory.addDomain', { actor: SYSTEM, name: DOMAIN });
  const accountId = await newAccount(operations(store), 'alice');
  const files = join(bench.directory, 'search', String(accountId));
  return { ...bench, store, accountId, files, put: putter(store, accountId), open: opener(t, bench, store) };
}

function opener(t: TestContext, { directory, logger }: Bench, store: InlineStore) {
  return (more: { vacuumMs?: number } = {}) => {
    const made = inlineSearch({
      directory: join(directory, 'search'),
      store,
      clock: systemClock,
      logger,
      ...more,
    });
    t.after(() => made.close());
    return made;
  };
}

/** Store a message in INBOX; resolves to its email's id. */
function putter(store: Pick<Store, 'read' | 'write'>, accountId: number) {
  return async (text: string, subject = 'none'): Promise<number> => {
    const octets = Buffer.from(`From: Bob <bob@x.test>\r\nSubject: ${subject}\r\n\r\n${text}\r\n`);
    const inbox = await store.read.run('mailstore.mailbox', { accountId, name: 'INBOX' });
    const { emailId } = await store.write.run('mailstore.append', {
      accountId,
      mailboxId: inbox?.id ?? 0,
      blob: { size: octets.length, encoding: 'raw', data: octets, file: undefined },
      content: contentOf({ structure: serializeStructure(scanMessage(octets)) }),
      deposit: {
        accountId,
        mailbox: { id: inbox?.id ?? 0 },
        prefix: Buffer.alloc(0),
        hidden: [],
        set: { flags: 0, keywords: [] },
        receivedAt: 1,
        trace: undefined,
        ignoreQuota: true,
      },
    });
    return emailId;
  };
}

async function found(
  index: SearchIndex,
  accountId: number,
  text: string,
  field: SearchField = 'text',
): Promise<number[]> {
  const answer = await index.find(accountId, { kind: 'has', field, text });
  assert.notEqual(answer, 'scan');
  return answer === 'scan' ? [] : [...answer.ids];
}

test('what was stored a moment ago is found, one by one and many at once', async (t) => {
  const { accountId, put, open } = await setting(t);
  const index = open();
  assert.deepEqual(await found(index, accountId, 'word'), []);
  const ids: number[] = [];
  for (let i = 0; i < 40; i++) {
    ids.push(await put(`a word${i} and more`, `about ${i % 2}`));
    assert.deepEqual((await found(index, accountId, 'word')).length, ids.length);
  }
  await index.idle();
  assert.deepEqual(await found(index, accountId, 'word'), ids);
  assert.deepEqual(await found(index, accountId, 'rd17 and'), [ids[17]]);
  assert.equal((await found(index, accountId, 'subject: about 1', { header: 'subject' })).length, 0);
  assert.equal((await found(index, accountId, 't 1', { header: 'subject' })).length, 20);
  const more = await Promise.all(Array.from({ length: 50 }, (_, i) => put(`bulk ${i}`)));
  const answers = await Promise.all([1, 2, 3].map(() => found(index, accountId, 'bulk')));
  for (const answer of answers)
    assert.deepEqual(
      answer,
      more.toSorted((a, b) => a - b),
    );
  const [state] = await index.states([accountId]);
  assert.equal(state?.emails, 90);
  assert((state?.segments ?? 99) < 20, 'small segments are merged');
});

test('what would take the thread too long, or cannot be told exactly, is left to a scan', async (t) => {
  const { accountId, put, open } = await setting(t);
  const index = open();
  await put('a b '.repeat(200));
  const has = (text: string) => ({ kind: 'has', field: 'text', text }) as const;
  assert.notEqual(await index.find(accountId, has('a b '.repeat(20))), 'scan');
  assert.equal(await index.find(accountId, has('a b '.repeat(40))), 'scan');
  assert.equal(await index.find(accountId, has('x'.repeat(3000))), 'scan');
  assert.equal(
    await index.find(accountId, { kind: 'or', of: Array.from({ length: 40 }, () => has('a')) }),
    'scan',
  );
  assert.equal(await index.find(accountId, has('\ud83d')), 'scan');
});

test('an index is taken up again, and accounts do not see each other', async (t) => {
  const { store, accountId, put, open } = await setting(t);
  const bob = await newAccount(operations(store), 'bob');
  const first = open();
  const mine = await put('shared words');
  const his = await putter(store, bob)('shared words');
  assert.deepEqual(await found(first, accountId, 'shared words'), [mine]);
  assert.deepEqual(await found(first, bob, 'shared words'), [his]);
  await first.close();
  const later = await put('shared words again');
  assert.deepEqual(await found(open(), accountId, 'shared words'), [mine, later]);
});

test('a damaged index is thrown away, once said, and built anew; a search reads meanwhile', async (t) => {
  const { accountId, put, open, files, logged } = await setting(t);
  const id = await put('precious words');
  for (const harm of ['segment cut', 'segment changed', 'segment gone', 'list changed']) {
    const first = open();
    assert.deepEqual(await found(first, accountId, 'precious'), [id]);
    await first.close();
    const [segment = ''] = readdirSync(files).filter((name) => name.endsWith('.seg'));
    const path = join(files, harm === 'list changed' ? 'index.json' : segment);
    const octets = readFileSync(path);
    if (harm === 'segment cut') truncateSync(path, octets.length - 5);
    else if (harm === 'segment gone') await rm(path);
    else {
      const middle = octets.length >>> 1;
      octets[middle] = (octets[middle] ?? 0) ^ 1;
      writeFileSync(path, octets);
    }
    logged.length = 0;
    const second = open();
    assert.equal(
      await second.find(accountId, { kind: 'has', field: 'text', text: 'precious' }),
      'scan',
      harm,
    );
    await second.idle();
    assert.deepEqual(await found(second, accountId, 'precious'), [id], harm);
    assert.equal(logged.filter((line) => line.includes('damaged')).length, 1, harm);
    await second.close();
  }
});

test('where nothing can be written the index does not help, and says so once', async (t) => {
  const { directory, accountId, put, open, logged } = await setting(t);
  await put('words');
  writeFileSync(join(directory, 'search'), 'in the way');
  const index = open();
  const first = await index.find(accountId, { kind: 'has', field: 'text', text: 'words' });
  // Nothing is in the index: all is left to who asks.
  assert(first === 'scan' || first.upTo === 0);
  await index.find(accountId, { kind: 'has', field: 'text', text: 'words' });
  assert.equal(logged.filter((line) => line.includes('search:')).length, 1);
});

test('the index of an account without mail goes away; rebuild makes one anew', async (t) => {
  const { store, accountId, put, open, files } = await setting(t);
  const index = open();
  const id = await put('words');
  await found(index, accountId, 'words');
  assert(existsSync(files));
  await index.rebuild(accountId);
  await index.idle();
  assert.deepEqual(await found(index, accountId, 'words'), [id]);
  await operations(store).write('directory.removeAccount', {
    actor: SYSTEM,
    address: `alice@${DOMAIN}`,
    purge: true,
  });
  index.changed(accountId);
  await index.idle();
  assert(!existsSync(files));
});

test('deleted mail leaves the files', async (t) => {
  const { store, accountId, put, open } = await setting(t);
  const index = open({ vacuumMs: 0 });
  const ids: number[] = [];
  for (let i = 0; i < 10; i++) ids.push(await put(`words ${i}`));
  await found(index, accountId, 'words');
  await index.idle();
  const inbox = await store.read.run('mailstore.mailbox', { accountId, name: 'INBOX' });
  const mailboxId = inbox?.id ?? 0;
  const ranges = [{ from: 1, to: 5 }];
  const set = { flags: 8, keywords: [] };
  await store.write.run('mailstore.storeFlags', { accountId, mailboxId, ranges, mode: 'add', set });
  await store.write.run('mailstore.expunge', { accountId, mailboxId });
  await store.write.run('mailstore.purge', { before: systemClock.now() + 1000, limit: 100 });
  index.changed(accountId);
  await index.idle();
  assert.deepEqual(await found(index, accountId, 'words'), ids.slice(5));
  const [state] = await index.states([accountId]);
  assert.equal(state?.emails, 5);
});

test('the thread: changes are taken in, a search waits for what is new, and its end is no trouble', async (t) => {
  const { directory, logger } = await place(t);
  const store = await openStore({ directory, clock: systemClock, logger });
  t.after(() => store.close());
  await store.write.run('directory.addDomain', { actor: SYSTEM, name: DOMAIN });
  const { id: accountId } = await store.write.run('directory.addAccount', {
    actor: SYSTEM,
    address: `alice@${DOMAIN}`,
    displayName: '',
    role: 'user',
    quota: 0,
    hash: 'none',
    scram: null,
  });
  const put = putter(store, accountId);
  const queries: boolean[] = [];
  const database = { kind: 'sqlite', path: join(directory, 'mail.db') } as const;
  const options = { database, data: directory, changes: store.changes, clock: systemClock, logger };
  const index = openSearch({ ...options, onQuery: (_, answered) => queries.push(answered) });
  const id = await put('words of a thread');
  assert.deepEqual(await found(index, accountId, 'of a th'), [id]);
  const next = await put('words again');
  assert.deepEqual(await found(index, accountId, 'words'), [id, next]);
  assert.equal((await index.totals()).emails, 2);
  assert.deepEqual(queries, [true, true]);
  await index.close();
  assert.equal(await index.find(accountId, { kind: 'has', field: 'text', text: 'words' }), 'scan');
});

test('emails of a mailbox are mapped to UIDs, also those that came later and those copied', async (t) => {
  const { store, accountId, put } = await setting(t);
  const emails = mailboxEmails(store.read);
  const ids = [await put('one'), await put('two'), await put('three')];
  const inbox = await store.read.run('mailstore.mailbox', { accountId, name: 'INBOX' });
  const of = (lastUid: number) => ({
    mailboxId: inbox?.id ?? 0,
    uidvalidity: inbox?.uidvalidity ?? 0,
    lastUid,
  });
  assert.deepEqual(await emails.uidsOf(of(3), Float64Array.from([ids[0] ?? 0, ids[2] ?? 0])), [1, 3]);
  await put('four');
  assert.deepEqual(await emails.uidsAbove(of(4), ids[2] ?? 0), [4]);
  await store.write.run('mailstore.copy', {
    accountId,
    mailboxId: inbox?.id ?? 0,
    targetId: inbox?.id ?? 0,
    ranges: [{ from: 1, to: 1 }],
  });
  assert.deepEqual(await emails.uidsOf(of(5), Float64Array.from([ids[0] ?? 0])), [1, 5]);
});

test('wake-ups name the account', () => {
  const hub = new ChangeHub();
  const heard: number[] = [];
  const stop = hub.onAnyAccount((account) => heard.push(account));
  hub.publish({ accounts: [3, 4], revoked: [], queue: false });
  stop();
  hub.publish({ accounts: [5], revoked: [], queue: false });
  assert.deepEqual(heard, [3, 4]);
});
