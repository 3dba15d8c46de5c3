const CR = 0x0d;
const LF = 0x0a;
const DOT = 0x2e;
const CRLF = Buffer.from('\r\n');

/**
 * Octets of a message as a multi-line response carries them (RFC 1939 section 3): a dot more before a line that begins
 * with one, and CRLF for an LF by itself: there are clients that end a line there, and a message could make them see
 * the end of the response before it comes. Ended by CRLF "." CRLF. Feed it pieces in order; what it gives back may be a
 * view of what it got.
 */
export class DotStuffer {
  #atLineStart = true;
  #lastWasCr = false;
  readonly #endsAfterLines: number;
  #lines = 0;
  #inHeader: boolean;
  #lineIsEmpty = true;

  /** `bodyLines`: how many lines behind the header are wanted; all when left out (TOP, RFC 1939 section 7). */
  constructor(bodyLines?: number) {
    this.#endsAfterLines = bodyLines ?? Number.POSITIVE_INFINITY;
    this.#inHeader = bodyLines !== undefined;
  }

  /** Whether everything wanted has been given: more pieces are not looked at. */
  get done(): boolean {
    return !this.#inHeader && this.#lines >= this.#endsAfterLines;
  }

  push(piece: Buffer): readonly Buffer[] {
    const out: Buffer[] = [];
    let from = 0;
    for (let at = 0; at < piece.length && !this.done; ) {
      if (this.#atLineStart && piece[at] === DOT) {
        out.push(piece.subarray(from, at), Buffer.from('.'));
        from = at;
      }
      // To the end of the line, or of the piece.
      const lf = piece.indexOf(LF, at);
      const end = lf === -1 ? piece.length : lf + 1;
      const afterCr = lf > at ? piece[lf - 1] === CR : this.#lastWasCr;
      if (lf !== -1 && !afterCr) {
        out.push(piece.subarray(from, lf), CRLF);
        from = end;
      }
      if (this.#hasText(piece, at, end)) this.#lineIsEmpty = false;
      if (lf !== -1) this.#endLine();
      else if (end > at) this.#atLineStart = false;
      this.#lastWasCr = piece[end - 1] === CR;
      at = end;
      if (this.done) {
        out.push(piece.subarray(from, at));
        return out;
      }
    }
    if (!this.done) out.push(piece.subarray(from));
    return out;
  }

  /** Whether octets [at, end) of a line are more than its end; of a CR at the end of a piece the next one tells. */
  #hasText(piece: Buffer, at: number, end: number): boolean {
    if (this.#lastWasCr && piece[at] !== LF) return true;
    if (piece[end - 1] === CR) return end - at > 1;
    if (piece[end - 1] !== LF) return true;
    if (end - at === 1) return false;
    return piece[end - 2] !== CR || end - at > 2;
  }

  #endLine(): void {
    this.#atLineStart = true;
    if (!this.#inHeader) this.#lines++;
    else if (this.#lineIsEmpty) this.#inHeader = false;
    this.#lineIsEmpty = true;
  }

  /** What ends the response. */
  end(): string {
    return this.#atLineStart ? '.\r\n' : '\r\n.\r\n';
  }
}
