import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  encodeBase64,
  encodeQuotedPrintable,
  encodeWords,
  foldField,
  formatAddress,
  formatDate,
  headerSafe,
  makeBoundary,
} from './build.ts';
import { createDecoder, decodeBody, decodedSize, decodeTextBody } from './decode.ts';
import { parseAddressList } from './addresses.ts';
import { parseDate } from './dates.ts';
import { lines, nested } from './fixtures.ts';
import { readHeader, unfold } from './headers.ts';
import { recodeTo7bit } from './recode.ts';
import { scanMessage } from './scanner.ts';
import { eachPart } from './structure.ts';
import { decodeWords } from './words.ts';

const octets = fc.uint8Array({ maxLength: 400 }).map((bytes) => Buffer.from(bytes));

const decode = (text: string, encoding: string): string =>
  decodeBody(Buffer.from(text, 'latin1'), encoding).toString('latin1');

test('decoders', () => {
  assert.equal(decode('aGVs\r\nbG8=', 'base64'), 'hello');
  assert.equal(decode('aG!V*s bG8', 'base64'), 'hello');
  assert.equal(decode('aGVsbG8=aGVsbG8=', 'base64'), 'hellohello');
  assert.equal(decode('a', 'base64'), '');
  assert.equal(decode('a=3Db=\r\nc=  \r\nd =20 \t\r\ne= f=', 'quoted-printable'), 'a=bcd  \r\ne= f');
  assert.equal(decode('=zz=4=\n=c3', 'quoted-printable'), '=zz=4\xc3');
  assert.equal(decode('junk\nbegin 644 x\n#0V%T\n`\nend\nmore', 'x-uuencode'), 'Cat');
  assert.equal(decode('as is=41', 'x-unknown'), 'as is=41');
  assert.equal(decodedSize([Buffer.from('aGV'), Buffer.from('sbG8=')], 'base64'), 5);
  assert.equal(decodeTextBody(Buffer.from('caf=E9'), 'quoted-printable', 'latin1'), 'café');
});

test('property: decoding does not depend on how the input is cut', () => {
  const noise = fc
    .string({ unit: fc.constantFrom(...'=A4f \t\r\nz+/'.split('')), maxLength: 60 })
    .map((s) => Buffer.from(s));
  const input = fc.oneof(noise, octets);
  fc.assert(
    fc.property(
      input,
      fc.constantFrom('base64', 'quoted-printable', 'x-uuencode'),
      fc.integer({ min: 1, max: 7 }),
      (raw, encoding, step) => {
        const source = encoding === 'x-uuencode' ? Buffer.concat([Buffer.from('begin 644 a\n'), raw]) : raw;
        const decoder = createDecoder(encoding);
        const out: Buffer[] = [];
        for (let pos = 0; pos < source.length; pos += step)
          out.push(Buffer.from(decoder.push(source.subarray(pos, pos + step))));
        out.push(decoder.end());
        assert.deepEqual(Buffer.concat(out), Buffer.from(decodeBody(source, encoding)));
      },
    ),
    { numRuns: 2000 },
  );
});

test('property: what is encoded decodes to itself, in lines of 76', () => {
  fc.assert(
    fc.property(octets, (bytes) => {
      for (const [encoded, encoding] of [
        [encodeBase64(bytes), 'base64'],
        [encodeQuotedPrintable(bytes, true), 'quoted-printable'],
      ] as const) {
        assert.deepEqual(Buffer.from(decodeBody(encoded, encoding)), bytes);
        for (const line of encoded.toString('latin1').split('\r\n'))
          assert.ok(line.length <= 76 && /^[\t\x20-\x7e]*$/.test(line), line);
      }
    }),
  );
});

test('quoted-printable text', () => {
  assert.equal(
    encodeQuotedPrintable(Buffer.from('a\nb \r\n.c\rFrom d=')).toString(),
    'a\r\nb=20\r\n=2Ec\r\n=46rom d=3D',
  );
});

test('as much text as a request may bring is encoded at once', () => {
  const began = process.cpuUsage();
  const words = encodeWords('\u00e4'.repeat(1_000_000)).split(' ');
  assert.equal(words.length, Math.ceil(1_000_000 / 22), 'of each 44 octets in 60 characters of base64');
  assert.equal(words[0], `=?utf-8?b?${Buffer.from('\u00e4'.repeat(22)).toString('base64')}?=`);
  const lines = encodeQuotedPrintable(Buffer.alloc(4_000_000, 'x')).toString('latin1').split('=\r\n');
  assert.equal(lines.length, Math.ceil(4_000_000 / 75));
  const { user } = process.cpuUsage(began);
  assert.ok(user < 2_500_000, `${user / 1000} ms`);
});

