/** IMAP and JMAP at once on the same mailboxes: what each believes is the same whenever all have come to rest. */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { jmapClient, mailboxes } from '../jmap/client.ts';
import { Followed } from '../jmap/followed.ts';
import { type ImapClient, imapClient } from '../support/imap-client.ts';
import { startTestServer } from '../support/server.ts';
import { JmapSession } from './jmap-session.ts';

const BOXES = ['INBOX', 'Archive', 'Junk'] as const;
const ROUNDS = 3;
const STEPS = 30;

/** A generator of the same numbers for the same seed. */
function random(seed: number): (below: number) => number {
  let last = seed >>> 0;
  return (below) => {
    last = (Math.imul(last, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((last / 2 ** 32) * Math.max(1, below));
  };
}

async function imapStep(client: ImapClient, next: (below: number) => number, n: number): Promise<void> {
  const box = BOXES[next(BOXES.length)] ?? 'INBOX';
  const from = 1 + next(10);
  const set = `${from}:${from + next(3)}`;
  const sign = next(2) === 0 ? '+' : '-';
  switch (next(6)) {
    case 0:
      await client.append(box, `From: i@else.test\r\nSubject: by IMAP ${n}\r\n\r\nx\r\n`);
      return;
    case 1:
      await client.command(`SELECT ${box}`);
      return;
    case 2:
      await client.command(`UID STORE ${set} ${sign}FLAGS.SILENT (\\Seen)`);
      return;
    case 3:
      await client.command(`UID STORE ${set} ${sign}FLAGS (\\Flagged work)`);
      return;
    case 4:
      await client.command(`UID ${next(2) === 0 ? 'MOVE' : 'COPY'} ${set} ${box}`);
      return;
    default:
      await client.command(`UID STORE ${from} +FLAGS.SILENT (\\Deleted)`);
      await client.command(`UID EXPUNGE ${from}`);
  }
}

const KEYWORDS: Readonly<Record<string, string>> = {
  '\\seen': '$seen',
  '\\flagged': '$flagged',
  '\\answered': '$answered',
  '\\draft': '$draft',
};

/** Everything as IMAP shows it, put together as JMAP does: read is what is read everywhere, other keywords count anywhere. */
async function byImap(client: ImapClient, ids: ReadonlyMap<string, string>): Promise<Map<string, string>> {
  const found = new Map<string, { boxes: Set<string>; sets: Set<string>[] }>();
  for (const [name, boxId] of ids) {
    await client.ok(`SELECT ${name}`);
    for (const line of await client.ok('UID FETCH 1:* (FLAGS EMAILID)')) {
      const [, flags] = /FLAGS \(([^)]*)\)/.exec(line) ?? [];
      const [, id] = /EMAILID \(([^)]*)\)/.exec(line) ?? [];
      if (flags === undefined || id === undefined) continue;
      const words = flags
        .toLowerCase()
        .split(' ')
        .filter((word) => !['', '\\recent'].includes(word));
      // JMAP shows nothing of it (RFC 8621 section 4.1.1).
      if (words.includes('\\deleted')) continue;
      const email = found.get(id) ?? { boxes: new Set(), sets: [] };
      found.set(id, email);
      email.boxes.add(boxId);
      email.sets.push(new Set(words.map((word) => KEYWORDS[word] ?? word)));
    }
  }
  return new Map(
    [...found].map(([id, { boxes, sets }]) => {
      const all = new Set(sets.flatMap((set) => [...set]));
      if (!sets.every((set) => set.has('$seen'))) all.delete('$seen');
      return [id, `${[...boxes].toSorted().join()} ${[...all].toSorted().join()}`];
    }),
  );
}

it('IMAP and JMAP converge on the same mailboxes', { timeout: 180_000 }, async (t) => {
  const seed = Number(process.env['POSTERN_SEED'] ?? 1);
  t.diagnostic(`seed ${seed}`);
  await using server = await startTestServer();
  const bob = await jmapClient(server, 'bob@example.test');
  const box = await mailboxes(bob);
  const ids = new Map([
    ['INBOX', box['inbox'] ?? ''],
    ['Archive', box['archive'] ?? ''],
    ['Junk', box['junk'] ?? ''],
  ]);
  const imap: ImapClient[] = [];
  for (let i = 0; i < 2; i++) {
    const client = await imapClient(server.ports.imaps ?? 0, { tls: true });
    await client.next(/OK/);
    await client.ok('LOGIN bob@example.test "correct horse"');
    await client.ok('SELECT INBOX');
    imap.push(client);
  }
  const sessions = [
    await JmapSession.open(bob, box['inbox'] ?? ''),
    await JmapSession.open(await jmapClient(server, 'bob@example.test'), box['archive'] ?? ''),
  ];
  const boxes = [...ids.values()];
  const followed = ['Email', 'Thread', 'Mailbox'].map((type) => new Followed(bob, type));
  for (const each of followed) await each.follow();
  try {
    for (let round = 0; round < ROUNDS; round++) {
      await Promise.all([
        ...imap.map(async (client, i) => {
          const next = random(seed * 1000 + round * 10 + i);
          for (let n = 0; n < STEPS; n++) await imapStep(client, next, n);
        }),
        ...sessions.map(async (session, i) => {
          const next = random(seed * 1000 + round * 10 + 5 + i);
          for (let n = 0; n < STEPS; n++) {
            await session.act(next, boxes, n);
            if (i === 0 && next(10) === 0) await followed[next(followed.length)]?.follow(1 + next(4));
          }
        }),
      ]);
      for (const each of followed) {
        assert.ok(await each.follow(round === 0 ? undefined : 1 + round * 3));
        assert.equal(await each.lies(), '', `round ${round}`);
      }
      const [first] = imap;
      assert.ok(first);
      const shown = await byImap(first, ids);
      assert.ok(shown.size > 5);
      for (const [i, session] of sessions.entries()) {
        await session.follow(i === 0 ? undefined : 7);
        assert.deepEqual(
          new Map([...session.emails].toSorted()),
          new Map([...shown].toSorted()),
          `round ${round}`,
        );
        const filter = { inMailbox: i === 0 ? box['inbox'] : box['archive'] };
        const sort = [{ property: 'receivedAt', isAscending: false }];
        assert.deepEqual(session.list, (await bob.call('Email/query', { filter, sort }))['ids']);
      }
    }
  } finally {
    for (const client of imap) client.close();
  }
});
