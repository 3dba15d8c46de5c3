import assert from 'node:assert/strict';
import { it } from 'node:test';
import { dataWords, gigabytesOf, octetsOf } from './words.ts';

it('takes quotas as people type them', () => {
  assert.equal(octetsOf('2'), 2_000_000_000);
  assert.equal(octetsOf('0,5'), 500_000_000);
  for (const none of ['', '-1', 'much', '0']) assert.equal(octetsOf(none), 0, none);
  assert.equal(gigabytesOf(octetsOf('1.25')), '1.25');
  assert.equal(gigabytesOf(0), '');
});

it('says what an event has in one line', () => {
  assert.equal(dataWords({ session: 'x', host: 'mx.example.org', tries: 2 }), 'host mx.example.org, tries 2');
  assert.equal(
    dataWords({ helo: '', tls: null, via: [], to: ['a@example.org', 'b@example.org'], more: [{ a: 1 }] }),
    'to a@example.org b@example.org, more [{"a":1}]',
  );
  assert.equal(dataWords(null), 'null');
});
