import type { BlobStore } from '../data/blobs/file.ts';
import type { BlobReader } from '../data/store.ts';

/** The octets of a message that has arrived and is not stored yet: what judges it reads them here. */
export interface MessageOctets {
  readonly size: number;
  /** From `start` on, in pieces. */
  pieces(start?: number): AsyncIterable<Buffer>;
  /** The octets [start, end), for ranges the caller knows to be small. Not to be kept beyond the judgement. */
  bytes(start: number, end: number): Buffer | Promise<Buffer>;
}

export function octetsInMemory(octets: Buffer): MessageOctets {
  return {
    size: octets.length,
    async *pieces(start = 0) {
      yield octets.subarray(start);
    },
    bytes: (start, end) => octets.subarray(start, end),
  };
}

/** A body that was spilled to the blob store; `head` are its first octets, which most questions are about. */
export function octetsInFile(bodies: BlobStore, name: string, size: number, head: Buffer): MessageOctets {
  return {
    size,
    pieces: (start = 0) => bodies.read(name, start, size),
    async bytes(start, end) {
      if (end <= head.length) return head.subarray(start, end);
      const pieces: Buffer[] = [];
      for await (const piece of bodies.read(name, start, Math.min(end, size))) pieces.push(piece);
      return Buffer.concat(pieces);
    },
  };
}

/** Octets of a message that is stored already. */
export function octetsInStore(blobs: BlobReader, blobId: number, size: number): MessageOctets {
  return {
    size,
    pieces: (start = 0) => blobs.read(blobId, start),
    bytes: (start, end) => blobs.bytes(blobId, start, Math.min(end, size)),
  };
}
