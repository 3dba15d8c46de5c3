import assert from 'node:assert/strict';
import { test } from 'node:test';
import { digest, lines, nested, plain } from './fixtures.ts';
import { scanMessage } from './scanner.ts';
import { parseSectionSpec, readSection, resolveBinary, selectFields } from './section.ts';

async function get(message: Buffer, spec: string, fields: string[] = []): Promise<string | undefined> {
  const section = parseSectionSpec(spec) ?? assert.fail(`bad section ${spec}`);
  const source = { read: (start: number, end: number) => message.subarray(start, end) };
  return (await readSection(scanMessage(message), { ...section, fields }, source))?.toString('latin1');
}

test('sections of a plain message', async () => {
  assert.equal(await get(plain, ''), plain.toString());
  assert.equal(await get(plain, '1'), 'line one\r\nline two\r\n');
  assert.equal(await get(plain, 'TEXT'), 'line one\r\nline two\r\n');
  assert.equal(await get(plain, 'HEADER'), 'From: a@example.test\r\nSubject: hi\r\n\r\n');
  assert.equal(await get(plain, '1.MIME'), 'From: a@example.test\r\nSubject: hi\r\n\r\n');
  for (const none of ['2', '1.1', '1.TEXT', '1.HEADER', '2.MIME', '1.1.1.1.1.1.1.1.1.1', '4294967295']) {
    assert.equal(await get(plain, none), undefined, none);
  }
});

test('sections through a message in a message', async () => {
  const header =
    'From: "In Ner" <inner@example.test>\r\nSubject: inside\r\nContent-Type: multipart/alternative; boundary=inner\r\n\r\n';
  const text =
    '--inner\r\n\r\nplain inside\r\n--inner\r\nContent-Type: text/html\r\n\r\n<b>html</b>\r\n--inner--';
  assert.equal(await get(nested, '1'), 'caf=C3=A9\r\nsecond');
  assert.equal(await get(nested, '2'), header + text);
  assert.equal(await get(nested, '2.HEADER'), header);
  assert.equal(await get(nested, '2.TEXT'), text);
  assert.equal(
    await get(nested, '2.MIME'),
    'Content-Type: message/rfc822\r\nContent-Description: forwarded\r\n\r\n',
  );
  assert.equal(await get(nested, '2.1'), 'plain inside');
  assert.equal(await get(nested, '2.2'), '<b>html</b>');
  assert.equal(await get(nested, '2.2.MIME'), 'Content-Type: text/html\r\n\r\n');
  assert.equal(await get(nested, '2.HEADER.FIELDS', ['SUBJECT']), 'Subject: inside\r\n\r\n');
  assert.equal(
    await get(nested, 'header.fields.not', ['Content-Type', 'MIME-Version']),
    'Subject: top\r\n\r\n',
  );
  for (const none of ['4', '2.3', '2.1.1', '1.HEADER', '3.TEXT'])
    assert.equal(await get(nested, none), undefined, none);
});

test('a message in a digest is part 1 of its part', async () => {
  assert.equal(await get(digest, '2.1'), 'second');
  assert.equal(await get(digest, '2.HEADER'), 'Subject: two\r\n\r\n');
  assert.equal(await get(digest, '2.MIME'), '\r\n');
  assert.equal(await get(digest, '2.1.MIME'), 'Subject: two\r\n\r\n');
});

test('the part that BODYSTRUCTURE makes up is empty', async () => {
  const message = lines('Content-Type: multipart/mixed; boundary=x', '', 'nothing');
  assert.equal(await get(message, '1'), '');
  assert.equal(await get(message, '2'), undefined);
});

test('BINARY tells the encoding to undo', () => {
  const structure = scanMessage(nested);
  assert.equal(resolveBinary(structure, [3])?.encoding, 'base64');
  assert.equal(resolveBinary(structure, [2])?.encoding, '7bit');
  assert.equal(resolveBinary(structure, [9]), undefined);
});

test('selected fields always end with a blank line', () => {
  const header = Buffer.from('A: 1\r\nB: 2\r\n b\r\nA: 3\r\n\r\nbody: no\r\n');
  assert.equal(selectFields(header, ['a'], false).toString(), 'A: 1\r\nA: 3\r\n\r\n');
  assert.equal(selectFields(header, ['a'], true).toString(), 'B: 2\r\n b\r\n\r\n');
  assert.equal(selectFields(header, ['none'], false).toString(), '\r\n');
  assert.equal(selectFields(Buffer.from('A: cut'), ['a'], false).toString(), 'A: cut\r\n\r\n');
});

test('section specifications', () => {
  for (const bad of [
    '0',
    '1.',
    '.1',
    'MIME',
    '1.HEADERS',
    '01',
    'TEXT.1',
    '1TEXT',
    ' ',
    '99999999999',
    '.TEXT',
    `${'1.'.repeat(5000)}1`,
  ]) {
    assert.equal(parseSectionSpec(bad), undefined, bad);
  }
  assert.deepEqual(parseSectionSpec('1.2.mime'), { part: [1, 2], text: 'MIME' });
  assert.deepEqual(parseSectionSpec(''), { part: [], text: undefined });
});
