import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { manualClock } from '../../../test/support/manual-clock.ts';
import { silentLogger } from '../../base/log.ts';
import { createLagAlarm } from './alarm.ts';
import { noIntakeMetrics } from './metrics.ts';
import { supervise, Wake } from './supervise.ts';
import { backoffMs } from './times.ts';

const MINUTE = 60_000;

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

describe('the alarm of lag', () => {
  it('is told once, again each hour, and when it is over', () => {
    const clock = manualClock();
    const told: string[] = [];
    const alarm = createLagAlarm({
      clock,
      logger: silentLogger,
      limitMinutes: () => 30,
      tell: ({ what, minutes }) => told.push(`${what} ${minutes}`),
    });
    const begun = clock.now();
    for (let minute = 0; minute <= 95; minute++) {
      alarm.check(begun);
      clock.advance(MINUTE);
    }
    assert.deepEqual(told, ['alarm 30', 'alarm 90']);
    assert.equal(alarm.since, begun + 30 * MINUTE);
    alarm.check(undefined);
    alarm.check(undefined);
    assert.equal(alarm.since, undefined);
    assert.deepEqual(told.slice(2), ['alarm over 0']);
  });
});

describe('a driver', () => {
  it('that throws, or ends by itself, begins anew, ever later; it says so, and when it works again', async () => {
    const clock = manualClock();
    let runs = 0;
    let recovered = 0;
    const driver = supervise(
      { clock, logger: silentLogger, metrics: noIntakeMetrics },
      'test',
      async (signal, ok) => {
        runs++;
        if (runs === 1) throw new Error('broken');
        if (runs === 2) return;
        ok();
        await clock.sleep(10 * MINUTE, signal);
      },
      () => recovered++,
    );
    await turn();
    assert.deepEqual([runs, driver.state.problem], [1, 'broken']);
    clock.advance(1000);
    await turn();
    assert.deepEqual([runs, driver.state.problem], [2, 'it ended by itself']);
    clock.advance(1000);
    await turn();
    assert.equal(runs, 2, 'not yet');
    clock.advance(1000);
    await turn();
    assert.deepEqual([runs, driver.state.problem, recovered], [3, '', 1]);
    await driver.stop();
  });

  it('is woken before its time, also when it was not asleep yet', async () => {
    const clock = manualClock();
    const wake = new Wake();
    const { signal } = new AbortController();
    wake.now();
    await wake.sleep(clock, MINUTE, signal);
    let awake = false;
    const sleep = wake.sleep(clock, MINUTE, signal).then(() => {
      awake = true;
    });
    await turn();
    assert.equal(awake, false);
    wake.now();
    await sleep;
  });
});

it('tries come at ever longer distances, at most an hour', () => {
  assert.deepEqual([0, 1, 2].map(backoffMs), [15_000, 30_000, 60_000]);
  assert.equal(backoffMs(30), 60 * MINUTE);
});
