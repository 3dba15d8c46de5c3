import { Readable } from 'node:stream';
import { createGunzip, createZstdDecompress } from 'node:zlib';

const GZIP = Buffer.from([0x1f, 0x8b, 0x08]);
const ZSTD = Buffer.from([0x28, 0xb5, 0x2f, 0xfd]);

/** Octets of a file that Dovecot's zlib plugin may have compressed (gzip or zstd), told by how it begins. */
export async function* unpacked(source: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  const from = source[Symbol.asyncIterator]();
  const first = await from.next();
  if (first.done === true) return;
  const all = async function* (): AsyncGenerator<Buffer> {
    yield first.value;
    for (let next = await from.next(); next.done !== true; next = await from.next()) yield next.value;
  };
  const packer = first.value.subarray(0, 3).equals(GZIP)
    ? createGunzip()
    : first.value.subarray(0, 4).equals(ZSTD)
      ? createZstdDecompress()
      : undefined;
  if (packer === undefined) {
    yield* all();
    return;
  }
  const input = Readable.from(all());
  input.on('error', (error) => packer.destroy(error));
  for await (const piece of input.pipe(packer)) yield piece as Buffer;
}
