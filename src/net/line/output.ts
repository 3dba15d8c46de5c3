import type { Connection } from '../connection.ts';

/** Octets up to which bytes are cheaper copied into the text than kept apart. */
const SMALL = 1024;

/** Octets from which parts are written one by one: joining them would cost more than the calls. */
const LARGE = 16 * 1024;

export interface OutputMark {
  readonly text: string;
  readonly parts: number;
  readonly size: number;
  readonly flushes: number;
}

/**
 * What is to be sent, gathered so that many short responses make one write. Text is latin1, one character an octet:
 * UTF-8 has to be in that form already (`utf8Octets`).
 */
export class Output {
  readonly #connection: Connection;
  readonly #held: number;
  #text = '';
  #parts: Buffer[] = [];
  #size = 0;
  #flushes = 0;

  constructor(connection: Connection, held: number) {
    this.#connection = connection;
    this.#held = held;
  }

  text(text: string): void {
    this.#text += text;
    this.#size += text.length;
  }

  bytes(octets: Uint8Array): void {
    const buffer = Buffer.isBuffer(octets)
      ? octets
      : Buffer.from(octets.buffer, octets.byteOffset, octets.byteLength);
    if (buffer.length <= SMALL) {
      this.text(buffer.toString('latin1'));
      return;
    }
    this.#endText();
    this.#parts.push(buffer);
    this.#size += buffer.length;
  }

  /** An untagged response or any other whole line, without its CRLF. */
  line(text: string): void {
    this.text(`${text}\r\n`);
  }

  /** Octets held back. */
  get size(): number {
    return this.#size;
  }

  /** Whether there is enough for a write. */
  get full(): boolean {
    return this.#size >= this.#held;
  }

  /** Hand everything to the connection; a promise when the peer should take some of it first. */
  flush(): Promise<void> | undefined {
    if (this.#size === 0) return undefined;
    this.#flushes++;
    this.#endText();
    const parts = this.#size >= LARGE * this.#parts.length ? this.#parts : [Buffer.concat(this.#parts)];
    this.#parts = [];
    this.#size = 0;
    let full: Promise<void> | undefined;
    for (const part of parts) full = this.#connection.write(part) ?? full;
    return full;
  }

  /** Where the output stands now, for `rollBack`. */
  mark(): OutputMark {
    return { text: this.#text, parts: this.#parts.length, size: this.#size, flushes: this.#flushes };
  }

  /** Take back what was added since; false when some of it has been sent. */
  rollBack(mark: OutputMark): boolean {
    if (mark.flushes !== this.#flushes) return false;
    this.#parts.length = mark.parts;
    this.#text = mark.text;
    this.#size = mark.size;
    return true;
  }

  /** Forget what was not sent yet. */
  drop(): void {
    this.#text = '';
    this.#parts = [];
    this.#size = 0;
  }

  #endText(): void {
    if (this.#text === '') return;
    this.#parts.push(Buffer.from(this.#text, 'latin1'));
    this.#text = '';
  }
}
