/** The inputs known to break mail servers, as far as the content filter reads them. None may throw, or take long. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { evaluate } from '../rules/index.ts';
import { judgeAttachments } from '../attachments/policy.ts';
import { facts, factsOf, htmlFacts, message, PROGRAM, withFiles } from './fixtures.ts';
import type { MessageFacts } from './types.ts';

/** Facts, rules and policy of a message; all strings within their limits. */
function judged(octets: Buffer): MessageFacts {
  const found = factsOf(octets);
  evaluate(found);
  judgeAttachments(found);
  assert.ok(found.text.length <= 65_536 && found.subject.length <= 1024);
  assert.ok(found.fields.length <= 200 && found.parts.length <= 200 && found.urls.length <= 200);
  for (const { value, raw } of found.fields) assert.ok(value.length <= 2048 && raw.length <= 2048);
  for (const { url } of found.urls) assert.ok(url.length <= 512);
  return found;
}

const multipart = (boundary: string, body: string): Buffer =>
  message({ header: [`Content-Type: multipart/mixed; boundary=${boundary}`], body });

test('boundary empty, long, prefix of another, quoted with spaces, missing end', () => {
  judged(multipart('""', '--\r\n\r\nx\r\n----\r\n'));
  judged(multipart('x'.repeat(500), `--${'x'.repeat(500)}\r\n\r\nx`));
  assert.equal(judged(multipart('"a b"', '--a b\r\n\r\nwords\r\n--a b--\r\n')).text, 'words');
  const missing = judged(multipart('b', '--b\r\n\r\nwords\r\n'));
  assert.deepEqual([missing.text.trim(), missing.mime.missingEnd], ['words', true]);
  assert.equal(judged(multipart('b', '--b\r\n\r\nwords\r\n--b--\r\n')).mime.missingEnd, false);
  const prefix = 'Content-Type: multipart/mixed; boundary=ab';
  assert.match(
    judged(multipart('a', `--a\r\n${prefix}\r\n\r\n--ab\r\n\r\ninner\r\n--ab--\r\n--a--\r\n`)).text,
    /inner/,
  );
});

test('10,000 nested multiparts, 1,000 nested messages, mixed recursion', () => {
  const nested = (n: number): string =>
    Array.from(
      { length: n },
      (_, i) => `--b${i}\r\nContent-Type: multipart/mixed; boundary=b${i + 1}\r\n\r\n`,
    ).join('');
  assert.equal(judged(multipart('b0', nested(10_000))).mime.opaque, true);
  const inside = 'Content-Type: message/rfc822\r\n\r\n'.repeat(1000);
  assert.equal(
    judged(message({ header: ['Content-Type: message/rfc822'], body: `${inside}end` })).mime.opaque,
    true,
  );
  const mixed = Array.from(
    { length: 500 },
    (_, i) =>
      `Content-Type: multipart/mixed; boundary=c${i}\r\n\r\n--c${i}\r\nContent-Type: message/rfc822\r\n\r\n`,
  );
  judged(message({ header: ['Content-Type: message/rfc822'], body: mixed.join('') }));
});

test('100,000 parts', () => {
  const found = judged(multipart('b', `${'--b\r\n\r\nx\r\n'.repeat(100_000)}--b--`));
  assert.ok(found.parts.length >= 100 && found.parts.length <= 200);
  assert.ok(
    evaluate(found).some(({ name }) => name === 'MIME_TOO_DEEP'),
    'and said so',
  );
});

test('header without colon, of 1 MB, of 50,000 fields, without end, folded with spaces only, with NUL and raw octets', () => {
  judged(Buffer.from('no colon here\r\nFrom: a@b.example\r\n\r\nx'));
  judged(message({ header: [`X: ${'y '.repeat(500_000)}`] }));
  assert.ok(
    judged(message({ header: Array.from({ length: 50_000 }, (_, i) => `X-${i}: y`) })).fieldCount >= 200,
  );
  judged(Buffer.from(`Subject: ${'x'.repeat(300_000)}`));
  judged(Buffer.from('Subject: a\r\n \r\n \r\n b\r\n\r\nbody'));
  judged(Buffer.from('Subject: a\0b\r\nFrom: \xff\xfe <a@b\xe9.example>\r\n\r\nbody', 'latin1'));
});

