import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { decodeCharset } from '../charset.ts';
import { displayAddresses, parseAddressList } from './addresses.ts';
import { parseDate } from './dates.ts';
import { claimedRanges } from './fields.ts';
import { readHeader } from './headers.ts';
import { messageIds } from './ids.ts';
import { parameter, parseContentType } from './params.ts';
import { scanMessage } from './scanner.ts';
import { baseSubject, isReplySubject } from './subject.ts';
import { decodeWords } from './words.ts';

test('header access', () => {
  const header = readHeader(
    Buffer.from('To: a\r\n\t b \r\nSubject : x\r\nto: c\r\nnonsense\r\n\r\nTo: body\r\n'),
  );
  assert.deepEqual(header.all('to'), ['a\t b ', 'c']);
  assert.equal(header.first('subject'), 'x');
  assert.equal(header.last('to'), 'c');
  assert.equal(header.first('from'), undefined);
});

test('encoded words', () => {
  const cases: [string, string][] = [
    ['plain', 'plain'],
    ['=?utf-8?q?caf=C3=A9?=', 'café'],
    ['=?UTF-8?B?Y2Fmw6k=?= bar', 'café bar'],
    ['=?utf-8?q?a?= =?utf-8?q?b?=', 'ab'],
    ['=?utf-8?q?a?=  x  =?utf-8?q?b?=', 'a  x  b'],
    ['=?utf-8?b?w6?= =?utf-8?q?=A9?=', 'é'], // one character in two words
    ['=?iso-8859-1*en?q?a=E9_b?=', 'aé b'],
    ['=?iso-2022-jp?b?GyRCRnxLXA==?=', '日本'], // the escape is left open
    ['=?utf-7?q?+AOk-?=', 'é'],
    ['=?nonsense?q?=C3=A9?=', 'é'],
    ['=?utf-8?x?abc?=', '=?utf-8?x?abc?='],
    ['=?utf-8?q?unclosed', '=?utf-8?q?unclosed'],
    ['=?utf-8?q?what??=', 'what?'],
    ['=?utf-8?q?=3D?=', '='],
    ['=?utf-8?q?=ZZ?=', '=ZZ'],
    ['=?utf-8?b?Y2Fm*!w6k?=', 'café'],
    ['\xc3\xa9', 'é'],
    ['\xe9', 'é'],
    ['=?=?utf-8?q?x?=', '=?x'],
  ];
  for (const [raw, text] of cases) assert.equal(decodeWords(raw), text, raw);
});

test('hostile header text is linear', () => {
  for (const piece of [
    '=?',
    '=?a?q?',
    '=?a?q?x?',
    '=?utf-8?b?w6?= ',
    '?=',
    '<',
    '(',
    '(\\',
    '"',
    '<a@b',
    ',',
    ':',
    '[',
    '@[',
    'a@',
    'Re: ',
    '[a]',
    '[fwd:',
    '(fwd)',
    ';a*0=',
  ]) {
    const text = piece.repeat(Math.ceil(300_000 / piece.length));
    decodeWords(text);
    parseAddressList(text);
    messageIds(text);
    baseSubject(text);
    parseDate(text);
    parseContentType(text);
  }
});

test('property: no text makes a reader throw', () => {
  const alphabet = fc.constantFrom(...'=?utf-8QBb<>()@,;:."\\[] \t\r\n\0\xe9*\'%0129aRe'.split(''));
  fc.assert(
    fc.property(fc.string({ unit: alphabet, maxLength: 80 }), (text) => {
      decodeWords(text);
      parseAddressList(text);
      displayAddresses(text);
      messageIds(text);
      baseSubject(text);
      isReplySubject(text);
      parseDate(text);
      parameter(parseContentType(text).params, 'a');
    }),
    { numRuns: 3000 },
  );
});

