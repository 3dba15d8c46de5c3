import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Refusal } from '../base/errors.ts';
import { canonicalAddress, clientNetwork, ipv6Groups, isLoopback, networkList } from './ip.ts';

test('one address has one text', () => {
  const cases: [string, string | undefined][] = [
    ['192.0.2.1', '192.0.2.1'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['::FFFF:C000:0201', '192.0.2.1'],
    ['2001:DB8:0:0:0:0:0:1', '2001:db8::1'],
    ['fe80::1%eth0', 'fe80::1'],
    ['192.0.2.01', undefined],
    ['192.0.2', undefined],
    ['', undefined],
    ['mail.test', undefined],
  ];
  for (const [text, canonical] of cases) assert.equal(canonicalAddress(text), canonical, text);
});

test('groups and networks', () => {
  assert.deepEqual(ipv6Groups('2001:db8::1'), [0x2001, 0xdb8, 0, 0, 0, 0, 0, 1]);
  assert.deepEqual(ipv6Groups('::'), [0, 0, 0, 0, 0, 0, 0, 0]);
  assert.deepEqual(ipv6Groups('64:ff9b::192.0.2.33'), [0x64, 0xff9b, 0, 0, 0, 0, 0xc000, 0x221]);
  assert.deepEqual(ipv6Groups('192.0.2.1'), []);
  assert.equal(clientNetwork('192.0.2.1'), '192.0.2.1');
  assert.equal(clientNetwork('2001:db8:1:2:3:4:5:6'), clientNetwork('2001:db8:1:2::'));
  assert.notEqual(clientNetwork('2001:db8:1:2::1'), clientNetwork('2001:db8:1:3::1'));
  assert.ok(isLoopback('127.8.9.1') && isLoopback('::1') && !isLoopback('128.0.0.1'));
});

test('network lists', () => {
  const inside = networkList(['192.0.2.0/24', '2001:db8::/32', '198.51.100.7']);
  for (const address of ['192.0.2.255', '2001:db8:ffff::1', '198.51.100.7'])
    assert.ok(inside(address), address);
  for (const address of ['192.0.3.0', '2001:db9::1', '198.51.100.8', '', 'x'])
    assert.ok(!inside(address), address);
  for (const bad of ['192.0.2.0/33', '192.0.2.0/', 'x/8', '2001:db8::/129', '10/8']) {
    assert.throws(() => networkList([bad]), Refusal, bad);
  }
});
