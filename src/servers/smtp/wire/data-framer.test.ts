import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type DataFault, DataFramer, TextChecker } from './data-framer.ts';

interface Framed {
  readonly body: string;
  readonly ended: boolean;
  /** What follows the end. */
  readonly rest: string;
  readonly fault: DataFault | undefined;
}

/** Frame `text` (octets as latin1) in chunks cut at `cuts`. */
function frame(text: string, cuts: readonly number[] = [], maxLine = 100): Framed {
  const framer = new DataFramer(maxLine);
  const edges = [0, ...[...cuts].toSorted((a, b) => a - b), text.length];
  let body = '';
  for (const [i, from] of edges.entries()) {
    const to = edges[i + 1] ?? text.length;
    if (to <= from) continue;
    // Something before the data in the same buffer: `scan` must leave it alone.
    const chunk = Buffer.from(`##${text.slice(from, to)}`, 'latin1');
    const used = framer.scan(chunk, 2);
    assert.equal(chunk.toString('latin1', 0, 2), '##');
    body += chunk.toString('latin1', 2, framer.outEnd);
    if (framer.ended) return { body, ended: true, rest: text.slice(from + used - 2), fault: framer.fault };
    assert.equal(used, chunk.length);
  }
  return { body, ended: false, rest: '', fault: framer.fault };
}

test('takes off one dot from each line that begins with one, and nothing else', () => {
  assert.deepEqual(frame('a\r\n..b\r\n...\r\nc.\r\n. d\r\n.\r\nQUIT\r\n'), {
    body: 'a\r\n.b\r\n..\r\nc.\r\n d\r\n',
    ended: true,
    rest: 'QUIT\r\n',
    fault: undefined,
  });
});

test('an empty message is the terminator alone', () => {
  assert.deepEqual(frame('.\r\nX'), { body: '', ended: true, rest: 'X', fault: undefined });
});

/** The table of end-of-data variants that smuggle messages past lenient servers. */
const NEVER_ENDS: readonly [name: string, bytes: string, fault: DataFault | undefined][] = [
  ['LF.LF', '\n.\n', 'bare-lf'],
  ['LF.CRLF', '\n.\r\n', 'bare-lf'],
  ['CRLF.LF', '\r\n.\n', 'bare-lf'],
  ['CRLF.CRCRLF', '\r\n.\r\r\n', 'bare-cr'],
  ['CRCRLF.CRCRLF', '\r\r\n.\r\r\n', 'bare-cr'],
  ['CR.CR', '\r.\r', 'bare-cr'],
  ['CR.LF', '\r.\n', 'bare-cr'],
  ['LF.CR', '\n.\r', 'bare-lf'],
  ['CR.CRLF', '\r.\r\n', 'bare-cr'],
  ['CRLF.CR', '\r\n.\r', 'bare-cr'],
  ['CRLF NUL.CRLF', '\r\n\0.\r\n', 'nul'],
  ['CRLF.NUL CRLF', '\r\n.\0\r\n', 'nul'],
  ['CRLF.CR NUL LF', '\r\n.\r\0\n', 'bare-cr'],
  ['CRLF.SP CRLF', '\r\n. \r\n', undefined],
  ['CRLF SP.CRLF', '\r\n .\r\n', undefined],
  ['CRLF.VT CRLF', '\r\n.\x0b\r\n', undefined],
  ['VT.VT', '\x0b.\x0b', undefined],
  ['CRLF..CRLF', '\r\n..\r\n', undefined],
  ['NEL.NEL', '\x85.\x85', undefined],
];

for (const [name, bytes, fault] of NEVER_ENDS) {
  test(`${name} does not end the data, however it is cut`, () => {
    const text = `a${bytes}MAIL FROM:<x@example.org>\r\n.\r\nNOOP\r\n`;
    for (let cut = 0; cut < text.length; cut++) {
      const framed = frame(text, [cut]);
      assert.equal(framed.rest, 'NOOP\r\n');
      assert.equal(framed.fault, fault);
    }
  });
}

test('CRCRLF.CRLF ends the data, and the message is refused for its stray CR', () => {
  const framed = frame('a\r\r\n.\r\nNOOP\r\n');
  assert.equal(framed.rest, 'NOOP\r\n');
  assert.equal(framed.fault, 'bare-cr');
});

test('a line may have its limit and not one octet more, in one chunk or two', () => {
  for (const cuts of [[], [5], [9], [10]]) {
    assert.equal(frame('12345678\r\n.\r\n', cuts, 10).fault, undefined);
    assert.equal(frame('123456789\r\n.\r\n', cuts, 10).fault, 'line-too-long');
  }
  assert.equal(frame('12345678901', [], 10).fault, 'line-too-long', 'before the line ends');
  assert.equal(frame('ok\r\n123456\r\n12345678\r\n.\r\n', [], 10).fault, undefined);
});

const hostileText = fc
  .array(
    fc.constantFrom('\r\n', '\r\n', '.', '\r', '\n', '\0', 'a', 'bc', '\xff', '\r\n.', '\r\n.\r', '.\r\n'),
    {
      maxLength: 40,
    },
  )
  .map((pieces) => pieces.join(''));

test('how the data is cut makes no difference', () => {
  fc.assert(
    fc.property(hostileText, fc.array(fc.nat(80), { maxLength: 6 }), (text, cuts) => {
      assert.deepEqual(
        frame(
          text,
          cuts.map((cut) => Math.min(cut, text.length)),
        ),
        frame(text),
      );
    }),
    { numRuns: 3000 },
  );
});

test('agrees with the definition: the end is the first CRLF.CRLF, a clean body is what was stuffed', () => {
  fc.assert(
    fc.property(hostileText, (text) => {
      const framed = frame(text);
      // The data begins after the CRLF of the DATA command, which counts (RFC 5321 section 4.1.1.4).
      const end = `\r\n${text}`.indexOf('\r\n.\r\n');
      assert.equal(framed.ended, end !== -1);
      if (end === -1) return;
      const data = text.slice(0, end);
      assert.equal(framed.rest, text.slice(end + 3));
      assert.equal(framed.fault === undefined, !/\r(?!\n)|(?<!\r)\n|\0/.test(data));
      if (framed.fault === undefined) assert.equal(framed.body, data.replaceAll(/(^|\r\n)\./g, '$1'));
    }),
    { numRuns: 3000 },
  );
});

test('TextChecker finds what the framer finds, however chunks are cut, and a CR at the very end', () => {
  fc.assert(
    fc.property(hostileText, fc.array(fc.nat(80), { maxLength: 6 }), (text, cuts) => {
      const checker = new TextChecker(100);
      const bytes = Buffer.from(`##${text}##`, 'latin1');
      let from = 2;
      for (const cut of [...cuts.toSorted((a, b) => a - b), text.length]) {
        const to = Math.max(from, 2 + Math.min(cut, text.length));
        checker.scan(bytes, from, to);
        from = to;
      }
      checker.end();
      assert.equal(checker.fault === undefined, !/\r(?!\n)|(?<!\r)\n|\0/.test(text));
    }),
    { numRuns: 3000 },
  );
  const lines = new TextChecker(10);
  lines.scan(Buffer.from('12345678\r\n123456'), 0, 16);
  lines.scan(Buffer.from('78\r\n'), 0, 4);
  assert.equal(lines.fault, undefined);
  lines.scan(Buffer.from('12345678901'), 0, 11);
  assert.equal(lines.fault, 'line-too-long');
});
