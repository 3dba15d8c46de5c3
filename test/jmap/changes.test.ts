import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { systemClock } from '../../src/base/clock.ts';
import { type InlineStore, openInlineStore } from '../../src/data/inline.ts';
import type { Changed, Since } from '../../src/data/jmap/changes.ts';
import {
  fill,
  newAccount,
  type Operations,
  operations,
  SYSTEM,
} from '../../src/data/mailstore/contract-fixtures.ts';
import { Flag } from '../../src/data/mailstore/types.ts';

/** A generator of the same numbers for the same seed. */
function random(seed: number): (below: number) => number {
  let last = seed >>> 0;
  return (below) => {
    last = (Math.imul(last, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((last / 2 ** 32) * below);
  };
}

/** What a client knows at a state. */
interface Known {
  readonly seq: number;
  readonly emails: ReadonlyMap<number, string>;
  readonly threads: ReadonlyMap<number, string>;
  readonly mailboxes: ReadonlyMap<number, string>;
  readonly results: readonly number[];
  /** What lies in each mailbox. */
  readonly inEach: ReadonlyMap<number, readonly number[]>;
}

const ALL = [{ from: 1, to: 1000 }];
/** Courses of things in which something came, went and came again while it was being told of, and the kinds of steps in them. */
const SEEDS = [
  [33, 13],
  [2, 11],
  [5, 13],
] as const;

describe('changes since any state, put on what was known then, give what is there now', () => {
  let store: InlineStore;
  let ops: Operations;
  let ahead = 0;
  before(async () => {
    store = await openInlineStore({
      path: ':memory:',
      clock: { ...systemClock, now: () => systemClock.now() + ahead },
    });
    ops = operations(store);
    await ops.write('directory.addDomain', { actor: SYSTEM, name: 'mail.test' });
  });
  after(() => store.close());

  const cache = 'test';
  let anew = 0;
  const query = (accountId: number) => ({
    cache,
    accountId,
    filter: { is: 'not', of: [{ is: 'hasKeyword', keyword: '$seen' }] } as const,
    sort: [{ by: 'receivedAt', ascending: false }] as const,
    collapseThreads: true,
  });
  const inMailbox = (accountId: number, mailboxId: number) => ({
    cache,
    accountId,
    filter: { is: 'and', of: [{ is: 'inMailbox', mailboxId }] } as const,
    sort: [{ by: 'receivedAt', ascending: true }] as const,
    collapseThreads: false,
  });

  async function present(accountId: number): Promise<Known> {
    const { seq } = await ops.read('jmap.state', { accountId });
    const ids = [...(await ops.read('jmap.emailIds', { cache, accountId, above: 0 }))];
    const emails = await ops.read('jmap.emails', { accountId, ids });
    const { threads } = await ops.read('jmap.threads', { cache, accountId, ids: null });
    const boxes = await ops.read('mailstore.mailboxes', { accountId });
    const window = { position: 0, anchorOffset: 0, limit: 10_000, total: true };
    const found = await ops.read('jmap.query', { query: query(accountId), window });
    const inEach = new Map<number, readonly number[]>();
    for (const { id } of boxes) {
      if (id === 0) continue;
      const there = await ops.read('jmap.query', { query: inMailbox(accountId, id), window });
      inEach.set(id, [...there.ids]);
    }
    // What is kept in memory says the same as the rows do, and as what is counted anew.
    assert.equal(emails.length, ids.length);
    const { counts } = await ops.read('jmap.counts', { cache, accountId });
    const { counts: fresh } = await ops.read('jmap.counts', { cache: `fresh ${anew++}`, accountId });
    assert.deepEqual(new Map([...counts].toSorted()), new Map([...fresh].toSorted()));
    return {
      seq,
      emails: new Map(emails.map((each) => [each.id, JSON.stringify([each.mailboxIds, each.keywords])])),
      threads: new Map(threads.map((each) => [each.id, each.emailIds.join()])),
      mailboxes: new Map(
        boxes
          .filter(({ id }) => id !== 0)
          .map((box) => [box.id, `${box.name} ${JSON.stringify(counts.get(box.id))}`]),
      ),
      results: [...found.ids],
      inEach,
    };
  }

  /** Follow /changes page by page; what is told of is looked up in the present. */
  async function follow(
    old: ReadonlyMap<number, string>,
    now: ReadonlyMap<number, string>,
    from: number,
    max: number | undefined,
    ask: (since: Since) => Promise<Changed | undefined>,
  ): Promise<void> {
    const mine = new Map(old);
    let since: Since = { seq: from };
    for (let page = 0; ; page++) {
      assert.ok(page < 1000);
      const changed = await ask(since);
      assert.ok(changed, 'the changes are known');
      const told = [...changed.created, ...changed.updated, ...changed.destroyed];
      assert.equal(new Set(told).size, told.length, 'each is told of once');
      if (max !== undefined) assert.ok(told.length <= max);
      // What went and came back between two pages is new to the second of them.
      if (max === undefined)
        for (const id of changed.created) assert.ok(!mine.has(id), `${id} was there before`);
      for (const id of changed.updated) assert.ok(mine.has(id), `${id} was not there before`);
      // What is gone again by now is told of by a later page.
      for (const id of [...changed.created, ...changed.updated]) mine.set(id, now.get(id) ?? 'gone');
      for (const id of changed.destroyed) mine.delete(id);
      since = changed.until;
      if (!changed.more) break;
    }
    assert.deepEqual(new Map([...mine].toSorted()), new Map([...now].toSorted()));
  }

  async function check(
    accountId: number,
    old: Known,
    now: Known,
    max: number | undefined,
    from: string,
  ): Promise<void> {
    const request = (since: Since) => ({ cache: from, accountId, since, max });
    await follow(old.emails, now.emails, old.seq, max, (since) =>
      ops.read('jmap.emailChanges', request(since)),
    );
    await follow(old.threads, now.threads, old.seq, max, (since) =>
      ops.read('jmap.threadChanges', request(since)),
    );
    await follow(old.mailboxes, now.mailboxes, old.seq, max, (since) =>
      ops.read('jmap.mailboxChanges', request(since)),
    );
    const changed = await ops.read('jmap.queryChanges', { query: query(accountId), since: { seq: old.seq } });
    assert.ok(changed);
    for (const by of ['size', 'sentAt', 'subject', 'from'] as const) {
      for (const ascending of [true, false]) {
        const sorted = (name: string) =>
          ops.read('jmap.query', {
            query: { ...query(accountId), cache: name, sort: [{ by, ascending }] },
            window: { position: 0, anchorOffset: 0, limit: 10_000, total: true },
          });
        // Orders that are kept say the same as those that are made anew.
        assert.deepEqual([...(await sorted(cache)).ids], [...(await sorted(`fresh ${anew}`)).ids], by);
      }
    }
    anew++;
    const results = old.results.filter((id) => !changed.removed.includes(id));
    for (const { id, index } of changed.added) results.splice(index, 0, id);
    assert.deepEqual(results, now.results);
    for (const [id, before] of old.inEach)
      await checkMailbox(accountId, id, old.seq, before, now.inEach.get(id) ?? []);
  }

  /** Of a mailbox, nothing is taken out that was not in it: clients count (RFC 8620 section 5.6). */
  async function checkMailbox(
    accountId: number,
    mailboxId: number,
    seq: number,
    before: readonly number[],
    now: readonly number[],
  ): Promise<void> {
    const query = inMailbox(accountId, mailboxId);
    const changed = await ops.read('jmap.queryChanges', { query, since: { seq } });
    assert.ok(changed);
    for (const id of changed.removed)
      assert.ok(before.includes(id), `${id} was not in ${mailboxId} at ${seq}`);
    const results = before.filter((id) => !changed.removed.includes(id));
    for (const { id, index } of changed.added) results.splice(index, 0, id);
    assert.deepEqual(results, now);
  }

  /** One thing that anybody may do, by IMAP or JMAP. */
  async function step(accountId: number, next: (below: number) => number, kinds: number): Promise<void> {
    const boxes = (await ops.read('mailstore.mailboxes', { accountId })).filter(({ id }) => id !== 0);
    const box = boxes[next(Math.min(4, boxes.length))];
    assert.ok(box);
    const mailboxId = box.id;
    const from = 1 + next(30);
    const ranges = [{ from, to: from + next(5) }];
    const targetId = boxes[next(boxes.length)]?.id ?? mailboxId;
    const ids = [...(await ops.read('jmap.emailIds', { cache, accountId, above: 0 }))];
    const some = ids.filter(() => next(4) === 0).slice(0, 5);
    switch (next(kinds)) {
      case 0:
      case 1:
      case 2:
        await fill(ops, accountId, mailboxId, 1 + next(3));
        return;
      case 3: {
        const set = {
          flags: next(2) === 0 ? Flag.Seen : Flag.Flagged,
          keywords: next(3) === 0 ? ['work'] : [],
        };
        await ops.write('mailstore.storeFlags', { accountId, mailboxId, ranges, mode: 'add', set });
        return;
      }
      default: {
        // RFC 8621 section 4.1.1: what has \\Deleted is not there for JMAP.
        const set = { flags: Flag.Deleted, keywords: [] };
        const mode = next(3) === 0 ? 'remove' : 'add';
        await ops.write('mailstore.storeFlags', { accountId, mailboxId, ranges, mode, set });
        return;
      }
      case 4:
        await ops.write('mailstore.expunge', { accountId, mailboxId, ranges, anyFlag: true });
        return;
      case 5:
        await ops.write(next(2) === 0 ? 'mailstore.move' : 'mailstore.copy', {
          accountId,
          mailboxId,
          ranges,
          targetId,
        });
        return;
      case 6:
      case 7: {
        const outcome = await ops.write('jmap.setEmails', {
          accountId,
          viewer: accountId,
          updates: some.map((id) => ({
            id,
            ...(next(2) === 0 && { keywords: { add: ['$seen'], remove: ['work'] } }),
            ...(next(2) === 0 && { mailboxIds: { all: [mailboxId, targetId] } }),
          })),
          destroys: ids.filter((id) => !some.includes(id) && next(10) === 0),
        });
        assert.ok(typeof outcome !== 'string');
        assert.ok([...outcome.updates, ...outcome.destroys].every((each) => each === undefined));
        return;
      }
      case 8:
        await ops.write('jmap.setMailbox', {
          accountId,
          viewer: accountId,
          change: { create: { name: `box ${next(6)}`, parentId: null } },
        });
        return;
      case 9:
        await ops.write('jmap.setMailbox', {
          accountId,
          viewer: accountId,
          change: { destroy: boxes.at(-1 - next(3))?.id ?? 0, removeEmails: next(2) === 0 },
        });
        return;
      case 10: {
        const orphans = await ops.read('mailstore.orphans', { accountId, limit: 3 });
        const [one] = orphans;
        if (one === undefined) return;
        await ops.write('mailstore.undelete', { actor: SYSTEM, accountId, emailId: one.emailId, mailboxId });
      }
    }
  }

  it('whatever happened in between', async () => {
    for (let seed = 1; seed <= 8; seed++) {
      const accountId = await newAccount(ops, `changes${seed}`);
      const next = random(seed);
      const states: Known[] = [await present(accountId)];
      for (let i = 0; i < 60; i++) {
        await step(accountId, next, seed % 2 === 0 ? 13 : 11);
        if (next(4) === 0) states.push(await present(accountId));
      }
      const now = await present(accountId);
      for (const old of states) {
        // What was hidden for a while only who has seen it knows; all else is known from the rows as well.
        const from = seed % 2 === 0 ? cache : `rows ${anew}`;
        await check(accountId, old, now, next(2) === 0 ? undefined : 1 + next(5), from);
      }
    }
    await ops.sound();
  });

  /** A client that asks for a page now and then, and looks up what it is told of when more has happened already. */
  async function slowly(
    accountId: number,
    name: 'jmap.emailChanges' | 'jmap.threadChanges' | 'jmap.mailboxChanges',
    all: (known: Known) => ReadonlyMap<number, string>,
    next: (below: number) => number,
    kinds: number,
  ): Promise<void> {
    let since: Since = { seq: (await present(accountId)).seq };
    for (let i = 0; i < 5; i++) await step(accountId, next, kinds);
    const mine = new Map(all(await present(accountId)));
    const page = async (max: number | undefined, meanwhile: number): Promise<boolean> => {
      const changed = await ops.read(name, { cache, accountId, since, max });
      assert.ok(changed, 'the changes are known');
      for (let i = 0; i < meanwhile; i++) await step(accountId, next, kinds);
      const now = all(await present(accountId));
      for (const id of changed.destroyed) mine.delete(id);
      for (const id of [...changed.created, ...changed.updated]) {
        const found = now.get(id);
        if (found === undefined) mine.delete(id);
        else mine.set(id, found);
      }
      since = changed.until;
      return changed.more;
    };
    for (let i = 0; i < 40; i++) {
      for (let some = next(4); some > 0; some--) await step(accountId, next, kinds);
      await page(1 + next(3), next(4));
    }
    while (await page(undefined, 0));
    assert.deepEqual(new Map([...mine].toSorted()), new Map([...all(await present(accountId))].toSorted()));
  }

  it('what is looked up later than it was told of', async () => {
    for (const [seed, kinds] of SEEDS) {
      const accountId = await newAccount(ops, `later${seed}`);
      const next = random(seed);
      await slowly(accountId, 'jmap.emailChanges', ({ emails }) => emails, next, kinds);
      await slowly(accountId, 'jmap.threadChanges', ({ threads }) => threads, next, kinds);
      await slowly(accountId, 'jmap.mailboxChanges', ({ mailboxes }) => mailboxes, next, kinds);
    }
  });

  it('what was hidden more than once is told of, also when it lies elsewhere by now', async () => {
    const accountId = await newAccount(ops, 'hidden');
    const boxes = (await ops.read('mailstore.mailboxes', { accountId })).filter(({ id }) => id !== 0);
    const [mailboxId = 0, targetId = 0] = boxes.map(({ id }) => id);
    await fill(ops, accountId, mailboxId, 1);
    const set = { flags: Flag.Deleted, keywords: [] };
    const hide = async (mode: 'add' | 'remove'): Promise<Known> => {
      await ops.write('mailstore.storeFlags', { accountId, mailboxId, ranges: ALL, mode, set });
      return present(accountId);
    };
    const old = await hide('add');
    assert.equal(old.threads.size, 0);
    await hide('remove');
    await ops.write('mailstore.copy', { accountId, mailboxId, ranges: ALL, targetId });
    await hide('add');
    const now = await hide('remove');
    assert.equal(now.threads.size, 1);
    const changed = await ops.read('jmap.threadChanges', { cache, accountId, since: { seq: old.seq } });
    assert.deepEqual([...(changed?.created ?? []), ...(changed?.updated ?? [])], [...now.threads.keys()]);
  });

  it('what is forgotten is said to be unknown', async () => {
    const accountId = await newAccount(ops, 'forgotten');
    const inbox = await ops.read('mailstore.mailbox', { accountId, name: 'INBOX' });
    assert.ok(inbox);
    await fill(ops, accountId, inbox.id, 2);
    const { seq } = await ops.read('jmap.state', { accountId });
    await ops.write('mailstore.expunge', { accountId, mailboxId: inbox.id, ranges: ALL, anyFlag: true });
    const known = await ops.read('jmap.emailChanges', { cache, accountId, since: { seq } });
    assert.equal(known?.destroyed.length, 2);
    ahead = 40 * 24 * 3600 * 1000;
    await ops.write('mailstore.purge', { before: systemClock.now() + ahead - 1000, limit: 100_000 });
    for (const name of ['jmap.emailChanges', 'jmap.threadChanges', 'jmap.mailboxChanges'] as const)
      assert.equal(await ops.read(name, { cache, accountId, since: { seq } }), undefined);
    const now = await ops.read('jmap.state', { accountId });
    assert.ok(await ops.read('jmap.emailChanges', { cache, accountId, since: now }));
    // A state that was never given out.
    assert.equal(
      await ops.read('jmap.emailChanges', { cache, accountId, since: { seq: seq + 100 } }),
      undefined,
    );
  });
});