test('repeated Content-Type, From and Subject: counted, all senders seen', () => {
  const found = judged(
    Buffer.from(
      'From: a@a.example\r\nFrom: b@b.example\r\nSubject: 1\r\nSubject: 2\r\nContent-Type: text/plain\r\nContent-Type: text/html\r\n\r\nx',
    ),
  );
  assert.deepEqual(
    found.from.map(({ address }) => address),
    ['a@a.example', 'b@b.example'],
  );
  const names = evaluate(found).map(({ name }) => name);
  assert.ok(names.includes('FROM_REPEATED') && names.includes('FIELDS_REPEATED'));
});

test('parameters out of order, with their start missing, with percent garbage', () => {
  const name = (params: string): string | undefined =>
    judged(message({ header: [`Content-Type: application/x-thing; ${params}`], body: 'x' })).parts[0]
      ?.filename;
  assert.equal(name('name*1=b.exe; name*0=a'), 'ab.exe');
  name('name*1=b.exe');
  name("name*=utf-8''%zz%");
  name(`name*0*=utf-8''${'%41'.repeat(5000)}`);
  assert.equal(
    judged(message({ header: ['Content-Type: text/plain; charset="'], body: 'words' })).text,
    'words',
  );
});

test('encoded words cut in mid-character, nested, in unknown sets, with escapes left open', () => {
  const subject = (value: string): string => judged(message({ header: [`Subject: ${value}`] })).subject;
  assert.equal(subject('=?utf-8?B?4oKs4oI=?= =?utf-8?B?rA==?='), '€€');
  subject('=?utf-8?Q?=3D=3Futf-8=3FQ=3Fx=3F=3D?=');
  subject('=?x-none?B?AAAA?=');
  subject('=?utf-7?Q?+AGEAYg-?=');
  subject('=?iso-2022-jp?B?GyRCJQ==?=');
  subject('=?utf-8?B?'.repeat(20_000));
});

test('base64 with noise and without padding, quoted-printable cut off, uuencode, transfer encodings on multiparts', () => {
  const body = (encoding: string, text: string): MessageFacts =>
    judged(message({ header: [`Content-Transfer-Encoding: ${encoding}`], body: text }));
  assert.equal(body('base64', 'aGVs!!bG8').text, 'hello');
  assert.equal(body('base64', `aGVsbG8=${'#'.repeat(10)}`).parts[0]?.brokenBase64, true);
  assert.match(body('quoted-printable', 'caf=C3=A9 =\r\n').text, /café/);
  body('x-uuencode', 'begin 644 x\r\n#86)C\r\n`\r\nend\r\n');
  body('base64', '='.repeat(100_000));
  const wrong = message({
    header: ['Content-Type: multipart/mixed; boundary=b', 'Content-Transfer-Encoding: base64'],
    body: '--b\r\n\r\nwords\r\n--b--\r\n',
  });
  assert.equal(judged(wrong).text, 'words');
  assert.equal(
    judged(message({ header: ['Content-Type: multipart/; boundary=b'], body: '--b\r\n\r\nwords\r\n--b--' }))
      .text,
    'words',
  );
});

test('dates of the year 0 and 99999 and without zone; senders with groups, 10,000 addresses, empty; identifiers of 2,000 characters', () => {
  for (const date of [
    '1 Jan 0000 00:00:00 +0000',
    '1 Jan 99999 00:00:00 +0000',
    '3 Mar 2026 10:00',
    'x'.repeat(10_000),
  ]) {
    judged(message({ header: [`Date: ${date}`] }));
  }
  judged(message({ header: ['From: Group: a@b.example, c@d.example;'] }));
  assert.equal(judged(message({ header: [`To: ${'a@b.example, '.repeat(10_000)}`] })).to.length, 100);
  judged(message({ header: ['From: '] }));
  judged(message({ header: [`Message-ID: <${'x'.repeat(2000)}@a.example>`] }));
  judged(message({ header: ['Message-ID: <a b c>'] }));
  judged(message({ header: [`From: ${'('.repeat(100_000)}`] }));
});

