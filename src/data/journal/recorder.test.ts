import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type ManualClock, manualClock } from '../../../test/support/manual-clock.ts';
import { createLogger } from '../../base/log.ts';
import { Metrics } from '../../base/metrics.ts';
import type { Store } from '../store.ts';
import { createRecorder, type Recorder } from './recorder.ts';
import { type JournalEvent, type JournalKind, terms } from './types.ts';
import type { BackgroundEvent } from './writes.ts';

interface Fixture {
  clock: ManualClock;
  recorder: Recorder;
  commits: BackgroundEvent[][];
  lines: string[];
  down: boolean;
  refused(address: string, more?: Partial<JournalEvent>): void;
  metric(name: string): Promise<string | undefined>;
}

function fixture(): Fixture {
  const clock = manualClock();
  const metrics = new Metrics();
  const lines: string[] = [];
  const commits: BackgroundEvent[][] = [];
  const store = {
    write: {
      run: async (_name: string, args: { events: BackgroundEvent[] }) => {
        if (made.down) throw new Error('the disk is gone');
        commits.push(structuredClone(args.events));
        return null;
      },
    },
  } as unknown as Pick<Store, 'write'>;
  const logger = createLogger({ level: 'info', pretty: false, write: (line) => lines.push(line) });
  let n = 0;
  const made: Fixture = {
    clock,
    recorder: createRecorder({ store, clock, logger, metrics }),
    commits,
    lines,
    down: false,
    refused: (address, more = {}) =>
      made.recorder.event({
        trace: `t${n++}`,
        at: clock.now(),
        kind: 'connection.refused',
        data: { reason: 'listed', address },
        terms: [terms.network(address)],
        ...more,
      }),
    metric: async (name) =>
      (await metrics.text())
        .split('\n')
        .find((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `)),
  };
  return made;
}

/** Let promises settle. */
const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test('logs and counts at once, stores within a second, commits no more than once a second', async () => {
  const f = fixture();
  f.refused('192.0.2.1');
  assert.match(f.lines[0] ?? '', /"reason":"listed".*connection\.refused/);
  assert.equal(await f.metric('postern_events_total'), 'postern_events_total{kind="connection.refused"} 1');
  assert.equal(f.commits.length, 0);
  f.clock.advance(1000);
  await settle();
  assert.equal(f.commits.length, 1);
  for (let i = 0; i < 10; i++) {
    f.refused(`198.51.${i}.1`);
    f.clock.advance(100);
    await settle();
  }
  assert.equal(f.commits.length, 2);
  assert.equal(f.commits[1]?.length, 10);
  f.clock.advance(60_000);
  await settle();
  assert.equal(f.commits.length, 2);
  assert.equal(f.clock.timers, 0, 'nothing waits when nothing happens');
});

test('repeats from one network are one row with a count', async () => {
  const f = fixture();
  for (let i = 1; i <= 50; i++) f.refused(`192.0.2.${i}`);
  for (let i = 1; i <= 5; i++) f.refused(`2001:db8:1:2::${i}`);
  f.refused('2001:db8:1:3::1');
  f.refused('192.0.2.1', { data: { reason: 'too many' } });
  f.clock.advance(1000);
  await settle();
  assert.deepEqual(
    f.commits[0]?.map(({ count }) => count),
    [50, 5, 1, 1],
  );
  const first = f.commits[0]?.[0];
  assert.ok(first);
  assert.deepEqual(first.terms, ['i:192.0.2.1']);
  assert.deepEqual([first.trace, first.last?.trace, first.last?.terms.length], ['t0', 't49', 50]);
  assert.ok(first.last?.terms.includes('i:192.0.2.50') && first.last.terms.includes('t:t49'));
  assert.ok(first.foldKey?.includes('192.0.2.0/24'));
});

test('events of messages and those of nobody stand alone', async () => {
  const f = fixture();
  for (const kind of ['delivery.attempt', 'message.refused', 'admin.changed'] as JournalKind[]) {
    f.refused('192.0.2.1', { kind });
    f.refused('192.0.2.1', { kind });
  }
  f.refused('', { terms: [] });
  f.clock.advance(1000);
  await settle();
  assert.equal(f.commits[0]?.length, 7);
  assert.ok(f.commits[0]?.every(({ foldKey }) => foldKey === undefined));
});

test('whoever makes up new reasons gets a bounded number of rows', async () => {
  const f = fixture();
  for (let i = 0; i < 100; i++) f.refused('192.0.2.1', { data: { reason: `reason ${i}` } });
  f.clock.advance(1000);
  await settle();
  assert.equal(f.commits[0]?.length, 9);
  assert.equal(f.commits[0]?.at(-1)?.count, 92);
});

test('while the store is down events wait, the oldest go when there are too many, and are counted', async () => {
  const f = fixture();
  f.down = true;
  for (let i = 0; i < 5003; i++) f.refused('192.0.2.1', { kind: 'delivery.attempt' });
  f.clock.advance(1000);
  await settle();
  f.refused('192.0.2.9', { kind: 'delivery.attempt', data: { reason: 'newest' } });
  assert.equal(await f.metric('postern_events_dropped_total'), 'postern_events_dropped_total 4');
  f.down = false;
  f.clock.advance(5000);
  await settle();
  assert.equal(f.commits[0]?.[0]?.trace, 't4', 'the oldest that is left comes first');
  await f.recorder.flush();
  assert.equal(f.commits.flat().length, 5000);
  assert.deepEqual(f.commits.at(-1)?.at(-1)?.data, { reason: 'newest' });
});

test('flush stores what waits, and gives up when the store does not take it', async () => {
  const f = fixture();
  f.refused('192.0.2.1');
  await f.recorder.flush();
  assert.equal(f.commits.length, 1);
  assert.equal(f.clock.timers, 0);
  f.down = true;
  f.refused('192.0.2.1');
  await f.recorder.flush();
  assert.match(f.lines.at(-1) ?? '', /journal events were lost/);
});

test('says why the store takes no events, until it takes them again', async () => {
  const f = fixture();
  f.refused('192.0.2.1');
  f.clock.advance(1000);
  await settle();
  assert.equal(f.recorder.lastError(), undefined);
  f.down = true;
  f.refused('192.0.2.1');
  f.clock.advance(1000);
  await settle();
  const failed = { at: f.clock.now(), message: 'the disk is gone' };
  assert.deepEqual(f.recorder.lastError(), failed);
  f.down = false;
  f.clock.advance(5000);
  await settle();
  assert.equal(f.commits.length, 2);
  assert.equal(f.recorder.lastError(), undefined);
});

test('repeats that came while the store was down are found like the others', async () => {
  const f = fixture();
  f.down = true;
  f.refused('192.0.2.1');
  f.clock.advance(1000);
  const failing = settle();
  f.refused('192.0.2.2');
  f.refused('192.0.2.3');
  await failing;
  f.down = false;
  await f.recorder.flush();
  const [row, ...others] = f.commits.flat();
  assert.deepEqual([row?.trace, row?.count, others.length], ['t0', 3, 0]);
  assert.deepEqual(row?.last?.terms, ['i:192.0.2.2', 't:t1', 'i:192.0.2.3', 't:t2']);
  assert.equal(row?.last?.trace, 't2');
});

test('what a commit has stored is counted by kind, and logged in one line a message', async () => {
  const f = fixture();
  const to = ['a', 'b', 'c', 'd', 'e', 'f'].map((name) => `${name}@example.test`);
  const of = (kind: JournalKind, data: JournalEvent['data']): JournalEvent => ({
    trace: 'm1',
    at: f.clock.now(),
    kind,
    data,
    terms: [],
  });
  const deposited = of('message.deposited', { account: 'a@example.test', recipients: to });
  f.recorder.committed(
    [
      of('message.accepted', { from: 's@sender.test', to, size: 1234, ip: '192.0.2.1', helo: 'x' }),
      of('message.queued', { queueId: 'm1', from: 's@sender.test', to }),
      deposited,
      deposited,
    ],
    '250 2.0.0 Ok: queued as m1',
  );
  f.recorder.committed([
    of('delivery.delivered', { queueId: 'm1', to: to.slice(0, 1), host: 'mx.far.test', reply: '250 ok' }),
    of('delivery.failed', { queueId: 'm1', to: to.slice(1, 2), host: 'mx.far.test', reply: '550 no' }),
  ]);
  const lines = f.lines.map((line) => {
    const { time, ...rest } = JSON.parse(line) as Record<string, unknown>;
    assert.ok(time);
    return rest;
  });
  assert.deepEqual(lines, [
    {
      level: 'info',
      trace: 'm1',
      from: 's@sender.test',
      size: 1234,
      ip: '192.0.2.1',
      to: to.slice(0, 5),
      toCount: 6,
      reply: '250 2.0.0 Ok: queued as m1',
      queued: 1,
      deposited: 2,
      msg: 'message.accepted',
    },
    ...(['delivered', 'failed'] as const).map((kind, i) => ({
      level: 'info',
      trace: 'm1',
      queueId: 'm1',
      host: 'mx.far.test',
      to: to.slice(i, i + 1),
      reply: ['250 ok', '550 no'][i],
      msg: `delivery.${kind}`,
    })),
  ]);
  assert.equal(
    await f.metric('postern_events_total{kind="message.deposited"}'),
    'postern_events_total{kind="message.deposited"} 2',
  );
  await f.recorder.flush();
  assert.equal(f.commits.length, 0, 'the commit has stored them');
});

test('an event that cannot be taken never reaches the caller as an error', () => {
  const f = fixture();
  const broken = {
    get reason(): string {
      throw new Error('no');
    },
  };
  assert.doesNotThrow(() => f.refused('192.0.2.1', { data: broken }));
});
