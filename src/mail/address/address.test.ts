import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { domainToDisplay, isHostName, normalizeDomain, sameDomain } from './domain.ts';
import { parseAddressLiteral } from './literal.ts';
import { normalizeLocalPart, splitSubaddress } from './local-part.ts';
import { formatAddress, parsePath, parsePathAndRest } from './path.ts';

const ascii = { smtputf8: false };
const utf8 = { smtputf8: true };

function mailbox(text: string, options = ascii): string {
  const path = parsePath(text, options);
  if (path.kind === 'error') return `${path.problem}`;
  return path.kind === 'mailbox' ? `${path.localPart} ${path.domain}` : path.kind;
}

test('domains have one form', () => {
  const same: [string, string][] = [
    ['Example.COM', 'example.com'],
    ['bücher.example', 'xn--bcher-kva.example'],
    ['BÜCHER.example', 'xn--bcher-kva.example'],
    ['bu\u0308cher.example', 'xn--bcher-kva.example'], // decomposed
    ['XN--BCHER-KVA.example', 'xn--bcher-kva.example'],
    ['straße.de', 'xn--strae-oqa.de'],
    ['\u212aelvin.example', 'kelvin.example'], // Kelvin sign
    ['mail_server.example', 'mail_server.example'],
    ['localhost', 'localhost'],
    ['123.example', '123.example'],
    ['a'.repeat(63), 'a'.repeat(63)],
    ['x\u05d0.example', ''], // a right-to-left letter in a left-to-right label (RFC 5893)
    ['\u05d0.example', 'xn--4db.example'],
  ];
  for (const [written, normal] of same) assert.equal(normalizeDomain(written) ?? '', normal, written);
  assert.ok(sameDomain('Bücher.example', 'xn--bcher-kva.EXAMPLE'));
  assert.ok(!sameDomain('', ''));
  assert.ok(!sameDomain('аpple.com', 'apple.com'), 'a Cyrillic letter makes another domain');
  assert.equal(domainToDisplay('xn--bcher-kva.xn--nonsense-.example'), 'bücher.xn--nonsense-.example');
});

test('invalid domains are refused', () => {
  const bad = [
    ['', '.', 'a..b', '.a', 'a.', '-a.example', 'a-.example', 'a b.example', 'a\0.example', 'a/b', '%61.com'],
    ['1.2.3', '1.2.3.4', '0x7f.1', 'example.1', 'example.0x1', '4294967296'],
    ['xn--a', 'xn--', 'xn--abc-.example', 'xn--ASCII-.example', 'xn--zzzzzzzzzzzz.example'],
    [
      'ｅxample.com',
      'ex\u00adample.com',
      'bü\u00adcher.com',
      'ｂücher.com',
      'example\u3002com',
      'a\uff0eb',
      'a\u202eb.com',
      'a\u200b.com',
    ],
    ['\ufffd.com', '\ud800.com', 'ü/x.com', 'ü:1.com', 'ü@x.com', 'ü x.com', 'user@host', '[1.2.3.4]'],
    ['a'.repeat(64), `${'ü'.repeat(63)}.com`, `${'a.'.repeat(127)}toolong`],
  ].flat();
  for (const domain of bad) assert.equal(normalizeDomain(domain), undefined, JSON.stringify(domain));
  assert.equal(normalizeDomain(`${'a.'.repeat(127)}b`)?.length, 255);
  assert.ok(isHostName('mail.example.org'));
  for (const no of ['mail', 'Mail.example.org', 'a_b.example', '192.0.2.1']) assert.ok(!isHostName(no), no);
});

test('normalizing is idempotent and never yields anything but LDH', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 40 }), (text) => {
      const normal = normalizeDomain(text);
      if (normal === undefined) return;
      assert.match(normal, /^[a-z0-9_.-]+$/);
      assert.equal(normalizeDomain(normal), normal);
      assert.equal(normalizeDomain(domainToDisplay(normal)), normal);
    }),
    { numRuns: 2000 },
  );
});

test('paths that are accepted', () => {
  const good: [string, string][] = [
    ['alice@example.test', 'alice example.test'],
    ['Alice.B+tag@EXAMPLE.test', 'Alice.B+tag example.test'],
    ["!#$%&'*+/=?^_`{|}~-@example.test", "!#$%&'*+/=?^_`{|}~- example.test"],
    ['"a b"@example.test', 'a b example.test'],
    ['"a\\"b"@example.test', 'a"b example.test'],
    ['"a>b@c"@example.test', 'a>b@c example.test'],
    ['"alice"@example.test', 'alice example.test'],
    ['"a..b"@example.test', 'a..b example.test'],
    ['@a.example,@b.example:c@d.example', 'c d.example'],
    ['a@[192.0.2.1]', 'a [192.0.2.1]'],
    ['a@[IPv6:2001:DB8:0::1]', 'a [IPv6:2001:db8::1]'],
    ['a@[ipv6:::1]', 'a [IPv6:::1]'],
    ['', 'null'],
    ['PostMaster', 'postmaster'],
    [`${'l'.repeat(64)}@example.test`, `${'l'.repeat(64)} example.test`],
    [`a@${'d.'.repeat(125)}cc`, `a ${'d.'.repeat(125)}cc`],
  ];
  for (const [text, expected] of good) assert.equal(mailbox(text), expected, text);
  assert.equal(mailbox('пример@bücher.example', utf8), 'пример xn--bcher-kva.example');
  assert.equal(mailbox('"über uns"@example.test', utf8), 'über uns example.test');
  assert.equal(mailbox('пример@example.test'), 'needs-smtputf8');
  assert.equal(mailbox('a@bücher.example'), 'needs-smtputf8');
  const path = parsePath('a@bücher.example', utf8);
  assert.ok(path.kind === 'mailbox' && !path.needsUtf8, 'an IDN alone can go out in ASCII');
});

