import { Refusal } from '../../base/errors.ts';

/**
 * Messages one behind the other in a stream: a line of JSON with `size`, then so many octets. It is how mail goes to and
 * from a running server in batches, without being held whole.
 */

/** Octets of a line of JSON: an address, a key, a hundred keywords fit. */
const LINE_BYTES = 64 * 1024;
const LF = 10;

export function frameHead(value: object): Buffer {
  return Buffer.from(`${JSON.stringify(value)}\n`);
}

/** Reads frames. The octets of one must be read, or passed over by asking for the next. */
export class FrameReader {
  readonly #source: AsyncIterator<Uint8Array>;
  #pending: Buffer = Buffer.alloc(0);
  #left = 0;

  constructor(source: AsyncIterable<Uint8Array>) {
    this.#source = source[Symbol.asyncIterator]();
  }

  /** The JSON of the next frame; undefined at the end. Refusal 'bad-input' for what is no frame. */
  async next(): Promise<unknown> {
    for await (const piece of this.octets()) void piece;
    const parts: Buffer[] = [];
    let size = 0;
    for (;;) {
      if (this.#pending.length === 0 && !(await this.#more())) {
        if (size === 0) return undefined;
        throw new Refusal('bad-input', 'The stream of messages ends within a line.');
      }
      const end = this.#pending.indexOf(LF);
      const part = end === -1 ? this.#pending : this.#pending.subarray(0, end);
      this.#pending = end === -1 ? Buffer.alloc(0) : this.#pending.subarray(end + 1);
      size += part.length;
      if (size > LINE_BYTES) throw new Refusal('bad-input', 'The stream of messages has a line without end.');
      parts.push(part);
      if (end !== -1) return this.#parse(Buffer.concat(parts).toString('utf8'));
    }
  }

  #parse(text: string): unknown {
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch {
      throw new Refusal('bad-input', 'The stream of messages has a line that is no JSON.');
    }
    const size = typeof value === 'object' && value !== null && 'size' in value ? value.size : undefined;
    if (typeof size !== 'number' || !Number.isSafeInteger(size) || size < 0)
      throw new Refusal('bad-input', 'The stream of messages has a message without size.');
    this.#left = size;
    return value;
  }

  /** The octets of the frame, in pieces. */
  async *octets(): AsyncGenerator<Buffer, void> {
    while (this.#left > 0) {
      if (this.#pending.length === 0 && !(await this.#more()))
        throw new Refusal('bad-input', 'The stream of messages ends within a message.');
      const piece = this.#pending.subarray(0, this.#left);
      this.#pending = this.#pending.subarray(piece.length);
      this.#left -= piece.length;
      yield piece;
    }
  }

  async #more(): Promise<boolean> {
    const next = await this.#source.next();
    if (next.done === true) return false;
    const { buffer, byteOffset, byteLength } = next.value;
    this.#pending = Buffer.from(buffer, byteOffset, byteLength);
    return true;
  }
}
