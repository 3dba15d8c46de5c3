import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { describe, test } from 'node:test';
import { claimsAuthservId } from './authserv-id.ts';
import {
  authenticationResults,
  authenticationResultsField,
  mergeResults,
  type MethodResult,
} from './build.ts';
import { arcMethod, authMethod, dkimMethod, dmarcMethod, iprevMethod, spfMethod } from './methods.ts';
import { parseAuthenticationResults, propertyOf } from './parse.ts';

const spf = {
  result: 'pass',
  identity: 'mailfrom',
  domain: 'example.org',
  reason: '192.0.2.1 matches "mx" of example.org',
  lookups: 1,
  voidLookups: 0,
} as const;
const dkim = {
  status: 'pass',
  reason: 'good',
  domain: 'example.org',
  selector: 'sel',
  algorithm: 'rsa-sha256',
  signatureStart: 'Ab+/cd12',
  keyBits: 2048,
} as const;
const dmarc = {
  result: 'fail',
  reason: 'neither DKIM nor SPF speaks for example.org',
  domain: 'example.org',
  orgDomain: 'example.org',
  policy: 'quarantine',
  disposition: 'quarantine',
  testing: false,
  alignedBy: { dkim: undefined, spf: undefined },
  record: undefined,
  recordDomain: undefined,
} as const;
const link = {
  instance: 1,
  domain: 'list.example',
  selector: 's',
  cv: 'none',
  messageDomain: '',
  signedNames: [],
  sealedAtMs: 0,
  resultsText: '',
} as const;

describe('our field', () => {
  const results: MethodResult[] = [
    dmarcMethod(dmarc),
    dkimMethod(dkim),
    dkimMethod({
      ...dkim,
      status: 'fail',
      reason: 'the body was changed',
      algorithm: 'ed25519-sha256',
      keyBits: 256,
    }),
    spfMethod(spf, 'ann@example.org'),
    ...[arcMethod({ status: 'pass', reason: '', links: [link] })].flatMap((each) => each ?? []),
    iprevMethod({ result: 'pass', ip: '2001:db8::1', name: 'mail.example.org', claimed: [], reason: '' }),
    authMethod({ address: 'bob@example.net', mechanism: 'PLAIN' }),
  ];
  const field = authenticationResultsField('mx.example.net', results).toString('latin1');

  test('is folded, one method a line, and ends in CRLF', () => {
    assert.deepEqual(field.split('\r\n'), [
      'Authentication-Results: mx.example.net;',
      '\tdmarc=fail reason="neither DKIM nor SPF speaks for example.org"',
      '\tpolicy.dmarc=quarantine header.from=example.org;',
      '\tdkim=pass (2048-bit key) header.d=example.org header.s=sel',
      '\theader.a=rsa-sha256 header.b=Ab+/cd12;',
      '\tdkim=fail (256-bit key) reason="the body was changed" header.d=example.org',
      '\theader.s=sel header.a=ed25519-sha256 header.b=Ab+/cd12;',
      '\tspf=pass reason="192.0.2.1 matches \\"mx\\" of example.org"',
      '\tsmtp.mailfrom=ann@example.org;',
      '\tarc=pass (i=1 list.example);',
      '\tiprev=pass (mail.example.org) policy.iprev="2001:db8::1";',
      '\tauth=pass (PLAIN) smtp.auth=bob@example.net',
      '',
    ]);
  });

  test('says none when there is nothing to tell', () => {
    assert.equal(authenticationResults('mx.example.net', []), 'mx.example.net; none');
  });

  test('a chain that DNS left open is not told as one of the three words', () => {
    assert.equal(arcMethod({ status: 'temperror', reason: '', links: [] }), undefined);
  });

  test('nothing a stranger chose gets out of its value', () => {
    const evil = [
      'any@legitimate.example(a.evil.example',
      "any@legitimate.example'@evil.example",
      'a"; dmarc=pass header.from=bank.example',
      'a\r\nAuthentication-Results: mx.example.net; dmarc=pass',
      'x\\',
      'a;b c=d',
      '',
      'y'.repeat(5000),
    ];
    for (const sender of evil) {
      const text = authenticationResults('mx.example.net', [
        { ...spfMethod({ ...spf, reason: sender }, sender), comment: sender },
        { method: 'dmarc', result: 'fail' },
      ]);
      const parsed = parseAuthenticationResults(text);
      assert.deepEqual(
        parsed?.results.map(({ method, result }) => `${method}=${result}`),
        ['spf=pass', 'dmarc=fail'],
        text,
      );
      assert.equal(
        propertyOf(parsed?.results[0] ?? { method: '', result: '' }, 'smtp.mailfrom'),
        sender.slice(0, 320).replace(/[\r\n]/g, '?'),
      );
      assert.ok(text.split('\r\n').every((line, i) => i === 0 || line.startsWith('\t')));
    }
  });

  const noPython =
    spawnSync('/usr/bin/python3', ['-c', 'import authres']).status === 0
      ? false
      : 'python3-authres is not here';
  test('is understood by authres', { skip: noPython }, () => {
    const script =
      'import sys, authres\nh = authres.AuthenticationResultsHeader.parse(sys.stdin.read())\n' +
      'print(h.authserv_id, *[r.method + "=" + r.result + ":" + ",".join(p.type + "." + p.name + "=" + p.value for p in r.properties) for r in h.results], sep="|")';
    const known = results.filter(({ method }) => method !== 'arc');
    const input = authenticationResultsField('mx.example.net', known)
      .toString()
      .replace(/\r\n/g, '\n')
      .trimEnd();
    const out = execFileSync('/usr/bin/python3', ['-c', script], { input, encoding: 'utf8' })
      .trim()
      .split('|');
    assert.equal(out[0], 'mx.example.net');
    assert.equal(out[1], 'dmarc=fail:policy.dmarc=quarantine,header.from=example.org');
    assert.equal(out[2], 'dkim=pass:header.d=example.org,header.s=sel,header.a=rsa-sha256,header.b=Ab+/cd12');
    assert.equal(out[4], 'spf=pass:smtp.mailfrom=ann@example.org');
    assert.equal(out[5], 'iprev=pass:policy.iprev=2001:db8::1');
  });
});

