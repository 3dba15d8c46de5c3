import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { type ManualClock, manualClock } from '../../../test/support/manual-clock.ts';
import type { InlineStore } from '../inline.ts';
import type { ReadArgs } from '../store.ts';
import { type JournalEvent, terms } from './types.ts';
import type { BackgroundEvent } from './writes.ts';

const HOUR = 3_600_000;

/** What every engine's journal must do. One store serves all tests, each uses terms and traces of its own. */
export function journalContract(open: (options: { clock: ManualClock }) => Promise<InlineStore>): void {
  describe('journal contract', () => {
    let store: InlineStore;
    let clock: ManualClock;

    before(async () => {
      clock = manualClock();
      store = await open({ clock });
    });
    after(() => store.close());

    const append = (...events: BackgroundEvent[]): Promise<null> =>
      store.write.run('journal.append', { events });
    const byTrace = (trace: string) => store.read.run('journal.byTrace', { trace });
    const find = async (args: Omit<ReadArgs<'journal.find'>, 'limit'>, limit = 10): Promise<string[]> =>
      (await store.read.run('journal.find', { ...args, limit })).map(({ trace }) => trace);
    const everything = { from: 0, to: Number.MAX_SAFE_INTEGER, limit: 1000 };
    const event = (trace: string, more: Partial<BackgroundEvent> = {}): BackgroundEvent => ({
      trace,
      at: clock.now(),
      kind: 'connection.refused',
      data: { reason: 'listed' },
      terms: [],
      ...more,
    });

    it('shows a trace in the order of its events, with all their facts', async () => {
      const data = { a: 1, b: 'two', c: null, d: [true, { e: 'f' }], unicode: 'grüße \0 end' };
      await append(
        event('order', { at: 2000, kind: 'message.accepted', data }),
        event('order', { at: 1000 }),
      );
      const rows = await byTrace('order');
      assert.deepEqual(
        rows.map(({ at, kind, count, lastAt }) => ({ at, kind, count, lastAt })),
        [
          { at: 1000, kind: 'connection.refused', count: 1, lastAt: 1000 },
          { at: 2000, kind: 'message.accepted', count: 1, lastAt: 2000 },
        ],
      );
      assert.deepEqual(rows[1]?.data, data);
      assert.deepEqual(await byTrace('nobody'), []);
    });

    it('finds traces by term, newest first, each once, within a span of time', async () => {
      const term = terms.address('Finder@Example.test');
      await append(
        event('f1', { at: 1000, terms: [term] }),
        event('f2', { at: 3000, terms: [term, 'q:other'] }),
        event('f2', { at: 3500, terms: [term] }),
        event('f3', { at: 2000, terms: [term] }),
      );
      assert.deepEqual(await find({ term: 'a:finder@example.test' }), ['f2', 'f3', 'f1']);
      assert.deepEqual(await find({ term }, 1), ['f2']);
      assert.deepEqual(await find({ term, from: 2000, to: 3000 }), ['f3']);
      assert.deepEqual(await find({ term: 'q:other' }), ['f2']);
    });

    it('lists the newest events of a span, of one kind when asked', async () => {
      const at = clock.now() + 1000 * HOUR;
      await append(
        event('r1', { at }),
        event('r2', { at: at + 1, kind: 'login.failed' }),
        event('r3', { at: at + 2 }),
      );
      const recent = async (kind?: string, limit = 10): Promise<string[]> => {
        const span = { from: at, to: at + 3, limit, ...(kind !== undefined && { kind }) };
        return (await store.read.run('journal.recent', span)).map(({ trace }) => trace);
      };
      assert.deepEqual(await recent(), ['r3', 'r2', 'r1']);
      assert.deepEqual(await recent(undefined, 2), ['r3', 'r2']);
      assert.deepEqual(await recent('login.failed'), ['r2']);
    });

    it('folds repeats of an hour into one row that all of them can be found by', async () => {
      const at = 5000 * HOUR;
      const repeat = (trace: string, when: number, count: number): BackgroundEvent =>
        event(trace, { at: when, foldKey: 'net', count, terms: [terms.network(`192.0.2.${count}`)] });
      await append(repeat('fold1', at, 3));
      await append(repeat('fold2', at + 500, 4), repeat('fold3', at + 400, 2));
      await append(repeat('fold4', at + HOUR, 1), event('fold5', { at, foldKey: 'other' }));
      const [row, ...others] = await byTrace('fold1');
      assert.deepEqual([row?.count, row?.at, row?.lastAt, others.length], [9, at, at + 500, 0]);
      assert.deepEqual(await byTrace('fold2'), []);
      assert.deepEqual(await find({ term: 'i:192.0.2.4' }), ['fold1']);
      assert.equal((await byTrace('fold4'))[0]?.count, 1, 'another hour');
      assert.equal((await byTrace('fold5'))[0]?.count, 1, 'another key');
    });

    it('cuts what is too long and takes any text', async () => {
      const long: JournalEvent['data'] = {
        long: 'x'.repeat(5000),
        list: Array.from({ length: 1000 }, (_, i) => i),
        half: 'a\ud800b',
        deep: { a: { b: { c: { d: { e: { f: 'lost' } } } } } },
        __proto__: null,
      };
      await append(event('cut', { data: long, terms: [`a:${'y'.repeat(5000)}\0`, 'a:\ud800', 'a:short'] }));
      const data = (await byTrace('cut'))[0]?.data;
      assert.equal(String(data?.['long']).length, 500);
      assert.equal((data?.['list'] as number[] | undefined)?.length, 200);
      assert.ok(!JSON.stringify(data).includes('lost'));
      assert.deepEqual(await find({ term: 'a:short' }), ['cut']);
      const huge = Object.fromEntries(Array.from({ length: 200 }, (_, i) => [`k${i}`, 'z'.repeat(500)]));
      await append(event('huge', { data: huge }));
      assert.ok(JSON.stringify((await byTrace('huge'))[0]?.data).length < 1000);
    });

    it('forgets what is old, with its terms, a limited number at a time', async () => {
      await store.write.run('journal.prune', { before: Number.MAX_SAFE_INTEGER, maxBytes: 1, limit: 10_000 });
      const now = clock.now();
      for (let i = 0; i < 10; i++) await append(event(`p${i}`, { at: now + i, terms: ['q:prune'] }));
      const bounds = { before: now + 5, maxBytes: 1e9 };
      assert.deepEqual(await store.write.run('journal.prune', { ...bounds, limit: 3 }), {
        deleted: 3,
        more: true,
      });
      assert.deepEqual(await store.write.run('journal.prune', { ...bounds, limit: 3 }), {
        deleted: 2,
        more: false,
      });
      assert.deepEqual(await find({ term: 'q:prune' }), ['p9', 'p8', 'p7', 'p6', 'p5']);
      assert.deepEqual(await store.write.run('journal.prune', { ...bounds, limit: 3 }), {
        deleted: 0,
        more: false,
      });
    });

    it('stays under its size: the oldest go first', async () => {
      const now = clock.now() + 10 * HOUR;
      await store.write.run('journal.prune', { before: now, maxBytes: 1e9, limit: 10_000 });
      for (let i = 0; i < 100; i++) {
        await append(
          event(`s${i}`, { at: now + i, data: { text: 'x'.repeat(400) }, terms: [terms.queueId(`s${i}`)] }),
        );
      }
      const all = (await store.read.run('journal.recent', everything)).filter(({ trace }) =>
        trace.startsWith('s'),
      );
      assert.equal(all.length, 100);
      const { deleted } = await store.write.run('journal.prune', {
        before: 0,
        maxBytes: 35_000,
        limit: 1000,
      });
      assert.ok(
        deleted > 20 && deleted < 80,
        `${deleted} of 100 rows of about 700 octets went to be under 35,000`,
      );
      assert.deepEqual([await byTrace('s0'), await find({ term: 'q:s0' })], [[], []]);
      assert.deepEqual(await find({ term: 'q:s99' }), ['s99']);
      const again = await store.write.run('journal.prune', { before: 0, maxBytes: 35_000, limit: 1000 });
      assert.ok(again.deleted <= 1);
    });
  });
}
