import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import { startDnsServer, type TestDnsServer } from '../../../../test/support/dns-server.ts';
import { type ManualClock, manualClock } from '../../../../test/support/manual-clock.ts';
import { Refusal } from '../../../base/errors.ts';
import { createResolver } from '../../../net/dns/resolver.ts';
import { type Asker, createAsker } from './ask.ts';
import type { Findings } from './findings.ts';
import { checkHello, refuseHello } from './hello.ts';
import { exemption, senderNetwork } from './networks.ts';
import { askReverse, genericDegree, refuseReverse, reverseFindings } from './reverse.ts';
import { askSenderDomain, refuseSenderDomain, senderDomainFindings } from './sender-domain.ts';

const ASK = 'Questions: postmaster@mx.example.test';

let dns: TestDnsServer;
let clock: ManualClock;
let asker: Asker;

before(async () => {
  dns = await startDnsServer({});
});
after(() => dns.close());
beforeEach(() => {
  clock = manualClock();
  const made = createAsker(
    createResolver({ servers: [{ address: dns.address, port: dns.port, trusted: false }], clock }),
    clock,
  );
  assert.ok(made);
  asker = made;
});
afterEach(() => {
  for (const name of Object.keys(dns.zone)) delete dns.zone[name];
  assert.equal(clock.timers, 0, 'no timer is left behind');
});

function names({ reasons }: Findings): string[] {
  for (const { text, score, lever } of reasons) {
    assert.match(text, /^[A-Z][\x20-\x7e]+[^.]$/, 'a plain line');
    assert.ok(score < 0 || lever !== undefined, 'what would change it');
  }
  return reasons.map(({ name }) => name);
}

/** The refusal that a check throws. */
function thrown(run: () => void): string {
  try {
    run();
  } catch (error) {
    if (error instanceof Refusal && error.smtp) {
      const text = error.smtp.lines.join('\n');
      assert.ok(text.length < 480, 'fits a reply line');
      return `${error.smtp.code} ${error.smtp.enhanced} ${text}`;
    }
    throw error;
  }
  return 'nothing';
}

describe('reverse names', () => {
  it('a name that leads back says nothing', async () => {
    dns.zone['7.2.0.192.in-addr.arpa'] = { PTR: ['mail.sender.test'] };
    dns.zone['mail.sender.test'] = { A: ['192.0.2.7'] };
    const reverse = await askReverse(asker, '192.0.2.7');
    assert.deepEqual(reverseFindings(reverse), { reasons: [], unchecked: [] });
    assert.equal(
      thrown(() => refuseReverse(reverse, ASK)),
      'nothing',
    );
  });

  it('no name, and one that does not lead back', async () => {
    dns.zone['8.2.0.192.in-addr.arpa'] = { PTR: ['mail.sender.test'] };
    dns.zone['mail.sender.test'] = { A: ['192.0.2.7'] };
    const none = await askReverse(asker, '192.0.2.9');
    const other = await askReverse(asker, '192.0.2.8');
    assert.deepEqual(names(reverseFindings(none)), ['RDNS_NONE']);
    assert.deepEqual(names(reverseFindings(other)), ['RDNS_UNCONFIRMED']);
    assert.match(
      thrown(() => refuseReverse(none, ASK)),
      /^550 5\.7\.25 .*192\.0\.2\.9.*PTR.*postmaster@/,
    );
    assert.match(
      thrown(() => refuseReverse(other, ASK)),
      /^550 5\.7\.25 .*192\.0\.2\.8.*mail\.sender\.test.*postmaster@/,
    );
  });

  it('peers 5.3: temperror is not "none": SERVFAIL is no fact and no refusal', async () => {
    dns.zone['7.2.0.192.in-addr.arpa'] = { PTR: ['x.test'], fault: { kind: 'servfail' } };
    const reverse = await askReverse(asker, '192.0.2.7');
    assert.deepEqual(names(reverseFindings(reverse)), []);
    assert.match(reverseFindings(reverse).unchecked[0] ?? '', /SERVFAIL/);
    assert.equal(
      thrown(() => refuseReverse(reverse, ASK)),
      'nothing',
    );
  });

  it('a claimed name cannot break a reply', async () => {
    dns.zone['7.2.0.192.in-addr.arpa'] = { PTR: [`${'a'.repeat(60)}\x01\x7f.${'b'.repeat(60)}.test`] };
    const reverse = await askReverse(asker, '192.0.2.7');
    assert.match(
      thrown(() => refuseReverse(reverse, ASK)),
      /^550 [\x20-\x7e]+$/,
    );
  });

  it('tells names of lines from names of servers', () => {
    const cases: [name: string, ip: string, degree: number][] = [
      ['dsl-192-0-2-7.pool.isp.example', '192.0.2.7', 2],
      ['7.2.0.192.dynamic.isp.example', '192.0.2.7', 2],
      ['host-2-7.isp.example', '192.0.2.7', 1],
      ['p5-c0000207.dip0.isp.example', '192.0.2.7', 1],
      ['192000002007.isp.example', '192.0.2.7', 1],
      ['dhcp12.isp.example', '192.0.2.7', 1],
      ['static.7.2.0.192.clients.hoster.example', '192.0.2.7', 0],
      ['smtp-out-2-7.bigmail.example', '192.0.2.7', 0],
      ['a8-31.smtp-out.provider.example', '192.0.8.31', 0],
      ['mail-sor-f41.bigmail.example', '209.85.220.41', 0],
      ['mx1.pool.example', '192.0.2.7', 0],
      ['vps17.hoster.example', '192.0.2.7', 0],
      ['dynamic.example', '192.0.2.7', 0],
      ['server.example', '2001:db8::1', 0],
      ['', '192.0.2.7', 0],
    ];
    for (const [name, ip, degree] of cases) assert.equal(genericDegree(name, ip), degree, name);
    genericDegree(`${'1-'.repeat(100_000)}x`, '192.0.2.7');
  });
});

