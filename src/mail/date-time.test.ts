import assert from 'node:assert/strict';
import { it } from 'node:test';
import { parseDateTime } from './date-time.ts';

it('date-times of RFC 3339 are read, and nothing else is', () => {
  const noon = Date.UTC(2030, 0, 31, 12, 0, 0);
  for (const text of [
    '2030-01-31T12:00:00Z',
    '2030-01-31t12:00:00z',
    '2030-01-31T13:30:00+01:30',
    '2030-01-31T12:00:00.000Z',
    '2030-01-31T12:00:00.000000000Z',
  ])
    assert.equal(parseDateTime(text), noon, text);
  assert.equal(parseDateTime('2016-12-31T23:59:60Z'), Date.UTC(2016, 11, 31, 23, 59, 59));
  for (const text of [
    '',
    'tomorrow',
    '2030-01-31',
    '2030-01-31T12:00Z',
    '2030-01-31 12:00:00Z',
    '2030-02-31T12:00:00Z',
    '2030-13-01T12:00:00Z',
    '2030-01-31T25:00:00Z',
    '2030-01-31T12:00:00',
    `2030-01-31T12:00:00.${'0'.repeat(100)}Z`,
  ])
    assert.equal(parseDateTime(text), undefined, text);
});
