import type { ContentRef } from '../../data/mailstore/types.ts';
import type { BlobReader } from '../../data/store.ts';

/** The octets of a message as its reader sees it: what was put before it, then what is stored without the hidden ranges. */
export async function* visibleOctets(
  blobs: BlobReader,
  { blobId, blobSize, prefix, hidden }: ContentRef,
): AsyncGenerator<Buffer, void> {
  if (prefix.length > 0) yield Buffer.from(prefix);
  let at = 0;
  for (const [from, to] of hidden) {
    if (from > at) yield* blobs.read(blobId, at, from);
    at = Math.max(at, to);
  }
  if (at < blobSize) yield* blobs.read(blobId, at, blobSize);
}
