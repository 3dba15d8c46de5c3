import { type BodyHasher, type Canonicalization, createBodyHasher } from './body-hash.ts';

/**
 * The body of one message, hashed once for all who verify it (DKIM signatures and the ARC message signature). They say
 * with `want` what they need before the first octet; whoever has the message pushes it, and then they ask.
 */
export interface BodyHashes {
  /** Ask for a canonicalisation, and for its first `length` octets alone (`l=`). Before the first `push` only. */
  want(canonicalization: Canonicalization, length?: number): void;
  /** The next octets of the body. Pieces of about 64 KiB keep the event loop free. */
  push(chunk: Uint8Array): void;
  /** After `end`: SHA-256 of the whole body or of its first `length` octets; undefined when the body is shorter, or was not asked for. */
  digest(canonicalization: Canonicalization, length?: number): Buffer | undefined;
  /** After `end`: octets of the canonicalised body. */
  length(canonicalization: Canonicalization): number;
  /** After the last octet. Calling it again is harmless. */
  end(): void;
}

/** Hash a body that arrives in pieces, in as many canonicalisations as are asked for (at most two). */
export function createBodyHashes(): BodyHashes {
  const wanted = new Map<Canonicalization, Set<number>>();
  let hashers: Map<Canonicalization, BodyHasher> | undefined;
  const begin = (): Map<Canonicalization, BodyHasher> => {
    hashers ??= new Map([...wanted].map(([name, lengths]) => [name, createBodyHasher(name, lengths)]));
    return hashers;
  };
  return {
    want(canonicalization, length) {
      if (hashers !== undefined) throw new Error('the body has begun');
      const lengths = wanted.get(canonicalization) ?? new Set();
      wanted.set(canonicalization, lengths);
      if (length !== undefined) lengths.add(length);
    },
    push(chunk) {
      for (const hasher of begin().values()) hasher.update(chunk);
    },
    end() {
      for (const hasher of begin().values()) hasher.digest();
    },
    digest(canonicalization, length) {
      const hasher = hashers?.get(canonicalization);
      return length === undefined ? hasher?.digest() : hasher?.prefixDigest(length);
    },
    length: (canonicalization) => hashers?.get(canonicalization)?.length() ?? 0,
  };
}
