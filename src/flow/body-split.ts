import { limits } from '../base/limits.ts';

export interface BodySink {
  /** The header section with the empty line that ends it, once. */
  header?(header: Buffer): void;
  /** The next octets of the body. */
  body(chunk: Buffer): void;
}

/**
 * Tells the body of a message from its header while it streams by. The header ends at the first CRLF CRLF, or at a
 * CRLF that is the very first line; where the scanner of the structure finds the end elsewhere (LF alone ends a line
 * there), `bodyStart` differs from its own and what was made of the body is of no use.
 */
export class BodySplit {
  readonly #sink: BodySink;
  #head: Buffer[] = [];
  #kept = 0;
  /** The last three octets of what came, to find CRLF CRLF across pieces. */
  #tail: Buffer = Buffer.alloc(0);
  #seen = 0;
  #bodyStart: number | undefined;

  constructor(sink: BodySink) {
    this.#sink = sink;
  }

  /** Offset of the body; without an empty line all is header and the body begins, empty, at the end. */
  get bodyStart(): number {
    return this.#bodyStart ?? this.#seen;
  }

  push(chunk: Buffer): void {
    if (this.#bodyStart !== undefined) {
      this.#sink.body(chunk);
      return;
    }
    const joined = this.#tail.length === 0 ? chunk : Buffer.concat([this.#tail, chunk]);
    const base = this.#seen - this.#tail.length;
    const end = headerEnd(joined, base);
    this.#seen += chunk.length;
    if (end === undefined) {
      this.#keep(chunk);
      this.#tail = Buffer.from(joined.subarray(Math.max(0, joined.length - 3)));
      return;
    }
    this.#bodyStart = base + end;
    this.#keep(chunk.subarray(0, end - this.#tail.length));
    this.#giveHeader();
    if (end < joined.length) this.#sink.body(joined.subarray(end));
  }

  /** After the last octet. */
  end(): void {
    if (this.#bodyStart === undefined) this.#giveHeader();
  }

  /** A header over the limit makes the message too large: no need to keep more of it. */
  #keep(chunk: Buffer): void {
    if (this.#sink.header === undefined || this.#kept > limits.headerBytes) return;
    // A copy: the chunk is its sender's again once it was looked at.
    this.#head.push(Buffer.from(chunk));
    this.#kept += chunk.length;
  }

  #giveHeader(): void {
    this.#sink.header?.(Buffer.concat(this.#head));
    this.#head = [];
    this.#tail = Buffer.alloc(0);
  }
}

function headerEnd(joined: Buffer, base: number): number | undefined {
  if (base === 0 && joined.length >= 2 && joined[0] === 13 && joined[1] === 10) return 2;
  const found = joined.indexOf('\r\n\r\n');
  return found === -1 ? undefined : found + 4;
}