describe('fields of others', () => {
  const parse = (value: string): string => {
    const parsed = parseAuthenticationResults(value);
    if (parsed === undefined) return 'unreadable';
    const results = parsed.results.map(({ method, result, properties = [] }) =>
      `${method}=${result} ${properties.map((p) => p.join('=')).join(' ')}`.trim(),
    );
    return [parsed.authservId, ...results].join(' | ');
  };
  const cases: readonly (readonly [value: string, wanted: string])[] = [
    ['example.com; none', 'example.com'],
    ['example.com 1; spf=pass smtp.mailfrom=a@b.example', 'example.com | spf=pass smtp.mailfrom=a@b.example'],
    [
      ' (a (b) c) Example.COM (x);\r\n\tdkim = pass (ok) header.d = b.example',
      'example.com | dkim=pass header.d=b.example',
    ],
    [
      '"example.com"; dmarc=pass (p=none dis=none) header.from=b.example',
      'example.com | dmarc=pass header.from=b.example',
    ],
    [
      'e.example; dkim=pass header.b="ab=;c" header.d=b.example; spf=fail',
      'e.example | dkim=pass header.b=ab=;c header.d=b.example | spf=fail',
    ],
    [
      'e.example; dkim=pass header.b=abc== header.d=b.example',
      'e.example | dkim=pass header.b=abc header.d=b.example',
    ],
    [
      'e.example; dkim=pass reason="a; dmarc=pass" header.d=b.example',
      'e.example | dkim=pass header.d=b.example',
    ],
    ['e.example; spf=pass smtp.mailfrom="a b"@c.example', 'e.example | spf=pass smtp.mailfrom=a b@c.example'],
    [
      'e.example; dkim/1=pass header.i=@b.example; rubbish; =; ;',
      'e.example | dkim=pass header.i=@b.example',
    ],
    ['e.example; (dmarc=pass', 'e.example'],
    ['e.example; spf=pass (dmarc=pass) junk junk smtp.mailfrom=x', 'e.example | spf=pass smtp.mailfrom=x'],
    ['', 'unreadable'],
    ['; spf=pass', 'unreadable'],
    ['(only a comment)', 'unreadable'],
  ];
  for (const [value, wanted] of cases) test(JSON.stringify(value), () => assert.equal(parse(value), wanted));

  test('are bounded', () => {
    const many = parseAuthenticationResults(`a.example${'; spf=pass a.b=c'.repeat(100_000)}`);
    assert.equal(many?.results.length, 100);
    const wide = parseAuthenticationResults(`a.example; spf=pass${' a.b=c'.repeat(100_000)}`);
    assert.equal(wide?.results[0]?.properties?.length, 50);
    for (const piece of ['(', '"', '\\', ';', '=', 'a=']) parseAuthenticationResults(piece.repeat(1_000_000));
  });
});

describe('who says it', () => {
  const ours: readonly (readonly [value: string, claims: boolean])[] = [
    ['mx.example.net; spf=pass', true],
    ['MX.Example.NET; spf=pass', true],
    ['\r\n\t(comment (nested)) mx.example.net 1; spf=pass', true],
    ['"mx.example.net"; spf=pass', true],
    ['"mx\\.example.net" ; spf=pass', true],
    ['mx.example.net', true],
    ['mx.example.net(x); spf=pass', true],
    ['mx.example.net.; spf=pass', true],
    ['\0mx.example.net; spf=pass', true],
    ['other.example; mx.example.net', false],
    ['xmx.example.net; spf=pass', false],
    ['mx.example.net.evil.example; spf=pass', false],
    ['', false],
    ['((((', false],
  ];
  for (const [value, claims] of ours) {
    test(JSON.stringify(value), () => assert.equal(claimsAuthservId(value, 'mx.example.net'), claims));
  }
  test('a name in U-labels is the same name', () => {
    assert.ok(
      claimsAuthservId(
        Buffer.from('b\u00fccher.example; spf=pass').toString('latin1'),
        'xn--bcher-kva.example',
      ),
    );
  });
});

test('our results are merged for a seal, others are left out', () => {
  const header = Buffer.from(
    'Authentication-Results: mx.example.net; spf=pass;\r\nAuthentication-Results: evil.example; dmarc=pass\r\n' +
      'Authentication-Results: mx.example.net;\r\n\tdkim=pass header.d=a.example\r\n\r\n',
  );
  assert.equal(
    mergeResults(header, 'mx.example.net'),
    'mx.example.net; spf=pass; dkim=pass header.d=a.example',
  );
  assert.equal(mergeResults(header, 'no.example.net'), undefined);
});
