import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';
import { type ManualClock, manualClock } from '../../../test/support/manual-clock.ts';
import type { InlineStore } from '../inline.ts';
import { type GreylistKey, GREYLIST_KEPT } from './greylist.ts';

const SECOND = 1000;
const DAY = 86_400_000;

/** What every engine's memory of greylisting must do. */
export function greylistContract(open: (options: { clock: ManualClock }) => Promise<InlineStore>): void {
  describe('greylist contract', () => {
    let store: InlineStore;
    let clock: ManualClock;
    let n = 0;
    let key: GreylistKey;
    let other: GreylistKey;

    before(async () => {
      clock = manualClock();
      store = await open({ clock });
    });
    beforeEach(() => {
      n++;
      key = { network: '192.0.2.0/24', domain: `sender${n}.test` };
      other = { network: 'spf', domain: `sender${n}.test` };
    });
    after(() => store.close());

    const entries = (...keys: GreylistKey[]) =>
      store.read.run('greylist.entries', { keys, now: clock.now() });
    const note = (...keys: GreylistKey[]) => store.write.run('greylist.note', { keys, apartMs: 20 * SECOND });

    it('knows nothing of a pair until it is noted', async () => {
      assert.deepEqual(await entries(key), []);
      const at = clock.now();
      await note(key, other);
      const fresh = { firstAt: at, lastAt: at, tries: 1, passedAt: undefined };
      assert.deepEqual(await entries(key, other), [
        { ...key, ...fresh },
        { ...other, ...fresh },
      ]);
    });

    it('counts tries that are apart, keeps when the first was', async () => {
      const at = clock.now();
      await note(key);
      clock.advance(19 * SECOND);
      await note(key);
      assert.equal((await entries(key))[0]?.tries, 1, 'the same try again');
      clock.advance(SECOND);
      await note(key);
      const waiting = { ...key, firstAt: at, lastAt: at + 20 * SECOND, tries: 2, passedAt: undefined };
      assert.deepEqual(await entries(key), [waiting]);
    });

    it('lets through, known before or not, and keeps since when', async () => {
      await note(key);
      clock.advance(120 * SECOND);
      const at = clock.now();
      await store.write.run('greylist.pass', { keys: [key, other] });
      clock.advance(DAY);
      await store.write.run('greylist.pass', { keys: [key] });
      const [first, second] = await entries(key, other);
      assert.deepEqual([first?.passedAt, first?.lastAt, first?.tries], [at, at + DAY, 1]);
      assert.deepEqual([second?.passedAt, second?.lastAt, second?.tries], [at, at, 0]);
      await note(key);
      assert.equal((await entries(key))[0]?.passedAt, at, 'a try noted late does not take it back');
    });

    it('what waits is known for 2 days, what passed for 36 from its last mail', async () => {
      await note(key);
      await store.write.run('greylist.pass', { keys: [other] });
      clock.advance(2 * DAY);
      assert.equal((await entries(key)).length, 1);
      clock.advance(1);
      assert.deepEqual(await entries(key), [], 'too old, if not forgotten yet');
      await note(key);
      assert.equal((await entries(key))[0]?.firstAt, clock.now(), 'begins anew');
      clock.advance(30 * DAY);
      await store.write.run('greylist.pass', { keys: [other] });
      clock.advance(36 * DAY);
      assert.equal((await entries(other)).length, 1, 'renewed');
      clock.advance(1);
      assert.deepEqual(await entries(other), []);
    });

    it('forgets what is too old', async () => {
      await store.write.run('greylist.forget', { keep: 0 });
      await note(key);
      await store.write.run('greylist.pass', { keys: [other] });
      clock.advance(3 * DAY);
      assert.equal(await store.write.run('greylist.forget', {}), 1);
      assert.equal((await entries(other)).length, 1);
      clock.advance(GREYLIST_KEPT.passedMs);
      assert.equal(await store.write.run('greylist.forget', {}), 1);
    });

    it('keeps the newest of too many', async () => {
      await store.write.run('greylist.forget', { keep: 0 });
      for (let i = 0; i < 5; i++) {
        clock.advance(1);
        await note({ network: `10.0.${i}.0/24`, domain: 'flood.test' });
      }
      assert.equal(await store.write.run('greylist.forget', { keep: 2 }), 3);
      const left = await entries(
        { network: '10.0.2.0/24', domain: 'flood.test' },
        { network: '10.0.3.0/24', domain: 'flood.test' },
        { network: '10.0.4.0/24', domain: 'flood.test' },
      );
      assert.deepEqual(
        left.map(({ network }) => network),
        ['10.0.3.0/24', '10.0.4.0/24'],
      );
    });
  });
}
