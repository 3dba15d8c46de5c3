import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import type { Dns, DnsAnswer, DnsType } from '../dns.ts';
import { checkHost, type SpfInput, type SpfResult } from './check.ts';
import { inNetwork, parseIp, readable, reverseName } from './ip.ts';
import { expand, parseMacroString } from './macro.ts';
import { parseRecord } from './record.ts';

type Entry = readonly unknown[] | DnsAnswer;

/** DNS from a table "name TYPE" -> values; a TXT value is a text, an MX value a host. Counts the questions. */
function table(entries: Record<string, Entry>): Dns & { asked: string[] } {
  const asked: string[] = [];
  const names = new Set(Object.keys(entries).map((key) => key.split(' ')[0]));
  const query = async (name: string, type: DnsType): Promise<DnsAnswer> => {
    asked.push(`${name} ${type}`);
    const entry = entries[`${name.toLowerCase()} ${type}`];
    if (entry === undefined) return { status: names.has(name.toLowerCase()) ? 'nodata' : 'nxdomain' };
    if ('status' in entry) return entry;
    const records = entry.map((value) => {
      if (type === 'TXT') return { text: String(value), chunks: [] };
      return type === 'MX' ? { preference: 10, exchange: String(value) } : value;
    });
    return { status: 'ok', records, ttl: 60, authenticated: false } as DnsAnswer;
  };
  return { asked, query: query as Dns['query'] };
}

const timeout: DnsAnswer = { status: 'temporary', reason: 'timeout' };

function check(entries: Record<string, Entry>, more: Partial<SpfInput> = {}): Promise<SpfResult> {
  return checkHost({
    ip: '192.0.2.3',
    helo: 'mx.example.org',
    mailFrom: 'strong-bad@email.example.com',
    dns: table(entries),
    nowMs: 1_700_000_000_000,
    receiver: 'mx.test',
    ...more,
  });
}

const policy = (text: string): Record<string, Entry> => ({ 'email.example.com TXT': [text] });

const valueOf = (ip: string, v: string) => (letter: string) =>
  ({
    s: 'strong-bad@email.example.com',
    o: 'email.example.com',
    d: 'email.example.com',
    l: 'strong-bad',
    i: ip,
    v,
  })[letter] ?? '';

test('the macros of RFC 7208 section 7.4', async () => {
  const cases: [string, string][] = [
    ['%{s}', 'strong-bad@email.example.com'],
    ['%{o}', 'email.example.com'],
    ['%{d}', 'email.example.com'],
    ['%{d4}', 'email.example.com'],
    ['%{d3}', 'email.example.com'],
    ['%{d2}', 'example.com'],
    ['%{d1}', 'com'],
    ['%{dr}', 'com.example.email'],
    ['%{d2r}', 'example.email'],
    ['%{l}', 'strong-bad'],
    ['%{l-}', 'strong.bad'],
    ['%{lr}', 'strong-bad'],
    ['%{lr-}', 'bad.strong'],
    ['%{l1r-}', 'strong'],
    ['%{ir}.%{v}._spf.%{d2}', '3.2.0.192.in-addr._spf.example.com'],
    ['%{lr-}.lp._spf.%{d2}', 'bad.strong.lp._spf.example.com'],
    ['%{lr-}.lp.%{ir}.%{v}._spf.%{d2}', 'bad.strong.lp.3.2.0.192.in-addr._spf.example.com'],
    ['%{d2}.trusted-domains.example.net', 'example.com.trusted-domains.example.net'],
    ['a%%b%_c%-d', 'a%b c%20d'],
  ];
  for (const [macro, wanted] of cases) {
    assert.equal(await expand(parseMacroString(macro), valueOf('192.0.2.3', 'in-addr')), wanted, macro);
  }
});

const ip = (text: string) => parseIp(text) ?? assert.fail(text);

test('addresses', () => {
  assert.equal(reverseName(ip('192.0.2.3')), '3.2.0.192.in-addr.arpa');
  assert.match(reverseName(ip('2001:db8::cb01')), /^1\.0\.b\.c\.0\..*\.8\.b\.d\.0\.1\.0\.0\.2\.ip6\.arpa$/);
  for (const text of [
    '2001:db8::1',
    '::',
    '::1',
    '1::',
    '2001:db8:0:1:1:1:1:1',
    '::ffff:102:304',
    '1:0:0:2::3',
  ]) {
    assert.equal(readable(ip(text)), text);
  }
  assert.ok(inNetwork(ip('10.1.2.3'), ip('10.1.0.0'), 15));
  assert.ok(!inNetwork(ip('10.2.2.3'), ip('10.1.0.0'), 15));
  assert.ok(inNetwork(ip('10.1.2.3'), ip('99.1.0.0'), 0));
  assert.ok(!inNetwork(ip('10.1.2.3'), ip('::'), 0));
  for (const text of ['', '1.2.3', '1.2.3.4.5', '01.2.3.4', 'fe80::1%eth0', '[::1]'])
    assert.equal(parseIp(text), undefined);
});

