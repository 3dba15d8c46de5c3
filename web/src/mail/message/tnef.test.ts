import assert from 'node:assert/strict';
import { it } from 'node:test';
import { tnefFiles } from './tnef.ts';

function attribute(id: number, value: Buffer): Buffer {
  const head = Buffer.alloc(9);
  head.writeUInt8(2, 0);
  head.writeUInt32LE(id, 1);
  head.writeUInt32LE(value.length, 5);
  return Buffer.concat([head, value, Buffer.alloc(2)]);
}

function property(type: number, id: number, value: Buffer): Buffer {
  const head = Buffer.alloc(12);
  head.writeUInt16LE(type, 0);
  head.writeUInt16LE(id, 2);
  head.writeUInt32LE(1, 4);
  head.writeUInt32LE(value.length, 8);
  return Buffer.concat([head, value, Buffer.alloc((4 - (value.length % 4)) % 4)]);
}

const long = Buffer.from('Größe der Anlage.pdf\0', 'utf16le');
const number = Buffer.from([3, 0, 0x20, 0x0e, 5, 0, 0, 0]);
const properties = Buffer.concat([Buffer.from([2, 0, 0, 0]), number, property(0x1f, 0x3707, long)]);
const WHOLE = Buffer.concat([
  Buffer.from([0x78, 0x9f, 0x3e, 0x22, 1, 0]),
  attribute(0x0006_9002, Buffer.alloc(14)),
  attribute(0x0006_800f, Buffer.from('the file')),
  attribute(0x0001_8010, Buffer.from('GRSSE~1.PDF\0')),
  attribute(0x0006_9005, properties),
  attribute(0x0006_9002, Buffer.alloc(14)),
  attribute(0x0001_8010, Buffer.from('../notes.txt\0')),
  attribute(0x0006_800f, Buffer.from('second')),
]);
const octetsOf = (buffer: Buffer): Uint8Array<ArrayBuffer> => new Uint8Array(buffer);

it('finds the files of a winmail.dat and their whole names', () => {
  const found = tnefFiles(octetsOf(WHOLE)) ?? [];
  assert.deepEqual(
    found.map(({ name, octets }) => [name, Buffer.from(octets).toString()]),
    [
      ['Größe der Anlage.pdf', 'the file'],
      ['../notes.txt', 'second'],
    ],
  );
});

it('says what is none, and believes no length', () => {
  assert.equal(tnefFiles(octetsOf(Buffer.from('PK\x03\x04 something else'))), undefined);
  for (let end = 6; end < WHOLE.length; end++) tnefFiles(octetsOf(WHOLE.subarray(0, end)));
  for (let at = 6; at < WHOLE.length; at++) {
    const broken = Buffer.from(WHOLE);
    broken[at] = 0xff;
    assert.ok((tnefFiles(octetsOf(broken)) ?? []).length <= 2);
  }
});
