import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { type ManualClock, manualClock } from '../../../test/support/manual-clock.ts';
import type { Actor } from '../directory/types.ts';
import type { InlineStore } from '../inline.ts';

const actor: Actor = { name: 'system', role: 'system', domainId: undefined };
const HOUR = 3_600_000;
const DIRECTORY = 'https://ca.example/dir';

/** What every engine's keeping of certificates must do. */
export function certificatesContract(open: (options: { clock: ManualClock }) => Promise<InlineStore>): void {
  describe('certificates contract', () => {
    let store: InlineStore;
    let clock: ManualClock;

    before(async () => {
      clock = manualClock();
      store = await open({ clock });
    });
    after(() => store.close());

    const all = () => store.read.run('certificates.all', null);
    const fail = (name: string) =>
      store.write.run('certificates.failed', {
        name,
        directory: DIRECTORY,
        reason: `not ${'y'.repeat(2000)}`,
        retryAt: clock.now() + HOUR,
        events: [],
      });
    const issued = (name: string, names: readonly string[]) =>
      store.write.run('certificates.issued', {
        name,
        directory: DIRECTORY,
        names,
        chain: 'CHAIN',
        privateKey: 'KEY',
        notBefore: clock.now(),
        notAfter: clock.now() + 90 * 24 * HOUR,
        renewAt: clock.now() + 60 * 24 * HOUR,
        askAt: clock.now(),
        events: [],
      });

    it('an account keeps its first key, and what the authority was told', async () => {
      const first = await store.write.run('certificates.ensureAccount', {
        directory: DIRECTORY,
        privateKey: 'A',
      });
      assert.deepEqual(first, { directory: DIRECTORY, privateKey: 'A', url: undefined, contact: [] });
      await store.write.run('certificates.setAccount', {
        directory: DIRECTORY,
        url: 'https://ca/1',
        contact: ['a@b'],
      });
      const again = await store.write.run('certificates.ensureAccount', {
        directory: DIRECTORY,
        privateKey: 'B',
      });
      assert.deepEqual(again, {
        directory: DIRECTORY,
        privateKey: 'A',
        url: 'https://ca/1',
        contact: ['a@b'],
      });
    });

    it('failures are counted and leave the certificate; success forgets them', async () => {
      await fail('mail.test');
      const [row] = await all();
      assert.deepEqual([row?.failures, row?.issued, row?.retryAt], [1, undefined, clock.now() + HOUR]);
      assert.equal(row?.failure?.length, 1000);
      await issued('mail.test', ['mail.test', 'imap.test']);
      clock.advance(HOUR);
      await fail('mail.test');
      await fail('mail.test');
      const [late] = await all();
      assert.deepEqual([late?.failures, late?.failedAt], [2, clock.now()]);
      assert.deepEqual(late?.issued?.names, ['mail.test', 'imap.test']);
      await issued('mail.test', ['mail.test']);
      const [now] = await all();
      assert.deepEqual([now?.failures, now?.failure, now?.retryAt], [0, undefined, undefined]);
      assert.deepEqual([now?.issued?.issuedAt, now?.issued?.chain], [clock.now(), 'CHAIN']);
    });

    it("the authority's wish moves the renewal, and goes with the certificate it was for", async () => {
      const wish = { start: 1, end: 2, explanation: 'https://ca/why' };
      await store.write.run('certificates.wished', { name: 'mail.test', wish, renewAt: 5, askAt: 6 });
      const [row] = await all();
      assert.deepEqual([row?.wish, row?.issued?.renewAt, row?.askAt], [wish, 5, 6]);
      await issued('mail.test', ['mail.test']);
      assert.equal((await all())[0]?.wish, undefined);
    });

    it('changed settings let what failed be tried at once', async () => {
      await fail('other.test');
      await store.write.run('certificates.saveSettings', {
        actor,
        json: '{"enabled":false}',
        what: 'enabled',
      });
      assert.equal(await store.read.run('certificates.settings', null), '{"enabled":false}');
      assert.ok((await all()).every(({ failures, retryAt }) => failures === 0 && retryAt === undefined));
      const user: Actor = { name: 'ann', role: 'user', domainId: undefined };
      await assert.rejects(
        store.write.run('certificates.saveSettings', { actor: user, json: '{}', what: 'x' }),
        /an administrator can/,
      );
      assert.equal(await store.write.run('certificates.drop', { name: 'other.test' }), 1);
      assert.equal((await all()).length, 1);
    });
  });
}