test('character sets', () => {
  assert.equal(decodeCharset(Buffer.from([0xe9]), 'ISO-8859-1'), 'é');
  assert.equal(decodeCharset(Buffer.from([0x93, 0xfa]), '"cp932"'), '日');
  assert.equal(decodeCharset(Buffer.from('é'), 'us-ascii'), 'é');
  assert.equal(decodeCharset(Buffer.from('Hi Mom -+Jjo--!'), 'UTF-7'), 'Hi Mom -☺-!');
  assert.equal(decodeCharset(Buffer.from('1 +- 1 +AG'), 'utf-7'), '1 + 1 ');
  assert.equal(decodeCharset(Buffer.from([0x80, 0xff]), 'constructor'), '€ÿ');
});

function show(text: string): string {
  return parseAddressList(text)
    .map((e) =>
      e.kind === 'mailbox'
        ? `${e.name ?? '-'}|${e.local ?? '-'}|${e.domain ?? '-'}`
        : e.kind === 'group'
          ? `{${e.name}`
          : '}',
    )
    .join(' ');
}

test('address lists', () => {
  const cases: [string, string][] = [
    ['a@b', '-|a|b'],
    ['A B <a@b>, c@d', 'A B|a|b -|c|d'],
    ['"A, B" <a@b>', 'A, B|a|b'],
    ['"A \\"q\\"" <a@b>', 'A "q"|a|b'],
    ['a@b (Name (nested) here)', 'Name (nested) here|a|b'],
    ['J. R. Doe <j@d>', 'J. R. Doe|j|d'],
    ['"quoted local"@d', '-|quoted local|d'],
    ['john . doe @ example . org', '-|john.doe|example.org'],
    ['<@r1,@r2:a@b>', '-|a|b'],
    ['a@[192.0.2.1], b@[IPv6:2001:db8::1]', '-|a|[192.0.2.1] -|b|[IPv6:2001:db8::1]'],
    ['Team: a@b, C <c@d>;, e@f', '{Team -|a|b C|c|d } -|e|f'],
    ['undisclosed-recipients:;', '{undisclosed-recipients }'],
    ['Open: a@b', '{Open -|a|b }'],
    [', ,a@b,,', '-|a|b'],
    ['Name <a@b', 'Name|a|b'],
    ['a@b; c@d', '-|a|b -|c|d'],
    ['<a@b> <c@d>', '-|a|b -|c|d'],
    ['x@y <a@b>', 'x@y|a|b'],
    ['a@b@c', '-|a@b|c'],
    ['just words here', 'just words here|-|-'],
    ['[List] Name <l@x>', '[List] Name|l|x'],
    ['=?utf-8?q?a=2C?= <a@b>', '=?utf-8?q?a=2C?=|a|b'],
    ['a(b@c', 'b@c|a|-'],
    ['', ''],
  ];
  for (const [text, expected] of cases) assert.equal(show(text), expected, text);
});

test('addresses for display', () => {
  assert.deepEqual(displayAddresses('=?utf-8?q?Andr=C3=A9?= <a@b>, G: \xc3\xa9@\xc3\xa9.test;'), [
    { name: 'André', address: 'a@b' },
    { name: '', address: 'é@é.test' },
  ]);
});

test('ten thousand addresses, and a bound', () => {
  const many = Array.from({ length: 10_000 }, (_, i) => `N ${i} <n${i}@example.test>`).join(', ');
  assert.equal(parseAddressList(many).length, 10_000);
  assert.equal(parseAddressList(many, 10).length, 10);
});

