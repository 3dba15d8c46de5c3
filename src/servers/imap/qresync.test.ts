import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Clock, systemClock } from '../../base/clock.ts';
import type { ImapClient } from '../../../test/support/imap-client.ts';
import { type ImapTestServer, imapTestServer } from '../../../test/support/imap-server.ts';

/** A client that keeps what it knows of a mailbox and asks for what has changed, as an offline one does. */
interface Offline {
  modseq: number;
  /** Flags by UID. */
  readonly known: Map<number, string>;
}

function random(seed: number): (below: number) => number {
  let last = seed >>> 0;
  return (below) => {
    last = (Math.imul(last, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((last / 2 ** 32) * below);
  };
}

function* numbersOf(set: string): Generator<number, void> {
  for (const range of set.split(',')) {
    const [from = 0, to = from] = range.split(':').map(Number);
    for (let n = from; n <= to; n++) yield n;
  }
}

function learn(offline: Offline, told: readonly string[]): void {
  for (const line of told) {
    const vanished = /^VANISHED (?:\(EARLIER\) )?(\S+)$/.exec(line)?.[1];
    if (vanished !== undefined) for (const uid of numbersOf(vanished)) offline.known.delete(uid);
    const [, uid, flags = ''] = /^\d+ FETCH \(UID (\d+) FLAGS \(([^)]*)\)/.exec(line) ?? [];
    if (uid !== undefined) offline.known.set(Number(uid), plainFlags(flags));
    const modseq = /^OK \[HIGHESTMODSEQ (\d+)\]/.exec(line)?.[1];
    if (modseq !== undefined) offline.modseq = Number(modseq);
  }
}

function plainFlags(flags: string): string {
  return flags
    .split(' ')
    .filter((flag) => flag !== '\\Recent' && flag !== '')
    .toSorted()
    .join(' ');
}

/** What is really there. */
async function truth(server: ImapTestServer): Promise<Map<number, string>> {
  const c = await server.ready('INBOX');
  const found = new Map<number, string>();
  for (const line of await c.ok('UID FETCH 1:* FLAGS')) {
    const [, uid = '', flags = ''] = /UID (\d+) FLAGS \(([^)]*)\)/.exec(line) ?? [];
    found.set(Number(uid), plainFlags(flags));
  }
  c.close();
  return found;
}

const FLAGS = ['\\Seen', '\\Flagged', '\\Deleted', 'work', 'later'];

async function change(c: ImapClient, next: (below: number) => number): Promise<void> {
  const uid = 1 + next(60);
  const what = next(10);
  if (what < 3) await c.append('INBOX', 'Subject: x\r\n\r\nx\r\n');
  else if (what < 7)
    await c.ok(`UID STORE ${uid}:${uid + next(4)} ${'+-'[next(2)]}FLAGS (${FLAGS[next(5)]})`);
  else if (what < 8) await c.ok('EXPUNGE');
  else if (what < 9) await c.ok(`UID MOVE ${uid}:${uid + 1} Trash`);
  else await c.ok(`UID COPY ${uid} INBOX`);
}

/** As RFC 7162 section 3.2.5.2 has clients choose them: some numbers with their UIDs. */
function samples(uids: readonly number[], next: (below: number) => number): string {
  const some = uids.map((uid, at) => [at + 1, uid] as const).filter(() => next(3) === 0);
  if (some.length === 0) return '';
  return ` (${some.map(([number]) => number).join(',')} ${some.map(([, uid]) => uid).join(',')})`;
}

async function uidvalidityOf(server: ImapTestServer): Promise<number> {
  const { accountId } = server;
  return (await server.store.read.run('mailstore.mailbox', { accountId, name: 'INBOX' }))?.uidvalidity ?? 0;
}

async function resync(
  server: ImapTestServer,
  offline: Offline,
  next: (below: number) => number,
): Promise<void> {
  const c = await server.ready();
  await c.ok('ENABLE QRESYNC');
  const uids = [...offline.known.keys()].toSorted((a, b) => a - b);
  const last = uids.at(-1) ?? 1;
  const ways = ['', ` 1:${last}`, ` 1:${last}${samples(uids, next)}`];
  const known = ways[next(ways.length)] ?? '';
  const modseq = Math.max(1, offline.modseq);
  if (next(4) === 0) {
    // By FETCH rather than by SELECT: the HIGHESTMODSEQ is then that of before.
    learn(offline, await c.ok('SELECT INBOX'));
    learn(offline, await c.ok(`UID FETCH 1:* (FLAGS) (CHANGEDSINCE ${modseq} VANISHED)`));
  } else {
    learn(offline, await c.ok(`SELECT INBOX (QRESYNC (${await uidvalidityOf(server)} ${modseq}${known}))`));
    // What is new is not among the UIDs that it said it knows.
    if (known !== '') learn(offline, await c.ok(`UID FETCH ${last + 1}:* (FLAGS)`));
  }
  c.close();
}

async function withServer(clock: Clock, run: (server: ImapTestServer) => Promise<void>): Promise<void> {
  const server = await imapTestServer({ clock });
  try {
    await run(server);
    assert.deepEqual(server.logged, []);
  } finally {
    await server.close();
  }
}

test('a client that comes back learns exactly what changed, also of what the store has forgotten', async () => {
  let shift = 0;
  const clock: Clock = {
    now: () => systemClock.now() + shift,
    monotonic: () => systemClock.monotonic(),
    setTimer: (ms, fn) => systemClock.setTimer(ms, fn),
    sleep: (ms, signal) => systemClock.sleep(ms, signal),
  };
  await withServer(clock, async (server) => {
    const next = random(5);
    const c = await server.ready();
    for (let i = 0; i < 20; i++) await c.append('INBOX', 'Subject: x\r\n\r\nx\r\n');
    await c.ok('SELECT INBOX');
    const offline: Offline = { modseq: 0, known: new Map() };
    for (let round = 0; round < 40; round++) {
      for (let i = next(8); i >= 0; i--) await change(c, next);
      if (round % 7 === 6) {
        shift += 8 * 24 * 3600 * 1000;
        await server.store.write.run('mailstore.purge', { before: clock.now(), limit: 1000 });
      }
      await resync(server, offline, next);
      assert.deepEqual(
        [...offline.known].toSorted(([a], [b]) => a - b),
        [...(await truth(server))],
        `round ${round}`,
      );
    }
  });
});

test('what others do meanwhile is told to a client of QRESYNC by UID, and never twice', () =>
  withServer(systemClock, async (server) => {
    const next = random(17);
    const a = await server.ready();
    for (let i = 0; i < 15; i++) await a.append('INBOX', 'Subject: x\r\n\r\nx\r\n');
    await a.ok('SELECT INBOX');
    const b = await server.ready();
    await b.ok('ENABLE QRESYNC');
    const offline: Offline = { modseq: 0, known: new Map() };
    learn(offline, await b.ok('SELECT INBOX'));
    learn(offline, await b.ok('UID FETCH 1:* (FLAGS)'));
    const gone = new Set<number>();
    for (let round = 0; round < 60; round++) {
      await change(a, next);
      const told = await b.ok('NOOP');
      for (const line of told) {
        assert.doesNotMatch(line, /EXPUNGE/);
        for (const uid of numbersOf(/^VANISHED (\S+)$/.exec(line)?.[1] ?? '')) {
          if (uid === 0) continue;
          assert(!gone.has(uid), `${uid} vanished twice`);
          gone.add(uid);
        }
      }
      learn(offline, told);
      if (told.some((line) => /EXISTS/.test(line))) {
        const last = Math.max(0, ...offline.known.keys());
        learn(offline, await b.ok(`UID FETCH ${last + 1}:* (FLAGS)`));
      }
      assert.deepEqual(
        [...offline.known].toSorted(([x], [y]) => x - y),
        [...(await truth(server))],
        `round ${round}`,
      );
    }
  }));
