import { contentReader, slicePieces } from '../../../data/mailstore/content-reader.ts';
import type { ContentRef } from '../../../data/mailstore/types.ts';
import type { BlobReader } from '../../../data/store.ts';
import { scanMessage } from '../../../mail/message/scanner.ts';
import type { MessageStructure, Part } from '../../../mail/message/structure.ts';

/** Octets of a header section that are read. */
const HEADER_BYTES = 256 * 1024;

/** A message whose properties are told: one that is kept, or one that a blob turned out to be. */
export interface MessageSource {
  readonly structure: MessageStructure;
  /** The header of the message as its reader sees it. */
  header(): Promise<Buffer>;
  /** The header of a part. */
  partHeader(part: Part): Promise<Buffer>;
  /** At most `max` octets of the body of a part, encoded as it is, from `from` on. */
  body(part: Part, max: number, from?: number): Promise<Buffer>;
  /** Id of the whole as a blob. */
  readonly blobId: string;
  /** Id of a part as a blob. */
  partBlobId(partId: string): string;
}

export function storedSource(blobs: BlobReader, ref: ContentRef, blobId: string): MessageSource {
  const content = contentReader(blobs, ref);
  const range = (start: number, end: number, max: number): Promise<Buffer> =>
    content.bytes(slicePieces(content.stored(start, end), 0, max));
  return {
    get structure() {
      return content.structure;
    },
    header: () => content.header(HEADER_BYTES),
    partHeader: (part) => range(part.headerStart, part.bodyStart, HEADER_BYTES),
    body: (part, max, from = 0) => range(part.bodyStart + from, part.bodyEnd, max),
    blobId,
    partBlobId: (partId) => partBlob(blobId, partId),
  };
}

export function octetSource(octets: Buffer, blobId: string): MessageSource {
  const structure = scanMessage(octets);
  return {
    structure,
    header: () => Promise.resolve(octets.subarray(0, Math.min(structure.root.bodyStart, HEADER_BYTES))),
    partHeader: (part) => Promise.resolve(octets.subarray(part.headerStart, part.bodyStart)),
    body: (part, max, from = 0) =>
      Promise.resolve(
        octets.subarray(part.bodyStart + from, Math.min(part.bodyEnd, part.bodyStart + from + max)),
      ),
    blobId,
    partBlobId: (partId) => partBlob(blobId, partId),
  };
}

/** "B12" and part 1.2 is "B12-1_2": an Id has no dots (RFC 8620 section 1.2). */
export function partBlob(blobId: string, partId: string): string {
  return `${blobId}-${partId.replaceAll('.', '_')}`;
}