test('HTML: 50,000 nested tables, unclosed tags, attributes without end', () => {
  const tables = judged(
    message({ header: ['Content-Type: text/html'], body: '<table><tr><td>'.repeat(50_000) }),
  );
  assert.equal(tables.html?.depth, 255);
  htmlFacts(`${'<b>'.repeat(30_000)}${'</i>'.repeat(10_000)}`);
  htmlFacts(`<a href="${'x'.repeat(100_000)}`);
  htmlFacts(`<p ${'a=b '.repeat(30_000)}>x</p>`);
  htmlFacts(`<p ${Array.from({ length: 10_000 }, (_, i) => `a${i}=b`).join(' ')}>x</p>`);
  htmlFacts(`<!--${'-'.repeat(100_000)}`);
  htmlFacts('<!'.repeat(60_000));
  htmlFacts('&'.repeat(100_000));
  htmlFacts('&#x110000;&#0;&#xd800;&bogus;&#99999999999;');
  htmlFacts(`<style>${'{'.repeat(20_000)}</style>${'.a{display:none}'.repeat(2000)}`);
  htmlFacts(`<p style="${'a:b;'.repeat(20_000)}">x</p>`);
});

test('HTML: scripts, javascript: and data: URLs, imports, fixed positions, drawings, remote pictures, cid loops, mutation', () => {
  const found = htmlFacts(
    '<script>alert(1)</script><a href="javascript:x()">a</a><a href="data:text/html;base64,eA==">b</a><style>@import "http://x.example/";</style><div style="position:fixed">c</div><svg onload=x><use href="data:x"/></svg><img src="http://x.example/p.png"><img src="cid:self"><math><mtext><table><mglyph><style><!--</style><img title="--&gt;&lt;img src=1 onerror=alert(1)&gt;">',
  );
  assert.equal(found.html?.scripts, 1);
  assert.deepEqual(
    found.urls.filter(({ source }) => source === 'href').map(({ scheme }) => scheme),
    ['javascript', 'data'],
  );
  assert.ok(!found.text.includes('alert'));
});

test('names that objects have of their own', () => {
  const found = htmlFacts(
    '<x __proto__="x" constructor="x"><constructor><toString style="__proto__:1;constructor:2" class="__proto__">words',
  );
  assert.equal(found.text, 'words');
  judged(message({ header: ['__proto__: x', 'constructor: y', 'hasOwnProperty: z'] }));
  assert.equal(facts({ header: ['__proto__: x'] }).fieldCounts.get('__proto__'), 1);
});

test('file names: ../../x, turned around, NUL, 5,000 characters', () => {
  const name = (text: string): string | undefined =>
    judged(withFiles([{ name: text, octets: PROGRAM }])).attachments[0]?.name;
  assert.equal(name('../../etc/passwd'), 'passwd');
  assert.equal(name('..\\\\..\\\\x.exe'), 'x.exe');
  assert.ok(!(name('a\u202egpj.exe') ?? '').includes('\u202e'));
  assert.ok(!(name('a\0.txt') ?? '').includes('\0'));
  assert.ok((name('x'.repeat(5000)) ?? '').length <= 1024);
  const hits = evaluate(judged(withFiles([{ name: 'a\u202egpj.exe', octets: PROGRAM }])));
  assert.ok(
    hits.every(({ text }) => !text.includes('\u202e')),
    'a reason never turns text around',
  );
});

