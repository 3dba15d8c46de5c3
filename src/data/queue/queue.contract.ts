import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import { type ManualClock, manualClock } from '../../../test/support/manual-clock.ts';
import { Refusal } from '../../base/errors.ts';
import type { Actor } from '../directory/types.ts';
import type { InlineStore } from '../inline.ts';
import type { ReadArgs, WriteArgs } from '../store.ts';
import type { Statement } from '../db/sql.ts';
import { countBlobs, leaseFields, line, openMismatches } from './contract.sql.ts';
import type { Enqueue, LeasedWork, NewOutgoing, Settlement } from './types.ts';

const MINUTE = 60_000;
const ADMIN: Actor = { name: 'alice@example.test', role: 'admin', domainId: undefined };
const SYSTEM: Actor = { name: 'system', role: 'system', domainId: undefined };
const USER: Actor = { name: 'bob@example.test', role: 'user', domainId: 1 };

function enqueueOf(queueId: string, to: readonly string[], more: Partial<Enqueue> = {}): Enqueue {
  return {
    queueId,
    trace: '',
    origin: 'submission',
    accountId: undefined,
    reversePath: 'alice@example.test',
    mayBounce: true,
    prefix: Buffer.from('Received: x\r\n'),
    hidden: [[3, 9]],
    ret: 'HDRS',
    envid: 'env',
    body: '8BITMIME',
    smtputf8: false,
    requireTls: true,
    originated: true,
    messageId: `${queueId}@example.test`,
    size: 120,
    warnAt: undefined,
    expiresAt: undefined,
    holdReason: undefined,
    recipients: to.map((address) => ({
      address,
      destination: address.slice(address.indexOf('@') + 1),
      orcpt: undefined,
      notify: 'FAILURE',
    })),
    ...more,
  };
}

function outgoing(queueId: string): NewOutgoing {
  const data = Buffer.from('a notification');
  return {
    blob: { size: data.length, encoding: 'raw', data, file: undefined },
    enqueue: enqueueOf(queueId, ['alice@sender.test'], { origin: 'dsn', reversePath: '' }),
  };
}

const CONTENT = {
  envelope: Buffer.alloc(0),
  bodystructure: Buffer.alloc(0),
  structure: '{}',
  sentAt: undefined,
  messageId: undefined,
  references: [],
};

