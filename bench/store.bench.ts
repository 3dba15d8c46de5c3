/**
 * What the mail store's operations cost inside SQLite, without commits: `node bench/store.bench.ts [messages]`.
 * One database file in a temporary directory, one transaction for each line of the table.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../src/base/clock.ts';
import { migrateSqlite } from '../src/data/db/migrate.ts';
import { type AfterCommit, openSqlite, SqliteSession, SqliteWriteTx } from '../src/data/db/sqlite.ts';
import type { SqlValue, Statement, WriteTx } from '../src/data/db/sql.ts';
import { accept } from '../src/data/delivery/accept.ts';
import { addAccount } from '../src/data/directory/accounts.ts';
import { addDomain } from '../src/data/directory/domains.ts';
import { acceptOf, contentOf, depositOf, DOMAIN, SYSTEM } from '../src/data/mailstore/contract-fixtures.ts';
import { fetch } from '../src/data/mailstore/fetch.ts';
import { checkInvariants } from '../src/data/mailstore/invariants.ts';
import { changesSince, snapshot, uidsByFlags } from '../src/data/mailstore/listing.ts';
import { findMailbox } from '../src/data/mailstore/mailboxes.ts';
import { copy, expunge, move } from '../src/data/mailstore/placements.ts';
import { purge } from '../src/data/mailstore/purge.ts';
import { storeFlags } from '../src/data/mailstore/store-flags.ts';

const ACCOUNTS = 50;
const MESSAGE_BYTES = 4096;
const ALL = [{ from: 1, to: 0xffff_ffff }];
const messages = Number(process.argv[2] ?? 20_000);

/** Counts the statements it passes on. */
class CountingTx extends SqliteWriteTx {
  statements = 0;
  override get<P extends readonly SqlValue[], R>(
    statement: Statement<P, R>,
    ...params: P
  ): Promise<R | undefined> {
    this.statements += 1;
    return super.get(statement, ...params);
  }
  override all<P extends readonly SqlValue[], R>(statement: Statement<P, R>, ...params: P): Promise<R[]> {
    this.statements += 1;
    return super.all(statement, ...params);
  }
  override run<P extends readonly SqlValue[], R>(statement: Statement<P, R>, ...params: P): Promise<number> {
    this.statements += 1;
    return super.run(statement, ...params);
  }
}

const directory = await mkdtemp(join(tmpdir(), 'postern-bench-'));
const db = openSqlite(join(directory, 'mail.db'), 'writer');
migrateSqlite(db);
const session = new SqliteSession(db);

async function transact<T>(fn: (tx: CountingTx) => Promise<T>): Promise<T> {
  const after: AfterCommit = { accounts: new Set(), revoked: new Set(), queue: false };
  db.exec('BEGIN IMMEDIATE');
  const result = await fn(new CountingTx(session, systemClock.now(), after));
  db.exec('COMMIT');
  return result;
}

async function measure(label: string, units: number, fn: (tx: WriteTx) => Promise<unknown>): Promise<void> {
  await transact(async (tx) => {
    const from = systemClock.monotonic();
    await fn(tx);
    const ms = systemClock.monotonic() - from;
    const each = ((ms * 1000) / units).toFixed(1);
    const statements = (tx.statements / units).toFixed(2);
    console.log(
      `${label.padEnd(44)} ${ms.toFixed(1).padStart(9)} ms ${each.padStart(8)} µs each ${statements.padStart(7)} statements`,
    );
  });
}

const accounts = await transact(async (tx) => {
  await addDomain(tx, { actor: SYSTEM, name: DOMAIN });
  const ids: number[] = [];
  for (let i = 0; i < ACCOUNTS; i++) {
    const rest = { displayName: '', role: 'user', quota: 0, hash: 'none', scram: null } as const;
    ids.push((await addAccount(tx, { actor: SYSTEM, address: `user${i}@${DOMAIN}`, ...rest })).id);
  }
  return ids;
});

