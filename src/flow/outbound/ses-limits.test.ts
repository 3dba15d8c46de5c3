import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { manualClock } from '../../../test/support/manual-clock.ts';
import type { SesAccount, SesApi } from '../../net/aws/types.ts';
import { createSesLimits } from './ses-limits.ts';

const ACCOUNT: SesAccount = {
  production: true,
  sendingEnabled: true,
  maxSendRate: 10,
  max24HourSend: 1000,
  sentLast24Hours: 0,
  enforcement: 'HEALTHY',
};
const never = new AbortController().signal;

function api(account: { value: SesAccount | Error }): SesApi & { asked: number } {
  const made = {
    asked: 0,
    version: 2 as const,
    maxMessageBytes: 1,
    send: () => Promise.reject(new Error('no')),
    identities: () => Promise.resolve([]),
    account: () => {
      made.asked++;
      return account.value instanceof Error ? Promise.reject(account.value) : Promise.resolve(account.value);
    },
  };
  return made;
}

describe('the limits of an SES account', () => {
  it('a second of the rate goes at once, what is beyond waits its turn, and a line that is too long is not joined', async () => {
    const clock = manualClock();
    const limits = createSesLimits(api({ value: ACCOUNT }), 'eu-west-1', clock);
    assert.equal(await limits.take(10, never), 'go');
    let gone = false;
    const second = limits.take(10, never).then((answer) => {
      gone = true;
      return answer;
    });
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(gone, false);
    clock.advance(1000);
    assert.equal(await second, 'go');
    void limits.take(50, never);
    void limits.take(50, never);
    void limits.take(50, never);
    void limits.take(50, never);
    void limits.take(50, never);
    const late = await limits.take(1, never);
    assert.ok(typeof late === 'object');
    assert.equal(late.cause, 'rate');
    assert.ok(late.pauseMs > 20_000);
  });

  it('a "slower" halves the rate for a while', async () => {
    const clock = manualClock();
    const limits = createSesLimits(api({ value: ACCOUNT }), 'eu-west-1', clock);
    assert.equal(await limits.take(1, never), 'go');
    const pause = limits.throttled();
    assert.ok(pause >= 1000);
    assert.ok(limits.throttled() > pause);
    const waiting = limits.take(1, never);
    clock.advance(1000);
    assert.equal(await waiting, 'go');
    clock.advance(120_000);
    assert.equal(await limits.take(10, never), 'go');
  });

  it('the day’s allowance is kept, with what went out since it was asked for', async () => {
    const clock = manualClock();
    const value = { value: { ...ACCOUNT, max24HourSend: 60, sentLast24Hours: 10, maxSendRate: 1000 } };
    const limits = createSesLimits(api(value), 'eu-west-1', clock);
    assert.equal(await limits.take(50, never), 'go');
    limits.sent(50);
    const none = await limits.take(1, never);
    assert.ok(typeof none === 'object');
    assert.equal(none.cause, 'quota');
    assert.match(none.reason, /the 60 recipients .* 24 hours/);
    value.value = { ...value.value, sentLast24Hours: 0 };
    clock.advance(70_000);
    assert.equal(await limits.take(1, never), 'go');
  });

  it('an account that may not send is told of, and looked at again', async () => {
    const clock = manualClock();
    const value: { value: SesAccount } = { value: { ...ACCOUNT, sendingEnabled: false } };
    const limits = createSesLimits(api(value), 'eu-west-1', clock);
    const paused = await limits.take(1, never);
    assert.ok(typeof paused === 'object');
    assert.equal(paused.cause, 'auth');
    assert.match(paused.reason, /paused.*eu-west-1/);
    value.value = { ...ACCOUNT, enforcement: 'SHUTDOWN' };
    clock.advance(70_000);
    const shut = await limits.take(1, never);
    assert.ok(typeof shut === 'object');
    assert.match(shut.reason, /shut down/);
    value.value = ACCOUNT;
    clock.advance(70_000);
    assert.equal(await limits.take(1, never), 'go');
  });

  it('where the account cannot be asked mail goes out all the same', async () => {
    const clock = manualClock();
    const asked = api({ value: new Error('denied') });
    const failures: unknown[] = [];
    const limits = createSesLimits(asked, 'eu-west-1', clock, (error) => failures.push(error));
    for (let i = 0; i < 5; i++) assert.equal(await limits.take(50, never), 'go');
    assert.equal(asked.asked, 1);
    assert.equal(failures.length, 1);
    limits.usedUp();
    const none = await limits.take(1, never);
    assert.ok(typeof none === 'object' && none.cause === 'quota');
    clock.advance(600_001);
    assert.equal(await limits.take(1, never), 'go');
  });

  it('a stop ends the waiting', async () => {
    const clock = manualClock();
    const limits = createSesLimits(api({ value: ACCOUNT }), 'eu-west-1', clock);
    await limits.take(10, never);
    const stop = new AbortController();
    const waiting = limits.take(10, stop.signal);
    await new Promise((resolve) => setImmediate(resolve));
    stop.abort();
    assert.equal(await waiting, 'stopped');
  });
});