describe('HELO', () => {
  const own = { hostname: 'mx.example.test', isOurDomain: async (name: string) => name === 'example.test' };
  const check = (helo: string, ip = '192.0.2.7') => checkHello(asker, helo, ip, own);

  it('judges what a client calls itself', async () => {
    dns.zone['mail.sender.test'] = { A: ['192.0.2.7'] };
    dns.zone['six.sender.test'] = { AAAA: ['2001:db8::1'] };
    dns.zone['nothing.sender.test'] = { TXT: ['x'] };
    dns.zone['broken.sender.test'] = { fault: { kind: 'servfail' } };
    const cases: [helo: string, reasons: string[], refused: boolean][] = [
      ['mail.sender.test', [], false],
      ['MAIL.sender.test.', [], false],
      ['six.sender.test', [], false],
      ['broken.sender.test', [], false],
      ['gone.sender.test', ['HELO_UNRESOLVABLE'], true],
      ['nothing.sender.test', ['HELO_UNRESOLVABLE'], true],
      ['mx.example.test', ['HELO_OURS'], true],
      ['Example.Test', ['HELO_OURS'], true],
      ['localhost', ['HELO_NOT_FQDN'], true],
      ['localhost.localdomain', ['HELO_NOT_FQDN'], true],
      ['DESKTOP-1234', ['HELO_NOT_FQDN'], true],
      ['_!"$%', ['HELO_NOT_FQDN'], true],
      ['192.0.2.7', ['HELO_BARE_IP'], true],
      ['[192.0.2.7]', ['HELO_IP_LITERAL'], false],
      ['[192.0.2.8]', ['HELO_WRONG_LITERAL'], true],
      ['[::1', ['HELO_WRONG_LITERAL'], true],
    ];
    for (const [helo, reasons, refused] of cases) {
      const result = await check(helo);
      assert.deepEqual(names(result.findings), reasons, helo);
      const said = thrown(() => refuseHello(result, ASK));
      if (refused) assert.match(said, /^550 5\.7\.1 You called yourself .*postmaster@/, helo);
      else assert.equal(said, 'nothing', helo);
    }
    assert.match((await check('broken.sender.test')).findings.unchecked[0] ?? '', /SERVFAIL/);
  });

  it('knows an IPv6 literal however it is written, and an IPv4 one of a mapped address', async () => {
    assert.deepEqual(names((await check('[IPv6:2001:DB8:0:0::1]', '2001:db8::1')).findings), [
      'HELO_IP_LITERAL',
    ]);
    assert.deepEqual(names((await check('[IPv6:2001:db8::2]', '2001:db8::1')).findings), [
      'HELO_WRONG_LITERAL',
    ]);
  });

  it('without DNS only what needs none is judged', async () => {
    const result = await checkHello(undefined, 'gone.sender.test', '192.0.2.7', own);
    assert.deepEqual(names(result.findings), []);
    assert.deepEqual(names((await checkHello(undefined, 'mx.example.test', '192.0.2.7', own)).findings), [
      'HELO_OURS',
    ]);
  });
});

