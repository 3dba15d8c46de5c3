import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { all, digest, lines, nested, odd, plain } from './fixtures.ts';
import { renderBody, renderEnvelope } from './imap-text.ts';
import { MessageScanner, scanMessage } from './scanner.ts';
import { parseStructure, serializeStructure } from './serialize.ts';
import { eachPart, type MessageStructure, type Part } from './structure.ts';
import { parameter } from './params.ts';

function scanCut(message: Buffer, cuts: readonly number[]): MessageStructure {
  const scanner = new MessageScanner();
  let from = 0;
  for (const cut of [...cuts.toSorted((a, b) => a - b), message.length]) {
    // A copy that is overwritten afterwards: the scanner may not keep a reference.
    const piece = Buffer.from(message.subarray(from, Math.max(from, cut)));
    scanner.push(piece);
    piece.fill(0x2d);
    from = Math.max(from, cut);
  }
  return scanner.end();
}

/** Offsets nest, are in range and put together give the message again. */
function checkOffsets(message: Buffer, structure: MessageStructure): void {
  assert.equal(structure.size, message.length);
  const check = (part: Part, start: number, end: number): void => {
    assert.ok(start <= part.headerStart, 'starts inside its parent');
    assert.ok(part.headerStart <= part.bodyStart && part.bodyStart <= part.bodyEnd, 'header before body');
    assert.ok(part.bodyEnd <= end, 'ends inside its parent');
    const body = message.subarray(part.bodyStart, part.bodyEnd);
    assert.equal(part.lines, body.toString('latin1').split('\n').length - 1, 'lines');
    let pos = part.bodyStart;
    for (const child of part.children) {
      check(child, pos, part.bodyEnd);
      pos = child.bodyEnd;
    }
  };
  check(structure.root, 0, message.length);
  assert.equal(structure.root.headerStart, 0);
  assert.equal(structure.root.bodyEnd, message.length);
}

function shape(part: Part): string {
  const inner = part.children.map(shape).join(' ');
  return inner === '' ? `${part.type}/${part.subtype}` : `${part.type}/${part.subtype}(${inner})`;
}

function bodies(message: Buffer): string[] {
  const found: string[] = [];
  for (const part of eachPart(scanMessage(message).root)) {
    if (part.children.length === 0) found.push(message.toString('latin1', part.bodyStart, part.bodyEnd));
  }
  return found;
}

test('a plain message', () => {
  const structure = scanMessage(plain);
  assert.equal(shape(structure.root), 'text/plain');
  assert.equal(structure.root.lines, 2);
  assert.equal(plain.toString('latin1', structure.root.bodyStart), 'line one\r\nline two\r\n');
  assert.deepEqual(
    structure.fields.map((f) => f.name),
    ['from', 'subject'],
  );
  assert.equal(structure.longestLine, 22);
  assert.deepEqual(
    [structure.hasBareCr, structure.hasBareLf, structure.hasNul, structure.eightBitBody],
    [false, false, false, false],
  );
});

test('nested parts, their fields and bodies', () => {
  const { root } = scanMessage(nested);
  assert.equal(
    shape(root),
    'multipart/mixed(text/plain message/rfc822(multipart/alternative(text/plain text/html)) image/png)',
  );
  assert.deepEqual(bodies(nested), ['caf=C3=A9\r\nsecond', 'plain inside', '<b>html</b>', 'AAECAw==']);
  const [text, forwarded, image] = root.children;
  assert.equal(text?.encoding, 'quoted-printable');
  assert.equal(text?.lines, 1);
  assert.equal(forwarded?.description, 'forwarded');
  assert.equal(forwarded?.children[0]?.envelope?.subject, 'inside');
  assert.equal(image?.id, '<cid@example.test>');
  assert.equal(parameter(image?.disposition?.params ?? [], 'filename'), 'p.png');
});

test('parts of a digest are messages', () => {
  assert.equal(
    shape(scanMessage(digest).root),
    'multipart/digest(message/rfc822(text/plain) message/rfc822(text/plain))',
  );
});

const get = (name: string): Buffer => odd[name] ?? assert.fail(name);

