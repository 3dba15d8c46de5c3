import assert from 'node:assert/strict';
import { after, before, describe, it, test } from 'node:test';
import { systemClock } from '../../../base/clock.ts';
import { type InlineStore, openInlineStore } from '../../inline.ts';
import type { Reader } from '../../store.ts';
import { fill, newAccount, type Operations, operations, SYSTEM } from '../contract-fixtures.ts';
import { fetch } from '../fetch.ts';
import { changesSince, snapshot, uidsByFlags } from '../listing.ts';
import { CachedReader } from './cached-reader.ts';
import { FEW_CHANGES, type PackedChanges } from './packed-changes.ts';
import { type FetchRequest, Flag, MAX_UID } from '../types.ts';

/** A generator of the same numbers for the same seed. */
function random(seed: number): (below: number) => number {
  let last = seed >>> 0;
  return (below) => {
    last = (Math.imul(last, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((last / 2 ** 32) * below);
  };
}

const KEYWORDS = ['$Junk', 'work', 'Home'];

describe('the reader that keeps mailboxes in memory', () => {
  let store: InlineStore;
  let ops: Operations;
  before(async () => {
    store = await openInlineStore({ path: ':memory:', clock: systemClock });
    ops = operations(store);
    await ops.write('directory.addDomain', { actor: SYSTEM, name: 'mail.test' });
  });
  after(() => store.close());

  /** Octets compare the same whatever view they are. */
  function plain(value: unknown): unknown {
    if (value instanceof Uint8Array) return Buffer.from(value).toString('hex');
    if (Array.isArray(value)) return value.map(plain);
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, plain(each)]));
  }

  /** What the database says, and what the reader says, are the same. */
  async function same(mailboxId: number, next: (below: number) => number): Promise<void> {
    const from = 1 + next(30);
    const request: FetchRequest = {
      mailboxId,
      ranges: [
        { from, to: from + next(10) },
        { from: from + 20, to: MAX_UID },
      ],
      want: [[], ['envelope', 'bodystructure'], ['content'], ['thread']][next(4)] as FetchRequest['want'],
      limit: 1 + next(20),
      ...(next(3) === 0 && { changedSince: next(40) }),
    };
    const there = await store.inspect((tx) => fetch(tx, request));
    const kept = await ops.read('mailstore.fetch', request);
    const wanted = new Set([
      'uid',
      'emailId',
      'modseq',
      'flags',
      'keywords',
      'size',
      'receivedAt',
      'savedAt',
    ]);
    for (const part of request.want) wanted.add(part === 'thread' ? 'threadId' : part);
    const cut = kept.map((row) =>
      Object.fromEntries(Object.entries(row).filter(([name]) => wanted.has(name))),
    );
    assert.deepEqual(plain(cut), plain(there));
    assert.deepEqual(
      await ops.read('mailstore.snapshot', { mailboxId }),
      await store.inspect((tx) => snapshot(tx, { mailboxId })),
    );
    await sameChanges(mailboxId, next(60));
    const { uids, flags: bits } = await ops.read('mailstore.columns', {
      mailboxId,
      from,
      to: from + 12,
      limit: 8,
      texts: false,
    });
    const rows = await store.inspect((tx) =>
      fetch(tx, { mailboxId, ranges: [{ from, to: from + 12 }], want: [], limit: 8 }),
    );
    assert.deepEqual(
      [...uids],
      rows.map(({ uid }) => uid),
    );
    assert.deepEqual(
      [...bits],
      rows.map((row) => row.flags),
    );
    const flags = { mailboxId, all: next(4), none: next(2) * 4, ...(next(2) === 0 && { keyword: 'home' }) };
    assert.deepEqual(
      [...(await ops.read('mailstore.uidsByFlags', flags))],
      [...(await store.inspect((tx) => uidsByFlags(tx, flags)))],
    );
  }

  /** The same rows, and at least the UIDs that went; others that it names are not there either. */
  async function sameChanges(mailboxId: number, modseq: number): Promise<void> {
    const there = await store.inspect((tx) => changesSince(tx, { mailboxId, modseq }));
    const kept = await ops.read('mailstore.changesSince', { mailboxId, modseq });
    assert.deepEqual({ ...kept, expunged: [] }, { ...there, expunged: [] });
    const named = new Set(kept.expunged);
    assert.ok(there.expunged.every((uid) => named.has(uid)));
    const { uids } = (await store.inspect((tx) => snapshot(tx, { mailboxId }))) ?? { uids: [] };
    assert.ok([...uids].every((uid) => !named.has(uid)));
  }

  it('answers as the database does, whatever happens', async () => {
    for (let seed = 1; seed <= 6; seed++) {
      const accountId = await newAccount(ops, `cached${seed}`);
      const next = random(seed);
      const ids: number[] = [];
      for (const name of ['INBOX', 'Trash']) {
        const box = await ops.read('mailstore.mailbox', { accountId, name });
        assert.ok(box);
        ids.push(box.id);
      }
      for (let step = 0; step < 120; step++) {
        const mailboxId = ids[next(2)] ?? 0;
        const from = 1 + next(40);
        const ranges = [{ from, to: from + next(6) }];
        const what = next(6);
        if (what < 3) await fill(ops, accountId, mailboxId, 1 + next(2));
        else if (what === 3) {
          const set = {
            flags: [Flag.Seen, Flag.Flagged, Flag.Deleted][next(3)] ?? 0,
            keywords: next(2) === 0 ? [KEYWORDS[next(3)] ?? ''] : [],
          };
          const mode = (['add', 'remove', 'replace'] as const)[next(3)] ?? 'add';
          const known = next(2) === 0 ? { knownModseq: Number.MAX_SAFE_INTEGER } : {};
          await ops.write('mailstore.storeFlags', { accountId, mailboxId, ranges, mode, set, ...known });
        } else if (what === 4) {
          const targetId = ids.find((id) => id !== mailboxId) ?? 0;
          await ops.write(next(2) === 0 ? 'mailstore.move' : 'mailstore.copy', {
            accountId,
            mailboxId,
            ranges,
            targetId,
          });
        } else await ops.write('mailstore.expunge', { accountId, mailboxId, ranges, anyFlag: next(2) === 0 });
        if (next(3) === 0) await same(mailboxId, next);
      }
    }
  });

  it('tells the same changes, however many: few in place, many from the reader thread, to all who ask at once', async () => {
    const accountId = await newAccount(ops, 'many');
    const inbox = await ops.read('mailstore.mailbox', { accountId, name: 'INBOX' });
    assert.ok(inbox);
    const mailboxId = inbox.id;
    const all = [{ from: 1, to: MAX_UID }];
    await fill(ops, accountId, mailboxId, 20);
    for (let count = 20; count < FEW_CHANGES * 2; count *= 2)
      await ops.write('mailstore.copy', { accountId, mailboxId, ranges: all, targetId: mailboxId });
    const store2 = (ranges: typeof all, keywords: string[]): Promise<unknown> =>
      ops.write('mailstore.storeFlags', {
        accountId,
        mailboxId,
        ranges,
        mode: 'add',
        set: { flags: Flag.Seen, keywords },
      });
    await store2([{ from: 5, to: 700 }], []);
    await store2([{ from: 9, to: 11 }], ['work']);
    await ops.write('mailstore.expunge', {
      accountId,
      mailboxId,
      ranges: [{ from: 100, to: 110 }],
      anyFlag: true,
    });
    await ops.read('mailstore.snapshot', { mailboxId });
    const last = (await ops.read('mailstore.mailboxById', { mailboxId }))?.modseq ?? 0;
    for (let modseq = 0; modseq <= last; modseq++) {
      const since = { mailboxId, modseq };
      const [a, b] = await Promise.all([
        ops.read('mailstore.changesSince', since),
        ops.read('mailstore.changesSince', since),
      ]);
      const there = await store.inspect((tx) => changesSince(tx, since));
      assert.deepEqual(a, there);
      assert.deepEqual(b, there);
    }
    const nowhere = await ops.read('mailstore.changesSince', { mailboxId: 999_999, modseq: 0 });
    assert.equal(nowhere.exists, false);
  });

  it('knows that a mailbox has gone, and that its name means another one', async () => {
    const accountId = await newAccount(ops, 'gone');
    const made = await ops.write('mailstore.createMailbox', { accountId, name: 'Short' });
    await fill(ops, accountId, made.id, 1);
    assert.equal((await ops.read('mailstore.snapshot', { mailboxId: made.id }))?.uids.length, 1);
    await ops.write('mailstore.deleteMailbox', { accountId, name: 'Short' });
    assert.equal(await ops.read('mailstore.snapshot', { mailboxId: made.id }), undefined);
    const everything = { mailboxId: made.id, ranges: [{ from: 1, to: MAX_UID }], want: [], limit: 10 };
    assert.deepEqual(await ops.read('mailstore.fetch', everything), []);
  });
});