describe("the sender's domain", () => {
  it('takes mail or not', async () => {
    Object.assign(dns.zone, {
      'mx.test': { MX: [{ preference: 10, exchange: 'mail.mx.test' }] },
      'a.test': { A: ['192.0.2.7'] },
      'aaaa.test': { AAAA: ['2001:db8::1'] },
      'none.test': { TXT: ['x'] },
      'null.test': { MX: [{ preference: 0, exchange: '' }] },
      'both.test': {
        MX: [
          { preference: 0, exchange: '' },
          { preference: 10, exchange: 'mail.mx.test' },
        ],
      },
      'broken.test': { fault: { kind: 'servfail' } },
      'silent.test': { fault: { kind: 'drop' } },
    });
    const cases: [domain: string, reasons: string[], refused: RegExp][] = [
      ['mx.test', [], /^nothing$/],
      ['a.test', [], /^nothing$/],
      ['aaaa.test', [], /^nothing$/],
      ['both.test', [], /^nothing$/],
      ['gone.test', ['SENDER_DOMAIN_UNKNOWN'], /^550 5\.1\.8 .*gone\.test does not exist.*postmaster@/],
      ['none.test', ['SENDER_NO_MAIL'], /^550 5\.1\.8 .*none\.test has neither.*postmaster@/],
      ['null.test', ['SENDER_NULL_MX'], /^550 5\.7\.27 .*null\.test takes no mail.*postmaster@/],
      ['[192.0.2.7]', ['SENDER_LITERAL'], /^nothing$/],
      ['broken.test', [], /^451 4\.1\.8 .*broken\.test.*SERVFAIL.*Try again later/],
    ];
    for (const [domain, reasons, refused] of cases) {
      const sender = await askSenderDomain(asker, domain);
      assert.deepEqual(names(senderDomainFindings(domain, sender)), reasons, domain);
      assert.match(
        thrown(() => refuseSenderDomain(domain, sender, ASK)),
        refused,
        domain,
      );
    }
    const silent = askSenderDomain(asker, 'silent.test');
    await new Promise((resolve) => setTimeout(resolve, 10));
    clock.advance(5000);
    assert.equal((await silent).status, 'temporary');
    assert.equal(
      thrown(() => void silent),
      'nothing',
    );
    refuseSenderDomain('silent.test', await silent, ASK);
    clock.advance(60_000);
  });
});

describe('networks', () => {
  it('are the /24 or the /48', () => {
    assert.equal(senderNetwork('192.0.2.7'), '192.0.2.0/24');
    assert.equal(senderNetwork('192.0.2.255'), '192.0.2.0/24');
    assert.equal(senderNetwork('2001:db8:1:2::7'), '2001:db8:1::/48');
    assert.equal(senderNetwork('2001:db8:1:ffff::7'), '2001:db8:1::/48');
    assert.equal(senderNetwork(''), '');
  });

  it('peers 5.3: loopback, private addresses and what is listed are exempt, others are not', () => {
    const exempt = exemption(['198.51.100.0/24', '2001:db8:5::/48']);
    for (const address of [
      '',
      '127.0.0.1',
      '127.9.9.9',
      '::1',
      '10.1.2.3',
      '172.31.0.1',
      '192.168.1.1',
      '169.254.1.1',
      '100.64.0.1',
      'fd00::1',
      'fe80::1',
      '198.51.100.200',
      '2001:db8:5:1::1',
    ]) {
      assert.equal(exempt(address), true, address);
    }
    for (const address of ['192.0.2.7', '172.32.0.1', '100.128.0.1', '2001:db8:6::1', '198.51.101.1']) {
      assert.equal(exempt(address), false, address);
    }
  });
});
