import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import type { Worker } from 'node:worker_threads';
import type { ImapClient } from '../../../../test/support/imap-client.ts';
import { type ImapTestServer, imapTestServer } from '../../../../test/support/imap-server.ts';
import { type Clock, systemClock } from '../../../base/clock.ts';
import { limits } from '../../../base/limits.ts';
import { createLogger, silentLogger } from '../../../base/log.ts';
import { openStore } from '../../../data/open.ts';
import { inlineSearch } from '../../../data/search/inline.ts';
import { type MailSearch, mailSearch } from '../../../data/search/mail-search.ts';
import { openSearch } from '../../../data/search/open.ts';
import type { SearchIndex } from '../../../data/search/types.ts';
import { Intake } from '../../../flow/intake.ts';

/** What searching is like when the index cannot be kept: right, and nothing else suffers. */

/** A file system of 128 KiB, or why there is none. */
function smallDisk(t: TestContext): string | undefined {
  if (process.getuid?.() !== 0) {
    t.skip('needs root to mount a tmpfs');
    return undefined;
  }
  const path = mkdtempSync(join(tmpdir(), 'postern-search-disk-'));
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=128k', 'none', path]).status === 0;
  t.after(() => {
    if (mounted) spawnSync('umount', ['--lazy', path]);
    rmSync(path, { recursive: true, force: true });
  });
  if (mounted) return path;
  t.skip('cannot mount a tmpfs here');
  return undefined;
}

/** Take all room but so many octets. */
function fill(path: string, left: number): void {
  const { bavail, bsize } = statfsSync(path);
  writeFileSync(join(path, 'filler'), Buffer.alloc(Math.max(0, bavail * bsize - left)));
}

/** An index over a store that is made later. */
function laterSearch(): MailSearch & { put(search: MailSearch): void; answers: ('scan' | 'index')[] } {
  let made: MailSearch | undefined;
  const answers: ('scan' | 'index')[] = [];
  return {
    answers,
    put: (search) => void (made = search),
    index: {
      async find(accountId, query) {
        const answer = (await made?.index.find(accountId, query)) ?? 'scan';
        answers.push(answer === 'scan' ? 'scan' : 'index');
        return answer;
      },
    },
    emails: {
      uidsOf: (place, ids) => made?.emails.uidsOf(place, ids) ?? Promise.resolve([]),
      uidsAbove: (place, id) => made?.emails.uidsAbove(place, id) ?? Promise.resolve([]),
    },
  };
}

async function letters(c: ImapClient, from: number, to: number): Promise<void> {
  for (let i = from; i <= to; i++)
    await c.append('INBOX', `Subject: about ${i}\r\n\r\n${i % 2 === 0 ? 'even' : 'odd'} words of ${i}\r\n`);
  await c.ok('NOOP');
}

function uids(from: number, to: number, step = 1): string {
  const found: number[] = [];
  for (let uid = from; uid <= to; uid += step) found.push(uid);
  return ['SEARCH', ...found].join(' ');
}

async function rightUpTo(c: ImapClient, last: number): Promise<void> {
  assert.deepEqual(await c.ok('UID SEARCH BODY words'), [uids(1, last)]);
  assert.deepEqual(await c.ok('UID SEARCH TEXT "even words"'), [uids(2, last, 2)]);
  assert.deepEqual(await c.ok(`UID SEARCH SUBJECT "about ${last}"`), [uids(last, last)]);
}