/** About what a real message gives: one event, two terms, a kilobyte of rendered structure. */
function delivery(i: number, recipients: readonly number[]) {
  const content = contentOf({
    messageId: `${i}@sender.test`,
    references: i % 3 === 0 ? [`${i - 1}@sender.test`, `${i - 2}@sender.test`] : [],
    envelope: Buffer.alloc(400, 'e'),
    bodystructure: Buffer.alloc(200, 'b'),
    structure: 's'.repeat(400),
  });
  const prefix = Buffer.alloc(300, 'p');
  const event = {
    trace: `t${i}`,
    at: 1,
    kind: 'message.accepted',
    data: { from: 'a@b.test', size: MESSAGE_BYTES },
    terms: [`m:${i}@sender.test`, 'a:user@example.test'],
  } as const;
  const deposits = recipients.map((accountId) => depositOf(accountId, { prefix, trace: `t${i}` }));
  return { ...acceptOf(deposits, 'x'.repeat(MESSAGE_BYTES), content), events: [event] };
}

const pick = (i: number): number => accounts[i % ACCOUNTS] ?? 0;
await measure('warm up', 500, async (tx) => {
  for (let i = 0; i < 500; i++) await accept(tx, delivery(i, [pick(i)]));
});
const made = Array.from({ length: messages }, (_, i) => delivery(1000 + i, [pick(i)]));
await measure('delivery.accept, 1 recipient, with journal', messages, async (tx) => {
  for (const each of made) await accept(tx, each);
});
const bare = Array.from({ length: 2000 }, (_, i) => ({ ...delivery(500_000 + i, [pick(i)]), events: [] }));
await measure('delivery.accept, 1 recipient, no journal', bare.length, async (tx) => {
  for (const each of bare) await accept(tx, each);
});
await measure('delivery.accept, 50 recipients, each', 100 * ACCOUNTS, async (tx) => {
  for (let i = 0; i < 100; i++) await accept(tx, delivery(900_000 + i, accounts));
});

const accountId = pick(0);
await measure('fill one mailbox', messages, async (tx) => {
  for (let i = 0; i < messages; i++) await accept(tx, delivery(2_000_000 + i, [accountId]));
});
const boxes = await transact(async (tx) => ({
  inbox: await findMailbox(tx, { accountId, name: 'INBOX' }),
  archive: await findMailbox(tx, { accountId, name: 'Archive' }),
}));
const mailboxId = boxes.inbox?.id ?? 0;
const targetId = boxes.archive?.id ?? 0;
const count = boxes.inbox?.messages ?? 0;
await measure('snapshot', count, (tx) => snapshot(tx, { mailboxId }));
await measure('fetch flags', count, (tx) => fetch(tx, { mailboxId, ranges: ALL, want: [], limit: count }));
await measure('fetch envelope, 1000 rows', 1000, (tx) =>
  fetch(tx, { mailboxId, ranges: ALL, want: ['envelope'], limit: 1000 }),
);
await measure('fetch content, 1000 rows', 1000, (tx) =>
  fetch(tx, { mailboxId, ranges: ALL, want: ['content'], limit: 1000 }),
);
const set = (flags: number, ...keywords: string[]) => ({ flags, keywords });
const flag = { accountId, mailboxId, ranges: ALL };
await measure('storeFlags +Seen', count, (tx) => storeFlags(tx, { ...flag, mode: 'add', set: set(1) }));
await measure('storeFlags +Seen again', count, (tx) => storeFlags(tx, { ...flag, mode: 'add', set: set(1) }));
await measure('storeFlags +keyword', count, (tx) =>
  storeFlags(tx, { ...flag, mode: 'add', set: set(0, 'work') }),
);
await measure('search seen, keyword', count, (tx) =>
  uidsByFlags(tx, { mailboxId, all: 1, none: 0, keyword: 'work' }),
);
await measure('changesSince 0', count, (tx) => changesSince(tx, { mailboxId, modseq: 0 }));
await measure('copy', count, (tx) => copy(tx, { accountId, mailboxId, ranges: ALL, targetId }));
await measure('move', count, (tx) => move(tx, { accountId, mailboxId, ranges: ALL, targetId }));
await measure('expunge', 2 * count, (tx) => expunge(tx, { accountId, mailboxId: targetId, anyFlag: true }));
await measure('purge, 1000', 1000, (tx) => purge(tx, { before: systemClock.now() + 1000, limit: 1000 }));
await measure('invariants', 1, async (tx) => {
  for (const violation of await checkInvariants(tx)) console.log(violation);
});

db.close();
await rm(directory, { recursive: true, force: true });
