import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Decoder, literalHead, type Segment, SyntaxFault } from './decoder.ts';
import { dateTime, flagList as encodeFlags, mailbox, string } from './encoder.ts';
import { date, dateTime as readDateTime } from './dates.ts';
import { fetchAtts } from './fetch-att.ts';
import { flagList } from './flags.ts';
import { searchProgram } from './search-key.ts';
import { formatSet, STAR, tidy } from './sequence-set.ts';
import { decodeUtf7, encodeUtf7 } from './utf7.ts';

function decoder(text: string, utf8 = false): Decoder {
  const segments: Segment[] = [{ line: Buffer.from(text, utf8 ? 'utf8' : 'latin1'), literal: undefined }];
  return new Decoder(segments, { maxDepth: 50, utf8 });
}

function withLiteral(before: string, literal: string, after: string): Decoder {
  const segments: Segment[] = [
    { line: Buffer.from(before), literal: { octets: Buffer.from(literal, 'latin1'), binary: false } },
    { line: Buffer.from(after), literal: undefined },
  ];
  return new Decoder(segments, { maxDepth: 50, utf8: false });
}

test('modified UTF-7 goes both ways', () => {
  const pairs = [
    ['INBOX', 'INBOX'],
    ['a&b', 'a&-b'],
    ['~peter/mail/台北/日本語', '~peter/mail/&U,BTFw-/&ZeVnLIqe-'],
    ['Entwürfe', 'Entw&APw-rfe'],
    ['😀', '&2D3eAA-'],
    ['a\tb', 'a&AAk-b'],
  ] as const;
  for (const [text, encoded] of pairs) {
    assert.equal(encodeUtf7(text), encoded);
    assert.equal(decodeUtf7(encoded), text);
  }
});

test('malformed and overlong modified UTF-7 is refused', () => {
  for (const bad of [
    '&',
    '&APw',
    'ü',
    '&AGE-',
    '&APx-',
    '&A-',
    '&2D0-',
    '&U,BTFw-&ZeVnLIqe-',
    'a\rb',
    '&AP/8-',
    '&AAAA-',
  ])
    assert.equal(decodeUtf7(bad), undefined, bad);
});

test('sequence sets are sorted, merged and filled in', () => {
  assert.deepEqual(decoder('4:2,7,*').sequenceSet(), [
    { from: 4, to: 2 },
    { from: 7, to: 7 },
    { from: STAR, to: STAR },
  ]);
  const set = decoder('5,1:3,2:4,*:9').sequenceSet();
  assert(set !== '$');
  assert.deepEqual(tidy(set, 8), [
    { from: 1, to: 5 },
    { from: 8, to: 9 },
  ]);
  for (const bad of ['0', '1:', '4294967296', 'x', '1,,2', '-1', ''])
    assert.throws(() => {
      const d = decoder(bad);
      d.sequenceSet();
      d.end();
    }, SyntaxFault);
  assert.equal(formatSet([1, 2, 3, 7, 9, 10]), '1:3,7,9:10');
  assert.equal(formatSet([]), '');
});

test('the head of a literal is seen only at the end of a line', () => {
  const head = (text: string): unknown => {
    const found = literalHead(Buffer.from(text));
    return found && [found.size, found.nonSync, found.binary];
  };
  assert.deepEqual(head('a LOGIN {5}'), [5, false, false]);
  assert.deepEqual(head('{310+}'), [310, true, false]);
  assert.deepEqual(head('x ~{3+}'), [3, true, true]);
  assert.deepEqual(head('{18446744073709551616}'), [18446744073709551616, false, false]);
  for (const none of ['{5} ', '{-5}', '{}', '{5-}', '{ 5}', '{99999999999999999999999}', '5}', '{5}}'])
    assert.equal(head(none), undefined, none);
});

test('strings: atoms, quoted and literals; NUL, CR and LF are refused', () => {
  assert.equal(decoder('"a \\"b\\\\"').string().toString(), 'a "b\\');
  const d = withLiteral('{3}', 'x\r\n', ' rest');
  assert.equal(d.astring().toString('latin1'), 'x\r\n');
  d.sp();
  assert.equal(d.atom(), 'rest');
  d.end();
  for (const bad of ['"a\0b"', '"a\rb"', '"a\nb"', '"a', '"a\\x"', '{3}', '(a)', ''])
    assert.throws(() => decoder(bad).astring(), SyntaxFault, JSON.stringify(bad));
});

test('a fault says what was expected and where', () => {
  const d = decoder('INBOX FLAGS');
  d.mailbox();
  d.sp();
  assert.throws(() => d.need('('), { message: 'expected "(" at octet 7' });
});