describe('results', () => {
  const cases: [string, string, Record<string, Entry>][] = [
    ['v=spf1 ip4:192.0.2.0/24 -all', 'pass', {}],
    ['v=spf1 -ip4:192.0.2.0/24 +all', 'fail', {}],
    ['v=spf1 ~all', 'softfail', {}],
    ['v=spf1', 'neutral', {}],
    ['v=spf1 a:h.example.net -all', 'pass', { 'h.example.net A': ['192.0.2.3'] }],
    [
      'v=spf1 mx:h.example.net/30 -all',
      'pass',
      { 'h.example.net MX': ['m.example.net'], 'm.example.net A': ['192.0.2.1'] },
    ],
    ['v=spf1 a:h.example.net -all', 'temperror', { 'h.example.net A': timeout }],
    ['v=spf1 mx -all', 'temperror', { 'email.example.com MX': timeout }],
    ['v=spf1 exists:h.example.net -all', 'temperror', { 'h.example.net A': timeout }],
    ['v=spf1 include:h.example.net -all', 'temperror', { 'h.example.net TXT': timeout }],
    ['v=spf1 redirect=h.example.net', 'temperror', { 'h.example.net TXT': timeout }],
    ['v=spf1 include:h.example.net -all', 'permerror', {}],
    ['v=spf1 include:h.example.net -all', 'permerror', { 'h.example.net TXT': ['v=spf1 nonsense'] }],
    ['v=spf1 include:h.example.net ?all', 'neutral', { 'h.example.net TXT': ['v=spf1 -all'] }],
    ['v=spf1 redirect=h.example.net', 'permerror', {}],
    ['v=spf1 mx -all', 'fail', { 'email.example.com MX': [''] }],
    ['v=spf1 ptr:example.net -all', 'fail', { '3.2.0.192.in-addr.arpa PTR': timeout }],
    ['v=spf1 all:x', 'permerror', {}],
    ['v=spf1 ip4:192.0.2.0/33', 'permerror', {}],
    ['v=spf1 ip4:192.0.2.0/024', 'permerror', {}],
    ['v=spf1 ip4:192.0.2.256 -all', 'permerror', {}],
    ['v=spf1 a:%{x}.example.com', 'permerror', {}],
    ['v=spf1 a:%{d0}.example.com', 'permerror', {}],
    ['v=spf1 redirect=a.example.com redirect=b.example.com', 'permerror', {}],
  ];
  for (const [text, wanted, more] of cases) {
    test(`${text}: ${wanted} ${JSON.stringify(more).slice(0, 60)}`, async () => {
      const got = await check({ ...policy(text), ...more });
      assert.equal(got.result, wanted, got.reason);
      assert.notEqual(got.reason, '');
    });
  }

  test('no record: none; DNS down: temperror; two records: permerror', async () => {
    assert.equal((await check({})).result, 'none');
    assert.equal((await check({ 'email.example.com TXT': timeout })).result, 'temperror');
    assert.equal(
      (await check({ 'email.example.com TXT': ['v=spf1 -all', 'v=spf1 -all'] })).result,
      'permerror',
    );
  });

  test('an IPv4-mapped client is an IPv4 client', async () => {
    const got = await check(policy('v=spf1 ip4:192.0.2.3 -all'), { ip: '::ffff:192.0.2.3' });
    assert.deepEqual([got.result, got.mechanism], ['pass', 'ip4:192.0.2.3']);
  });

  test('the null reverse-path checks HELO; a client with neither has none', async () => {
    const got = await check({ 'mx.example.org TXT': ['v=spf1 -all'] }, { mailFrom: '' });
    assert.deepEqual([got.result, got.identity, got.domain], ['fail', 'helo', 'mx.example.org']);
    for (const helo of ['[192.0.2.3]', 'localhost', '', 'a..b', '[IPv6:::1]']) {
      assert.equal((await check({}, { mailFrom: '', helo })).result, 'none', helo);
    }
  });

  test('a U-label domain is asked as A-label, a non-ASCII local part never matches (RFC 8616)', async () => {
    const entries = {
      'xn--bcher-kva.example TXT': ['v=spf1 exists:%{l}.example.net ?all'],
      'j.example.net A': ['127.0.0.2'],
    };
    assert.equal((await check(entries, { mailFrom: 'j@b\u00fccher.example' })).result, 'pass');
    assert.equal((await check(entries, { mailFrom: 'j\u00f6@b\u00fccher.example' })).result, 'neutral');
  });
});

/** `term` numbered, `count` times. */
function terms(term: string, count: number): string {
  return Array.from({ length: count }, (_, i) => term.replace('%', String(i))).join(' ');
}

