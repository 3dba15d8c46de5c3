import assert from 'node:assert/strict';
import { it } from 'node:test';
import { isPublicAddress } from './public-address.ts';

it('hosts on the Internet, and nobody beside us however it is written', () => {
  for (const address of [
    '192.0.0.0',
    '8.8.8.8',
    '172.32.0.1',
    '100.128.0.1',
    '2a01:4f8::1',
    '2606:4700::1',
    '64:ff9b::8.8.8.8',
  ])
    assert.equal(isPublicAddress(address), address !== '192.0.0.0', address);
  for (const address of [
    '127.0.0.1',
    '127.255.255.255',
    '0.0.0.0',
    '10.1.2.3',
    '100.64.0.1',
    '169.254.169.254',
    '172.16.0.1',
    '172.31.255.255',
    '192.168.1.1',
    '198.18.0.1',
    '198.51.100.7',
    '203.0.113.7',
    '224.0.0.1',
    '255.255.255.255',
    '::',
    '::1',
    '::ffff:127.0.0.1',
    '::ffff:7f00:1',
    '0:0:0:0:0:FFFF:0a00:0001',
    '::127.0.0.1',
    '::7f00:1',
    '64:ff9b::7f00:1',
    '64:ff9b::10.0.0.1',
    '64:ff9b:1::1',
    'fe80::1',
    'fe80::1%eth0',
    '2606:4700::1%eth0',
    'fc00::1',
    'fd12:3456::1',
    'ff02::1',
    '2001:db8::1',
    '2001::1',
    '2002:7f00:1::',
    '3fff::1',
    '100::1',
    'localhost',
    '127.1',
    '0x7f000001',
    '2130706433',
    '',
  ])
    assert.equal(isPublicAddress(address), false, address);
});
