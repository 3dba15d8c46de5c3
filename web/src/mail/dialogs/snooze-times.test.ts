import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { localInput, snoozeTimes } from './snooze-times.ts';

describe('times to snooze until', () => {
  const names = (now: Date) => snoozeTimes(now.getTime()).map(({ name }) => name);
  it('lie ahead', () => {
    for (let hour = 0; hour < 24 * 14; hour++) {
      const now = new Date(2026, 4, 1, hour, 30).getTime();
      for (const { name, at } of snoozeTimes(now))
        assert.ok(at > now, `${name} at ${new Date(now).toString()}`);
    }
  });

  it('fit the day', () => {
    assert.deepEqual(names(new Date(2026, 4, 5, 9)), [
      'laterToday',
      'thisEvening',
      'tomorrow',
      'weekend',
      'nextWeek',
      'inAMonth',
    ]);
    assert.deepEqual(names(new Date(2026, 4, 3, 20)), ['tomorrow', 'inAMonth']);
    assert.equal(localInput(new Date(2026, 4, 3, 7, 5).getTime()), '2026-05-03T07:05');
  });
});
