import assert from 'node:assert/strict';
import { it } from 'node:test';
import { auditWords, gigabytesOf, octetsOf } from './words.ts';

it('takes quotas as people type them', () => {
  assert.equal(octetsOf('2'), 2_000_000_000);
  assert.equal(octetsOf('0,5'), 500_000_000);
  assert.equal(octetsOf(' 5 GB'), 5_000_000_000);
  for (const none of ['', ' ', '0']) assert.equal(octetsOf(none), 0, none);
  // Not as much as there is: somebody meant something.
  for (const odd of ['-1', 'much', '1.000,5', '5 MB']) assert.equal(octetsOf(odd), undefined, odd);
  for (const octets of [1_250_000_000, 400_000, 5 * 2 ** 30])
    assert.equal(octetsOf(gigabytesOf(octets)), octets);
  assert.equal(gigabytesOf(0), '');
});

it('says what an entry of the audit is about; of settings only what changed', () => {
  const texts: Readonly<Record<string, string>> = {
    'fact role': 'Rolle',
    'fact quota': 'Platz',
    'value user': 'Person',
    'value unlimited': 'unbegrenzt',
    'value yes': 'ja',
  };
  const said = (action: string, data: unknown): string => auditWords(action, data, (key) => texts[key]);
  assert.equal(
    said('account.add', { role: 'user', quota: 0, shared: 1, note: null }),
    'Rolle: Person, Platz: unbegrenzt, shared: ja',
  );
  const before = JSON.stringify({ greylist: { mode: 'all' }, vault: { days: 9 } });
  const after = JSON.stringify({ greylist: { mode: 'off' }, vault: { days: 9 }, lists: ['a'] });
  assert.equal(said('filter.settings', { before, after }), 'greylist.mode: all → off, lists: – → ["a"]');
  assert.equal(said('filter.settings', { before: null, after: '{"enabled":false}' }), 'enabled: – → false');
  assert.equal(said('filter.settings', { before: '{"enabled":false}', after: null }), 'enabled: false → –');
});
