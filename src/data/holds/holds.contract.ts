import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { type ManualClock, manualClock } from '../../../test/support/manual-clock.ts';
import type { Actor } from '../directory/types.ts';
import type { InlineStore } from '../inline.ts';
import type { Enqueue } from '../queue/types.ts';
import { dayOf, HELD } from './types.ts';

const SYSTEM: Actor = { name: 'system', role: 'system', domainId: undefined };
const HOUR = 3_600_000;
const DAY = 24 * HOUR;

type Store = Pick<InlineStore, 'read' | 'write' | 'close'>;

/** What every engine must do with held accounts and what accounts usually send. */
export function holdsContract(open: (options: { clock: ManualClock }) => Promise<Store>): void {
  describe('holds', () => {
    let store: Store;
    let accountId = 0;
    const clock = manualClock();
    const address = 'bob@example.test';

    before(async () => {
      store = await open({ clock });
      await store.write.run('directory.addDomain', { actor: SYSTEM, name: 'example.test' });
      const more = { displayName: '', role: 'user', quota: 0, hash: 'x', scram: null } as const;
      const account = await store.write.run('directory.addAccount', { actor: SYSTEM, address, ...more });
      accountId = account.id;
    });
    after(() => store.close());

    const state = (addresses: readonly string[] = []) =>
      store.read.run('holds.state', { accountId, day: dayOf(clock.now()), addresses });
    const hold = (reason: string) =>
      store.write.run('holds.set', { accountId, reason, events: [], notices: [] });
    const release = (more: { drop?: boolean; limit?: number; isFirst?: boolean; keepHeld?: string }) =>
      store.write.run('holds.release', {
        actor: SYSTEM,
        address,
        drop: false,
        limit: 100,
        isFirst: true,
        ...more,
      });
    const show = async (queueId: string) => {
      const entry = await store.read.run('queue.show', { queueId });
      assert.ok(entry);
      return { message: entry.message, states: entry.recipients.map((one) => one.state) };
    };

    /** A message of the account, held for a reason, that would expire after five days. */
    async function queue(queueId: string, holdReason: string | undefined): Promise<void> {
      const now = clock.now();
      const message: Enqueue = {
        queueId,
        trace: queueId,
        origin: 'submission',
        accountId,
        reversePath: address,
        mayBounce: true,
        prefix: Buffer.alloc(0),
        hidden: [],
        ret: undefined,
        envid: undefined,
        body: '7BIT',
        smtputf8: false,
        requireTls: false,
        originated: true,
        messageId: undefined,
        size: 2,
        warnAt: now + 4 * HOUR,
        expiresAt: now + 5 * DAY,
        holdReason,
        recipients: ['a@remote.test', 'b@remote.test'].map((to) => {
          return { address: to, destination: 'remote.test', orcpt: undefined, notify: '' };
        }),
      };
      await store.write.run('delivery.accept', {
        blob: { size: 2, encoding: 'raw', data: Buffer.from('hi'), file: undefined },
        content: {
          envelope: Buffer.alloc(0),
          bodystructure: Buffer.alloc(0),
          structure: '{}',
          sentAt: undefined,
          messageId: undefined,
          references: [],
        },
        deposits: [],
        overQuota: 'report',
        queue: [message],
        events: [],
      });
    }

    it('are set once, and known to submissions', async () => {
      assert.equal((await state()).hold, undefined);
      assert.deepEqual(await hold('first'), { isNew: true });
      assert.deepEqual(await hold('second'), { isNew: false });
      assert.deepEqual((await state()).hold, { reason: 'first', since: clock.now() });
    });

    it('list what waits, and what an administrator held for another reason is not theirs', async () => {
      await queue('held1', `${HELD}first`);
      await queue('held2', `${HELD}first`);
      await queue('other', 'held by admin');
      const [entry, ...more] = await store.read.run('holds.list', null);
      assert.deepEqual(more, []);
      assert.deepEqual(
        { ...entry },
        {
          account: address,
          hold: { reason: 'first', since: clock.now() },
          messages: 2,
          recipients: 4,
          oldest: clock.now(),
        },
      );
    });

    it('released in batches let everything go, due now, with its time before it; nothing else', async () => {
      clock.advance(10 * DAY);
      const first = await release({ limit: 1 });
      assert.deepEqual(first, { accountId, messages: 1, recipients: 2, more: true });
      assert.equal((await state()).hold, undefined, 'from the first batch on');
      assert.equal((await release({ isFirst: false })).messages, 1);
      const { message, states } = await show('held2');
      assert.deepEqual(states, ['queued', 'queued']);
      assert.equal(message.holdReason, undefined);
      assert.equal(message.expiresAt, clock.now() + 5 * DAY);
      assert.equal(message.warnAt, clock.now() + 4 * HOUR);
      assert.deepEqual((await show('other')).states, ['held', 'held']);
      await assert.rejects(release({}), { kind: 'not-found' });
      assert.equal(await store.read.run('queue.nextDue', { busy: [] }), clock.now());
    });

    it('make usual what was released, and not what was dropped', async () => {
      assert.deepEqual((await state()).largest, { messages: 2, recipients: 4, strangers: 4 });
      await hold('again');
      await queue('thief', `${HELD}again`);
      assert.deepEqual(await release({ drop: true }), { accountId, messages: 1, recipients: 2, more: false });
      assert.deepEqual((await show('thief')).states, ['dropped', 'dropped']);
      assert.equal((await state()).largest.messages, 2);
    });

    it('leave it held, for its reason, where nothing can leave at all', async () => {
      await hold('once more');
      await queue('kept', `${HELD}once more`);
      await release({ keepHeld: 'no way out' });
      const { message, states } = await show('kept');
      assert.deepEqual([message.holdReason, states], ['no way out', ['held', 'held']]);
    });

    it('count by days, the largest of the last thirty without today', async () => {
      clock.advance(40 * DAY);
      const day = dayOf(clock.now());
      const row = (on: number, messages: number) => ({
        accountId,
        day: on,
        messages,
        recipients: 2 * messages,
        strangers: messages,
      });
      const rows = [row(day - 31, 100), row(day - 30, 7), row(day - 1, 3), row(day - 1, 3), row(day, 50)];
      await store.write.run('holds.count', { rows: [...rows, { ...row(day, 1), accountId: 999_999 }] });
      assert.deepEqual((await state()).largest, { messages: 7, recipients: 14, strangers: 7 });
      await store.write.run('holds.forget', { now: clock.now() });
      assert.deepEqual((await state()).largest, { messages: 7, recipients: 14, strangers: 7 });
    });

    it('tell whom the account has never written to, each once', async () => {
      assert.equal((await state(['A@Remote.test', 'a@remote.test', 'b@remote.test'])).strangers, 2);
    });

    it('go with a purged account', async () => {
      await hold('the last');
      await store.write.run('directory.removeAccount', { actor: SYSTEM, address, purge: true });
      assert.deepEqual(await store.read.run('holds.list', null), []);
    });
  });
}