test('odd messages', () => {
  assert.deepEqual(bodies(get('only LF')), ['one', 'two']);
  assert.equal(scanMessage(get('only LF')).hasBareLf, true);
  assert.equal(scanMessage(get('bare CR')).hasBareCr, true);
  assert.equal(scanMessage(get('NUL in header')).hasNul, true);
  assert.deepEqual(bodies(get('no end delimiter')), ['one', 'two']);
  assert.deepEqual(bodies(get('boundary with spaces')), ['one']);
  assert.deepEqual(bodies(get('boundary long')), ['one']);
  assert.equal(
    shape(scanMessage(get('boundary a prefix')).root),
    'multipart/mixed(multipart/mixed(text/plain))',
  );
  assert.deepEqual(bodies(get('base64 on multipart')), ['one']);
  assert.equal(
    shape(scanMessage(get('delimiter ends a header')).root),
    'multipart/mixed(image/png message/rfc822(text/plain) text/plain)',
  );
  assert.equal(shape(scanMessage(get('multipart without subtype')).root), 'multipart/mixed(text/plain)');
  assert.equal(shape(scanMessage(get('duplicate fields')).root), 'text/html');
  assert.equal(shape(scanMessage(get('unclosed quote')).root), 'text/plain');
  assert.deepEqual(scanMessage(get('continuations out of order')).root.params, [
    ['bad*', '%zz'],
    ['name', 'ab'],
    ['other*1', 'x'],
    ['q*', "utf-8''%"],
  ]);
  assert.deepEqual(
    scanMessage(get('no colon')).fields.map((f) => f.name),
    ['subject', '', 'to'],
  );
});

const eightBit = (text: string): boolean[] => {
  const s = scanMessage(Buffer.from(text, 'latin1'));
  return [s.eightBitHeader, s.eightBitPartHeader, s.eightBitBody];
};

test('octets over 127 are told apart by place', () => {
  const mixed = 'Content-Type: multipart/mixed; boundary=b\r\n';
  assert.deepEqual(eightBit('Subject: \xe9\r\n\r\nx\r\n'), [true, false, false]);
  assert.deepEqual(eightBit('Subject: e\r\n\r\nx\xe9'), [false, false, true]);
  assert.deepEqual(eightBit(`${mixed}\r\n--b\r\nX: \xe9\r\n\r\nx\r\n--b--\r\n`), [false, true, false]);
  assert.deepEqual(eightBit(`${mixed}\r\n--b\r\nX: e\r\n\r\nx\xe9\r\n--b\r\n\r\ny\r\n`), [
    false,
    false,
    true,
  ]);
  assert.deepEqual(eightBit(`${mixed}\r\n\xe9\r\n--b\r\nX: e\r\n\r\nx\r\n--b\r\n\r\ny\r\n`), [
    false,
    false,
    true,
  ]);
});

test('every Received field is counted, listed ones are bounded', () => {
  const message = Buffer.from(`${'Received: x\r\n'.repeat(5000)}\r\nbody`);
  const structure = scanMessage(message);
  assert.equal(structure.receivedFields, 5000);
  assert.equal(structure.fields.length, 2000);
});

test('a header beyond the limit is reported and not kept', () => {
  const scanner = new MessageScanner({ headerBytes: 100 });
  for (let i = 0; i < 100; i++) scanner.push(Buffer.from(`X-Field-${i}: ${'x'.repeat(20)}\r\n`));
  scanner.push(Buffer.from('\r\nbody'));
  const structure = scanner.end();
  assert.equal(structure.headerTruncated, true);
  assert.equal(structure.size - structure.root.bodyStart, 4);
  assert.ok(structure.fields.length < 5);
});

test('too many parts: the last one takes the rest', () => {
  const message = Buffer.from(
    `Content-Type: multipart/mixed; boundary=b\r\n\r\n${'--b\r\n\r\nx\r\n'.repeat(5000)}--b--\r\n`,
  );
  const structure = scanMessage(message);
  checkOffsets(message, structure);
  const parts = [...eachPart(structure.root)];
  assert.equal(parts.length, 1000);
  assert.equal(parts.at(-1)?.opaque, true);
  assert.equal(parts.at(-1)?.bodyEnd, message.length);
});

test('too deep: what is inside stays opaque', () => {
  const multiparts = Array.from(
    { length: 500 },
    (_, i) => `Content-Type: multipart/mixed; boundary=b${i}x\r\n\r\n--b${i}x\r\n`,
  );
  const messages = 'Content-Type: message/rfc822\r\n\r\n'.repeat(1000);
  for (const text of [multiparts.join(''), messages, multiparts.slice(0, 20).join('') + messages]) {
    const message = Buffer.from(`${text}\r\nend`);
    const structure = scanMessage(message);
    checkOffsets(message, structure);
    const parts = [...eachPart(structure.root)];
    assert.ok(parts.length <= 51, `${parts.length} parts`);
    assert.equal(parts.at(-1)?.opaque, true);
    assert.match(renderBody(structure, true).toString(), /"application" "octet-stream"/);
  }
});

