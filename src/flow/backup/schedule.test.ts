import assert from 'node:assert/strict';
import { test } from 'node:test';
import { backupSettingsSchema } from '../../data/backup/settings.ts';
import { whatIsDue } from './service.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const now = Date.UTC(2026, 0, 10);
const settings = backupSettingsSchema.parse({ target: '/backup' });
const none = { snapshot: '', bytes: 0, added: 0, emails: 0, tookMs: 0, snapshots: 0, problems: [] };
const drilled = { ...none, snapshotAt: 0, mailboxes: 0, messages: 0, compared: 0 };
const at = (ago: number) => ({ at: now - ago, ...none });

test('nothing is due without a place', () => {
  assert.equal(whatIsDue(backupSettingsSchema.parse({}), {}, now), undefined);
});

test('a backup is due at once, and then when the last good one is old enough', () => {
  assert.equal(whatIsDue(settings, {}, now), 'create');
  const drill = { at: now, ok: true, ...drilled };
  assert.equal(whatIsDue(settings, { success: at(23 * HOUR), drill }, now), undefined);
  assert.equal(whatIsDue(settings, { success: at(24 * HOUR), drill }, now), 'create');
});

test('one that failed, or that the end of the server cut short, is tried again after an hour', () => {
  const state = { success: at(30 * HOUR), drill: { at: now, ok: true, ...drilled } };
  assert.equal(whatIsDue(settings, { ...state, triedAt: now - HOUR / 2 }, now), undefined);
  assert.equal(whatIsDue(settings, { ...state, triedAt: now - HOUR }, now), 'create');
});

test('a drill is due after the first backup, each week, and the day after one that failed', () => {
  const success = at(HOUR);
  assert.equal(whatIsDue(settings, { success }, now), 'drill');
  const state = (ok: boolean, ago: number) => ({ success, drill: { at: now - ago, ok, ...drilled } });
  assert.equal(whatIsDue(settings, state(true, 6 * DAY), now), undefined);
  assert.equal(whatIsDue(settings, state(true, 7 * DAY), now), 'drill');
  assert.equal(whatIsDue(settings, state(false, DAY), now), 'drill');
  assert.equal(whatIsDue({ ...settings, drill_days: 0 }, { success }, now), undefined);
});