test('dates', () => {
  const utc = Date.UTC(2024, 0, 2, 3, 4, 5);
  const cases: [string, number | undefined][] = [
    ['Tue, 2 Jan 2024 03:04:05 +0000', utc],
    ['2 Jan 2024 04:04:05 +0100 (CET)', utc],
    ['Mon, 1 Jan 2024 22:04:05 EST', utc],
    ['Tue, 02 Jan 24 03:04:05 GMT', utc],
    ['Tue Jan  2 03:04:05 2024', utc],
    ['02-Jan-2024 03:04:05 Z', utc],
    ['2024-01-02T03:04:05Z', utc],
    ['Tue, 2 (day) Jan 2024 03:04 GMT', utc - 5000],
    ['Tuesday, 2 January 2024 03:04:05', utc],
    ['2 Jan 2024 03:04:05 A', utc],
    ['Fri, 31 Dec 1999 23:59:60 +0000', Date.UTC(2000, 0, 1)],
    ['2 Jan 100 03:04:05 +0000', Date.UTC(2000, 0, 2, 3, 4, 5)],
    ['2 Jan 0 03:04:05', undefined],
    ['2 Jan 99999 03:04:05', undefined],
    ['31 Jun 2024 00:00:00 +0000', undefined],
    ['yesterday', undefined],
    ['', undefined],
    ['(((((((', undefined],
  ];
  for (const [text, ms] of cases) assert.equal(parseDate(text)?.ms, ms, text);
  assert.equal(parseDate('2 Jan 2024 04:04:05 -0530')?.zone, -330);
});

test('message identifiers', () => {
  assert.deepEqual(messageIds('<a@b> junk (c) <c@d>\t<a@b>'), ['a@b', 'c@d']);
  assert.deepEqual(messageIds('<split\r\n @b>'), ['split@b']);
  assert.deepEqual(messageIds('bare@id'), ['bare@id']);
  assert.deepEqual(messageIds('Your message of "today" <x@y'), []);
  assert.deepEqual(messageIds(`<${'x'.repeat(2000)}@y>`), []);
  assert.equal(
    messageIds('<a@b>'.repeat(3) + Array.from({ length: 5000 }, (_, i) => `<${i}@x>`).join(' ')).length,
    1000,
  );
});

test('base subjects', () => {
  const cases: [string, string][] = [
    ['Re: hello', 'hello'],
    ['RE: Fwd:  hello (fwd)', 'hello'],
    ['[list] Re: [list] hello', 'hello'],
    ['Re[2]: hello', 'hello'],
    ['[Fwd: Re: hello]', 'hello'],
    ['[only]', '[only]'],
    ['[blob] text', 'text'],
    ['re : [x] fw: a', 'a'],
    ['Reminder', 'Reminder'],
    ['hello\r\n world', 'hello world'],
    ['', ''],
  ];
  for (const [text, base] of cases) assert.equal(baseSubject(text), base, text);
  assert.equal(isReplySubject('Re: x'), true);
  assert.equal(isReplySubject('[list] x'), false);
  assert.equal(isReplySubject('x (fwd)'), true);
});

const decoded = (text: string, name = 'name'): string | undefined =>
  parameter(parseContentType(`a/b; ${text}`).params, name);

test('parameters decoded', () => {
  assert.equal(decoded("name*=utf-8'en'caf%C3%A9.txt"), 'café.txt');
  assert.equal(decoded("name*1*=%A9.txt; name*0*=utf-8''caf%C3"), 'café.txt');
  assert.equal(decoded('name*0*=utf-8\'\'100%25; name*1="50%"'), '100%50%');
  assert.equal(decoded('name="=?utf-8?q?caf=C3=A9?="'), 'café');
  assert.equal(decoded('NAME = "a b" (c)'), 'a b');
  assert.equal(decoded("name=plain; name*=utf-8''better"), 'better');
  assert.equal(decoded("name*=''%zz%4"), '%zz%4');
  assert.equal(decoded('x=1'), undefined);
});

test('fields that claim our names', () => {
  const message = Buffer.from(
    'A: 1\r\nX-Ours: 1\r\nX-Ours-Too: 2\r\n folded\r\nB: 2\r\nAuthentication-Results: us.test; x\r\nAuthentication-Results: them; x\r\n\r\n',
  );
  const ranges = claimedRanges(scanMessage(message).fields, message, (name, value) =>
    name === 'authentication-results' ? value().startsWith('us.test') : name.startsWith('x-ours'),
  );
  assert.deepEqual(
    ranges.map(({ start, end }) => message.toString('latin1', start, end)),
    ['X-Ours: 1\r\nX-Ours-Too: 2\r\n folded\r\n', 'Authentication-Results: us.test; x\r\n'],
  );
});
