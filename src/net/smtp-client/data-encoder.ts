import { Refusal } from '../../base/errors.ts';

const CR = 0x0d;
const LF = 0x0a;
const DOT = 0x2e;
const ONE_DOT = Buffer.from('.');

/**
 * Message data as DATA wants it (RFC 5321 section 4.5.2): a dot more before each line that begins with one. Knows where
 * lines begin across chunks. A bare CR or LF is a `Refusal` ('bad-input'): the next host could take it for a line end and
 * find commands behind it, which is SMTP smuggling.
 */
export interface DataEncoder {
  /** The pieces to send for a chunk; they share its memory. */
  encode(chunk: Buffer): Buffer[];
  /** What ends the data: CRLF where the message had none, dot, CRLF. */
  end(): Buffer;
}

export function createDataEncoder(): DataEncoder {
  let atLineStart = true;
  let afterCr = false;

  function encode(chunk: Buffer): Buffer[] {
    const pieces: Buffer[] = [];
    let from = 0;
    let at = 0;
    while (at < chunk.length) {
      if (atLineStart && !afterCr && chunk[at] === DOT) {
        pieces.push(chunk.subarray(from, at), ONE_DOT);
        from = at;
      }
      const lf = chunk.indexOf(LF, at);
      const end = lf === -1 ? chunk.length : lf;
      checkLine(chunk, at, end, lf !== -1, afterCr);
      afterCr = lf === -1 && chunk[chunk.length - 1] === CR;
      atLineStart = lf !== -1;
      at = end + 1;
    }
    pieces.push(chunk.subarray(from));
    return pieces.filter((piece) => piece.length > 0);
  }

  return {
    encode,
    end() {
      if (afterCr) throw bareLineBreak('CR');
      return Buffer.from(atLineStart ? '.\r\n' : '\r\n.\r\n');
    },
  };
}

/** The octets from `at` to `end`, behind which an LF stands or the chunk ends, may have a CR only as the last one. */
function checkLine(chunk: Buffer, at: number, end: number, hasLf: boolean, afterCr: boolean): void {
  if (afterCr) {
    // The CR that ended the last chunk needs its LF right here.
    if (end !== at || !hasLf) throw bareLineBreak('CR');
    return;
  }
  const cr = chunk.indexOf(CR, at);
  const hasCr = cr !== -1 && cr < end;
  if (hasCr && cr !== end - 1) throw bareLineBreak('CR');
  if (hasLf && !hasCr) throw bareLineBreak('LF');
}

function bareLineBreak(which: 'CR' | 'LF'): Refusal {
  return new Refusal('bad-input', `the message has a bare ${which}, which cannot be sent with DATA`);
}
