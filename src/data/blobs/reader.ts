import { promisify } from 'node:util';
import { constants, zstdDecompress, zstdDecompressSync } from 'node:zlib';
import { cacheBytes, KEPT_BUFFER_BYTES, ownMemory } from '../../base/memory.ts';
import type { BlobReader, Reader } from '../store.ts';
import type { BlobStore } from './file.ts';

const decompress = promisify(zstdDecompress);
const PIECE = 64 * 1024;
const { Z_MIN_CHUNK } = constants;
/** Up to this size decoding takes a tenth of a millisecond, less than going to another thread and back. */
const DECODE_IN_PLACE_BYTES = 64 * 1024;
/** Octets of recently read bodies kept decoded: a client reads in ranges, and its owner has another device. */
const CACHE_BYTES = cacheBytes(24 * 1024 * 1024);
/** Larger ones are decoded anew. */
const CACHED_BYTES_MAX = 8 * 1024 * 1024;

/** A body in memory, or where it stands in the blob store. */
type Found = { readonly octets: Buffer } | { readonly file: string; readonly size: number };

/**
 * Octets of blobs wherever they lie: in the row (raw or zstd) or in the blob store (always raw). `keep`: octets of bodies
 * that stay decoded in memory.
 */
export function createBlobReader(read: Reader, store: BlobStore, keep = CACHE_BYTES): BlobReader {
  const cache = new Map<number, Buffer>();
  let cached = 0;

  const remember = (id: number, octets: Buffer): void => {
    if (octets.length > Math.min(CACHED_BYTES_MAX, keep) || cache.has(id)) return;
    cache.set(id, ownMemory(octets));
    cached += octets.length + KEPT_BUFFER_BYTES;
    for (const [old, bytes] of cache) {
      if (cached <= keep) break;
      cache.delete(old);
      cached -= bytes.length + KEPT_BUFFER_BYTES;
    }
  };

  async function find(blobId: number): Promise<Found> {
    const row = await read.run('blobs.row', { id: blobId });
    if (row === undefined) throw new Error(`blob ${blobId} is missing`);
    if (row.file !== null) return { file: row.file, size: row.size };
    const data = row.data ?? new Uint8Array();
    let octets = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
    if (row.encoding === 'zstd') {
      // A chunk as large as the body: it is made once, and a small body makes none of the usual 16 KiB.
      const chunkSize = Math.max(Z_MIN_CHUNK, Math.min(row.size + 1, DECODE_IN_PLACE_BYTES));
      const options = { maxOutputLength: Math.max(row.size, 1), chunkSize };
      octets =
        row.size <= DECODE_IN_PLACE_BYTES
          ? zstdDecompressSync(octets, options)
          : await decompress(octets, options);
    }
    remember(blobId, octets);
    return { octets };
  }

  async function* pieces(blobId: number, start = 0, end = Number.POSITIVE_INFINITY): AsyncGenerator<Buffer> {
    const known = cache.get(blobId);
    const found = known === undefined ? await find(blobId) : { octets: known };
    if ('file' in found) {
      yield* store.read(found.file, start, Math.min(end, found.size));
      return;
    }
    const { octets } = found;
    const last = Math.min(end, octets.length);
    for (let at = start; at < last; at += PIECE) yield octets.subarray(at, Math.min(at + PIECE, last));
  }

  return {
    read: (blobId, start, end) => pieces(blobId, start, end),
    async bytes(blobId, start, end) {
      const known = cache.get(blobId);
      if (known !== undefined) return known.subarray(start, end);
      const all: Buffer[] = [];
      for await (const piece of pieces(blobId, start, end)) all.push(piece);
      return all.length === 1 && all[0] !== undefined ? all[0] : Buffer.concat(all);
    },
  };
}