test('TNEF, yEnc, Apple double, S/MIME and PGP are files like others', () => {
  judged(
    withFiles([
      { name: 'winmail.dat', type: 'application/ms-tnef', octets: Buffer.from('789f3e220100', 'hex') },
    ]),
  );
  judged(message({ body: '=ybegin line=128 size=5 name=x.bin\r\n\x92\x8f\r\n=yend size=5\r\n' }));
  const apple = 'Content-Type: application/applefile\r\n\r\nx\r\n--b\r\nContent-Type: image/jpeg\r\n\r\ny';
  judged(
    message({
      header: ['Content-Type: multipart/appledouble; boundary=b'],
      body: `--b\r\n${apple}\r\n--b--\r\n`,
    }),
  );
  const signed = judged(
    withFiles([
      { name: 'smime.p7s', type: 'application/pkcs7-signature', octets: Buffer.from([0x30, 0x80, 6, 9]) },
    ]),
  );
  assert.equal(judgeAttachments(signed).findings.length, 0);
  judged(message({ body: '-----BEGIN PGP MESSAGE-----\r\n\r\nhQEM\r\n-----END PGP MESSAGE-----\r\n' }));
});

test('archives that lie about every length', () => {
  const starts = [
    'PK\x03\x04',
    'PK\x05\x06',
    'Rar!\x1a\x07\0',
    'Rar!\x1a\x07\x01\0',
    "7z\xbc\xaf'\x1c",
    '\x1f\x8b\x08\x1c',
    'MSCF',
    '\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1',
  ];
  for (const start of starts) {
    for (const fill of [0, 1, 0x50, 0x7f, 0x80, 0xff]) {
      for (const length of [0, 10, 40, 300, 5000]) {
        judged(
          withFiles([
            {
              name: 'x.bin',
              octets: Buffer.concat([Buffer.from(start, 'latin1'), Buffer.alloc(length, fill)]),
            },
          ]),
        );
      }
    }
  }
  const ends = Buffer.from('PK\x05\x06'.repeat(20_000), 'latin1');
  judged(withFiles([{ name: 'x.zip', octets: Buffer.concat([Buffer.from('PK\x03\x04'), ends]) }]));
  const records = Buffer.from('\x85\0\x0e\0'.repeat(10_000), 'latin1');
  judged(
    withFiles([
      {
        name: 'x.xls',
        octets: Buffer.concat([
          Buffer.from('d0cf11e0a1b11ae1', 'hex'),
          Buffer.from('Workbook', 'utf16le'),
          records,
        ]),
      },
    ]),
  );
  judged(
    withFiles([
      {
        name: 'x.7z',
        octets: Buffer.concat([Buffer.from("7z\xbc\xaf'\x1c", 'latin1'), Buffer.alloc(26, 0x11)]),
      },
    ]),
  );
});

test('text made for slow patterns', () => {
  const texts = [
    '@'.repeat(60_000),
    'a'.repeat(64_000),
    `${'a@'.repeat(30_000)}`,
    'http://'.repeat(9000),
    'www.'.repeat(15_000),
    `http://${'a.'.repeat(30_000)}`,
    `${'a-'.repeat(30_000)}.com`,
    'a.'.repeat(30_000),
    '1'.repeat(60_000),
    '(dot) '.repeat(10_000),
    `dear ${'a'.repeat(50_000)}@`,
    'begin 644 x\n'.repeat(5000),
    '\u0430a '.repeat(20_000),
    ' '.repeat(60_000),
    'f.r.e.e. '.repeat(7000),
    '!'.repeat(60_000),
    '8'.repeat(10) + ' '.repeat(30_000),
    'to be removed from '.repeat(3000),
    'type '.repeat(12_000),
  ];
  const start = process.cpuUsage();
  for (const text of texts) {
    judged(message({ body: text }));
    judged(
      message({
        header: [
          `Subject: ${text.slice(0, 20_000).replaceAll('\n', ' ')}`,
          `From: "${text.slice(0, 20_000).replaceAll('\n', ' ')}" <a@b.example>`,
        ],
      }),
    );
    judged(message({ header: ['Content-Type: text/html'], body: `<a href="${text}">${text}</a>${text}` }));
    judged(message({ header: [`Received: from ${text.slice(0, 5000).replaceAll('\n', ' ')}`] }));
  }
  const { user } = process.cpuUsage(start);
  // 76 messages; a pattern that goes wrong takes seconds each.
  assert.ok(user < 10_000_000, `${user / 1000} ms`);
});
