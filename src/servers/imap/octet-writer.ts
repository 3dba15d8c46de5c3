import type { Output } from '../../net/line/output.ts';

/** Octets that one row may come to, and that are gathered before they are handed on. */
const SIZE = 64 * 1024;
/** Shorter texts are copied here: a call into the runtime costs more. */
const SHORT = 24;
const ZERO = 0x30;
const SMALL_INTEGER = 0x3fff_ffff;

/**
 * Short texts and numbers written as octets, row by row, and handed to an output in large pieces. One memory for all:
 * from `begin` to `end` nothing is waited for.
 */
export class OctetWriter {
  readonly #memory = Buffer.allocUnsafeSlow(SIZE);
  #at = 0;
  #mark = 0;
  #overflown = false;
  #out: Output | undefined;

  begin(out: Output): void {
    this.#out = out;
    this.#at = 0;
    this.#mark = 0;
    this.#overflown = false;
  }

  /** Hand on all that was written. */
  end(): void {
    this.#mark = this.#at;
    this.#spill();
    this.#out = undefined;
  }

  /** A row begins. */
  mark(): void {
    this.#mark = this.#at;
  }

  /** Take back what was written of the row. */
  rollBack(): void {
    this.#at = this.#mark;
    this.#overflown = false;
  }

  /** Whether the row is too long for the memory: then it has to be taken back. */
  get overflown(): boolean {
    return this.#overflown;
  }

  octets(octets: Uint8Array): void {
    const { length } = octets;
    if (!this.#room(length)) return;
    if (length > SHORT) this.#memory.set(octets, this.#at);
    else for (let i = 0; i < length; i++) this.#memory[this.#at + i] = octets[i] ?? 0;
    this.#at += length;
  }

  /** Characters of one octet each. */
  text(text: string): void {
    const { length } = text;
    if (!this.#room(length)) return;
    if (length > SHORT) this.#memory.write(text, this.#at, length, 'latin1');
    else for (let i = 0; i < length; i++) this.#memory[this.#at + i] = text.charCodeAt(i);
    this.#at += length;
  }

  /** A whole number from 0 on, in decimal digits. */
  number(value: number): void {
    if (value > SMALL_INTEGER) {
      this.text(String(value));
      return;
    }
    let digits = 1;
    for (let power = 10; value >= power; power *= 10) digits++;
    if (!this.#room(digits)) return;
    let left = value | 0;
    for (let at = this.#at + digits - 1; at >= this.#at; at--) {
      const next = (left / 10) | 0;
      this.#memory[at] = ZERO + left - next * 10;
      left = next;
    }
    this.#at += digits;
  }

  #room(length: number): boolean {
    if (this.#at + length <= SIZE) return true;
    this.#spill();
    if (this.#at + length <= SIZE) return true;
    this.#overflown = true;
    return false;
  }

  /** Hand on the whole rows there are. */
  #spill(): void {
    if (this.#mark === 0) return;
    this.#out?.bytes(Buffer.from(this.#memory.subarray(0, this.#mark)));
    this.#memory.copyWithin(0, this.#mark, this.#at);
    this.#at -= this.#mark;
    this.#mark = 0;
  }
}
