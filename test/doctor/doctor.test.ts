/** Each way in which a mail server can be broken from outside: what the doctor says of it, and what it has one type. */
import assert from 'node:assert/strict';
import { createServer, type AddressInfo } from 'node:net';
import { createServer as createTls } from 'node:tls';
import { after, before, describe, test } from 'node:test';
import { systemClock } from '../../src/base/clock.ts';
import type { DoctorLine, DoctorListener } from '../../src/flow/doctor/types.ts';
import { createAuthority, type Issued } from '../support/authority.ts';
import { skipWithout } from '../support/programs.ts';
import { type SmtpPeerOptions, startSmtpPeer } from '../support/smtp-peer.ts';
import { type BrokenWorld, HOST, startBrokenWorld } from './broken-world.ts';

interface DomainFault {
  readonly name: string;
  readonly edit: (zone: string) => string;
  /** Every line that is not ok, "check state", in order. */
  readonly found: readonly string[];
  /** In what the doctor says. */
  readonly says: RegExp;
  /** In what mends it. */
  readonly mend: RegExp;
}

/** Without the records whose line matches. */
const without =
  (line: RegExp) =>
  (zone: string): string =>
    zone
      .split('\n')
      .filter((one) => !line.test(one))
      .join('\n');
const replace =
  (from: RegExp | string, to: string) =>
  (zone: string): string => {
    const changed = zone.replace(from, to);
    assert.notEqual(changed, zone, `${from} is not in the zone`);
    return changed;
  };
const both =
  (...edits: ((zone: string) => string)[]) =>
  (zone: string): string =>
    edits.reduce((text, edit) => edit(text), zone);

const OTHERS = 'other A 127.0.9.9\n';
const SPF = /^.* IN TXT "v=spf1 .*$/m;
const spf = (text: string): string => `@ TXT "${text}"`;
const LOOKUPS = Array.from({ length: 11 }, (_, i) => `i${i} TXT "v=spf1 ip4:192.0.9.${i} ?all"`).join('\n');
const INCLUDES = Array.from({ length: 11 }, (_, i) => `include:i${i}.spf-many.test`).join(' ');
const NO_DKIM = without(/_domainkey/);