test('nesting is bounded', () => {
  assert.throws(() => searchProgram(decoder(`${'('.repeat(20_000)}ALL`)), /at most 50 levels/);
  assert.throws(() => searchProgram(decoder(`${'NOT '.repeat(20_000)}ALL`)), /at most 50 levels/);
  assert.throws(() => searchProgram(decoder(`${'OR ALL '.repeat(20_000)}ALL`)), /at most 50 levels/);
  assert.doesNotThrow(() => searchProgram(decoder(`${'('.repeat(49)}ALL${')'.repeat(49)}`)));
});

test('dates', () => {
  assert.equal(date(decoder('1-Feb-2026')) * 86_400_000, Date.UTC(2026, 1, 1));
  assert.equal(date(decoder('"29-feb-2024"')) * 86_400_000, Date.UTC(2024, 1, 29));
  for (const bad of ['30-Feb-2026', '1-Foo-2026', '1-2-2026', '0-Jan-2026', '1-Jan-26'])
    assert.throws(() => date(decoder(bad)), SyntaxFault, bad);
  assert.equal(readDateTime(decoder('" 1-Feb-2026 09:30:05 +0130"')), Date.UTC(2026, 1, 1, 8, 0, 5));
  assert.equal(readDateTime(decoder('"1-Feb-2026 09:30:05 +0130"')), Date.UTC(2026, 1, 1, 8, 0, 5));
  assert.equal(
    readDateTime(decoder('"01-Feb-0099 09:30:05 -0000"')),
    new Date('0099-02-01T09:30:05Z').getTime(),
  );
  for (const bad of [
    '"31-Apr-2026 09:30:05 +0000"',
    '"01-Feb-2026 25:30:05 +0000"',
    '"01-Feb-2026 09:30:05"',
  ])
    assert.throws(() => readDateTime(decoder(bad)), SyntaxFault, bad);
  assert.equal(dateTime(Date.UTC(2026, 1, 1, 8, 0, 5)), '" 1-Feb-2026 08:00:05 +0000"');
});

test('flags', () => {
  assert.deepEqual(flagList(decoder('(\\seen \\Recent $Forwarded)')), { flags: 1, keywords: ['$Forwarded'] });
  for (const bad of ['(\\Foo)', '(\\*)', '(a])', '(a b', '(a(b))'])
    assert.throws(() => flagList(decoder(bad)), SyntaxFault, bad);
  assert.equal(encodeFlags(1 | 8, ['$Junk', 'not atom', 'a]'], true), '(\\Deleted \\Seen $Junk \\Recent)');
});

test('data items of FETCH', () => {
  const labels = fetchAtts(
    decoder(
      '(BODY[] BODY.PEEK[1.2.MIME] BODY[HEADER.FIELDS (From "x y")]<5.10> BINARY.PEEK[2]<0.1> body[1.header])',
    ),
  ).map((att) => ('label' in att ? att.label : att.kind));
  assert.deepEqual(labels, [
    'BODY[]',
    'BODY[1.2.MIME]',
    'BODY[HEADER.FIELDS (From "x y")]<5>',
    'BINARY[2]<0>',
    'BODY[1.HEADER]',
  ]);
  assert.deepEqual(fetchAtts(decoder('fast')), fetchAtts(decoder('(FLAGS INTERNALDATE RFC822.SIZE)')));
  const bad = [
    'BODY[MIME]',
    'BODY[0]',
    'BODY[1.]',
    'BODY[.1]',
    'BODY[1.FOO]',
    'BODY[1]<0.0>',
    'BODY[1]<-1.2>',
    'BODY[HEADER.FIELDS ()]',
    'BODY[HEADER.FIELDS]',
    'BODY[',
    'FOO',
    '()',
    'BINARY[HEADER]',
    '__proto__',
    'BODY[1TEXT]',
    `BODY[${'1.'.repeat(20)}x]`,
  ];
  for (const text of bad) assert.throws(() => fetchAtts(decoder(text)), SyntaxFault, text);
  // Part numbers far too deep are no fault: there is just no such part.
  assert.equal(fetchAtts(decoder(`BODY[${'1.'.repeat(5000)}1]`)).length, 1);
});

test('mailbox names and strings on the wire', () => {
  assert.equal(mailbox('Entwürfe', false), '"Entw&APw-rfe"');
  assert.equal(mailbox('Entwürfe', true), `"${Buffer.from('Entwürfe').toString('latin1')}"`);
  assert.equal(string('a"b'), '"a\\"b"');
  assert.equal(string('a\r\nb'), '{4}\r\na\r\nb');
  assert.equal(decoder('inbox').mailbox(), 'INBOX');
  assert.equal(decoder('"Entw&APw-rfe"').mailbox(), 'Entwürfe');
  assert.equal(decoder('"Entwürfe"', true).mailbox(), 'Entwürfe');
  assert.throws(() => decoder('"Entwürfe"').mailbox(), /modified UTF-7/);
  assert.throws(() => decoder('&AGE-').mailbox(), /modified UTF-7/);
});
