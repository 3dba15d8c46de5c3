import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ContentRef } from './types.ts';
import type { BlobReader } from '../store.ts';
import { scanMessage } from '../../mail/message/scanner.ts';
import { serializeStructure } from '../../mail/message/serialize.ts';
import { contentReader, sizeOf, slicePieces } from './content-reader.ts';

const HIDDEN = 'Delivered-To: forged@example.test\r\n';
const MESSAGE = `From: a@example.test\r\n${HIDDEN}Subject: s\r\n${HIDDEN}\r\nbody\r\n`;
const PREFIX = 'Return-Path: <a@example.test>\r\n';
const VISIBLE = `${PREFIX}From: a@example.test\r\nSubject: s\r\n\r\nbody\r\n`;

function blobsOf(octets: Buffer): BlobReader {
  return {
    async *read(_, start = 0, end = octets.length) {
      for (let at = start; at < end; at += 7) yield octets.subarray(at, Math.min(at + 7, end));
    },
    bytes: async (_, start = 0, end = octets.length) => octets.subarray(start, end),
  };
}

function reader() {
  const octets = Buffer.from(MESSAGE);
  const first = MESSAGE.indexOf(HIDDEN);
  const second = MESSAGE.lastIndexOf(HIDDEN);
  const ref: ContentRef = {
    emailId: 1,
    blobId: 1,
    prefix: Buffer.from(PREFIX),
    hidden: [
      [first, first + HIDDEN.length],
      [second, second + HIDDEN.length],
    ],
    structure: serializeStructure(scanMessage(octets)),
    blobSize: octets.length,
  };
  return contentReader(blobsOf(octets), ref);
}

test('a message is read with its prefix and without what is hidden', async () => {
  const content = reader();
  const text = async (section: Parameters<typeof content.section>[0]): Promise<string> => {
    const found = content.section(section);
    assert(found !== undefined);
    const streamed: Buffer[] = [];
    for await (const piece of content.read(found.pieces)) streamed.push(piece);
    const whole = await content.bytes(found.pieces);
    assert(whole.equals(Buffer.concat(streamed)));
    assert.equal(whole.length, sizeOf(found.pieces));
    return whole.toString();
  };
  assert.equal(await text({ part: [] }), VISIBLE);
  assert.equal(await text({ part: [], text: 'HEADER' }), VISIBLE.slice(0, VISIBLE.indexOf('body')));
  assert.equal(await text({ part: [], text: 'TEXT' }), 'body\r\n');
  assert.equal(await text({ part: [1] }), 'body\r\n');
  assert.equal((await content.header(1000)).toString(), VISIBLE.slice(0, VISIBLE.indexOf('body')));
  assert.equal(content.section({ part: [2] }), undefined);
});

test('any slice is the slice of what is seen', async () => {
  const content = reader();
  const pieces = content.section({ part: [] })?.pieces ?? [];
  for (let offset = 0; offset <= VISIBLE.length + 2; offset++) {
    for (const count of [1, 5, 40, 1000]) {
      const octets = await content.bytes(slicePieces(pieces, offset, count));
      assert.equal(octets.toString(), VISIBLE.slice(offset, offset + count));
    }
  }
});