const FAULTS: readonly DomainFault[] = [
  {
    name: 'no MX record',
    edit: both(without(/ IN MX /), replace(SPF, spf('v=spf1 a:mail.host.test -all'))),
    found: ['mx problem'],
    says: /There is no MX record/,
    mend: /^mx-none\.test\. 3600 IN MX 10 mail\.host\.test\.$/m,
  },
  {
    name: 'MX to another host',
    edit: both(
      replace(/ IN MX .*$/m, ' IN MX 10 other'),
      (zone) => zone + OTHERS,
      replace(SPF, spf('v=spf1 ip4:127.0.0.1 -all')),
    ),
    found: ['mx problem'],
    says: /leads to 10 other\.mx-other\.test, not to mail\.host\.test/,
    mend: /IN MX 10 mail\.host\.test\./,
  },
  {
    name: 'another host before ours',
    edit: (zone) => `${zone}@ MX 5 other\n${OTHERS}`,
    found: ['mx warning'],
    says: /Another host comes before ours/,
    mend: /IN MX 10 mail\.host\.test\./,
  },
  {
    name: 'a forgotten second MX that nobody watches',
    edit: (zone) => `${zone}@ MX 50 other\n${OTHERS}`,
    found: ['mx warning'],
    says: /Other hosts take mail of the domain too/,
    mend: /Remove their MX records/,
  },
  {
    name: 'an address where the name of an MX host has to stand',
    edit: both((zone) => `${zone}@ MX 50 192.0.2.1.\n`, replace(SPF, spf('v=spf1 a:mail.host.test -all'))),
    found: ['mx problem'],
    says: /names an address, 192\.0\.2\.1/,
    mend: /IN MX 10 mail\.host\.test\./,
  },
  {
    name: 'null MX',
    edit: both(replace(/ IN MX .*$/m, ' IN MX 0 .'), replace(SPF, spf('v=spf1 ip4:127.0.0.1 -all'))),
    found: ['mx problem'],
    says: /takes no mail/,
    mend: /IN MX 10 mail\.host\.test\./,
  },
  {
    name: 'no SPF record',
    edit: without(/v=spf1/),
    found: ['spf problem'],
    says: /There is no SPF record/,
    mend: /^spf-none\.test\. 3600 IN TXT "v=spf1 mx -all"$/m,
  },
  {
    name: 'two SPF records',
    edit: (zone) => `${zone}@ TXT "v=spf1 include:spf-many.test -all"\n`,
    found: ['spf problem'],
    says: /There are 2 SPF records/,
    mend: /Make one record/,
  },
  {
    name: 'SPF without our address',
    edit: replace(SPF, spf('v=spf1 ip4:192.0.9.1 ip6:2001:db8:1::/48 -all')),
    found: ['spf problem'],
    says: /127\.0\.0\.1 is not allowed to send \(fail/,
    mend: /v=spf1 ip4:192\.0\.9\.1 ip6:2001:db8:1::\/48 ip4:127\.0\.0\.1 -all/,
  },
  {
    name: 'SPF that lets everybody send',
    edit: replace(SPF, spf('v=spf1 mx +all')),
    found: ['spf problem'],
    says: /lets everybody send/,
    mend: /v=spf1 mx -all/,
  },
  {
    name: 'SPF with more lookups than receivers make',
    edit: replace(SPF, spf(`v=spf1 ${INCLUDES} mx -all`)),
    found: ['spf problem'],
    says: /more than 10 terms/,
    mend: /v=spf1 mx -all/,
  },
  {
    name: 'SPF that forbids nobody',
    edit: replace(SPF, spf('v=spf1 mx ?all')),
    found: ['spf warning'],
    says: /ends in "\?all"/,
    mend: /"v=spf1 mx -all"/,
  },
  {
    name: 'a DKIM key that is not published',
    edit: without(/^r\._domainkey/),
    found: ['dkim problem'],
    says: /The key is not published/,
    mend: /^r\._domainkey\.dkim-none\.test\. 3600 IN TXT "v=DKIM1; k=rsa; p=[^"]+" "[^"]+"$/m,
  },
  {
    name: 'the key of another server',
    edit: replace(
      /(^e\._domainkey.*p=)[^"]+/m,
      '$1MCowBQYDK2VwAyEAFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFE=',
    ),
    found: ['dkim problem'],
    says: /is not the one we sign with/,
    mend: /^e\._domainkey\.dkim-other\.test\. /m,
  },
  {
    name: 'a revoked key',
    edit: replace(/(^e\._domainkey.*p=)[^"]+/m, '$1'),
    found: ['dkim problem'],
    says: /revoked/,
    mend: /^e\._domainkey\./m,
  },
  {
    name: 'a key that is said to be a test',
    edit: replace(/(^e\._domainkey.*v=DKIM1;)/m, '$1 t=y;'),
    found: ['dkim warning'],
    says: /only testing/,
    mend: /^e\._domainkey\./m,
  },
  {
    name: 'no DMARC record',
    edit: without(/v=DMARC1/),
    found: ['dmarc problem'],
    says: /There is no DMARC record/,
    mend: /^_dmarc\.dmarc-none\.test\. 3600 IN TXT "v=DMARC1; p=none; rua=mailto:postmaster@dmarc-none\.test"$/m,
  },
  {
    name: 'DMARC that only watches',
    edit: replace('p=reject', 'p=none'),
    found: ['dmarc warning'],
    says: /p=none/,
    mend: /v=DMARC1; p=quarantine;/,
  },
  {
    name: 'two DMARC records',
    edit: (zone) => `${zone}_dmarc TXT "v=DMARC1; p=none"\n`,
    found: ['dmarc problem'],
    says: /2 DMARC records/,
    mend: /Remove all but one/,
  },
  {
    name: 'a DMARC policy that cannot be read',
    edit: replace('p=reject', 'p=rejekt'),
    found: ['dmarc problem'],
    says: /cannot be read/,
    mend: /v=DMARC1; p=none/,
  },
  {
    name: 'DMARC reports to somebody who has not agreed',
    edit: replace(/rua=mailto:[^"]+/, 'rua=mailto:x@host.test'),
    found: ['dmarc problem'],
    says: /has not agreed/,
    mend: /^dmarc-consent\.test\._report\._dmarc\.host\.test\. 3600 IN TXT "v=DMARC1"$/m,
  },
  {
    name: 'DMARC that refuses our own mail',
    edit: both(NO_DKIM, replace(SPF, spf('v=spf1 ip4:192.0.9.1 -all'))),
    found: ['dkim problem', 'dkim problem', 'dmarc problem', 'spf problem'],
    says: /Our own mail fails it/,
    mend: /Mend DKIM and SPF/,
  },
  {
    name: 'no MTA-STS record',
    edit: without(/_mta-sts/),
    found: ['mta-sts warning'],
    says: /There is no MTA-STS record/,
    mend: /^_mta-sts\.sts-none\.test\. 3600 IN TXT "v=STSv1; id=[0-9a-f]{20}"$/m,
  },
  {
    name: 'an MTA-STS record without a policy',
    edit: without(/^mta-sts\./),
    found: ['mta-sts problem'],
    says: /cannot be fetched: mta-sts\.sts-lost\.test has no address/,
    mend: /curl -v https:\/\/mta-sts\.sts-lost\.test\/\.well-known\/mta-sts\.txt/,
  },
  {
    name: 'an MTA-STS policy for another host',
    edit: (zone) => zone,
    found: ['mta-sts problem'],
    says: /names other\.example, but not mail\.host\.test\. Hosts that keep to it do not deliver/,
    mend: /mx: mail\.host\.test/,
  },
  {
    name: 'an MTA-STS id of an older policy',
    edit: replace(/id=[0-9a-f]+/, 'id=20200101'),
    found: ['mta-sts warning'],
    says: /not that of the policy we serve/,
    mend: /v=STSv1; id=[0-9a-f]{20}/,
  },
  {
    name: 'no TLS-RPT record',
    edit: without(/v=TLSRPTv1/),
    found: ['tls-rpt warning'],
    says: /There is no TLS-RPT record/,
    mend: /^_smtp\._tls\.tlsrpt-none\.test\. 3600 IN TXT "v=TLSRPTv1; rua=mailto:postmaster@tlsrpt-none\.test"$/m,
  },
  {
    name: 'CAA that forbids our authority',
    edit: replace('"letsencrypt.org"', '"other-ca.example"'),
    found: ['caa problem'],
    says: /allows other-ca\.example, but our certificates come from letsencrypt\.org/,
    mend: /IN CAA 0 issue "letsencrypt\.org"/,
  },
  {
    name: 'SRV to another host',
    edit: replace(/(^_imaps.*SRV 0 1 993 ).*$/m, '$1other.srv-other.test.'),
    found: ['srv problem'],
    says: /_imaps\._tcp\.srv-other\.test leads to other\.srv-other\.test:993/,
    mend: /^_imaps\._tcp\.srv-other\.test\. 3600 IN SRV 0 1 993 mail\.host\.test\.$/m,
  },
  {
    name: 'no SRV records',
    edit: without(/ SRV /),
    found: ['srv warning'],
    says: /6 of 6 are missing/,
    mend: /^_submissions\._tcp\./m,
  },
  {
    name: 'no name for autoconfig',
    edit: without(/^autoconfig\./),
    found: ['autoconfig warning'],
    says: /no address/,
    mend: /^autoconfig\.autoconfig-none\.test\. 3600 IN CNAME mail\.host\.test\.$/m,
  },
  {
    name: 'a server of the zone that does not serve it',
    edit: (zone) => `@ NS ns\n@ NS ns3\nns3 A 127.0.0.3\n${zone}`,
    found: ['zone warning'],
    says: /ns3\.zone-lame\.test \[127\.0\.0\.3\] does not answer/,
    mend: /remove its NS record/,
  },
];

/** "MX to another host" has the domain mx-other.test: the names stand in what is expected. */
const NAMES = [
  'mx-none',
  'mx-other',
  'mx-behind',
  'mx-second',
  'mx-address',
  'mx-null',
  'spf-none',
  'spf-two',
  'spf-foreign',
  'spf-all',
  'spf-many',
  'spf-soft',
  'dkim-none',
  'dkim-other',
  'dkim-revoked',
  'dkim-test',
  'dmarc-none',
  'dmarc-watch',
  'dmarc-two',
  'dmarc-typo',
  'dmarc-consent',
  'dmarc-self',
  'sts-none',
  'sts-lost',
  'sts-other',
  'sts-old',
  'tlsrpt-none',
  'caa-other',
  'srv-other',
  'srv-none',
  'autoconfig-none',
  'zone-lame',
].map((name) => `${name}.test`);

/** Forms of SPF that are right, whatever they look like; 127.0.0.1 must pass by each. */
const GOOD_SPF = [
  'v=spf1 +mx -all',
  'v=spf1 a:mail.host.test ~all',
  'V=SPF1 ip4:127.0.0.0/8 ip6:::1 -all',
  'v=spf1 include:_spf.host.test -all',
  'v=spf1 redirect=_spf.host.test',
  'v=spf1 exists:%{i}.spf-ok.host.test -all',
];

const HOST_ZONE = `
mail A 127.0.0.1
mail TXT "v=spf1 a -all"
wrong A 127.0.0.9
wrong TXT "v=spf1 a:mail.host.test -all"
bare A 127.0.0.1
named A 127.0.0.4
named TXT "v=spf1 a -all"
nameless A 127.0.0.5
nameless TXT "v=spf1 a -all"
liar A 127.0.0.6
liar TXT "v=spf1 a -all"
_spf TXT "v=spf1 ip4:127.0.0.1 -all"
127.0.0.1.spf-ok A 127.0.0.2
@ CAA 0 issue "letsencrypt.org"
`;

const REVERSE_ZONE = `
1.0.0 PTR mail.host.test.
4.0.0 PTR other.host.test.
4.0.0 PTR named.host.test.
6.0.0 PTR elsewhere.host.test.
8.0.0 PTR mail.host.test.
`;

const LISTS_ZONE = `
2.0.0.127.ip A 127.0.0.2
4.0.0.127.ip A 127.0.0.4
4.0.0.127.ip TXT "it sends spam, see https://bl.test/?q=127.0.0.4"
2.0.0.127.blocked A 127.0.0.2
1.0.0.127.refused A 127.255.255.254
2.0.0.127.refused A 127.255.255.254
`;

function states(lines: readonly DoctorLine[]): string[] {
  return lines.flatMap(({ check, state }) => (state === 'ok' ? [] : [`${check} ${state}`])).toSorted();
}

function text(lines: readonly DoctorLine[]): string {
  return lines
    .map(
      ({ check, state, subject, found, mend }) =>
        `${state} ${check} ${subject}: ${found}\n${mend.join('\n')}`,
    )
    .join('\n');
}

describe('postern doctor', { skip: skipWithout('knotd', 'unbound', 'openssl') }, () => {
  let world: BrokenWorld;
  const closers: (() => Promise<unknown>)[] = [];

  before(async () => {
    assert.equal(NAMES.length, FAULTS.length);
    const good = GOOD_SPF.map((record, i) => ({
      name: `good-spf-${i}.test`,
      edit: replace(SPF, spf(record)),
    }));
    world = await startBrokenWorld({
      domains: [
        { name: 'good.test' },
        { name: 'late.test' },
        { name: 'bogus.test', bogus: true },
        { name: 'gone.test', unserved: true },
        { name: 'split.test', edit: (zone) => `@ NS ns\n@ NS ns2\nns2 A 127.0.0.2\n${zone}` },
        ...good,
        ...FAULTS.map(({ edit }, i) => ({
          name: NAMES[i] ?? '',
          edit: (zone: string) => edit(zone) + (NAMES[i] === 'spf-many.test' ? `\n${LOOKUPS}\n` : ''),
        })),
      ],
      zones: [
        { name: 'test', records: '' },
        { name: 'host.test', records: HOST_ZONE },
        { name: '127.in-addr.arpa', records: REVERSE_ZONE },
        { name: 'bl.test', records: LISTS_ZONE },
        { name: 'big.test', records: '@ MX 10 mx\nmx A 127.0.0.1\n' },
        {
          name: 'signed.test',
          records: `mail A 127.0.0.1\nmail TXT "v=spf1 a -all"\n_25._tcp.mail TLSA 3 1 1 ${'ab'.repeat(32)}\n`,
          signed: true,
        },
      ],
      second: (zone) => [
        {
          name: 'split.test',
          records: `@ NS ns\n@ NS ns2\nns2 A 127.0.0.2\n${zone('split.test').replace('mail.host.test', 'old.host.test')}`,
        },
      ],
      policies: {
        'mta-sts.sts-other.test':
          'version: STSv1\r\nmode: enforce\r\nmx: other.example\r\nmax_age: 86400\r\n',
      },
    });
  });
  after(async () => {
    for (const close of closers) await close();
    await world.stop();
  });

  /** Lines of a broken domain: what is wrong, and nothing else. */
  async function expectDomain(name: string, expected: readonly string[]): Promise<string> {
    const lines = await world.domainLines(name);
    assert.deepEqual(states(lines), [...expected], text(lines));
    return text(lines.filter(({ state }) => state !== 'ok'));
  }

  test('a domain whose zone is the one we give has nothing wrong', async () => {
    const lines = await world.domainLines('good.test');
    assert.deepEqual(states(lines), [], text(lines));
    for (const check of [
      'zone',
      'mx',
      'spf',
      'dkim',
      'dmarc',
      'mta-sts',
      'tls-rpt',
      'caa',
      'srv',
      'autoconfig',
    ])
      assert.ok(
        lines.some((line) => line.check === check),
        `${check} was not looked at`,
      );
  });

  for (const [i, { name, found, says, mend }] of FAULTS.entries()) {
    test(`domain: ${name}`, async () => {
      const told = await expectDomain(NAMES[i] ?? '', found);
      assert.match(told, says);
      assert.match(told, mend);
    });
  }

  for (const [i, record] of GOOD_SPF.entries()) {
    test(`SPF that is right: ${record}`, async () => {
      await expectDomain(`good-spf-${i}.test`, []);
    });
  }

  test('domain: not there at all', async () => {
    const lines = await world.domainLines('gone.test');
    assert.equal(lines.find(({ check }) => check === 'zone')?.state, 'problem', text(lines));
    assert.match(text(lines), /DNS knows no such domain/);
    assert.match(text(lines), /whois gone\.test/);
  });

  test('domain: DNSSEC is broken, and nothing about it counts as all right', async () => {
    const lines = await world.domainLines('bogus.test');
    const zone = lines.find(({ check }) => check === 'zone');
    assert.equal(zone?.state, 'problem', text(lines));
    assert.match(text(lines), /delv bogus\.test SOA/);
    assert.ok(
      lines.every(({ state }) => state !== 'ok'),
      text(lines),
    );
  });

  test('domain: its servers do not agree', async () => {
    const told = await expectDomain('split.test', ['mx warning']);
    assert.match(told, /do not agree: ns\.split\.test and ns2\.split\.test/);
  });

  test('domain: a change that others do not see yet', async () => {
    await world.domainLines('late.test');
    await world.dns.change(
      'late.test',
      world
        .zone('late.test')
        .replace(/^.*v=TLSRPTv1.*$/m, '_smtp._tls TXT "v=TLSRPTv1; rua=mailto:x@late.test"'),
    );
    const told = await expectDomain('late.test', ['tls-rpt warning']);
    assert.match(told, /The resolver still has another answer for up to \d+ s more/);
  });

  test('a server that is all right', async () => {
    const lines = await world.serverLines();
    assert.deepEqual(states(lines), [], text(lines));
    for (const check of [
      'name',
      'address',
      'reverse',
      'hello-spf',
      'ports',
      'certificate',
      'tlsa',
      'open-relay',
      'outbound',
      'lists',
      'time',
      'disk',
    ])
      assert.ok(
        lines.some((line) => line.check === check),
        `${check} was not looked at`,
      );
  });

  type Change = NonNullable<Parameters<BrokenWorld['serverLines']>[0]>;

  async function expectServer(
    change: Change,
    expected: readonly string[],
    says: RegExp,
    mend: RegExp,
  ): Promise<void> {
    const lines = await world.serverLines(change);
    assert.deepEqual(states(lines), expected, text(lines));
    const told = text(lines.filter(({ state }) => state !== 'ok'));
    assert.match(told, says);
    assert.match(told, mend);
  }

  /** The listeners of the running server, one of them another one. */
  function listeners(service: string, port: number): DoctorListener[] {
    return world.server.listeners.map((one) => ({
      service: one.service,
      address: one.address,
      port: one.service === service ? port : one.port,
    }));
  }

  async function closedPort(): Promise<number> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    await new Promise((resolve) => server.close(resolve));
    return port;
  }

  async function tlsPort(issued: Pick<Issued, 'cert' | 'key'>): Promise<number> {
    const server = createTls({ cert: issued.cert, key: issued.key }, (socket) => socket.end());
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    closers.push(() => new Promise((resolve) => server.close(resolve)));
    return (server.address() as AddressInfo).port;
  }

  async function smtpPort(options: SmtpPeerOptions): Promise<number> {
    const peer = await startSmtpPeer(options);
    closers.push(() => peer.close());
    return peer.port;
  }

  const withImaps = async (issued: Pick<Issued, 'cert' | 'key'>): Promise<Change> => ({
    facts: { listeners: listeners('imaps', await tlsPort(issued)) },
  });

  test('server: a name that is none', () =>
    expectServer(
      { facts: { hostname: 'mailhost' } },
      ['certificate problem', 'name problem', 'reverse warning'],
      /no name that the Internet knows/,
      /Set hostname =/,
    ));

  test('server: its name leads elsewhere', () =>
    expectServer(
      { facts: { hostname: 'wrong.host.test' } },
      ['address problem', 'certificate problem', 'reverse warning'],
      /It leads to 127\.0\.0\.9, which is not an address of this machine \(127\.0\.0\.1\)/,
      /^wrong\.host\.test\. 3600 IN A 127\.0\.0\.1$/m,
    ));

  test('server: an address without a name', () =>
    expectServer(
      { facts: { hostname: 'nameless.host.test', addresses: ['127.0.0.5'] } },
      ['certificate problem', 'reverse problem'],
      /no PTR record/,
      /^5\.0\.0\.127\.in-addr\.arpa\. 3600 IN PTR nameless\.host\.test\./m,
    ));

  test('server: an address whose name does not lead back', () =>
    expectServer(
      { facts: { hostname: 'liar.host.test', addresses: ['127.0.0.6'] } },
      ['certificate problem', 'reverse problem'],
      /elsewhere\.host\.test, which does not lead back/,
      /IN PTR liar\.host\.test\./,
    ));

  test('server: a second address without A record and SPF', () =>
    expectServer(
      { facts: { addresses: ['127.0.0.1', '127.0.0.8'] } },
      ['address warning', 'hello-spf problem', 'reverse problem'],
      /not to 127\.0\.0\.8/,
      /^mail\.host\.test\. 3600 IN A 127\.0\.0\.8$/m,
    ));

  test('server: notifications without SPF', () =>
    expectServer(
      { facts: { hostname: 'bare.host.test' } },
      ['certificate problem', 'hello-spf warning', 'reverse warning'],
      /There is no SPF record/,
      /^bare\.host\.test\. 3600 IN TXT "v=spf1 a -all"$/m,
    ));

  test('server: addresses that only DNS knows are not believed', () =>
    expectServer(
      { facts: { addresses: [] } },
      ['address unknown'],
      /cannot be seen from here/,
      /curl -4 https:\/\/icanhazip\.com/,
    ));

  test('server: nobody came from outside, so the port may be closed there', () =>
    expectServer(
      { facts: { visitor: async () => undefined } },
      ['ports unknown', 'ports unknown', 'ports unknown'],
      /cannot be seen from here/,
      /nc -vz mail\.host\.test 25 {3}# on another machine/,
    ));

  test('server: a port that does not answer', async () =>
    expectServer(
      { facts: { listeners: listeners('imaps', await closedPort()) } },
      ['ports problem'],
      /does not answer \(ECONNREFUSED\)/,
      /ss -ltnp/,
    ));

  test('server: nothing listens at port 25', () =>
    expectServer(
      { facts: { listeners: listeners('', 0).filter(({ service }) => service !== 'smtp') } },
      ['ports problem'],
      /Nothing listens there/,
      /listen\.smtp = \["\*:25"\]/,
    ));

  test('server: no STARTTLS', async () =>
    expectServer(
      { facts: { listeners: listeners('smtp', await smtpPort({ script: { RCPT: '550 5.7.1 no' } })) } },
      ['certificate problem'],
      /There is no STARTTLS/,
      /certificates\.md/,
    ));

  test('server: a certificate for another name', async () =>
    expectServer(
      await withImaps(world.authority.issue(['other.test'])),
      ['certificate problem'],
      /is for other\.test, not for mail\.host\.test/,
      /postern certificate list/,
    ));

  test('server: a certificate that ends soon', async () =>
    expectServer(
      await withImaps(world.authority.issue([HOST], { days: 5 })),
      ['certificate problem'],
      /ends in [45] days/,
      /postern certificate/,
    ));

  test('server: a certificate that ends in two weeks', async () =>
    expectServer(
      await withImaps(world.authority.issue([HOST], { days: 14 })),
      ['certificate warning'],
      /ends in 1[34] days/,
      /postern certificate/,
    ));

  test('server: a certificate without the one of its authority', async () => {
    const { key, cert } = world.authority.below('Intermediate').issue([HOST]);
    const alone = `${cert.slice(0, cert.indexOf('-----END CERTIFICATE-----'))}-----END CERTIFICATE-----\n`;
    await expectServer(
      await withImaps({ cert: alone, key }),
      ['certificate problem'],
      /chain is not complete/,
      /openssl s_client/,
    );
  });

  test('server: a certificate of nobody', async () =>
    expectServer(
      await withImaps(createAuthority('Nobody').issue([HOST])),
      ['certificate problem'],
      /nobody knows that authority|signed by nobody/,
      /postern certificate/,
    ));

  test('server: an open relay', async () => {
    const pair = world.authority.issue([HOST]);
    await expectServer(
      { facts: { listeners: listeners('smtp', await smtpPort({ tls: pair })) } },
      ['open-relay problem'],
      /A stranger may send to someone@open-relay-test\.invalid/,
      /swaks --server mail\.host\.test/,
    );
  });

  test('server: a relay by the percent trick', async () => {
    const pair = world.authority.issue([HOST]);
    const script = { RCPT: (argument: string) => (argument.includes('%') ? undefined : '550 5.7.1 no') };
    await expectServer(
      { facts: { listeners: listeners('smtp', await smtpPort({ tls: pair, script })) } },
      ['open-relay problem'],
      /someone%open-relay-test\.invalid@/,
      /swaks/,
    );
  });

  test('server: put off is not refused', async () => {
    const pair = world.authority.issue([HOST]);
    const script = { RCPT: '451 4.7.1 later' };
    await expectServer(
      { facts: { listeners: listeners('smtp', await smtpPort({ tls: pair, script })) } },
      ['open-relay unknown'],
      /put off/,
      /swaks/,
    );
  });

  test('server: port 25 of others is closed', async () =>
    expectServer(
      { options: { smtpPort: await closedPort() } },
      ['outbound problem'],
      /No mail host could be reached/,
      /blocked-port-25\.md/,
    ));

  test('server: nobody knows a big provider', () =>
    expectServer(
      { options: { bigDomains: ['gone.test'] } },
      ['outbound unknown'],
      /Nobody could be asked/,
      /nc -vz/,
    ));

  test('server: on a list of spammers', () =>
    expectServer(
      { facts: { hostname: 'named.host.test', addresses: ['127.0.0.4'] } },
      ['certificate problem', 'lists problem'],
      /127\.0\.0\.4 is listed \(127\.0\.0\.4\)\. It says "it sends spam/,
      /dig 4\.0\.0\.127\.ip\.bl\.test TXT/,
    ));

  test('server: a list that does not answer us', () =>
    expectServer(
      { options: { lists: ['refused.bl.test', 'nothing.bl.test'] } },
      ['lists unknown', 'lists unknown'],
      /does not answer questions of our resolver/,
      /dig \S+\.refused\.bl\.test TXT @RESOLVER/,
    ));

  test('server: a clock that is wrong', async () => {
    world.time.offset = 120;
    try {
      await expectServer({}, ['time problem'], /120 s behind/, /timedatectl set-ntp true/);
      world.time.offset = -10;
      await expectServer({}, ['time warning'], /10 s ahead of/, /timedatectl/);
    } finally {
      world.time.offset = 0;
    }
  });

  test('server: no time server', async () =>
    expectServer(
      { options: { timeServers: [`127.0.0.1:${await closedPort()}`] } },
      ['time unknown'],
      /No time server answered/,
      /timedatectl/,
    ));

  test('server: a full disk', () =>
    expectServer(
      { options: { diskReserve: { bytes: 2 ** 60, percent: 0 } } },
      ['disk problem'],
      /MiB are free.*new mail is put off/,
      /du -xh/,
    ));

  test('server: a TLSA record for another certificate', () =>
    expectServer(
      { facts: { hostname: 'mail.signed.test' } },
      ['certificate problem', 'reverse warning', 'tlsa problem'],
      /does not fit our certificate/,
      /^_25\._tcp\.mail\.signed\.test\. 3600 IN TLSA 3 1 1 [0-9a-f]{64}$/m,
    ));

  test('what others say is quoted in full sentences, and every line that is not ok says how to mend it', async () => {
    const begun = systemClock.now();
    for (const name of ['dmarc-self.test', 'bogus.test', 'gone.test'])
      for (const line of await world.domainLines(name)) {
        if (line.state === 'ok') continue;
        assert.ok(line.mend.length > 0, `${line.check}: ${line.found}`);
        assert.match(line.found, /[.]$/, line.found);
        assert.ok(line.why.length > 0);
      }
    assert.ok(begun > 0);
  });
});