/** What every engine's queue must do: docs/queue.md, row by row. One store serves all tests; each leaves it empty. */
export function queueContract(open: (options: { clock: ManualClock }) => Promise<InlineStore>): void {
  describe('queue contract', () => {
    let store: InlineStore;
    let clock: ManualClock;
    let n = 0;
    let accountId = 0;

    before(async () => {
      clock = manualClock();
      store = await open({ clock });
      await store.write.run('directory.addDomain', { actor: SYSTEM, name: 'example.test' });
      const more = { displayName: '', role: 'user', quota: 0, hash: 'x', scram: null } as const;
      const address = 'bob@example.test';
      accountId = (await store.write.run('directory.addAccount', { actor: SYSTEM, address, ...more })).id;
    });
    beforeEach(() => {
      n++;
    });
    afterEach(async () => {
      assert.deepEqual(await look(openMismatches), [], 'counts of open recipients are right');
      clock.advance(24 * 60 * MINUTE);
      await store.write.run('queue.recover', { owner: null });
      for (const { message } of await store.read.run('queue.list', { limit: 1000 })) {
        await store.write.run('queue.drop', { actor: ADMIN, queueId: message.queueId });
      }
      clock.advance(1);
      await store.write.run('queue.purge', { before: clock.now(), limit: 1000 });
      assert.deepEqual(await lease(), []);
    });
    after(() => store.close());

    const look = async <R>(statement: Statement<[], R>): Promise<R[]> =>
      (await store.inspect((tx) => tx.all(statement))).map((row) => ({ ...row }));
    const putAll = async (messages: readonly Enqueue[], file?: string): Promise<void> => {
      const data = file === undefined ? Buffer.alloc(100) : undefined;
      const queue = messages.map((message) => ({ ...message, trace: traceOf(message.queueId) }));
      await store.write.run('delivery.accept', {
        blob: { size: 100, encoding: 'raw', data, file },
        content: CONTENT,
        deposits: [],
        overQuota: 'report',
        queue,
        events: [],
      });
    };
    const put = (message: Enqueue): Promise<void> => putAll([message]);
    const traceOf = (queueId: string): string => `trace${n}-${queueId}`;
    const lease = (more: Partial<WriteArgs<'queue.lease'>> = {}): Promise<LeasedWork[]> =>
      store.write.run('queue.lease', {
        owner: 'one',
        leaseMs: 10 * MINUTE,
        limit: 1000,
        perDestination: 100,
        busy: [],
        ...more,
      });
    const settle = (settlements: readonly Settlement[], more: Partial<WriteArgs<'queue.settle'>> = {}) =>
      store.write.run('queue.settle', {
        owner: 'one',
        settlements,
        warned: [],
        outgoing: [],
        events: [],
        ...more,
      });
    const show = async (queueId: string) => {
      const found = await store.read.run('queue.show', { queueId });
      assert.ok(found);
      return found;
    };
    const states = async (queueId: string): Promise<string[]> =>
      (await show(queueId)).recipients.map((recipient) => recipient.state);
    const only = async (queueId: string) => {
      const [recipient] = (await show(queueId)).recipients;
      assert.ok(recipient);
      return recipient;
    };
    const journal = (queueId: string) => store.read.run('journal.byTrace', { trace: traceOf(queueId) });
    const end = (recipientId: number, outcome: 'delivered' | 'failed'): Settlement => ({
      recipientId,
      outcome,
      reply: '250 2.0.0 ok',
      host: 'mx.far.test',
    });
    const defer = (recipientId: number, nextAt: number): Settlement => ({
      recipientId,
      outcome: 'deferred',
      nextAt,
      reply: '451 4.7.1 greylisted',
      host: 'mx.far.test',
    });
    const putBack = (recipientId: number, nextAt: number): Settlement => ({
      recipientId,
      outcome: 'released',
      nextAt,
      reply: '',
      host: undefined,
    });

    describe('the state table of docs/queue.md', () => {
      it('enqueue: queued, due now, with all that was given', async () => {
        await put(enqueueOf('q1', ['a@far.test', 'b@far.test'], { accountId: 7, warnAt: 1, expiresAt: 2 }));
        const { message, recipients } = await show('q1');
        const { id, blobId, ...facts } = message;
        assert.ok(id > 0 && blobId > 0);
        assert.deepEqual(
          { ...facts, prefix: Buffer.from(facts.prefix).toString() },
          {
            queueId: 'q1',
            trace: traceOf('q1'),
            blobSize: 100,
            prefix: 'Received: x\r\n',
            hidden: [[3, 9]],
            size: 120,
            accountId: 7,
            origin: 'submission',
            reversePath: 'alice@example.test',
            mayBounce: true,
            ret: 'HDRS',
            envid: 'env',
            body: '8BITMIME',
            smtputf8: false,
            requireTls: true,
            originated: true,
            messageId: 'q1@example.test',
            createdAt: clock.now(),
            warnAt: 1,
            expiresAt: 2,
            holdReason: undefined,
            releaseAt: undefined,
          },
        );
        assert.deepEqual(
          recipients.map(({ address, state, nextAt, attempts }) => ({ address, state, nextAt, attempts })),
          [
            { address: 'a@far.test', state: 'queued', nextAt: clock.now(), attempts: 0 },
            { address: 'b@far.test', state: 'queued', nextAt: clock.now(), attempts: 0 },
          ],
        );
      });

      it('enqueue with a reason to hold: held, never leased', async () => {
        await put(enqueueOf('q1', ['a@far.test'], { holdReason: 'try-out' }));
        assert.deepEqual(await states('q1'), ['held']);
        assert.equal(await store.read.run('queue.nextDue', { busy: [] }), undefined);
        assert.deepEqual(await lease(), []);
      });

      it('lease: queued and due becomes leased, what is not due stays', async () => {
        await put(enqueueOf('q1', ['a@far.test', 'b@far.test']));
        const [work] = await lease();
        assert.deepEqual(
          work?.recipients.map(({ address, state }) => [address, state]),
          [
            ['a@far.test', 'leased'],
            ['b@far.test', 'leased'],
          ],
        );
        assert.equal(work?.message.queueId, 'q1');
        assert.deepEqual(await lease(), [], 'a lease is given once');
      });

      it('settle: delivered, failed and deferred, each by itself, with what the host said', async () => {
        await put(enqueueOf('q1', ['a@far.test', 'b@far.test', 'c@far.test']));
        const [work] = await lease();
        const [a, b, c] = work?.recipients ?? [];
        assert.ok(a && b && c);
        const later = clock.now() + 5 * MINUTE;
        const { stale } = await settle([end(a.id, 'delivered'), end(b.id, 'failed'), defer(c.id, later)], {
          warned: [c.id],
        });
        assert.deepEqual(stale, []);
        assert.deepEqual(await states('q1'), ['delivered', 'failed', 'queued']);
        const third = (await show('q1')).recipients[2];
        assert.deepEqual(
          [third?.attempts, third?.nextAt, third?.lastReply, third?.lastHost, third?.lastAt, third?.warned],
          [1, later, '451 4.7.1 greylisted', 'mx.far.test', clock.now(), true],
        );
        assert.deepEqual(await lease(), []);
        assert.equal(await store.read.run('queue.nextDue', { busy: [] }), later);
        clock.advance(5 * MINUTE);
        assert.equal((await lease()).length, 1);
      });

      it('settle: released is queued again and no attempt', async () => {
        await put(enqueueOf('q1', ['a@far.test']));
        await lease();
        const { id } = await only('q1');
        await settle([putBack(id, clock.now())]);
        const recipient = await only('q1');
        assert.deepEqual(
          [recipient.state, recipient.attempts, recipient.lastReply],
          ['queued', 0, undefined],
        );
        assert.equal((await lease()).length, 1);
      });

      it('settle: a deferral never goes beyond the expiry', async () => {
        await put(enqueueOf('q1', ['a@far.test'], { expiresAt: clock.now() + MINUTE }));
        await lease();
        const { id } = await only('q1');
        await settle([defer(id, clock.now() + 60 * MINUTE)]);
        assert.equal((await only('q1')).nextAt, clock.now() + MINUTE);
      });

      it('settle by another than the owner changes nothing and says so', async () => {
        await put(enqueueOf('q1', ['a@far.test']));
        await lease();
        const { id } = await only('q1');
        const { stale } = await settle([end(id, 'delivered')], { owner: 'two', outgoing: [outgoing('d1')] });
        assert.deepEqual(stale, [id]);
        assert.deepEqual(await states('q1'), ['leased']);
        assert.equal(
          await store.read.run('queue.show', { queueId: 'd1' }),
          undefined,
          'nor does it tell the sender',
        );
        const again = await settle([end(id, 'delivered')]);
        assert.deepEqual(again.stale, []);
        assert.deepEqual((await settle([end(id, 'failed')])).stale, [id], 'settled is settled');
        assert.deepEqual(await states('q1'), ['delivered']);
      });

      it('settle puts notifications and events in with the same commit', async () => {
        await put(enqueueOf('q1', ['a@far.test']));
        await lease();
        const { id } = await only('q1');
        const event = {
          trace: traceOf('q1'),
          at: clock.now(),
          kind: 'delivery.failed',
          data: { reply: '550' },
          terms: [],
        } as const;
        await settle([end(id, 'failed')], { outgoing: [outgoing('d1')], events: [event] });
        const { message } = await show('d1');
        assert.deepEqual([message.origin, message.reversePath, message.blobSize], ['dsn', '', 14]);
        assert.deepEqual(
          (await journal('q1')).map(({ kind }) => kind),
          ['delivery.failed'],
        );
        // One that cannot be stored takes all of its commit with it.
        await put(enqueueOf('q2', ['a@far.test']));
        await lease();
        const second = await only('q2');
        await assert.rejects(
          settle([end(second.id, 'failed')], { outgoing: [outgoing('d1')], events: [event] }),
        );
        assert.deepEqual(await states('q2'), ['leased']);
        assert.equal((await journal('q1')).length, 1);
      });

      it('recover: what a dead owner had is queued and due at once, others keep theirs', async () => {
        await put(enqueueOf('q1', ['a@far.test']));
        await lease({ owner: 'dead' });
        await put(enqueueOf('q2', ['b@far.test']));
        await lease({ owner: 'alive' });
        const { recipients } = await store.write.run('queue.recover', { owner: 'dead' });
        const { id } = await only('q1');
        assert.deepEqual(recipients, [{ id, queueId: 'q1', trace: traceOf('q1'), address: 'a@far.test' }]);
        assert.deepEqual([await states('q1'), await states('q2')], [['queued'], ['leased']]);
        assert.equal((await only('q1')).attempts, 1, 'it may have been one');
        assert.deepEqual(
          (await journal('q1')).map(({ kind }) => kind),
          ['delivery.interrupted'],
        );
        assert.deepEqual(
          (await lease()).map(({ message }) => message.queueId),
          ['q1'],
        );
        assert.deepEqual((await settle([end(id, 'failed')], { owner: 'dead' })).stale, [id]);
      });

      it('recover without an owner: leases that ran out only', async () => {
        await put(enqueueOf('q1', ['a@far.test']));
        await lease({ leaseMs: MINUTE });
        await put(enqueueOf('q2', ['b@far.test']));
        await lease({ leaseMs: 3 * MINUTE });
        clock.advance(2 * MINUTE);
        const { recipients } = await store.write.run('queue.recover', { owner: null });
        assert.deepEqual(
          recipients.map(({ queueId }) => queueId),
          ['q1'],
        );
        assert.deepEqual([await states('q1'), await states('q2')], [['queued'], ['leased']]);
      });

      it('a lease that ran out is still settled by its owner while nobody recovered it', async () => {
        await put(enqueueOf('q1', ['a@far.test']));
        await lease({ leaseMs: MINUTE });
        clock.advance(2 * MINUTE);
        const { id } = await only('q1');
        assert.deepEqual((await settle([end(id, 'delivered')])).stale, []);
        assert.deepEqual(await states('q1'), ['delivered']);
      });

      it('retry: queued becomes due now; held stays', async () => {
        await put(enqueueOf('q1', ['a@far.test']));
        await put(enqueueOf('q2', ['a@other.test']));
        await put(enqueueOf('q3', ['a@far.test'], { holdReason: 'x' }));
        for (const { recipients } of await lease()) {
          await settle(recipients.map(({ id }) => defer(id, clock.now() + 60 * MINUTE)));
        }
        const far = await store.write.run('queue.retry', {
          actor: ADMIN,
          queueId: null,
          destination: 'far.test',
        });
        assert.deepEqual(far, { count: 1 });
        assert.deepEqual(
          (await lease()).map(({ message }) => message.queueId),
          ['q1'],
        );
        assert.deepEqual(await store.write.run('queue.retry', { actor: ADMIN, queueId: 'q2' }), { count: 1 });
        assert.deepEqual(
          (await lease()).map(({ message }) => message.queueId),
          ['q2'],
        );
        assert.deepEqual(await store.write.run('queue.retry', { actor: ADMIN, queueId: null }), { count: 0 });
        assert.deepEqual(await states('q3'), ['held']);
      });

      it('hold and release: at once what is queued, after the attempt what is leased', async () => {
        await put(enqueueOf('q1', ['a@far.test', 'b@other.test', 'c@third.test']));
        const work = await lease({ busy: ['other.test'] });
        assert.deepEqual(
          await store.write.run('queue.hold', { actor: ADMIN, queueId: 'q1', reason: 'asked' }),
          { count: 3 },
        );
        assert.deepEqual(await states('q1'), ['leased', 'held', 'leased']);
        assert.equal((await show('q1')).message.holdReason, 'asked');
        const [a, c] = work.flatMap(({ recipients }) => recipients).toSorted((x, y) => x.id - y.id);
        assert.ok(a && c);
        await settle([defer(a.id, clock.now()), end(c.id, 'delivered')]);
        assert.deepEqual(await states('q1'), ['held', 'held', 'delivered'], 'what arrived has arrived');
        assert.deepEqual(await lease(), []);
        assert.deepEqual(await store.write.run('queue.release', { actor: ADMIN, queueId: 'q1' }), {
          count: 2,
        });
        assert.deepEqual(await states('q1'), ['queued', 'queued', 'delivered']);
        assert.equal((await show('q1')).message.holdReason, undefined);
        assert.equal((await lease()).length, 2);
      });

      it('drop: waiting recipients at once, leased ones after the attempt', async () => {
        await put(enqueueOf('q1', ['a@far.test', 'b@other.test', 'c@third.test']));
        const work = await lease({ busy: ['other.test'] });
        assert.deepEqual(await store.write.run('queue.drop', { actor: ADMIN, queueId: 'q1' }), { count: 3 });
        assert.deepEqual(await states('q1'), ['leased', 'dropped', 'leased']);
        const [a, c] = work.flatMap(({ recipients }) => recipients).toSorted((x, y) => x.id - y.id);
        assert.ok(a && c);
        await settle([defer(a.id, clock.now())]);
        await store.write.run('queue.recover', { owner: 'one' });
        assert.deepEqual(await states('q1'), ['dropped', 'dropped', 'dropped']);
        assert.deepEqual(await lease(), []);
      });

      it('drop: what is held too', async () => {
        await put(enqueueOf('q1', ['a@far.test'], { holdReason: 'x' }));
        await store.write.run('queue.drop', { actor: ADMIN, queueId: 'q1' });
        assert.deepEqual(await states('q1'), ['dropped']);
      });

      it('bounce: all becomes due with its expiry passed, held ones and those in an attempt too', async () => {
        await put(
          enqueueOf('q1', ['a@far.test', 'b@other.test'], {
            holdReason: 'x',
            expiresAt: clock.now() + 99 * MINUTE,
          }),
        );
        await store.write.run('queue.release', { actor: ADMIN, queueId: 'q1' });
        const [work] = await lease({ busy: ['other.test'] });
        await store.write.run('queue.hold', { actor: ADMIN, queueId: 'q1', reason: 'y' });
        clock.advance(MINUTE);
        assert.deepEqual(await store.write.run('queue.bounce', { actor: ADMIN, queueId: 'q1' }), {
          count: 2,
        });
        const { expiresAt, createdAt } = (await show('q1')).message;
        assert.equal(expiresAt, createdAt, 'given up, not expired');
        assert.deepEqual(await states('q1'), ['leased', 'queued']);
        await settle([defer(work?.recipients[0]?.id ?? 0, clock.now() + 60 * MINUTE)]);
        assert.equal((await lease()).length, 2);
      });

      it('purge: a message goes when all of it was settled long enough ago, its octets with the last who needs them', async () => {
        const file = 'a'.repeat(26);
        await putAll(
          [enqueueOf('q1', ['a@far.test', 'b@other.test']), enqueueOf('q2', ['c@third.test'])],
          file,
        );
        const work = await lease();
        const ids = new Map(
          work.flatMap(({ recipients }) => recipients).map(({ address, id }) => [address, id]),
        );
        const id = (address: string): number => ids.get(address) ?? 0;
        await settle([end(id('a@far.test'), 'delivered')]);
        clock.advance(MINUTE);
        assert.equal(
          (await store.write.run('queue.purge', { before: clock.now(), limit: 10 })).messages,
          0,
          'b is still open',
        );
        await settle([end(id('b@other.test'), 'failed')]);
        assert.equal(
          (await store.write.run('queue.purge', { before: clock.now(), limit: 10 })).messages,
          0,
          'not long enough',
        );
        assert.deepEqual(await states('q1'), ['delivered', 'failed']);
        clock.advance(MINUTE);
        assert.deepEqual(await store.write.run('queue.purge', { before: clock.now(), limit: 10 }), {
          messages: 1,
          files: [],
        });
        assert.equal(await store.read.run('queue.show', { queueId: 'q1' }), undefined);
        await settle([end(id('c@third.test'), 'delivered')]);
        clock.advance(MINUTE);
        assert.deepEqual(await store.write.run('queue.purge', { before: clock.now(), limit: 10 }), {
          messages: 1,
          files: [file],
        });
        assert.deepEqual(await look(countBlobs), [{ count: 0 }]);
      });

      it('what is settled is past every command; strangers may not give any', async () => {
        await put(enqueueOf('q1', ['a@far.test']));
        for (const name of ['queue.retry', 'queue.release', 'queue.drop', 'queue.bounce'] as const) {
          await assert.rejects(
            store.write.run(name, { actor: USER, queueId: 'q1' }),
            refusal('not-permitted'),
          );
          await assert.rejects(store.write.run(name, { actor: ADMIN, queueId: 'nil' }), refusal('not-found'));
        }
        await assert.rejects(
          store.write.run('queue.retry', { actor: USER, queueId: null }),
          refusal('not-permitted'),
        );
        await store.write.run('queue.drop', { actor: ADMIN, queueId: 'q1' });
        await assert.rejects(
          store.write.run('queue.release', { actor: ADMIN, queueId: 'q1' }),
          refusal('conflict'),
        );
        assert.deepEqual(
          (await journal('q1')).map(({ kind, data }) => [kind, data['action'], data['by']]),
          [['queue.changed', 'drop', ADMIN.name]],
        );
      });
    });

    it('every field of the table in docs/queue.md', async () => {
      const [header = [], ...rows] = stateTable();
      const columns = header.slice(1);
      const wrong: string[] = [];
      for (const [operation = '', ...expected] of rows) {
        for (const [i, from] of columns.entries()) {
          const queueId = `${rows.indexOf(rows.find(([name]) => name === operation) ?? [])}x${i}`;
          const id = await bring(queueId, from, operation);
          await operate(operation, queueId, id);
          const found = (await show(queueId)).recipients.find((recipient) => recipient.id === id)?.state;
          if (found !== expected[i]) wrong.push(`${operation} on ${from}: ${found}, not ${expected[i]}`);
        }
      }
      assert.equal(rows.length * columns.length, 84);
      assert.deepEqual(wrong, []);
    });

    /** A recipient in a state, in a message that another recipient keeps open. Returns its id. */
    async function bring(queueId: string, state: string, operation: string): Promise<number> {
      const holdReason = state === 'held' ? 'x' : undefined;
      const to = [`a@${queueId}.test`, 'b@open.test'];
      if (operation !== 'cancel') await put(enqueueOf(queueId, to, { holdReason }));
      else await submit(enqueueOf(queueId, to, { holdReason, releaseAt: clock.now() }));
      const id = (await only(queueId)).id;
      if (state === 'leased' || state === 'delivered' || state === 'failed')
        await lease({ busy: ['open.test'] });
      if (state === 'delivered' || state === 'failed') await settle([end(id, state)]);
      if (state === 'dropped') {
        // Only one recipient of the two: the other one is in an attempt.
        await lease({ busy: [`${queueId}.test`] });
        await store.write.run('queue.drop', { actor: ADMIN, queueId });
      }
      assert.equal((await only(queueId)).state, state);
      return id;
    }

    async function operate(operation: string, queueId: string, id: number): Promise<void> {
      const request = { actor: ADMIN, queueId };
      const operations: Record<string, () => Promise<unknown>> = {
        lease: () => lease(),
        'settle: delivered': () => settle([end(id, 'delivered')]),
        'settle: failed': () => settle([end(id, 'failed')]),
        'settle: deferred': () => settle([defer(id, clock.now())]),
        'settle: released': () => settle([putBack(id, clock.now())]),
        recover: () => store.write.run('queue.recover', { owner: 'one' }),
        async confirm() {
          const { message } = await show(queueId);
          const call = { tag: `tag-${queueId}`, way: 'ses', messageId: message.id, queueId, graceMs: 1 };
          const about = { trace: message.trace, accountId: undefined, reversePath: message.reversePath };
          const recipients = [{ id, address: 'a' }];
          await store.write.run('routing.begin', { ...call, ...about, recipients });
          await store.write.run('routing.confirm', {
            tag: call.tag,
            way: 'ses',
            remoteId: 'r',
            destination: ['A'],
          });
        },
        retry: () => store.write.run('queue.retry', request),
        hold: () => store.write.run('queue.hold', { ...request, reason: 'x' }),
        release: () => store.write.run('queue.release', request),
        drop: () => store.write.run('queue.drop', request),
        bounce: () => store.write.run('queue.bounce', request),
        cancel: async () => cancel(await submissionId(queueId)),
        purge: () => store.write.run('queue.purge', { before: clock.now(), limit: 100 }),
      };
      const run = operations[operation];
      assert.ok(run, `docs/queue.md has an operation ${operation}`);
      await run();
    }

    /** Put a message in as a submission by JMAP. */
    async function submit(message: Enqueue): Promise<number> {
      const queue = [{ ...message, accountId, trace: traceOf(message.queueId) }];
      const { submissionId: id } = await store.write.run('delivery.accept', {
        blob: { size: 100, encoding: 'raw', data: Buffer.alloc(100), file: undefined },
        content: CONTENT,
        deposits: [],
        overQuota: 'report',
        queue,
        events: [],
        submission: { accountId, queueId: message.queueId, data: JSON.stringify({ name: message.queueId }) },
      });
      assert.ok(id !== undefined && id > 0);
      return id;
    }
    const cancel = (id: number) =>
      store.write.run('queue.cancel', { accountId, submissionId: id, by: 'bob@example.test' });
    const submissions = (ids: readonly number[] | null) =>
      store.read.run('jmap.submissions', { accountId, ids });
    async function submissionId(queueId: string): Promise<number> {
      const { found } = await submissions(null);
      const [last] = found.filter(({ data }) => data.includes(`"${queueId}"`)).slice(-1);
      assert.ok(last);
      return last.id;
    }

    describe('what is to leave later', () => {
      const later = 30 * MINUTE;

      it('waits for its time, whatever is retried or released meanwhile', async () => {
        const releaseAt = clock.now() + later;
        await put(enqueueOf('q1', ['a@far.test'], { releaseAt }));
        await put(enqueueOf('q2', ['a@far.test'], { releaseAt, holdReason: 'x' }));
        assert.equal((await show('q1')).message.releaseAt, releaseAt);
        assert.deepEqual(await lease(), []);
        await store.write.run('queue.retry', { actor: ADMIN, queueId: null });
        await store.write.run('queue.retry', { actor: ADMIN, queueId: 'q1' });
        await store.write.run('queue.release', { actor: ADMIN, queueId: 'q2' });
        assert.deepEqual(await lease(), []);
        assert.equal(await store.read.run('queue.nextDue', { busy: [] }), releaseAt);
        clock.advance(later);
        const work = await lease();
        assert.deepEqual(work.map(({ message }) => message.queueId).toSorted(), ['q1', 'q2']);
        assert.equal((await show('q1')).message.releaseAt, undefined);
      });

      it('is pending until its first attempt, then final; each change is a new state', async () => {
        const id = await submit(enqueueOf('q1', ['a@far.test'], { releaseAt: clock.now() + later }));
        const first = await submissions([id]);
        assert.equal(first.found[0]?.undoStatus, 'pending');
        clock.advance(later);
        assert.equal((await submissions([id])).found[0]?.undoStatus, 'pending', 'until it is taken up');
        await lease();
        const second = await submissions([id]);
        assert.equal(second.found[0]?.undoStatus, 'final');
        assert.ok(second.seq > first.seq);
        assert.equal(await cancel(id), 'too-late');
        await settle([defer((await only('q1')).id, clock.now())]);
        const third = await submissions([id]);
        assert.ok(third.seq > second.seq);
        assert.deepEqual(third.found[0]?.deliveries, [
          { address: 'a@far.test', reply: '451 4.7.1 greylisted', delivered: 'queued' },
        ]);
        assert.equal(await cancel(id), 'too-late', 'also between two attempts');
        await lease();
        await settle([end((await only('q1')).id, 'delivered')]);
        const last = await submissions([id]);
        assert.ok(last.seq > third.seq);
        assert.equal(last.found[0]?.deliveries[0]?.delivered, 'unknown');
        clock.advance(1);
        await store.write.run('queue.purge', { before: clock.now(), limit: 10 });
        assert.equal(await store.read.run('queue.show', { queueId: 'q1' }), undefined);
        const kept = await submissions([id]);
        const told = (each: typeof kept) => [each.seq, each.found[0]?.undoStatus, each.found[0]?.deliveries];
        assert.deepEqual(told(kept), told(last), 'what the queue forgets the submission keeps');
      });

      it('canceled once, it never goes', async () => {
        const id = await submit(
          enqueueOf('q1', ['a@far.test', 'b@x.test'], { releaseAt: clock.now() + later }),
        );
        const before = (await submissions([id])).seq;
        assert.equal(
          await store.write.run('queue.cancel', { accountId: accountId + 1, submissionId: id, by: 'x' }),
          'not-found',
        );
        assert.equal(await cancel(id), 'canceled');
        assert.equal(await cancel(id), 'too-late');
        const { seq, found } = await submissions([id]);
        assert.ok(seq > before);
        assert.equal(found[0]?.undoStatus, 'canceled');
        assert.deepEqual(await states('q1'), ['dropped', 'dropped']);
        clock.advance(2 * later);
        assert.deepEqual(await lease(), []);
        clock.advance(1);
        await store.write.run('queue.purge', { before: clock.now(), limit: 10 });
        assert.equal((await submissions([id])).found[0]?.undoStatus, 'canceled');
      });

      it('canceled and leased at once, exactly one of them wins', async () => {
        const ids: number[] = [];
        const releaseAt = clock.now() + later;
        for (let i = 0; i < 30; i++)
          ids.push(await submit(enqueueOf(`q${i}`, [`a@d${i % 3}.test`, 'b@x.test'], { releaseAt })));
        clock.advance(later);
        const outcomes = new Map<number, string>();
        const leased = new Set<string>();
        const undo = async (some: readonly number[]): Promise<void> => {
          for (const id of some) outcomes.set(id, await cancel(id));
        };
        const work = async (owner: string): Promise<void> => {
          for (let i = 0; i < 8; i++)
            for (const { message } of await lease({ owner, limit: 3 })) leased.add(message.queueId);
        };
        await Promise.all([
          work('one'),
          undo(ids.slice(0, 15).toReversed()),
          work('two'),
          undo(ids.slice(15)),
        ]);
        await work('one');
        for (const [i, id] of ids.entries()) {
          const [row] = (await submissions([id])).found;
          const canceled = outcomes.get(id) === 'canceled';
          assert.equal(leased.has(`q${i}`), !canceled, `q${i}`);
          assert.equal(row?.undoStatus, canceled ? 'canceled' : 'final');
        }
      });
    });

    describe('order and fairness', () => {
      it('groups recipients of one message and destination, at most 100 of them', async () => {
        const many = Array.from({ length: 130 }, (_, i) => `r${i}@far.test`);
        await put(enqueueOf('q1', [...many, 'x@other.test']));
        const work = await lease();
        assert.deepEqual(
          work.map(({ destination, recipients }) => [destination, recipients.length]).toSorted(),
          [
            ['far.test', 100],
            ['far.test', 30],
            ['other.test', 1],
          ],
        );
      });

      it('a destination with many messages never keeps another waiting', async () => {
        for (let i = 0; i < 30; i++) await put(enqueueOf(`bulk${i}`, ['a@bulk.test']));
        clock.advance(1);
        await put(enqueueOf('one', ['a@small.test']));
        const first = await lease({ limit: 4, perDestination: 3 });
        assert.deepEqual(first.map(({ destination }) => destination).toSorted(), [
          'bulk.test',
          'bulk.test',
          'bulk.test',
          'small.test',
        ]);
        await put(enqueueOf('two', ['b@small.test']));
        const [next] = await lease({ limit: 1 });
        const [then] = await lease({ limit: 1 });
        assert.deepEqual(
          new Set([next?.destination, then?.destination]),
          new Set(['bulk.test', 'small.test']),
        );
        const order = (await lease({ limit: 3 })).map(({ message }) => message.queueId);
        assert.deepEqual(order, ['bulk4', 'bulk5', 'bulk6'], 'one destination in the order of its due times');
      });

      it('three destinations share a limit of six evenly', async () => {
        for (const name of ['x', 'y', 'z']) {
          for (let i = 0; i < 5; i++) await put(enqueueOf(`${name}${i}`, [`a@${name}.test`]));
        }
        for (let turn = 0; turn < 2; turn++) {
          const work = await lease({ limit: 6, perDestination: 5 });
          const per = Object.groupBy(work, ({ destination }) => destination);
          assert.deepEqual(
            Object.values(per).map((groups) => groups?.length),
            [2, 2, 2],
          );
        }
        assert.equal((await lease({ limit: 6 })).length, 3);
      });

      it('busy destinations are passed over, however many, and do not count as due', async () => {
        const busy = Array.from({ length: 20 }, (_, i) => `busy${i}.test`);
        for (const name of busy) await put(enqueueOf(`q-${name}`, [`a@${name}`]));
        clock.advance(10);
        await put(enqueueOf('free', ['a@free.test']));
        assert.deepEqual(
          (await lease({ busy, limit: 1 })).map(({ message }) => message.queueId),
          ['free'],
        );
        assert.equal(await store.read.run('queue.nextDue', { busy }), undefined);
        assert.equal(await store.read.run('queue.nextDue', { busy: [] }), clock.now() - 10);
      });

      it('places of what was held or dropped do not hide what is due', async () => {
        for (let i = 0; i < 12; i++) {
          await put(enqueueOf(`q${i}`, [`a@d${i}.test`]));
          await store.write.run('queue.hold', { actor: ADMIN, queueId: `q${i}`, reason: 'x' });
        }
        clock.advance(10);
        await put(enqueueOf('last', ['a@last.test']));
        assert.deepEqual(
          (await lease({ limit: 3 })).map(({ message }) => message.queueId),
          ['last'],
        );
        assert.deepEqual(await look(line), [], 'and they are gone afterwards');
        await store.write.run('queue.release', { actor: ADMIN, queueId: 'q0' });
        assert.equal((await lease()).length, 1);
      });

      it('many at once: nothing is leased twice, nothing is lost, counts stay right', async () => {
        const destinations = Array.from({ length: 6 }, (_, i) => `d${i}.test`);
        const taken: number[] = [];
        const work = async (owner: string): Promise<void> => {
          for (let turn = 0; turn < 6; turn++) {
            for (const { recipients } of await lease({ owner, limit: 3, perDestination: 2 })) {
              taken.push(...recipients.map(({ id }) => id));
              const settlements = recipients.map(({ id }) => end(id, 'delivered'));
              assert.deepEqual((await settle(settlements, { owner })).stale, []);
            }
          }
        };
        const fill = async (name: string): Promise<void> => {
          for (let i = 0; i < 10; i++) {
            const to = destinations.map((destination) => `r@${destination}`);
            await put(enqueueOf(`${name}${i}`, i % 2 === 0 ? to : to.toReversed()));
          }
        };
        await Promise.all([fill('a'), work('one'), fill('b'), work('two'), fill('c'), work('three')]);
        while (taken.length < 180) {
          const before = taken.length;
          await work('last');
          assert.ok(taken.length > before, `${taken.length} of 180 recipients were found`);
        }
        assert.equal(new Set(taken).size, 180);
        assert.deepEqual(await store.read.run('queue.list', { limit: 10 }), []);
      });

      it('a lease names its owner and its end until it is settled', async () => {
        await put(enqueueOf('q1', ['a@far.test']));
        await lease({ owner: 'me', leaseMs: MINUTE });
        assert.deepEqual(await look(leaseFields), [{ lease: 'me', lease_until: clock.now() + MINUTE }]);
        await settle([putBack((await only('q1')).id, clock.now())], { owner: 'me' });
        assert.deepEqual(await look(leaseFields), [{ lease: null, lease_until: null }]);
      });
    });

    describe('looking at it', () => {
      it('lists by state and destination, in pages', async () => {
        for (let i = 0; i < 5; i++) await put(enqueueOf(`q${i}`, [`a@d${i % 2}.test`]));
        await store.write.run('queue.hold', { actor: ADMIN, queueId: 'q1', reason: 'x' });
        await store.write.run('queue.drop', { actor: ADMIN, queueId: 'q4' });
        const ids = async (args: Omit<ReadArgs<'queue.list'>, 'limit'>): Promise<string[]> =>
          (await store.read.run('queue.list', { limit: 10, ...args })).map(({ message }) => message.queueId);
        assert.deepEqual(await ids({}), ['q0', 'q1', 'q2', 'q3']);
        assert.deepEqual(await ids({ state: 'held' }), ['q1']);
        assert.deepEqual(await ids({ destination: 'd0.test', state: 'queued' }), ['q0', 'q2']);
        assert.deepEqual(await ids({ state: 'dropped' }), ['q4']);
        const page = await store.read.run('queue.list', { limit: 2 });
        const last = page.at(-1);
        assert.deepEqual(await ids({ after: last?.message.id ?? 0 }), ['q2', 'q3']);
        assert.equal(last?.recipients[0]?.address, 'a@d1.test');
      });

      it('counts what is open', async () => {
        await put(enqueueOf('q1', ['a@far.test']));
        const first = clock.now();
        clock.advance(MINUTE);
        await put(enqueueOf('q2', ['a@far.test', 'b@far.test'], { holdReason: 'x' }));
        assert.deepEqual(await store.read.run('queue.counts', null), [
          { state: 'queued', count: 1, oldest: first },
          { state: 'leased', count: 0, oldest: undefined },
          { state: 'held', count: 2, oldest: clock.now() },
        ]);
      });
    });
  });
}

/** The rows of the state table in docs/queue.md, header first. */
function stateTable(): string[][] {
  const text = readFileSync(new URL('../../../docs/queue.md', import.meta.url), 'utf8');
  const lines = text.split('\n');
  const start = lines.findIndex((each) => each.startsWith('| operation |'));
  const length = lines.slice(start).findIndex((each) => !each.startsWith('|'));
  const cells = (row: string): string[] =>
    row
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim());
  return lines
    .slice(start, start + length)
    .filter((_, i) => i !== 1)
    .map(cells);
}

function refusal(kind: string): (error: unknown) => boolean {
  return (error) => error instanceof Refusal && error.kind === kind;
}
