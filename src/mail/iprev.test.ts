import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { zone, type ZoneEntry } from './dmarc/fixtures/zone.ts';
import { checkReverse } from './iprev.ts';

const REVERSE = '1.2.0.192.in-addr.arpa';

describe('iprev', () => {
  const cases: readonly (readonly [name: string, Record<string, ZoneEntry>, wanted: string])[] = [
    [
      'there and back',
      { [REVERSE]: { PTR: ['Mail.Example.org.'] }, 'mail.example.org': { A: ['192.0.2.1'] } },
      'pass mail.example.org',
    ],
    [
      'one of several',
      {
        [REVERSE]: { PTR: ['no.example.org', 'mail.example.org'] },
        'mail.example.org': { A: ['192.0.2.9', '192.0.2.1'] },
      },
      'pass mail.example.org',
    ],
    [
      'a name that leads elsewhere',
      { [REVERSE]: { PTR: ['mail.bank.example'] }, 'mail.bank.example': { A: ['192.0.2.2'] } },
      'fail undefined',
    ],
    ['a name that leads nowhere', { [REVERSE]: { PTR: ['mail.bank.example'] } }, 'fail undefined'],
    ['no name', {}, 'permerror undefined'],
    ['DNS does not say the name', { [REVERSE]: 'temporary' }, 'temperror undefined'],
    [
      'DNS does not say the address',
      { [REVERSE]: { PTR: ['mail.example.org'] }, 'mail.example.org': 'temporary' },
      'temperror undefined',
    ],
  ];
  for (const [name, entries, wanted] of cases) {
    test(name, async () => {
      const { result, name: found } = await checkReverse({ ip: '192.0.2.1', dns: zone(entries) });
      assert.equal(`${result} ${found}`, wanted);
    });
  }

  test('IPv6 and IPv4-mapped addresses', async () => {
    const v6 = `1.${'0.'.repeat(23)}8.b.d.0.1.0.0.2.ip6.arpa`;
    const dns = zone({
      [v6]: { PTR: ['six.example.org'] },
      'six.example.org': { AAAA: ['2001:db8:0::1'] },
      [REVERSE]: { PTR: ['mail.example.org'] },
      'mail.example.org': { A: ['192.0.2.1'] },
    });
    assert.equal((await checkReverse({ ip: '2001:DB8::1', dns })).name, 'six.example.org');
    const mapped = await checkReverse({ ip: '::ffff:192.0.2.1', dns });
    assert.equal(mapped.name, 'mail.example.org');
    assert.equal(mapped.ip, '192.0.2.1');
  });

  test('of 1,000 names ten are asked about; no address, no question', async () => {
    const names = Array.from({ length: 1000 }, (_, i) => `n${i}.example.org`);
    const dns = zone({ [REVERSE]: { PTR: names } });
    assert.equal((await checkReverse({ ip: '192.0.2.1', dns })).result, 'fail');
    assert.equal(dns.asked.length, 11);
    assert.equal((await checkReverse({ ip: '', dns })).result, 'permerror');
    assert.equal(dns.asked.length, 11);
  });
});