for (const [room, name] of [
  [0, 'nothing more can be written'],
  [4096, 'a segment, but no list of them, can be written'],
  [8192, 'there is little room left'],
] as const)
  test(`on a full disk, where ${name}, searches are right; the index catches up when there is room`, async (t) => {
    const disk = smallDisk(t);
    if (disk === undefined) return;
    let shift = 0;
    const clock: Clock = { ...systemClock, monotonic: () => systemClock.monotonic() + shift };
    const search = laterSearch();
    const server = await imapTestServer({ search });
    const logged: string[] = [];
    const logger = createLogger({ level: 'info', pretty: false, write: (line) => logged.push(line) });
    const index = inlineSearch({ directory: disk, store: server.store, clock, logger });
    t.after(async () => {
      await index.close();
      await server.close();
    });
    search.put(mailSearch(index, server.store.read));
    const c = await server.ready('INBOX');
    await letters(c, 1, 4);
    await rightUpTo(c, 4);
    await index.idle();
    fill(disk, room);
    for (let last = 8; last <= 20; last += 4) {
      await letters(c, last - 3, last);
      await rightUpTo(c, last);
      index.changed(server.accountId);
      await index.idle();
      await rightUpTo(c, last);
      shift += 61_000;
    }
    assert.equal(logged.filter((line) => line.includes('cannot be kept')).length, 1, logged.join('\n'));
    rmSync(join(disk, 'filler'));
    await letters(c, 21, 24);
    index.changed(server.accountId);
    await index.idle();
    const [state] = await index.states([server.accountId]);
    assert.equal(state?.emails, 24, 'the index has all of it');
    search.answers.length = 0;
    await rightUpTo(c, 24);
    assert.deepEqual(new Set(search.answers), new Set(['index']));
    // What could not be finished is not left to take the room of what comes.
    const files = readdirSync(join(disk, String(server.accountId)));
    const list = readFileSync(join(disk, String(server.accountId), 'index.json'), 'utf8');
    for (const file of files.filter((each) => each.endsWith('.seg')))
      assert(list.includes(`"${file}"`), `${file} belongs to no list`);
  });

/** A server over a store and an index in threads, as in the program. */
async function threaded(t: TestContext): Promise<{
  server: ImapTestServer;
  index: SearchIndex;
  answers: ('scan' | 'index')[];
  /** Threads of the index that run. */
  threads: () => readonly Worker[];
}> {
  const directory = mkdtempSync(join(tmpdir(), 'postern-search-'));
  const store = await openStore({ directory, clock: systemClock, logger: silentLogger });
  const actor = { name: 'system', role: 'system', domainId: undefined } as const;
  await store.write.run('directory.addDomain', { actor, name: 'example.test' });
  await store.write.run('directory.addAccount', {
    actor,
    address: 'alice@example.test',
    displayName: '',
    role: 'user',
    quota: 0,
    hash: 'none',
    scram: null,
  });
  const running = new Set<Worker>();
  const watch = (worker: Worker): void => {
    if (worker.threadName !== 'search') return;
    running.add(worker);
    worker.once('exit', () => running.delete(worker));
  };
  const search = laterSearch();
  const server = await imapTestServer({
    store,
    search,
    intake: () => new Intake({ bodies: store.bodies, maxBytes: limits.messageBytes }),
  });
  process.on('worker', watch);
  const database = { kind: 'sqlite', path: join(directory, 'mail.db') } as const;
  const options = { database, data: directory, changes: store.changes, clock: systemClock };
  const index = openSearch({ ...options, logger: silentLogger });
  search.put(mailSearch(index, store.read));
  t.after(async () => {
    process.off('worker', watch);
    await index.close();
    await server.close();
    await store.close();
    rmSync(directory, { recursive: true, force: true });
  });
  return { server, index, answers: search.answers, threads: () => [...running] };
}

test('when the thread of the index is killed, searches are right and another one takes its place', async (t) => {
  const { server, index, answers, threads } = await threaded(t);
  const c = await server.ready('INBOX');
  await letters(c, 1, 6);
  await rightUpTo(c, 6);
  assert.equal(threads().length, 1);
  for (let last = 8; last <= 14; last += 2) {
    const [worker] = threads();
    // With searches and mail under way; some ask what no longer hears, some ask it while it ends.
    const others = await Promise.all([server.ready('INBOX'), server.ready('INBOX')]);
    const asked = others.map((each) => each.ok('UID SEARCH BODY words'));
    const ended = worker?.terminate();
    const more = letters(c, last - 1, last);
    for (const [found = ''] of await Promise.all(asked)) assert(found.startsWith(uids(1, last - 2)), found);
    await more;
    await rightUpTo(c, last);
    await ended;
    await rightUpTo(c, last);
    for (const each of others) each.close();
  }
  assert.equal(threads().length, 1);
  answers.length = 0;
  await rightUpTo(c, 14);
  assert.deepEqual(new Set(answers), new Set(['index']));
  assert.equal((await index.totals()).emails, 14);
});
