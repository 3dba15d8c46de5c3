/** Growing arrays of numbers. */

/** How much larger a full array becomes: both are in memory while it is copied. */
const GROWTH = 1.5;

export class Numbers {
  #items: Uint32Array;
  length = 0;

  /** `room`: how many are expected. */
  constructor(room = 256) {
    this.#items = new Uint32Array(Math.max(16, room));
  }

  push(value: number): void {
    if (this.length === this.#items.length) {
      const larger = new Uint32Array(Math.ceil(GROWTH * this.length));
      larger.set(this.#items);
      this.#items = larger;
    }
    this.#items[this.length++] = value;
  }

  get last(): number | undefined {
    return this.length === 0 ? undefined : this.#items[this.length - 1];
  }

  /** The items so far; valid until the next push. */
  get view(): Uint32Array {
    return this.#items.subarray(0, this.length);
  }
}

export class Octets {
  #buffer: Buffer;
  length = 0;

  /** `room`: how many are expected. */
  constructor(room = 4096) {
    this.#buffer = Buffer.allocUnsafeSlow(Math.max(64, room));
  }

  #room(count: number): void {
    if (this.length + count <= this.#buffer.length) return;
    const larger = Buffer.allocUnsafeSlow(
      Math.max(Math.ceil(GROWTH * this.#buffer.length), this.length + count),
    );
    this.#buffer.copy(larger, 0, 0, this.length);
    this.#buffer = larger;
  }

  byte(value: number): void {
    this.#room(1);
    this.#buffer[this.length++] = value;
  }

  /** Seven bits an octet, lowest first, the top bit set on all but the last. */
  varint(value: number): void {
    this.#room(5);
    let left = value;
    while (left >= 0x80) {
      this.#buffer[this.length++] = (left & 0x7f) | 0x80;
      left >>>= 7;
    }
    this.#buffer[this.length++] = left;
  }

  bytes(some: Uint8Array): void {
    this.#room(some.length);
    this.#buffer.set(some, this.length);
    this.length += some.length;
  }

  text(text: string): void {
    const most = text.length * 3;
    this.#room(most);
    this.length += this.#buffer.write(text, this.length, most, 'utf8');
  }

  /** The octets so far. Nothing is to be added afterwards. */
  take(): Buffer {
    return this.#buffer.subarray(0, this.length);
  }

  /** Some of the octets so far; valid until the next are added. */
  slice(start: number, end: number): Buffer {
    return this.#buffer.subarray(start, end);
  }
}

export function octetsOf(numbers: Uint32Array): Buffer {
  return Buffer.from(numbers.buffer, numbers.byteOffset, numbers.byteLength);
}

/** Numbers in octets that were read from a file: their memory must be aligned. */
export function numbersIn(octets: Buffer): Uint32Array {
  if (octets.byteOffset % 4 === 0)
    return new Uint32Array(octets.buffer, octets.byteOffset, octets.length >>> 2);
  return new Uint32Array(new Uint8Array(octets).buffer);
}
