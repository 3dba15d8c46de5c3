import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { networkList } from '../../net/ip.ts';
import { networkAround, parseNetwork, placesOf, wideOf } from './networks.ts';

describe('networks', () => {
  it('are read as people write them, and have one spelling', () => {
    const cases: [given: string, widen: boolean, text: string][] = [
      ['192.0.2.7', true, '192.0.2.7'],
      ['192.0.2.7/32', false, '192.0.2.7'],
      ['192.0.2.7/24', true, '192.0.2.0/24'],
      ['10.255.0.1/9', true, '10.128.0.0/9'],
      ['2001:DB8::1', true, '2001:db8::/64'],
      ['2001:DB8::1', false, '2001:db8::1/128'],
      ['2001:db8:1:2:3::/48', false, '2001:db8:1::/48'],
      ['::ffff:192.0.2.7', true, '192.0.2.7'],
    ];
    for (const [given, widen, text] of cases) assert.equal(parseNetwork(given, widen).text, text);
  });

  it('are refused when they are none, or everybody', () => {
    const wrong = [
      '',
      'x',
      '192.0.2',
      '192.0.2.1/33',
      '192.0.2.1/',
      '192.0.2.1/24/1',
      '192.0.2.1/+24',
      'fe80::1%eth0',
    ];
    for (const text of [...wrong, '0.0.0.0/0', '10.0.0.0/7', '::/0', '2001::/15', '2001::/129']) {
      assert.throws(() => parseNetwork(text, true), { kind: 'bad-input' }, text);
    }
  });

  it('have their addresses in them, and are the network of each', () => {
    const octets = fc.tuple(fc.nat(255), fc.nat(255), fc.nat(255), fc.nat(255)).map((four) => four.join('.'));
    const groups = fc
      .array(fc.nat(0xffff), { minLength: 8, maxLength: 8 })
      .filter((all) => all.slice(0, 5).some((group) => group > 0))
      .map((all) => all.map((group) => group.toString(16)).join(':'));
    fc.assert(
      fc.property(fc.oneof(octets, groups), fc.nat(128), (address, wanted) => {
        const bits = address.includes(':') ? Math.max(16, wanted) : 8 + (wanted % 25);
        const network = networkAround(address, bits);
        const isIn = networkList([network]);
        assert.ok(isIn(address), `${address} in ${network}`);
        assert.equal(networkAround(network.split('/')[0] ?? '', bits), network);
        assert.equal(parseNetwork(network, false).text, network);
        const places = placesOf(address);
        assert.ok(places);
        assert.equal(wideOf(places.own), places.wide);
      }),
    );
  });
});
