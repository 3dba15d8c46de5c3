import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { type ManualClock, manualClock } from '../../../test/support/manual-clock.ts';
import type { InlineStore } from '../inline.ts';
import type { ReadArgs } from '../store.ts';
import { type JournalEvent, terms } from './types.ts';
import type { BackgroundEvent } from './writes.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

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

    it('folds repeats of ten minutes into one row that all of them can be found by', async () => {
      const at = 5000 * HOUR;
      const repeat = (trace: string, when: number, count: number): BackgroundEvent =>
        event(trace, { at: when, foldKey: 'net', count, terms: [terms.network(`192.0.2.${count}`)] });
      await append(repeat('fold1', at, 3));
      await append(repeat('fold2', at + 500, 4), repeat('fold3', at + 400, 2));
      await append(repeat('fold4', at + MINUTE * 10, 1), event('fold5', { at, foldKey: 'other' }));
      const [row, ...others] = await byTrace('fold1');
      assert.deepEqual([row?.count, row?.at, row?.lastAt, others.length], [9, at, at + 500, 0]);
      for (const other of ['fold2', 'fold3']) assert.deepEqual(await byTrace(other), [row], other);
      assert.deepEqual(await find({ term: 'i:192.0.2.4' }), ['fold1']);
      assert.equal((await byTrace('fold4'))[0]?.count, 1, 'another ten minutes');
      assert.equal((await byTrace('fold5'))[0]?.count, 1, 'another key');
    });

    it('finds a folded row by the time, the trace, the addresses and the facts of its newest event', async () => {
      const at = 6000 * HOUR;
      const refused = (trace: string, when: number, who: string): BackgroundEvent =>
        event(trace, {
          at: when,
          kind: 'session.refused',
          data: { reason: 'too large', from: who },
          terms: [terms.network('192.0.2.77'), terms.address(who)],
          foldKey: 'recent',
        });
      await append(refused('n1', at, 'first@sender.test'));
      await append(refused('n2', at + 5 * MINUTE, 'second@sender.test'));
      // A later kind of the same session, and the newest three in one go, as the recorder folds them.
      await append(event('n2', { at: at + 6 * MINUTE, kind: 'login.failed' }), {
        ...refused('n3', at + 9 * MINUTE, 'third@sender.test'),
        count: 3,
        last: {
          trace: 'n5',
          at: at + 9 * MINUTE + 2,
          data: { reason: 'too large', from: 'fifth@sender.test' },
          terms: [terms.address('fifth@sender.test'), terms.trace('n4'), terms.trace('n5')],
        },
      });
      const [row, ...others] = await byTrace('n1');
      assert.ok(row);
      assert.equal(others.length, 0);
      assert.deepEqual([row.count, row.at, row.lastAt], [5, at, at + 9 * MINUTE + 2]);
      const last = { reason: 'too large', from: 'fifth@sender.test', trace: 'n5', at: at + 9 * MINUTE + 2 };
      assert.deepEqual(row.data, { reason: 'too large', from: 'first@sender.test', last });
      for (const trace of ['n3', 'n4', 'n5']) assert.deepEqual(await byTrace(trace), [row], trace);
      assert.deepEqual(
        (await byTrace('n2')).map(({ trace, kind }) => `${trace} ${kind}`),
        ['n1 session.refused', 'n2 login.failed'],
      );
      const lastMinute = { from: at + 8.5 * MINUTE };
      for (const who of ['third', 'fifth'])
        assert.deepEqual(
          await find({ term: terms.address(`${who}@sender.test`), ...lastMinute }),
          ['n1'],
          who,
        );
      assert.deepEqual(await find({ term: 'i:192.0.2.77', ...lastMinute }), ['n1']);
      assert.deepEqual(await find({ term: 'i:192.0.2.77', from: at + 4 * MINUTE, to: at + 6 * MINUTE }), [
        'n1',
      ]);
      assert.deepEqual(await find({ term: 'i:192.0.2.77', from: 0, to: at }), []);
      const recent = async (span: { from: number; to: number; kind?: string; limit?: number }) =>
        (await store.read.run('journal.recent', { limit: 10, ...span })).map(({ trace }) => trace);
      const end = at + 10 * MINUTE;
      assert.deepEqual(await recent({ ...lastMinute, to: end }), ['n1']);
      assert.deepEqual(await recent({ ...lastMinute, to: end, kind: 'session.refused' }), ['n1']);
      assert.deepEqual(await recent({ from: at - 1, to: end, limit: 1 }), ['n1'], 'its news is the newest');
      assert.deepEqual(await recent({ from: at - 1, to: end }), ['n1', 'n2']);
    });

    it('keeps a bounded number of what a folded row is found by: the first and the newest', async () => {
      const at = 7000 * HOUR;
      const repeat = (i: number): BackgroundEvent =>
        event(`b${i}`, { at: at + i, foldKey: 'flood', terms: [terms.address(`r${i}@flood.test`)] });
      for (let i = 0; i < 200; i += 10) await append(...Array.from({ length: 10 }, (_, j) => repeat(i + j)));
      const found = async (i: number) => find({ term: terms.address(`r${i}@flood.test`) });
      assert.deepEqual([await found(0), await found(199), await found(190)], [['b0'], ['b0'], ['b0']]);
      assert.deepEqual(await found(100), []);
      assert.equal((await byTrace('b199'))[0]?.count, 200);
      assert.deepEqual(await byTrace('b100'), []);
      assert.ok(!JSON.stringify(await byTrace('b0')).includes('r150@'));
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
