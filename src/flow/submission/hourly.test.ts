import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { testClock } from '../../../test/support/clock.ts';
import { HourlyCounts } from './hourly.ts';

describe('HourlyCounts', () => {
  it('never asks anybody to wait longer than the hour it counts', () => {
    const clock = testClock();
    const counts = new HourlyCounts(clock);
    assert.equal(counts.used(1).minutesToWait, 0);
    counts.add(1, 1);
    const { messages, minutesToWait } = counts.used(1);
    assert.equal(messages, 1);
    assert.ok(minutesToWait >= 1 && minutesToWait <= 60, String(minutesToWait));
  });
});