test('one read of many changes is for all who ask at once, but not for who has been woken by a later change', async () => {
  let now = 7;
  const asked: ((modseq: number) => void)[] = [];
  const packed = (modseq: number): PackedChanges => ({
    exists: true,
    modseq,
    uidnext: 2,
    uidvalidity: 1,
    complete: true,
    expunged: new Uint32Array(0),
    uids: Uint32Array.of(1),
    modseqs: Float64Array.of(modseq),
    flags: Uint8Array.of(0),
    keywords: [],
  });
  const database: Pick<Reader, 'run'> = {
    run(name: string) {
      const answer =
        name === 'mailstore.fewChangesSince'
          ? Promise.resolve({ many: true, modseq: now })
          : new Promise((resolve) => asked.push((modseq) => resolve(packed(modseq))));
      return answer as Promise<never>;
    },
  };
  const reader = new CachedReader(database);
  const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
  const since = { mailboxId: 1, modseq: 3 };
  const first = reader.run('mailstore.changesSince', since);
  const second = reader.run('mailstore.changesSince', since);
  await turn();
  assert.equal(asked.length, 1);
  now = 8;
  const third = reader.run('mailstore.changesSince', since);
  await turn();
  asked[0]?.(7);
  assert.equal((await first).modseq, 7);
  assert.equal((await second).modseq, 7);
  await turn();
  assert.equal(asked.length, 2);
  asked[1]?.(8);
  assert.equal((await third).modseq, 8);
});
