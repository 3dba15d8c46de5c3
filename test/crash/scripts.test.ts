import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { it } from 'node:test';
import { openSqlite } from '../../src/data/db/sqlite.ts';
import { runCommand } from '../support/cli.ts';
import { skipUnlessLong } from '../support/programs.ts';
import { storeViolations } from '../support/server.ts';
import { startTryServer, type TryServer } from '../support/try-server.ts';
import { Ledger, pour, type Sent } from './load.ts';

const ROUNDS = Number(process.env.CRASH_ROUNDS ?? 3);
/** Messages on each connection: all together stay below what the scripts of an account may send on in a day. */
const EACH = Math.max(1, Math.floor(900 / (ROUNDS * 4)));
/** Milliseconds from the first 250 until the kill, at most. */
const ALIVE_MS = 400;

const SCRIPT = [
  'require ["fileinto", "mailbox", "copy", "imap4flags", "editheader"];',
  'fileinto :create "One";',
  'fileinto :create :flags "$two" "Two";',
  'redirect :copy "dave@outside.test";',
  // Another email of the same account, in the same commit.
  'addheader "X-Three" "yes";',
  'fileinto :create "Three";',
].join('\n');
const BOB = ['bob One', 'bob Two', 'bob Three', 'queue dave@outside.test'];

const PLACED = `SELECT a.address AS address, m.name AS name, e.envelope AS envelope FROM placements p
  JOIN mailboxes m ON m.id = p.mailbox_id JOIN emails e ON e.id = p.email_id
  JOIN accounts a ON a.id = e.account_id`;
const QUEUED = `SELECT r.address AS address, m.message_id AS id FROM queue_recipients r
  JOIN queue_messages m ON m.id = r.message_id`;

/** How often each message is at each place: "id bob One", "id alice", "id queue dave@outside.test". */
function copiesIn(directory: string): ReadonlyMap<string, number> {
  const db = openSqlite(join(directory, 'mail.db'), 'reader');
  const copies = new Map<string, number>();
  const count = (text: string, place: string): void => {
    const key = `${/([^\s<>"]+@load\.test)/.exec(text)?.[1] ?? text} ${place}`;
    copies.set(key, (copies.get(key) ?? 0) + 1);
  };
  try {
    for (const { address, name, envelope } of db.prepare(PLACED).iterate()) {
      // Where the filter puts the copy of somebody without scripts says nothing here.
      const place = address === 'bob@example.test' ? `bob ${String(name)}` : 'alice';
      count(Buffer.from(envelope as Uint8Array).toString('latin1'), place);
    }
    for (const { address, id } of db.prepare(QUEUED).iterate()) count(String(id), `queue ${String(address)}`);
    return copies;
  } finally {
    db.close();
  }
}

/** What is wrong with the copies of one message; it is in all its places once, or in none when nobody was told 250. */
function wrong(sent: Sent, copies: ReadonlyMap<string, number>): string | undefined {
  const places = [...BOB, ...(sent.recipients.length > 1 ? ['alice'] : [])];
  const counts = places.map((place) => copies.get(`${sent.id} ${place}`) ?? 0);
  const once = counts.every((count) => count === 1);
  const nowhere = counts.every((count) => count === 0);
  if (once || (nowhere && sent.reply?.startsWith('250') !== true)) return undefined;
  return `${sent.id} (${sent.reply ?? 'no answer'}): ${places.map((place, i) => `${counts[i]} at ${place}`).join(', ')}`;
}

const NAME = 'SIGKILL while scripts file and send on: all that a script decided, or nothing of it';

it(NAME, { skip: skipUnlessLong() }, async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'postern-crash-'));
  let server: TryServer | undefined;
  t.after(async () => {
    await server?.end('SIGKILL');
    await rm(directory, { recursive: true, force: true });
  });
  const ledger = new Ledger();
  for (let round = 0; round < ROUNDS; round++) {
    server = await startTryServer({ directory, args: ['--plaintext-auth'] });
    if (round === 0) {
      const path = join(directory, 'crash.sieve');
      await writeFile(path, SCRIPT);
      const { status, err } = await runCommand(['sieve', 'put', 'bob@example.test', path], {
        data: directory,
      });
      assert.equal(status, 0, err);
    }
    const { promise, resolve } = Promise.withResolvers<void>();
    let answered = false;
    const load = pour({
      ports: server.ports,
      ledger,
      label: `s${round}`,
      connections: { local: 3, large: 1 },
      each: EACH,
      onAnswer: () => {
        if (!answered) setTimeout(resolve, Math.random() * ALIVE_MS);
        answered = true;
      },
    });
    await promise;
    assert.equal(await server.end('SIGKILL'), null);
    await load.done;
  }
  server = await startTryServer({ directory });
  assert.equal(await server.end('SIGTERM'), 0);
  const copies = copiesIn(directory);
  assert.deepEqual(
    ledger.sent.flatMap((sent) => wrong(sent, copies) ?? []),
    [],
  );
  assert.deepEqual(await storeViolations(directory), []);
  assert.ok(ledger.answered.length >= ROUNDS);
  t.diagnostic(`report: ${ROUNDS} kills, ${ledger.sent.length} messages, ${ledger.answered.length} answered`);
});
