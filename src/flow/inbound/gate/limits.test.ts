import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';
import { type ManualClock, manualClock } from '../../../../test/support/manual-clock.ts';
import { Refusal } from '../../../base/errors.ts';
import { type InlineStore, openInlineStore } from '../../../data/inline.ts';
import { greylist, type GreylistInput } from './greylist.ts';
import { Rates } from './rates.ts';
import { HourTally } from './tally.ts';
import { Tarpit } from './tarpit.ts';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

describe('rate of a network', () => {
  it('is limited within an hour, says how long to wait, and leaves others alone', () => {
    const clock = manualClock();
    const rates = new Rates(clock);
    for (let i = 0; i < 3; i++) rates.take('192.0.2.0/24', 3);
    assert.throws(
      () => rates.take('192.0.2.0/24', 3),
      (error) =>
        error instanceof Refusal &&
        error.smtp?.code === 450 &&
        error.smtp.enhanced === '4.7.1' &&
        /More than 3 messages in an hour from your network 192\.0\.2\.0\/24\. Try again in 60 min/.test(
          error.message,
        ),
    );
    rates.take('198.51.100.0/24', 3);
    clock.advance(HOUR - 1);
    assert.throws(() => rates.take('192.0.2.0/24', 3), /in 1 min/);
    clock.advance(1);
    rates.take('192.0.2.0/24', 3);
  });

  it('does not count what came to nothing, once', () => {
    const rates = new Rates(manualClock());
    const giveBack = rates.take('a', 1);
    giveBack();
    giveBack();
    rates.take('a', 1);
    assert.throws(() => rates.take('a', 1));
  });

  it('0 is no limit', () => {
    const rates = new Rates(manualClock());
    for (let i = 0; i < 1000; i++) rates.take('a', 0);
  });

  it('peers 5.3: memory is bounded, whoever comes', () => {
    const clock = manualClock();
    const tally = new HourTally(clock, 1000);
    tally.add('steady');
    for (let i = 0; i < 100_000; i++) {
      tally.add(`2001:db8:${i.toString(16)}::/48`);
      if (i % 500 === 0) tally.add('steady');
    }
    assert.equal(tally.size, 1000);
    assert.equal(tally.count('steady'), 201);
  });
});

describe('tarpit', () => {
  it('slows down after some unknown recipients, up to 10 s, and ends after twice as many', () => {
    const tarpit = new Tarpit(manualClock());
    const steps = Array.from({ length: 10 }, (_, i) => tarpit.unknown('n', i + 1, 5));
    assert.deepEqual(
      steps.map(({ delayMs }) => delayMs / SECOND),
      [0, 0, 0, 0, 0, 2, 4, 6, 8, 0],
    );
    assert.deepEqual(
      steps.map(({ tooMany }) => tooMany),
      [...Array.from({ length: 9 }, () => undefined), 10],
    );
    assert.equal(tarpit.accepted('n', 7, 5).delayMs, 4 * SECOND, 'replies to good ones wait too');
    assert.equal(new Tarpit(manualClock()).unknown('n', 19, 10).delayMs, 10 * SECOND);
  });

  it('a new session is no new beginning, an hour later is', () => {
    const clock = manualClock();
    const tarpit = new Tarpit(clock);
    for (let i = 0; i < 9; i++) tarpit.unknown('n', 1, 5);
    assert.equal(tarpit.unknown('n', 1, 5).tooMany, 10);
    assert.equal(tarpit.unknown('other', 1, 5).tooMany, undefined);
    clock.advance(HOUR);
    assert.deepEqual(tarpit.unknown('n', 1, 5), { delayMs: 0, tooMany: undefined });
  });

  it('a network that mostly knows whom it writes to is not taken for a guesser', () => {
    const tarpit = new Tarpit(manualClock());
    for (let i = 0; i < 100; i++) {
      for (let n = 0; n < 3; n++) tarpit.accepted('newsletters', 0, 5);
      assert.deepEqual(tarpit.unknown('newsletters', 1, 5), { delayMs: 0, tooMany: undefined });
    }
  });

  it('0 is never', () => {
    const tarpit = new Tarpit(manualClock());
    for (let i = 1; i <= 100; i++) {
      assert.deepEqual(tarpit.unknown('n', i, 0), { delayMs: 0, tooMany: undefined });
    }
    assert.equal(tarpit.accepted('n', 100, 0).delayMs, 0);
  });
});

