import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { silentLogger } from '../../src/base/log.ts';
import { systemClock } from '../../src/base/clock.ts';
import { openInlineStore } from '../../src/data/inline.ts';
import { acceptOf, DOMAIN, depositOf, SYSTEM } from '../../src/data/mailstore/contract-fixtures.ts';
import { tidySegments } from '../../src/app/segment-job.ts';

const DAY = 24 * 3600 * 1000;
const BODY = 100_000;

/** A store in a directory; each opening writes a segment of its own. */
async function storeIn(t: TestContext) {
  const directory = await mkdtemp(join(tmpdir(), 'postern-tidy-'));
  t.after(() => rm(directory, { recursive: true, force: true }));
  let now = systemClock.now();
  const clock = { ...systemClock, now: () => now };
  const open = () => openInlineStore({ path: directory, clock });
  let store = await open();
  await store.write.run('directory.addDomain', { actor: SYSTEM, name: DOMAIN });
  const person = { actor: SYSTEM, address: `a@${DOMAIN}`, displayName: '', role: 'user' } as const;
  const account = { ...person, quota: 0, hash: 'none', scram: null };
  const { id: accountId } = await store.write.run('directory.addAccount', account);
  t.after(() => store.close());
  return {
    deliver: async (letter: string) => {
      const accept = acceptOf([depositOf(accountId)], letter.repeat(BODY));
      const [deposit] = (await store.write.run('delivery.accept', accept)).deposits;
      assert.ok(deposit?.status === 'stored');
      return deposit.emailId;
    },
    /** Delete all but some and forget them for good. */
    keepOnly: async (...kept: number[]) => {
      const inbox = await store.read.run('mailstore.mailbox', { accountId, name: 'INBOX' });
      const mailboxId = inbox?.id ?? 0;
      const ranges = [{ from: 1, to: 0xffff_ffff }];
      const rows = await store.read.run('mailstore.fetch', { mailboxId, ranges, want: [], limit: 1000 });
      for (const { uid } of rows.filter(({ emailId }) => !kept.includes(emailId))) {
        const uids = [{ from: uid, to: uid }];
        await store.write.run('mailstore.expunge', { accountId, mailboxId, ranges: uids, anyFlag: true });
      }
      const purged = await store.write.run('mailstore.purge', { before: now + 1, limit: 1000 });
      for (const file of purged.files) await store.bodies.remove(file);
    },
    text: async (emailId: number) => {
      const content = await store.read.run('mailstore.content', { accountId, emailId });
      return (await store.blobs.bytes(content?.blobId ?? 0)).toString('latin1');
    },
    sizes: async () => (await store.bodies.segments()).map(({ size }) => size).toSorted((a, b) => a - b),
    tidy: () => tidySegments({ store, clock, logger: silentLogger }),
    reopen: async () => {
      await store.close();
      store = await open();
    },
    pass: (ms: number) => {
      now += ms;
    },
  };
}

test('the rest of a segment that is mostly deleted moves, and its room comes back a day later', async (t) => {
  const store = await storeIn(t);
  const kept = await store.deliver('k');
  for (let i = 0; i < 3; i++) await store.deliver('x');
  await store.reopen();
  await store.keepOnly(kept);
  store.pass(10 * DAY);
  await store.tidy();
  assert.deepEqual(
    await store.sizes(),
    [BODY, 4 * BODY],
    'a copy of the database may still name the old one',
  );
  assert.equal(await store.text(kept), 'k'.repeat(BODY));
  store.pass(DAY - 1000);
  await store.tidy();
  assert.equal((await store.sizes()).length, 2);
  store.pass(2000);
  await store.tidy();
  assert.deepEqual(await store.sizes(), [BODY]);
  assert.equal(await store.text(kept), 'k'.repeat(BODY));
});

test('one that is mostly in use stays as it is', async (t) => {
  const store = await storeIn(t);
  const kept = [await store.deliver('a'), await store.deliver('b')];
  await store.deliver('x');
  await store.reopen();
  await store.keepOnly(...kept);
  store.pass(2 * DAY);
  await store.tidy();
  assert.deepEqual(await store.sizes(), [3 * BODY]);
});

test('the one that is written to is left alone, empty and old as it may be', async (t) => {
  const store = await storeIn(t);
  await store.deliver('x');
  await store.keepOnly();
  store.pass(2 * DAY);
  await store.tidy();
  const next = await store.deliver('n');
  assert.deepEqual(await store.sizes(), [2 * BODY]);
  assert.equal(await store.text(next), 'n'.repeat(BODY));
  await store.reopen();
  await store.keepOnly();
  store.pass(2 * DAY);
  await store.tidy();
  assert.deepEqual(await store.sizes(), []);
});
