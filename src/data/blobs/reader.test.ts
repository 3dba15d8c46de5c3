import assert from 'node:assert/strict';
import { test } from 'node:test';
import { zstdCompressSync } from 'node:zlib';
import type { Reader } from '../store.ts';
import type { BlobStore } from './file.ts';
import { createBlobReader } from './reader.ts';

const body = (id: number, size: number): Buffer => Buffer.from(`${id} `.repeat(size).slice(0, size));
/** Bodies by id, `id` * 100 octets each, packed as they lie in the database; counts what was asked for. */
function packed(): { reader: Reader; asked: number[] } {
  const asked: number[] = [];
  const run = (_name: string, { id }: { id: number }): Promise<unknown> => {
    asked.push(id);
    const data = new Uint8Array(zstdCompressSync(body(id, id * 100)));
    return Promise.resolve({ size: id * 100, encoding: 'zstd', file: null, data });
  };
  return { reader: { run } as unknown as Reader, asked };
}
const noFiles = {} as BlobStore;

test('a body that is kept takes no more memory than it has octets', async () => {
  const { reader, asked } = packed();
  const blobs = createBlobReader(reader, noFiles, 10_000_000);
  // Unpacked in one chunk, in several, and in a thread.
  for (const id of [1, 7, 30, 200, 600, 900]) {
    await blobs.bytes(id);
    const again = await blobs.bytes(id);
    assert.deepEqual(again, body(id, id * 100));
    assert.equal(again.buffer.byteLength, id * 100, `${id * 100} octets hold more`);
  }
  assert.deepEqual(asked, [1, 7, 30, 200, 600, 900], 'the second time it was there');
});

test('what is kept is counted with what an entry costs', async () => {
  const { reader, asked } = packed();
  const blobs = createBlobReader(reader, noFiles, 12_000);
  for (let id = 1; id <= 12; id++) await blobs.bytes(id);
  asked.length = 0;
  for (const id of [12, 11, 10, 1]) await blobs.bytes(id);
  assert.deepEqual(asked, [1], 'the last few are there, the first is not');
});

test('a piece of a body', async () => {
  const blobs = createBlobReader(packed().reader, noFiles);
  assert.deepEqual(await blobs.bytes(700, 10, 20), body(700, 70_000).subarray(10, 20));
  assert.deepEqual(await blobs.bytes(700, 69_990), body(700, 70_000).subarray(69_990));
});
