import { promisify } from 'node:util';
import { zstdDecompress, zstdDecompressSync } from 'node:zlib';
import type { BlobReader, Reader } from '../store.ts';
import type { BlobStore } from './file.ts';

const decompress = promisify(zstdDecompress);
const PIECE = 64 * 1024;
/** Up to this size decoding takes a tenth of a millisecond, less than going to another thread and back. */
const DECODE_IN_PLACE_BYTES = 64 * 1024;
/** Decoded octets of recently read compressed bodies kept, so that a client reading in ranges decodes once. */
const CACHE_BYTES = 8 * 1024 * 1024;

/** Octets of blobs wherever they lie: in the row (raw or zstd) or in the blob store (always raw). */
export function createBlobReader(read: Reader, store: BlobStore): BlobReader {
  const cache = new Map<number, Buffer>();
  let cached = 0;

  const remember = (id: number, octets: Buffer): void => {
    cache.set(id, octets);
    cached += octets.length;
    for (const [old, bytes] of cache) {
      if (cached <= CACHE_BYTES) break;
      cache.delete(old);
      cached -= bytes.length;
    }
  };

  async function* pieces(blobId: number, start = 0, end = Number.POSITIVE_INFINITY): AsyncGenerator<Buffer> {
    let octets = cache.get(blobId);
    if (octets === undefined) {
      const row = await read.run('blobs.row', { id: blobId });
      if (row === undefined) throw new Error(`blob ${blobId} is missing`);
      const last = Math.min(end, row.size);
      if (row.file !== null) {
        yield* store.read(row.file, start, last);
        return;
      }
      octets = Buffer.from(row.data ?? new Uint8Array());
      if (row.encoding === 'zstd') {
        const options = { maxOutputLength: Math.max(row.size, 1) };
        octets =
          row.size <= DECODE_IN_PLACE_BYTES
            ? zstdDecompressSync(octets, options)
            : await decompress(octets, options);
        remember(blobId, octets);
      }
    }
    const last = Math.min(end, octets.length);
    for (let at = start; at < last; at += PIECE) yield octets.subarray(at, Math.min(at + PIECE, last));
  }

  return {
    read: (blobId, start, end) => pieces(blobId, start, end),
    async bytes(blobId, start, end) {
      const all: Buffer[] = [];
      for await (const piece of pieces(blobId, start, end)) all.push(piece);
      return all.length === 1 && all[0] !== undefined ? all[0] : Buffer.concat(all);
    },
  };
}