test('property: encoded words and folded fields come back', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', maxLength: 120 }), (text) => {
      const clean = headerSafe(text.toWellFormed())
        .replace(/[ \t]+/g, ' ')
        .trim();
      const field = foldField('Subject', encodeWords(clean));
      for (const line of field.split('\r\n').slice(0, -1))
        assert.ok(line.length <= 998 && /^[\t\x20-\x7e]*$/.test(line), line);
      const header = readHeader(Buffer.from(`${field}\r\n`));
      assert.equal(header.fields.length, 1);
      assert.equal(decodeWords(header.value(header.fields[0] ?? assert.fail())), clean);
    }),
  );
});

test('nothing that is put into a field can add another', () => {
  const field = foldField('X', `a\r\nBcc: evil\0\u2028b ${'x'.repeat(3000)}`);
  assert.equal(readHeader(Buffer.from(`${field}\r\n`)).fields.length, 1);
  assert.ok(field.split('\r\n').every((line) => line.length <= 998));
  assert.throws(() => foldField('X\r\nY', 'z'));
  assert.equal(unfold(foldField('X', `${'word '.repeat(40)}end`)).slice(3), `${'word '.repeat(40)}end`);
});

test('address, date, boundary', () => {
  for (const name of ['', 'A B', 'Last, First "x"', 'Zoë', 'a@b', '=?x?q?y?=']) {
    const [entry] = parseAddressList(formatAddress(name, 'a@example.test'));
    assert.ok(entry?.kind === 'mailbox');
    assert.equal(`${entry.local}@${entry.domain}`, 'a@example.test');
    assert.equal(decodeWords(entry.name ?? ''), name);
  }
  assert.equal(formatAddress('x', 'a@b>\r\n<c@d'), 'x <a@bc@d>');
  assert.equal(formatDate(Date.UTC(2024, 1, 29, 23, 0, 1)), 'Thu, 29 Feb 2024 23:00:01 +0000');
  assert.equal(formatDate(Date.UTC(2024, 1, 29, 23, 0, 1), 330), 'Fri, 1 Mar 2024 04:30:01 +0530');
  assert.equal(parseDate(formatDate(1_700_000_000_000, -210))?.ms, 1_700_000_000_000);
  assert.equal(makeBoundary(Buffer.alloc(50)).length, 66);
});

test('recoding for a 7-bit next hop', () => {
  const message = Buffer.from(
    [
      'From: a@example.test',
      'Content-Type: multipart/mixed; boundary=b',
      'Content-Transfer-Encoding: 8bit',
      '',
      '--b',
      'Content-Type: text/plain; charset=utf-8',
      'Content-Transfer-Encoding: 8bit',
      '',
      'café',
      '--b',
      'Content-Type: application/octet-stream',
      'Content-Transfer-Encoding: binary',
      '',
      'x\0y\rz',
      '--b',
      '',
      'plain stays',
      '--b--',
      '',
    ].join('\r\n'),
  );
  const result = recodeTo7bit(message);
  assert.ok(result.kind === 'recoded');
  assert.equal(result.parts, 2);
  const structure = scanMessage(result.message);
  assert.deepEqual([structure.eightBitBody, structure.hasNul, structure.hasBareCr], [false, false, false]);
  const leaves = [...eachPart(structure.root)].filter((part) => part.children.length === 0);
  assert.deepEqual(
    leaves.map((part) => part.encoding),
    ['quoted-printable', 'base64', '7bit'],
  );
  const texts = leaves.map((part) =>
    decodeBody(result.message.subarray(part.bodyStart, part.bodyEnd), part.encoding).toString(),
  );
  assert.deepEqual(texts, ['café', 'x\0y\rz', 'plain stays']);
  assert.equal(structure.root.encoding, '7bit');
  assert.match(result.message.toString(), /MIME-Version: 1\.0/);
});

test('what cannot be recoded says why', () => {
  assert.equal(recodeTo7bit(nested).kind, 'unchanged');
  assert.deepEqual(recodeTo7bit(lines('Subject: \xe9', '', 'x')), {
    kind: 'impossible',
    reason: 'header-8bit',
  });
  const signed = lines(
    'Content-Type: multipart/signed; boundary=b',
    '',
    '--b',
    'Content-Transfer-Encoding: 8bit',
    '',
    '\xe9',
    '--b',
    '',
    'sig',
    '--b--',
    '',
  );
  assert.deepEqual(recodeTo7bit(signed), { kind: 'impossible', reason: 'signed' });
  const preamble = lines(
    'Content-Type: multipart/mixed; boundary=b',
    '',
    '\xe9',
    '--b',
    'Content-Transfer-Encoding: 8bit',
    '',
    'x',
    '--b--',
    '',
  );
  assert.equal(recodeTo7bit(preamble).kind, 'impossible');
  const plainText = recodeTo7bit(lines('Subject: x', '', '\xc3\xa9', ''));
  assert.ok(plainText.kind === 'recoded');
  assert.match(
    plainText.message.toString(),
    /^Subject: x\r\nMIME-Version: 1\.0\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n=C3=A9\r\n$/,
  );
});
