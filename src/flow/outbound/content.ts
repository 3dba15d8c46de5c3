import type { QueueMessage } from '../../data/queue/types.ts';
import type { BlobReader } from '../../data/store.ts';
import type { MessageContent } from './transport.ts';

/** The message as it is sent: what we put before it, then the stored octets without the hidden fields. */
export function queuedContent(blobs: BlobReader, message: QueueMessage): MessageContent {
  return { size: message.size, open: () => pieces(blobs, message) };
}

async function* pieces(blobs: BlobReader, message: QueueMessage): AsyncGenerator<Buffer> {
  if (message.prefix.length > 0) yield Buffer.from(message.prefix);
  let at = 0;
  for (const [start, end] of message.hidden) {
    if (start > at) yield* blobs.read(message.blobId, at, start);
    at = end;
  }
  yield* blobs.read(message.blobId, at, message.blobSize);
}

/** At most the first `limit` octets, for a notification or for re-encoding. */
export async function firstOctets(content: MessageContent, limit: number): Promise<Buffer> {
  const parts: Buffer[] = [];
  let size = 0;
  for await (const piece of content.open()) {
    parts.push(piece);
    size += piece.length;
    if (size >= limit) break;
  }
  return Buffer.concat(parts).subarray(0, limit);
}