test('paths that are refused', () => {
  const bad = [
    [
      'alice',
      'alice@',
      '@example.test',
      '@',
      'a@b@c',
      'a b@c.d',
      ' a@c.d',
      'a@c.d ',
      'a@ c.d',
      '<a@c.d>',
      'a@c.d>',
    ],
    ['.a@c.d', 'a.@c.d', 'a..b@c.d', '"a@c.d', '"a"b@c.d', 'a"b"@c.d', '""@c.d', '"a\\"@c.d', '"a\\', '"'],
    [
      'a@[192.0.2.256]',
      'a@[192.0.2]',
      'a@[01.2.3.4]',
      'a@[2001:db8::1]',
      'a@[IPv6:fe80::1%eth0]',
      'a@[]',
      'a@[x:y]',
    ],
    [
      'a@[192.0.2.1',
      'a@192.0.2.1',
      'a@-x.d',
      'a@c..d',
      'a@c.d.',
      'a@c_.d-',
      '(c)a@b.c',
      'a,b@c.d',
      'a;b@c.d',
    ],
    ['@a,@b', '@a,b:c@d', '@a,:c@d', '@:c@d', '@a:', '@a:@b:c@d', 'a@c.d\r\nRCPT', 'a\0@c.d', '"a\0"@c.d'],
    ['"a\\\r"@c.d', '"a\t"@c.d', 'a\x7f@c.d', 'mailto:a@c.d'],
  ].flat();
  for (const text of bad) assert.equal(mailbox(text), 'syntax', JSON.stringify(text));
  const badUtf8 = [
    'a\ufffd@c.d',
    '\ud800@c.d',
    'a\u0085@c.d',
    'a\u2028@c.d',
    'a\u202e@c.d',
    'ü ü@c.d',
    '"ü\u00a0"@c.d',
  ];
  for (const text of badUtf8) assert.equal(mailbox(text, utf8), 'syntax', JSON.stringify(text));
});

test('lengths are counted in octets as written', () => {
  assert.equal(mailbox(`${'l'.repeat(65)}@c.d`), 'too-long');
  assert.equal(mailbox(`"${'l'.repeat(63)}"@c.d`), 'too-long');
  assert.equal(mailbox(`${'ü'.repeat(33)}@c.d`, utf8), 'too-long');
  assert.equal(mailbox(`${'ü'.repeat(32)}@c.d`, utf8), `${'ü'.repeat(32)} c.d`);
  assert.equal(mailbox(`a@${'d.'.repeat(126)}d`), 'too-long');
  assert.equal(mailbox('x'.repeat(1_000_000)), 'too-long');
  const path = parsePath(`${'l'.repeat(65)}@c.d`, { smtputf8: false, maxLocalPartOctets: 128 });
  assert.equal(path.kind, 'mailbox');
});

test('what is formatted parses to the same address', () => {
  assert.equal(formatAddress({ localPart: 'a.b', domain: 'c.d' }), 'a.b@c.d');
  assert.equal(formatAddress({ localPart: 'a"\\ b', domain: 'c.d' }), '"a\\"\\\\ b"@c.d');
  assert.equal(formatAddress({ localPart: '.a', domain: 'c.d' }), '".a"@c.d');
  fc.assert(
    fc.property(fc.string({ unit: 'binary', minLength: 1, maxLength: 20 }), (localPart) => {
      const text = formatAddress({ localPart, domain: 'example.test' });
      const back = parsePath(text, utf8);
      if (back.kind === 'mailbox') assert.equal(back.localPart, localPart);
      const cut = parsePathAndRest(`<${text}> SIZE=1`);
      if (back.kind === 'mailbox') assert.deepEqual(cut, { path: text, rest: ' SIZE=1' });
    }),
    { numRuns: 2000 },
  );
});

test('the end of a path is found behind quoted brackets', () => {
  assert.deepEqual(parsePathAndRest('<a@b.c> SIZE=5'), { path: 'a@b.c', rest: ' SIZE=5' });
  assert.deepEqual(parsePathAndRest('<>'), { path: '', rest: '' });
  assert.deepEqual(parsePathAndRest('<"a>\\"> b"@c.d> X'), { path: '"a>\\"> b"@c.d', rest: ' X' });
  for (const bad of [
    '',
    'a@b.c',
    ' <a@b.c>',
    '<a@b.c',
    '<"a@b.c>',
    '<a@b.c>SIZE=5',
    '<a@b.c>>',
    '<<a@b.c>',
    '<"a\\',
  ]) {
    assert.ok('error' in parsePathAndRest(bad), bad);
  }
});

test('literals, lookup forms and subaddresses', () => {
  assert.deepEqual(parseAddressLiteral('[IPv6:2001:db8::0001]'), {
    ip: '2001:db8::1',
    literal: '[IPv6:2001:db8::1]',
  });
  assert.equal(parseAddressLiteral(`[IPv6:${'0:'.repeat(10_000)}]`), undefined);
  assert.equal(normalizeLocalPart('U\u0308BER'), 'über');
  assert.deepEqual(splitSubaddress('bob+list+x', '+'), { user: 'bob', detail: 'list+x' });
  assert.deepEqual(splitSubaddress('bob+', '+'), { user: 'bob', detail: '' });
  assert.deepEqual(splitSubaddress('+bob', '+'), { user: '+bob', detail: undefined });
  assert.deepEqual(splitSubaddress('bob', '+'), { user: 'bob', detail: undefined });
  assert.deepEqual(splitSubaddress('bob--x', '--'), { user: 'bob', detail: 'x' });
  assert.deepEqual(splitSubaddress('bob+x', ''), { user: 'bob+x', detail: undefined });
});
