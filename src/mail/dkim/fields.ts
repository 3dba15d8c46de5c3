import type { Canonicalization } from './body-hash.ts';

const HT = 0x09;
const LF = 0x0a;
const CR = 0x0d;
const SP = 0x20;
const COLON = 0x3a;
const CRLF = Buffer.from('\r\n');

/** A header field as it stands in the message. */
export interface RawField {
  /** In lower case, without white space; '' when the line is no field at all. */
  readonly name: string;
  /** The whole field with its final CRLF (a view, not a copy). */
  readonly raw: Buffer;
  /** Offset in `raw` behind the colon. */
  readonly valueStart: number;
}

/** Octets at the start of a field in which its colon must be: RFC 5322 section 2.1.1 allows 998 a line. */
const NAME_BYTES = 998;

/** Fields of a header section that are told apart; splitting is cut off one above. Real mail has a few hundred at most. */
export const MAX_FIELDS = 4000;

function toField(raw: Buffer): RawField {
  const colon = raw.subarray(0, NAME_BYTES).indexOf(COLON);
  if (colon <= 0) return { name: '', raw, valueStart: raw.length };
  let end = colon;
  while (end > 0 && (raw[end - 1] === SP || raw[end - 1] === HT)) end--;
  const name = raw.toString('latin1', 0, end).toLowerCase();
  return { name, raw, valueStart: colon + 1 };
}

/**
 * Split a header section into fields, top to bottom, folded lines kept together. The empty line that ends the section
 * and all behind it are left out. Linear in the octets given; a result longer than `MAX_FIELDS` is not all.
 */
export function splitFields(header: Buffer): RawField[] {
  const fields: RawField[] = [];
  let start = 0;
  let at = 0;
  while (at < header.length && fields.length <= MAX_FIELDS) {
    const first = header[at];
    if (at > start && first !== SP && first !== HT) {
      fields.push(toField(header.subarray(start, at)));
      start = at;
    }
    if (first === CR && header[at + 1] === LF) return fields;
    at = lineEnd(header, at);
  }
  if (start < at) fields.push(toField(header.subarray(start, at)));
  return fields;
}

/** The offset behind the next CRLF; a CR or LF alone does not end a line. A loop, as lines may be two octets long. */
function lineEnd(header: Buffer, from: number): number {
  for (let i = from + 1; i < header.length; i++) if (header[i] === LF && header[i - 1] === CR) return i + 1;
  return header.length;
}

/**
 * RFC 6376 section 3.4.2: the name in lower case, unfolded, white space runs to one space and none around the colon or at the
 * end. `value` and the result are without the final CRLF.
 */
function relaxedField(name: string, value: Buffer): Buffer {
  const out = Buffer.allocUnsafe(name.length + 1 + value.length);
  let fill = out.write(name, 0, 'latin1');
  out[fill++] = COLON;
  const valueAt = fill;
  let space = false;
  for (let i = 0; i < value.length; i++) {
    const octet = value[i] ?? 0;
    if (octet === CR && value[i + 1] === LF) {
      i++; // unfolding takes the CRLF away, the white space behind it stays
      continue;
    }
    if (octet === SP || octet === HT) {
      space = true;
      continue;
    }
    if (space && fill > valueAt) out[fill++] = SP;
    space = false;
    out[fill++] = octet;
  }
  return out.subarray(0, fill);
}

function withoutCrlf(raw: Buffer): Buffer {
  const end = raw.length;
  return end >= 2 && raw[end - 2] === CR && raw[end - 1] === LF ? raw.subarray(0, end - 2) : raw;
}

/** A field as it enters the hash, without its final CRLF (RFC 6376 section 3.4). */
export function canonicalField(field: RawField, canonicalization: Canonicalization): Buffer {
  const raw = withoutCrlf(field.raw);
  if (canonicalization === 'simple') return raw;
  return relaxedField(field.name, raw.subarray(field.valueStart));
}

/** Hands out the fields of a message, by name from the bottom up (RFC 6376 section 5.4.2), each canonicalised once. */
export class FieldSelector {
  readonly #byName = new Map<string, RawField[]>();
  readonly #canonical: Record<Canonicalization, Map<RawField, Buffer>> = {
    simple: new Map(),
    relaxed: new Map(),
  };

  constructor(fields: readonly RawField[]) {
    for (const field of fields) {
      if (field.name === '') continue;
      const same = this.#byName.get(field.name);
      if (same === undefined) this.#byName.set(field.name, [field]);
      else same.push(field);
    }
  }

  #bytes(field: RawField, canonicalization: Canonicalization): Buffer {
    const known = this.#canonical[canonicalization].get(field);
    if (known !== undefined) return known;
    const bytes = canonicalField(field, canonicalization);
    this.#canonical[canonicalization].set(field, bytes);
    return bytes;
  }

  /** How many fields have this (lower-case) name. */
  count(name: string): number {
    return this.#byName.get(name)?.length ?? 0;
  }

  /**
   * What a signature with this `h=` covers, as pieces to hash in order. A name listed more often than the field occurs adds
   * nothing, which is how absence is signed (RFC 6376 section 5.4). Linear in names and fields.
   */
  select(names: readonly string[], canonicalization: Canonicalization): Buffer[] {
    const taken = new Map<string, number>();
    const pieces: Buffer[] = [];
    for (const name of names) {
      const same = this.#byName.get(name);
      if (same === undefined) continue;
      const used = taken.get(name) ?? 0;
      const field = same[same.length - 1 - used];
      if (field === undefined) continue;
      taken.set(name, used + 1);
      pieces.push(this.#bytes(field, canonicalization), CRLF);
    }
    return pieces;
  }
}
