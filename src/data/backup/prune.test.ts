import assert from 'node:assert/strict';
import { test } from 'node:test';
import { kept } from './prune.ts';
import type { Snapshot } from './repository.ts';

function snapshotAt(text: string): Snapshot {
  const facts = { host: '', program: '', schema: 1, index: [], files: 0, bytes: 0, added: 0 };
  return { id: text, at: Date.parse(`${text}Z`), ...facts, accounts: 0, emails: 0 };
}

/** Two a day, at 3:00 and at 15:00, from the first of January 2026, a Thursday, for so many days. */
function twiceADay(days: number): Snapshot[] {
  return Array.from({ length: 2 * days }, (_, i) => {
    const at = Date.UTC(2026, 0, 1, 3) + i * 12 * 3_600_000;
    return snapshotAt(new Date(at).toISOString().slice(0, 16));
  });
}

test('the last one of each of the newest days, weeks and months stays', () => {
  const keep = kept(twiceADay(90), { daily: 3, weekly: 3, monthly: 3 });
  assert.deepEqual([...keep].toSorted(), [
    '2026-01-31T15:00',
    '2026-02-28T15:00',
    // Sundays.
    '2026-03-22T15:00',
    '2026-03-29T15:00',
    '2026-03-30T15:00',
    '2026-03-31T15:00',
  ]);
});

test('days without a backup take nobody’s place, and the newest stays whatever the rules', () => {
  const gap = [
    snapshotAt('2026-01-05T03:00'),
    snapshotAt('2026-03-01T03:00'),
    snapshotAt('2026-06-01T03:00'),
  ];
  assert.equal(kept(gap, { daily: 2, weekly: 0, monthly: 0 }).size, 2);
  assert.deepEqual([...kept(gap, { daily: 0, weekly: 0, monthly: 0 })], ['2026-06-01T03:00']);
  assert.equal(kept([], { daily: 7, weekly: 4, monthly: 6 }).size, 0);
});
