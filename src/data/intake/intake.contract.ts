import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { type ManualClock, manualClock } from '../../../test/support/manual-clock.ts';
import { Refusal } from '../../base/errors.ts';
import type { Actor } from '../directory/types.ts';
import type { InlineStore } from '../inline.ts';
import type { IntakePart } from './types.ts';

const DAY = 86_400_000;
const SYSTEM: Actor = { name: 'system', role: 'system', domainId: undefined };

/** What every engine's memory of mail taken from buckets must do. */
export function intakeContract(open: (options: { clock: ManualClock }) => Promise<InlineStore>): void {
  describe('intake contract', () => {
    let store: InlineStore;
    let clock: ManualClock;
    let serial = 0;

    before(async () => {
      clock = manualClock();
      store = await open({ clock });
    });
    after(() => store.close());

    function part(more: Partial<IntakePart> = {}): IntakePart {
      return {
        bucket: 'b',
        key: `new/${++serial}`,
        source: 'main',
        state: 'done',
        trace: `trace-${serial}`,
        toldBy: 'sqs',
        receivedAt: clock.now(),
        size: 10,
        nextAt: undefined,
        reason: '',
        recipients: ['a@x.test', 'b@x.test'],
        notice: '{}',
        attempt: false,
        settled: [],
        ...more,
      };
    }
    const settle = (one: IntakePart) =>
      store.write.run('intake.settle', { part: one, notices: [], events: [] });
    const known = ({ bucket, key }: IntakePart) => store.read.run('intake.object', { bucket, key });

    it('nobody gets an object twice, and then nothing of the second time is kept', async () => {
      const one = part({ settled: [{ recipient: 'a@x.test', outcome: 'taken' }] });
      await settle(one);
      const again = part({
        key: one.key,
        settled: [
          { recipient: 'b@x.test', outcome: 'taken' },
          { recipient: 'a@x.test', outcome: 'taken' },
        ],
      });
      await assert.rejects(
        settle(again),
        (error: unknown) => error instanceof Refusal && error.kind === 'conflict',
      );
      assert.deepEqual((await known(one))?.settled, [{ recipient: 'a@x.test', outcome: 'taken' }]);
      await settle(part({ key: one.key, settled: [{ recipient: 'b@x.test', outcome: 'bounced' }] }));
      const found = await known(one);
      assert.equal(found?.settled.length, 2);
      assert.equal(found?.object.trace, one.trace, 'one trace for all its events');
    });

    it('a recipient whose copies were not stored has not got it', async () => {
      const one = part({ settled: [{ recipient: 'a@x.test', outcome: 'taken', deposits: [0] }] });
      await settle(one);
      const found = await known(one);
      assert.deepEqual(found?.settled, []);
      assert.equal(found?.object.state, 'waiting', 'it is due again at once');
      assert.equal(found?.object.nextAt, clock.now());
    });

    it('what waits is due at its time, with what was told of it, and counts its tries', async () => {
      const at = clock.now();
      const one = part({ state: 'waiting', nextAt: at + 1000, reason: 'trouble', attempt: true });
      await settle(one);
      await settle(
        part({ ...one, recipients: undefined, notice: undefined, size: undefined, receivedAt: at + 5 }),
      );
      const due = async (): Promise<string[]> =>
        (await store.read.run('intake.due', { now: clock.now(), limit: 10 })).map(({ key }) => key);
      assert.ok(!(await due()).includes(one.key));
      clock.advance(1000);
      assert.ok((await due()).includes(one.key));
      const found = (await known(one))?.object;
      assert.deepEqual(found?.recipients, ['a@x.test', 'b@x.test']);
      assert.deepEqual([found?.notice, found?.size, found?.attempts, found?.receivedAt], ['{}', 10, 2, at]);
      const waiting = (await store.read.run('intake.counts', null)).find(({ state }) => state === 'waiting');
      assert.ok((waiting?.count ?? 0) >= 1);
      await store.write.run('intake.removed', one);
      assert.equal((await known(one))?.object.nextAt, undefined);
    });

    it('problems are kept once, counted, and forgotten by an administrator', async () => {
      const problem = { source: 'main', toldBy: 'sqs' as const, reason: 'no JSON', body: 'hello \0 there' };
      await store.write.run('intake.problem', problem);
      clock.advance(10);
      await store.write.run('intake.problem', problem);
      const { total, problems } = await store.read.run('intake.problems', { limit: 5 });
      assert.equal(total, 1);
      assert.equal(problems[0]?.count, 2);
      assert.equal(problems[0]?.body, 'hello \ufffd there');
      const id = problems[0]?.id ?? 0;
      const user: Actor = { name: 'a@x.test', role: 'user', domainId: undefined };
      await assert.rejects(store.write.run('intake.forgetProblem', { actor: user, id }), Refusal);
      assert.equal(await store.write.run('intake.forgetProblem', { actor: SYSTEM, id }), true);
      assert.equal(await store.write.run('intake.forgetProblem', { actor: SYSTEM, id }), false);
    });

    it('forgets what is long out of the bucket, and keeps what is in it', async () => {
      const gone = part({ settled: [{ recipient: 'a@x.test', outcome: 'taken' }] });
      const there = part({ settled: [{ recipient: 'a@x.test', outcome: 'taken' }] });
      await settle(gone);
      await settle(there);
      await store.write.run('intake.removed', gone);
      clock.advance(60 * DAY);
      const args = { before: clock.now(), problemsBefore: clock.now(), limit: 500 };
      await store.write.run('intake.forget', args);
      assert.equal(await known(gone), undefined);
      assert.notEqual(await known(there), undefined);
      const keys = [gone.key, there.key];
      const left = await store.read.run('intake.known', { bucket: 'b', keys });
      assert.deepEqual(
        left.map(({ key }) => key),
        [there.key],
      );
    });
  });
}
