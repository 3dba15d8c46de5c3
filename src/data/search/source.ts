import type { TextSource } from '../../mail/search/text.ts';
import { contentReader, slicePieces } from '../mailstore/content-reader.ts';
import type { ContentRef } from '../mailstore/types.ts';
import type { BlobReader } from '../store.ts';

/** Where the octets of an email are, for who looks for text in it. */
export function textSource(blobs: BlobReader, ref: ContentRef): TextSource {
  const content = contentReader(blobs, ref);
  return {
    get structure() {
      return content.structure;
    },
    header: (max) => content.header(max),
    range: (start, end, max) => content.bytes(slicePieces(content.stored(start, end), 0, max)),
    read: (start, end) => content.read(content.stored(start, end)),
  };
}
