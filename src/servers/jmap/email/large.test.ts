import assert from 'node:assert/strict';
import { it } from 'node:test';
import { decodeQuotedPrintable } from '../../../mail/dsn/encode.ts';
import { inQuotedPrintable } from './in-quoted-printable.ts';
import { parsedProperties, partOctets } from './large.ts';
import { partWithin } from './parts.ts';
import { emailWish, messageProperties, PARSE_PROPERTIES } from './properties.ts';
import { octetSource } from './source.ts';

it('a large message is read beside the event loop, and tells what a small one would', async () => {
  const part = `--b\r\nContent-Type: text/plain\r\n\r\n${'A line of text.\r\n'.repeat(2000)}\r\n`;
  const octets = Buffer.from(
    `From: a@else.test\r\nSubject: large\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n${part.repeat(200)}--b--\r\n`,
  );
  const wish = () => emailWish({ fetchTextBodyValues: true, maxBodyValueBytes: 100 }, PARSE_PROPERTIES);
  let turns = 0;
  let over = false;
  const others = (async () => {
    while (!over) {
      await new Promise((resolve) => setImmediate(resolve));
      turns++;
    }
  })();
  const asked = wish();
  const told = await parsedProperties(1, Buffer.from(octets), 'U1', asked);
  over = true;
  await others;
  const mine = wish();
  assert.deepEqual(told, await messageProperties(octetSource(octets, 'U1'), mine, undefined));
  assert.equal(told['subject'], 'large');
  assert.equal(asked.left, mine.left, 'what was read counts');
  assert.ok(turns > 5, `${turns} turns`);
});

it('so is a part of one, by what a blob id says of it', async () => {
  const body = Buffer.from('A line of text.\r\n'.repeat(4000)).toString('base64');
  const part = `--b\r\nContent-Transfer-Encoding: base64\r\n\r\n${body}\r\n`;
  const octets = Buffer.from(`Content-Type: multipart/mixed; boundary=b\r\n\r\n${part.repeat(60)}--b--\r\n`);
  let turns = 0;
  let over = false;
  const others = (async () => {
    while (!over) {
      await new Promise((resolve) => setImmediate(resolve));
      turns++;
    }
  })();
  for (const partId of ['2', 'e60', '61', 'e1.1'])
    assert.deepEqual(await partOctets(1, Buffer.from(octets), partId), partWithin(octets, partId), partId);
  over = true;
  await others;
  assert.equal((await partOctets(1, Buffer.from(octets), '2'))?.length, 17 * 4000);
  assert.ok(turns > 5, `${turns} turns`);
});

it('who has many large messages read waits behind who has one', async () => {
  const part = `--b\r\n\r\n${'A line of text.\r\n'.repeat(2000)}\r\n`;
  const octets = Buffer.from(`Content-Type: multipart/mixed; boundary=b\r\n\r\n${part.repeat(40)}--b--\r\n`);
  const done: string[] = [];
  const read = (accountId: number, name: string): Promise<unknown> =>
    partOctets(accountId, Buffer.from(octets), '1').then(() => done.push(name));
  const many = Array.from({ length: 8 }, (_, i) => read(1, `many ${i}`));
  const others = [read(2, 'one'), read(3, 'another')];
  await Promise.all([...many, ...others]);
  assert.deepEqual(done.slice(0, 3), ['many 0', 'one', 'another']);
  assert.equal(done.length, 10);
});

it('one account has no more than its share of the places where large messages wait', async () => {
  const octets = Buffer.alloc(300_000, 'Subject: x\r\n');
  const tried = await Promise.allSettled([
    ...Array.from({ length: 80 }, () => partOctets(1, Buffer.from(octets), '1')),
    partOctets(2, Buffer.from(octets), '1'),
  ]);
  assert.equal(tried.at(-1)?.status, 'fulfilled');
  assert.ok(tried.filter(({ status }) => status === 'rejected').length > 60);
});

it('a long text is encoded with turns for others, and reads as it was wherever it is cut', async () => {
  for (const text of [
    'Ein Gru\u00df.\r\n'.repeat(20_000),
    '\u00e9 . From '.repeat(20_000),
    '\r'.repeat(16_384 * 30),
    `${'x'.repeat(32_766)}\r\r\n${'y'.repeat(32_766)}\r${'z'.repeat(40_000)}`,
    `${'x'.repeat(16_383)}\r\n${'y'.repeat(32_767)}\r\nz`,
    `${'x'.repeat(32_766)} \r\n`,
  ]) {
    const bytes = Buffer.from(text);
    const pieces: Buffer[] = [];
    for await (const piece of inQuotedPrintable(bytes)) {
      pieces.push(piece);
      assert.ok(piece.length < 200_000, 'in small pieces, however its lines end');
    }
    const encoded = Buffer.concat(pieces).toString('latin1');
    for (const line of encoded.split('\r\n')) assert.ok(line.length <= 76 && !/[ \t]$/.test(line));
    const read = Buffer.from(decodeQuotedPrintable(encoded), 'latin1').toString();
    assert.ok(read === text.replaceAll(/\r\n|\r/g, '\r\n'), text.slice(0, 20));
  }
});
