import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { type ManualClock, manualClock } from '../../../test/support/manual-clock.ts';
import type { InlineStore } from '../inline.ts';
import type { ReadArgs } from '../store.ts';
import { hideTerms } from './privacy.ts';
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

    describe('search', () => {
      const at = Date.UTC(2040, 0, 1);
      const span = { from: at, to: at + HOUR, limit: 100 };
      const search = (more: Partial<ReadArgs<'journal.search'>>) =>
        store.read.run('journal.search', { ...span, ...more });
      const found = async (more: Partial<ReadArgs<'journal.search'>>): Promise<string[]> =>
        (await search(more)).rows.map(({ trace }) => trace);
      before(async () => {
        const reply = '550 5.7.1 "Nobody" <x@far.test> here';
        await append(
          event('s1', { at, kind: 'login.failed', data: { reason: 'wrong password', helo: 'Laptop.test' } }),
          event('s2', {
            at: at + 1,
            kind: 'delivery.failed',
            data: { recipients: [{ reply }], host: 'mx.far.test' },
          }),
          event('s3', {
            at: at + 2,
            kind: 'delivery.deferred',
            data: { reply: '451 4.7.1 Later' },
            terms: ['a:x@s.test'],
          }),
          event('s4', { at: at + 2, kind: 'login.succeeded', data: { size: 4711 } }),
        );
      });

      it('finds by kind, code, host, text and time, newest first', async () => {
        assert.deepEqual(await found({}), ['s4', 's3', 's2', 's1']);
        assert.deepEqual(await found({ kind: 'login' }), ['s4', 's1']);
        assert.deepEqual(await found({ kind: 'login.failed' }), ['s1']);
        assert.deepEqual(await found({ kind: 'log' }), []);
        assert.deepEqual(await found({ code: '5xx' }), ['s2']);
        assert.deepEqual(await found({ code: '4.7.1' }), ['s3']);
        assert.deepEqual(await found({ code: '451' }), ['s3']);
        assert.deepEqual(await found({ host: 'laptop' }), ['s1']);
        assert.deepEqual(await found({ text: '"nobody" <X@FAR' }), ['s2']);
        assert.deepEqual(await found({ text: '4711' }), ['s4']);
        assert.deepEqual(await found({ from: at + 1, to: at + 2 }), ['s2']);
        assert.deepEqual(await found({ terms: ['a:x@s.test'] }), ['s3']);
        assert.deepEqual(await found({ terms: ['a:x@s.test'], kind: 'login' }), []);
      });

      it('goes on where it ended, also among events of one moment', async () => {
        const seen: string[] = [];
        let after: ReadArgs<'journal.search'>['after'];
        do {
          const part = await search({ limit: 1, ...(after !== undefined && { after }) });
          seen.push(...part.rows.map(({ trace }) => trace));
          after = part.next;
        } while (after !== undefined);
        assert.deepEqual(seen, ['s4', 's3', 's2', 's1']);
      });
    });

    describe('privacy', () => {
      const hideAll = async (before: number): Promise<void> => {
        const request = { addressesBefore: before, ipsBefore: before, limit: 3 };
        while ((await store.write.run('journal.hide', request)).more);
      };
      const setting = (name: string, value: string): Promise<null> =>
        store.write.run('directory.setSetting', { name, value });
      const ip = '203.0.113.77';
      const facts = {
        ip,
        helo: 'dsl-203-0-113-77.isp.test',
        login: 'carla',
        from: 'carla@private.test',
        to: ['"odd one"@private.test', 'Carla@Private.test'],
        reply: '550 5.1.1 <carla@private.test>: from 203.0.113.77 and 2001:db8:1:2::3',
        messageId: 'id@private.test',
      };
      const about = [terms.address('carla@private.test'), terms.network(ip), 'm:id@private.test'];
      const text = async (trace: string): Promise<string> => JSON.stringify(await byTrace(trace));

      it('old events lose addresses, young ones keep them, and both are found by who asks', async () => {
        await setting('journal.key', 'k');
        const now = Date.UTC(2050, 0, 1);
        const one = { kind: 'recipient.refused', data: facts, terms: about } as const;
        await append(
          event('p1', { ...one, at: now, foldKey: 'recipient.refused 203.0.113.0/24 x' }),
          event('p2', { ...one, at: now, foldKey: 'recipient.refused 203.0.113.0/24 x' }),
          event('p3', { ...one, at: now + HOUR }),
          event('p4', { at: now, kind: 'delivery.delivered', data: { host: `mx.far.test [${ip}]` } }),
        );
        await hideAll(now + 1);
        assert.doesNotMatch(await text('p1'), /carla|odd one|203\.0\.113\.77|203-0-113-77|2001:db8:1:2/i);
        assert.match(await text('p1'), /"ip":"203\.0\.113\.0\/24"/);
        assert.match(await text('p1'), /2001:db8:1::\/48/);
        assert.match(await text('p1'), /"count":2/);
        assert.match(await text('p1'), /id@private\.test/, 'ids of messages stay');
        assert.match(await text('p3'), /carla@private\.test/);
        assert.match(await text('p4'), /203\.0\.113\.77/, 'hosts that we sent to are no people');
        assert.deepEqual(await find({ term: about[0] ?? '' }), ['p3']);
        const hidden = hideTerms(about, { addresses: true, ips: 'network', words: true, key: 'k' });
        assert.deepEqual(await find({ term: hidden[0] ?? '' }), ['p1']);
        assert.deepEqual(await find({ term: 'i:203.0.113.0/24' }), ['p1']);
        const before = await text('p1');
        await hideAll(now + 1);
        assert.equal(await text('p1'), before);
      });

      it('what is not to be kept is not written', async () => {
        const judged = {
          kind: 'message.judged',
          data: { ip, reasons: ['+1.0  "eagle" in the subject (BAYES)'], decidedBy: null },
          terms: [terms.network(ip)],
        } as const;
        await setting('journal', JSON.stringify({ client_ips: 'none', words: false }));
        await append(event('w1', judged), event('w2', { ...judged, foldKey: `x 203.0.113.0/24 y` }));
        await setting('journal', JSON.stringify({ client_ips: 'network' }));
        await append(event('w3', judged));
        await setting('journal', '{}');
        await append(event('w4', judged));
        for (const trace of ['w1', 'w2']) assert.doesNotMatch(await text(trace), /203\.0|eagle/);
        assert.match(await text('w3'), /203\.0\.113\.0\/24.*eagle/);
        assert.match(await text('w4'), /203\.0\.113\.77/);
        assert.deepEqual(
          await find({ term: terms.network(ip), from: clock.now() - HOUR, to: clock.now() + HOUR }),
          ['w4'],
        );
      });
    });
  });
}