describe('greylisting', () => {
  let store: InlineStore;
  let clock: ManualClock;
  let n = 0;
  before(async () => {
    clock = manualClock();
    store = await openInlineStore({ path: ':memory:', clock });
  });
  after(() => store.close());
  beforeEach(() => void n++);

  const ask = (more: Partial<GreylistInput> = {}) =>
    greylist(store, {
      network: '192.0.2.0/24',
      senderDomain: `sender${n}.test`,
      envelope: `a@sender${n}.test\nalice@example.test`,
      spf: 'none',
      authenticatedGood: false,
      known: false,
      now: clock.now(),
      delayMs: 120 * SECOND,
      ...more,
    });

  it('a stranger waits two minutes, then passes; the next mail of the pair does at once', async () => {
    assert.deepEqual(await ask(), { defer: 120 });
    clock.advance(60 * SECOND);
    assert.deepEqual(await ask(), { defer: 60 }, 'coming early does not begin anew');
    clock.advance(60 * SECOND);
    assert.equal(await ask(), 'pass');
    assert.equal(await ask({ envelope: 'other mail' }), 'pass');
    clock.advance(36 * DAY);
    assert.equal(await ask({ envelope: 'a newsletter a month later' }), 'pass');
    clock.advance(36 * DAY);
    assert.equal(await ask({ envelope: 'renewed by it' }), 'pass');
    clock.advance(36 * DAY + 1);
    assert.deepEqual(await ask({ envelope: 'long forgotten' }), { defer: 120 });
  });

  it('the pair is the network, not the address, and another domain waits for itself', async () => {
    await ask();
    clock.advance(120 * SECOND);
    assert.equal(await ask(), 'pass');
    assert.deepEqual(await ask({ senderDomain: `x${n}.test`, envelope: 'x' }), { defer: 120 });
    assert.deepEqual(await ask({ network: '198.51.100.0/24', envelope: 'y' }), { defer: 120 });
  });

  it('who is proven and good, a correspondent, or answers, never waits and is not written down', async () => {
    assert.equal(await ask({ authenticatedGood: true }), 'pass');
    assert.equal(await ask({ known: true }), 'pass');
    assert.deepEqual(await ask(), { defer: 120 });
  });

  it('a try of days ago does not count', async () => {
    await ask();
    clock.advance(2 * DAY + 1);
    assert.deepEqual(await ask(), { defer: 120 });
  });

  /** Tries from another network each time, `everyMs` apart, until one passes. */
  const rotate = async (everyMs: number, more: (i: number) => Partial<GreylistInput>): Promise<number> => {
    for (let i = 1; i <= 100; i++) {
      if ((await ask({ network: `10.${n}.${i}.0/24`, ...more(i) })) === 'pass') return i;
      clock.advance(everyMs);
    }
    return Number.POSITIVE_INFINITY;
  };

  it('peers 5.3, Stalwart #2101: a pool of changing addresses with SPF passes at its second try', async () => {
    const tries = await rotate(5 * MINUTE, (i) => ({ spf: 'pass', envelope: `${n} verp ${i}` }));
    assert.equal(tries, 2);
    const next = await ask({ network: '10.99.99.0/24', spf: 'pass', envelope: 'next mail' });
    assert.equal(next, 'pass', 'and the pool is remembered');
  });

  it('peers 5.3, Stalwart #2101: without SPF the same envelope passes at its second try', async () => {
    for (const spf of ['none', 'neutral', 'temperror', 'softfail', 'fail', undefined] as const) {
      n++;
      assert.equal(await rotate(5 * MINUTE, () => ({ spf })), 2, spf);
    }
  });

  it('peers 5.3, Stalwart #2101: even where everything changes with each try an end is in sight', async () => {
    const tries = await rotate(5 * MINUTE, (i) => ({ envelope: `${n} other envelope ${i}` }));
    assert.equal(tries, 9);
  });

  it('who forges a domain with SPF from many hosts gains nothing by the number of tries', async () => {
    const tries = await rotate(5 * MINUTE, (i) => ({ spf: 'fail', envelope: `${n} other envelope ${i}` }));
    assert.equal(tries, Number.POSITIVE_INFINITY);
  });

  it('tries in quick succession are one try', async () => {
    const tries = await rotate(100, (i) => ({ envelope: `${n} other envelope ${i}` }));
    assert.equal(tries, Number.POSITIVE_INFINITY);
  });

  it('a pair that passed is written once a day at most', async () => {
    await ask();
    clock.advance(120 * SECOND);
    await ask();
    let writes = 0;
    const counting = {
      read: store.read,
      write: {
        run: ((name, args) => {
          writes++;
          return store.write.run(name, args);
        }) as InlineStore['write']['run'],
      },
    };
    const input: GreylistInput = {
      network: '192.0.2.0/24',
      senderDomain: `sender${n}.test`,
      envelope: '',
      spf: 'none',
      authenticatedGood: false,
      known: false,
      now: clock.now(),
      delayMs: 120 * SECOND,
    };
    for (let i = 0; i < 10; i++) assert.equal(await greylist(counting, input), 'pass');
    assert.equal(writes, 0);
    clock.advance(DAY);
    for (let i = 0; i < 10; i++) await greylist(counting, { ...input, now: clock.now() });
    assert.equal(writes, 1);
  });
});
