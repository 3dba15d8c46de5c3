const CR = 13;
const LF = 10;

/**
 * Files of mail systems on Unix end lines with LF; in transit and in our store they end with CRLF (RFC 5322 section 2.3).
 * Each LF without CR before it gets one; nothing else is touched.
 */
export async function* withCrlf(source: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let last = 0;
  for await (const piece of source) {
    yield crlf(piece, last);
    last = piece.at(-1) ?? last;
  }
}

/** `last`: the octet before the piece. */
export function crlf(piece: Buffer, last: number): Buffer {
  const bare: number[] = [];
  for (let at = piece.indexOf(LF); at !== -1; at = piece.indexOf(LF, at + 1)) {
    if ((at === 0 ? last : piece[at - 1]) !== CR) bare.push(at);
  }
  if (bare.length === 0) return piece;
  const out = Buffer.allocUnsafe(piece.length + bare.length);
  let from = 0;
  let to = 0;
  for (const at of bare) {
    to += piece.copy(out, to, from, at);
    out[to++] = CR;
    from = at;
  }
  piece.copy(out, to, from);
  return out;
}
