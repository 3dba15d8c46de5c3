/** Sets of emails of one segment: one bit each. */
export type Bits = Uint8Array;

export function noBits(count: number): Bits {
  return new Uint8Array((count + 7) >>> 3);
}

export function allBits(count: number): Bits {
  const bits = new Uint8Array((count + 7) >>> 3).fill(0xff);
  if ((count & 7) !== 0) bits[bits.length - 1] = (1 << (count & 7)) - 1;
  return bits;
}

export function hasBit(bits: Bits, at: number): boolean {
  return ((bits[at >>> 3] ?? 0) & (1 << (at & 7))) !== 0;
}

export function setBit(bits: Bits, at: number): void {
  bits[at >>> 3] = (bits[at >>> 3] ?? 0) | (1 << (at & 7));
}

export function orBits(into: Bits, other: Bits): void {
  for (let i = 0; i < into.length; i++) into[i] = (into[i] ?? 0) | (other[i] ?? 0);
}

export function andBits(into: Bits, other: Bits): void {
  for (let i = 0; i < into.length; i++) into[i] = (into[i] ?? 0) & (other[i] ?? 0);
}

export function withoutBits(into: Bits, other: Bits): void {
  for (let i = 0; i < into.length; i++) into[i] = (into[i] ?? 0) & ~(other[i] ?? 0);
}

export function isEmpty(bits: Bits): boolean {
  return bits.every((octet) => octet === 0);
}

/** Whether all of `count` are members. */
export function isFull(bits: Bits, count: number): boolean {
  const whole = count >>> 3;
  for (let i = 0; i < whole; i++) if (bits[i] !== 0xff) return false;
  const rest = (1 << (count & 7)) - 1;
  return (count & 7) === 0 || ((bits[whole] ?? 0) & rest) === rest;
}

/** The members, ascending. */
export function* members(bits: Bits): Generator<number, void> {
  for (let i = 0; i < bits.length; i++) {
    let octet = bits[i] ?? 0;
    for (let at = 8 * i; octet !== 0; at++, octet >>>= 1) if ((octet & 1) !== 0) yield at;
  }
}

/** Add the emails of a row of postings (see section-builder.ts) that stands in `data[start, end)`. */
export function orPostings(into: Bits, data: Buffer, start: number, end: number): void {
  if (data[start] === 1) {
    for (let i = 0; i < into.length; i++) into[i] = (into[i] ?? 0) | (data[start + 1 + i] ?? 0);
    return;
  }
  let email = 0;
  for (let at = start + 1; at < end; ) {
    let delta = 0;
    let shift = 0;
    let octet: number;
    do {
      octet = data[at++] ?? 0;
      delta |= (octet & 0x7f) << shift;
      shift += 7;
    } while (octet >= 0x80);
    email += delta;
    into[email >>> 3] = (into[email >>> 3] ?? 0) | (1 << (email & 7));
  }
}