test('the result does not depend on how the input is cut', () => {
  for (const [name, message] of Object.entries(all)) {
    const whole = scanMessage(message);
    checkOffsets(message, whole);
    const single = scanCut(
      message,
      Array.from({ length: message.length }, (_, i) => i),
    );
    assert.deepEqual(single, whole, name);
    for (let cut = 0; cut < message.length; cut++)
      assert.deepEqual(scanCut(message, [cut]), whole, `${name} at ${cut}`);
  }
});

const boundaries = ['b', 'bb', 'b--', '--', '', 'x'.repeat(899), 'x'.repeat(900), 'x'.repeat(901)];
const soup = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        '\r\n',
        '\n',
        '\r',
        '\r\n\r\n',
        '\n\n',
        '\0',
        '\t',
        ' ',
        '\xe9',
        ':',
        ';',
        '"',
        '-',
        'Subject: x\r\n',
      ),
      fc.constantFrom(...boundaries).map((b) => `\r\n--${b}`),
      fc.constantFrom(...boundaries).map((b) => `--${b}\r\n`),
      fc.constantFrom(...boundaries).map((b) => `\r\n--${b}--`),
      fc.constantFrom(...boundaries).map((b) => `Content-Type: multipart/mixed; boundary="${b}"\r\n\r\n`),
      fc.constantFrom(
        'Content-Type: message/rfc822\r\n\r\n',
        'Content-Type: multipart/digest; boundary=b\r\n\r\n',
      ),
      fc.string({ maxLength: 12 }),
    ),
    { maxLength: 40 },
  )
  .map((pieces) => Buffer.from(pieces.join(''), 'latin1'));

test('property: any octets, any cuts', () => {
  fc.assert(
    fc.property(soup, fc.array(fc.nat(3000), { maxLength: 8 }), (message, cuts) => {
      const whole = scanMessage(message);
      checkOffsets(message, whole);
      const used = cuts.map((cut) => (message.length === 0 ? 0 : cut % message.length));
      assert.deepEqual(scanCut(message, used), whole);
      assert.deepEqual(parseStructure(serializeStructure(whole, { fields: true })), whole);
    }),
    { numRuns: 1500 },
  );
});

test('property: mutated messages are read and rendered', () => {
  const sources = Object.values(all);
  const edit = fc.record({
    at: fc.nat(4000),
    drop: fc.nat(20),
    put: fc.constantFrom('', '\0', '\r\n', '\n', '--', '"', '(', ';', '\xff', ' '),
  });
  fc.assert(
    fc.property(fc.constantFrom(...sources), fc.array(edit, { maxLength: 6 }), (source, edits) => {
      let message = source;
      for (const { at, drop, put } of edits) {
        const pos = message.length === 0 ? 0 : at % message.length;
        message = Buffer.concat([
          message.subarray(0, pos),
          Buffer.from(put, 'latin1'),
          message.subarray(pos + drop),
        ]);
      }
      const structure = scanMessage(message);
      checkOffsets(message, structure);
      renderEnvelope(structure, message.subarray(0, structure.root.bodyStart));
      assert.equal(renderBody(structure, true).at(-1), 41);
      assert.deepEqual(parseStructure(serializeStructure(structure, { fields: true })), structure);
    }),
    { numRuns: 3000 },
  );
});

test('a structure without its fields is compact', () => {
  const structure = scanMessage(nested);
  const text = serializeStructure(structure);
  assert.ok(text.length < 900, `${text.length}`);
  assert.deepEqual(parseStructure(text), { ...structure, fields: [] });
});

test('many small delimiters-to-be and long boundaries stay linear', () => {
  const deep = Array.from(
    { length: 45 },
    (_, i) =>
      `Content-Type: multipart/mixed; boundary="${'y'.repeat(600)}${i}z"\r\n\r\n--${'y'.repeat(600)}${i}z\r\n`,
  );
  const message = Buffer.from(
    `${deep.join('')}\r\n${`--${'y'.repeat(600)}\r\n`.repeat(2000)}${'--\r\n'.repeat(100_000)}`,
  );
  checkOffsets(message, scanMessage(message));
});

test('fields of a folded header have their ranges', () => {
  const message = lines('A: 1', 'B: 2', ' more', 'C : 3', '', 'body');
  const { fields } = scanMessage(message);
  assert.deepEqual(
    fields.map((f) => [
      f.name,
      message.toString('latin1', f.start, f.end),
      message.toString('latin1', f.valueStart, f.end),
    ]),
    [
      ['a', 'A: 1\r\n', ' 1\r\n'],
      ['b', 'B: 2\r\n more\r\n', ' 2\r\n more\r\n'],
      ['c', 'C : 3\r\n', ' 3\r\n'],
    ],
  );
});
