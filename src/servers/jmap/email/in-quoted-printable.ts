import { encodeQuotedPrintable } from '../../../mail/message/build.ts';

/** Octets encoded between two turns of others. */
const STRETCH = 16 * 1024;
/** A line may end so many octets later. */
const LONGER = 16 * 1024;
const LF = 10;
const CR = 13;

/** Text in quoted-printable (RFC 2045 section 6.7), piece by piece, with turns for others in between. */
export async function* inQuotedPrintable(text: Buffer): AsyncGenerator<Buffer> {
  for (let at = 0; at < text.length; ) {
    const end = pieceEnd(text, at + STRETCH);
    const piece = text.subarray(at, end);
    at = end;
    yield encodeQuotedPrintable(piece);
    if (at === text.length) return;
    // What is cut within a line goes on in it.
    if (piece.at(-1) !== LF && piece.at(-1) !== CR) yield Buffer.from('=\r\n');
    await new Promise<void>((resolve) => setImmediate(resolve));
  }
}

/** The end of the line that an octet stands in, when that is near. */
function pieceEnd(text: Buffer, least: number): number {
  if (least >= text.length) return text.length;
  const line = text.subarray(least - 1, least + LONGER).indexOf(LF);
  if (line >= 0) return least + line;
  const end = Math.min(least + LONGER, text.length);
  // Never between CR and LF; a CR alone is a line end too.
  return text[end - 1] === CR && text[end] === LF ? end + 1 : end;
}