describe('limits', () => {
  test('an include loop stops at ten lookups', async () => {
    const dns = table(policy('v=spf1 include:email.example.com -all'));
    const got = await check({}, { dns });
    assert.deepEqual([got.result, got.lookups, dns.asked.length], ['permerror', 11, 11]);
  });

  test('branching includes spend one budget', async () => {
    const entries: Record<string, Entry> = policy(
      `v=spf1 ${Array.from({ length: 10 }, (_, i) => `include:i${i}.example.net`).join(' ')} -all`,
    );
    for (let i = 0; i < 10; i++) entries[`i${i}.example.net TXT`] = ['v=spf1 include:j.example.net ?all'];
    entries['j.example.net TXT'] = ['v=spf1 -all'];
    const got = await check(entries);
    assert.deepEqual([got.result, got.lookups], ['permerror', 11]);
  });

  for (const term of ['a:x%.example.net', 'mx:x%.example.net', 'exists:x%.example.net']) {
    test(`three void ${term} are too many, two are not, inside an include as well`, async () => {
      assert.equal((await check(policy(`v=spf1 ${terms(term, 3)} -all`))).result, 'permerror');
      const two = await check(policy(`v=spf1 ${terms(term, 2)} -all`));
      assert.deepEqual([two.result, two.voidLookups], ['fail', 2]);
      const inner = {
        ...policy('v=spf1 include:i.example.net -all'),
        'i.example.net TXT': [`v=spf1 ${terms(term, 3)} -all`],
      };
      assert.equal((await check(inner)).result, 'permerror');
    });
  }

  test('an mx of 100 hosts is refused before any is asked', async () => {
    const hosts = Array.from({ length: 100 }, (_, i) => `m${i}.example.net`);
    const dns = table({ ...policy('v=spf1 mx -all'), 'email.example.com MX': hosts });
    assert.equal((await check({}, { dns })).result, 'permerror');
    assert.equal(dns.asked.length, 2);
  });

  test('of 100 PTR names ten are looked at, once for all terms', async () => {
    const names = Array.from({ length: 100 }, (_, i) => `p${i}.example.net`);
    const text = 'v=spf1 ptr:example.com ptr:example.edu exists:%{p}.%{p}.example.com -all';
    const dns = table({ ...policy(text), '3.2.0.192.in-addr.arpa PTR': names });
    assert.equal((await check({}, { dns })).result, 'fail');
    assert.equal(dns.asked.filter((name) => /^p\d+\./.test(name)).length, 10);
  });

  test('a record of 64 KB is a permerror', async () => {
    assert.equal((await check(policy(`v=spf1 ${'ip4:192.0.2.4 '.repeat(5000)}-all`))).result, 'permerror');
  });

  test('an aborted check is a temperror', async () => {
    assert.equal((await check(policy('v=spf1 -all'), { signal: AbortSignal.abort() })).result, 'temperror');
  });
});

const fails = (texts: Entry, more: Record<string, Entry> = {}): Promise<SpfResult> =>
  check({ ...policy('v=spf1 -all exp=why.%{d}'), 'why.email.example.com TXT': texts, ...more });

describe('explanations', () => {
  test('expand, stay one printable line', async () => {
    assert.equal(
      (await fails(['%{i} is not %{d}, says %{r} at %{t}'])).explanation,
      '192.0.2.3 is not email.example.com, says mx.test at 1700000000',
    );
    assert.equal((await fails(['x'.repeat(5000)])).explanation?.length, 400);
  });
  test('are left out when they are wrong, several, absent or out of reach', async () => {
    for (const texts of [['a', 'b'], ['%{x}'], ['caf\u00e9'], ['line\r\nline'], timeout]) {
      const got = await fails(texts);
      assert.deepEqual([got.result, got.explanation], ['fail', undefined]);
    }
  });
  test('of an included domain are not used, of a redirected one are', async () => {
    const other = { 'o.example.net TXT': ['v=spf1 -all exp=e.example.net'], 'e.example.net TXT': ['theirs'] };
    assert.equal(
      (await check({ ...policy('v=spf1 include:o.example.net -all'), ...other })).explanation,
      undefined,
    );
    assert.equal(
      (await check({ ...policy('v=spf1 redirect=o.example.net'), ...other })).explanation,
      'theirs',
    );
  });
});

test('odd local parts and HELO names never break a check, nor the reason', async () => {
  const entries = policy(
    'v=spf1 exists:%{l}.%{h}.%{S}.example.net exists:%{lr.-+,/_=}.example.net a:%{h} -all',
  );
  await fc.assert(
    fc.asyncProperty(
      fc.string({ unit: 'binary', maxLength: 300 }),
      fc.string({ maxLength: 80 }),
      async (local, helo) => {
        const got = await check(entries, { mailFrom: `${local}@email.example.com`, helo });
        assert.ok(['fail', 'permerror'].includes(got.result));
        assert.match(got.reason, /^[\x20-\x7e]+$/);
      },
    ),
    { numRuns: 300 },
  );
});

test('any text is read as a record or refused with a reason', () => {
  const atom = fc.constantFrom(
    'a',
    'mx',
    ':',
    '/',
    '//',
    '32',
    '%',
    '{',
    '}',
    'd',
    'ip4',
    'ip6',
    '::',
    '=',
    'exp',
    ' ',
    '.com',
    '-',
    '\u00ff',
    '\0',
  );
  fc.assert(
    fc.property(fc.array(atom, { maxLength: 30 }), (atoms) => {
      const record = parseRecord(`v=spf1 ${atoms.join('')}`);
      if ('error' in record) assert.match(record.error, /^[\x20-\x7e]+$/);
    }),
    { numRuns: 2000 },
  );
});
