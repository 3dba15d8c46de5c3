/**
 * Content-Transfer-Encodings undone (RFC 2045 6.7 and 6.8, uuencode), piece by piece: what comes out does not depend
 * on how the input is cut. Broken input yields what can be made out of it; nothing throws.
 */
import { decodeCharset } from '../charset.ts';
import { hexDigit } from './words.ts';

export interface Decoder {
  push(chunk: Buffer): Buffer;
  /** What was held back. The decoder is used up. */
  end(): Buffer;
}

const EMPTY = Buffer.alloc(0);
const NOISE = 64;
const PADDING = 65;

/** Value of each octet in base64, NOISE or PADDING. */
const base64Values = new Uint8Array(256).fill(NOISE);
for (const [value, char] of [
  ...Buffer.from('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'),
].entries()) {
  base64Values[char] = value;
}
base64Values[61] = PADDING;

/** RFC 2045 6.8: octets outside the alphabet are skipped; padding ends a run, after which another may begin. */
class Base64Decoder implements Decoder {
  private bits = 0;
  private count = 0;

  push(chunk: Buffer): Buffer {
    const out = Buffer.allocUnsafe(Math.ceil(((chunk.length + 4) * 3) / 4));
    let { bits, count } = this;
    let used = 0;
    for (let pos = 0; pos < chunk.length; pos++) {
      const value = base64Values[chunk[pos] ?? 0] ?? NOISE;
      if (value < 64) {
        bits = (bits << 6) | value;
        if (++count === 4) {
          out[used] = bits >> 16;
          out[used + 1] = bits >> 8;
          out[used + 2] = bits;
          used += 3;
          count = 0;
          bits = 0;
        }
      } else if (value === PADDING) {
        used += flushBits(out, used, bits, count);
        count = 0;
        bits = 0;
      }
    }
    this.bits = bits;
    this.count = count;
    return out.subarray(0, used);
  }

  end(): Buffer {
    const out = Buffer.alloc(2);
    return out.subarray(0, flushBits(out, 0, this.bits, this.count));
  }
}

/** The whole octets in `count` leftover characters. */
function flushBits(out: Buffer, at: number, bits: number, count: number): number {
  if (count < 2) return 0;
  out[at] = count === 2 ? bits >> 4 : bits >> 10;
  if (count === 3) out[at + 1] = bits >> 2;
  return count - 1;
}

/** White space at a line's end that is held back; more than a line may have is let through. */
const MAX_HELD = 998;

/** RFC 2045 6.7. White space before a line end is dropped (rule 3), a bad "=" stands for itself. */
class QuotedPrintableDecoder implements Decoder {
  private held: Buffer = EMPTY;

  push(chunk: Buffer): Buffer {
    return this.decode(this.held.length === 0 ? chunk : Buffer.concat([this.held, chunk]), false);
  }

  end(): Buffer {
    return this.decode(this.held, true);
  }

  private decode(input: Buffer, last: boolean): Buffer {
    const out = Buffer.allocUnsafe(input.length);
    let used = 0;
    let pos = 0;
    this.held = EMPTY;
    while (pos < input.length) {
      const byte = input[pos] ?? 0;
      if (byte !== 61 && byte !== 32 && byte !== 9) {
        out[used++] = byte;
        pos++;
        continue;
      }
      const hex = byte === 61 ? hexAt(input, pos + 1) : -1;
      if (hex >= 0) {
        out[used++] = hex;
        pos += 3;
        continue;
      }
      const after = byte === 61 ? pos + 1 : pos;
      const stop = blanksEnd(input, after);
      if (!last && needsMore(input, pos, stop)) {
        this.held = Buffer.from(input.subarray(pos));
        break;
      }
      const lineEnd = lineEndAt(input, stop);
      const atEnd = stop === input.length;
      if (byte === 61 && (lineEnd > 0 || atEnd))
        pos = stop + lineEnd; // soft line break
      else if (byte !== 61 && (lineEnd > 0 || atEnd) && stop - pos <= MAX_HELD) pos = stop;
      else {
        // "=" that means nothing, or white space inside the line
        const end = byte === 61 ? pos + 1 : stop;
        used += input.copy(out, used, pos, end);
        pos = end;
      }
    }
    return out.subarray(0, used);
  }
}

/** True when what comes after the input could change what `input[pos...]` means. */
function needsMore(input: Buffer, pos: number, stop: number): boolean {
  if (input[pos] === 61 && pos + 2 >= input.length) return true;
  if (stop - pos > MAX_HELD) return false;
  return stop === input.length || (input[stop] === 13 && stop + 1 === input.length);
}

function blanksEnd(input: Buffer, start: number): number {
  let pos = start;
  while (input[pos] === 32 || input[pos] === 9) pos++;
  return pos;
}

function lineEndAt(input: Buffer, pos: number): number {
  if (input[pos] === 10) return 1;
  return input[pos] === 13 && input[pos + 1] === 10 ? 2 : 0;
}

function hexAt(input: Buffer, pos: number): number {
  const high = hexDigit(input[pos] ?? 0);
  const low = hexDigit(input[pos + 1] ?? 0);
  return high < 0 || low < 0 ? -1 : high * 16 + low;
}

/** Octets of a uuencoded line that count; a valid one has 61. */
const MAX_UU_LINE = 256;

/** uuencode: lines between "begin MODE NAME" and "end"; all else is skipped. */
class UuDecoder implements Decoder {
  private line: Buffer = EMPTY;
  private inside = false;

  push(chunk: Buffer): Buffer {
    const out: Buffer[] = [];
    let pos = 0;
    for (;;) {
      const newline = chunk.indexOf(10, pos);
      const end = newline === -1 ? chunk.length : newline;
      const room = Math.max(0, MAX_UU_LINE - this.line.length);
      this.line = Buffer.concat([this.line, chunk.subarray(pos, Math.min(end, pos + room))]);
      if (newline === -1) break;
      out.push(this.takeLine());
      pos = newline + 1;
    }
    return Buffer.concat(out);
  }

  end(): Buffer {
    return this.takeLine();
  }

  private takeLine(): Buffer {
    const line = this.line.at(-1) === 13 ? this.line.subarray(0, -1) : this.line;
    this.line = EMPTY;
    if (!this.inside) {
      this.inside = /^begin [0-7]{3,4} /.test(line.toString('latin1'));
      return EMPTY;
    }
    if (line.toString('latin1').trimEnd() === 'end') {
      this.inside = false;
      return EMPTY;
    }
    return uuLine(line);
  }
}

function uuLine(line: Buffer): Buffer {
  const length = ((line[0] ?? 32) - 32) & 63;
  const out = Buffer.alloc(Math.ceil(length / 3) * 3);
  for (let from = 1, to = 0; to < length; from += 4, to += 3) {
    let bits = 0;
    for (let i = 0; i < 4; i++) bits = (bits << 6) | (((line[from + i] ?? 32) - 32) & 63);
    out.writeUIntBE(bits, to, 3);
  }
  return out.subarray(0, length);
}

class IdentityDecoder implements Decoder {
  push(chunk: Buffer): Buffer {
    return chunk;
  }
  end(): Buffer {
    return EMPTY;
  }
}

/** A decoder for a Content-Transfer-Encoding in lower case; unknown ones pass their input through. */
export function createDecoder(encoding: string): Decoder {
  switch (encoding) {
    case 'base64':
      return new Base64Decoder();
    case 'quoted-printable':
      return new QuotedPrintableDecoder();
    case 'x-uuencode':
    case 'uuencode':
    case 'x-uue':
      return new UuDecoder();
    default:
      return new IdentityDecoder();
  }
}

/** True for encodings that `createDecoder` undoes or that are none (RFC 3516 UNKNOWN-CTE otherwise). */
export function isKnownEncoding(encoding: string): boolean {
  return KNOWN.has(encoding);
}
const KNOWN = new Set([
  '7bit',
  '8bit',
  'binary',
  'base64',
  'quoted-printable',
  'x-uuencode',
  'uuencode',
  'x-uue',
]);

/** Decodes a body that is at hand as a whole. */
export function decodeBody(body: Buffer, encoding: string): Buffer {
  const decoder = createDecoder(encoding);
  const first = decoder.push(body);
  const rest = decoder.end();
  return rest.length === 0 ? first : Buffer.concat([first, rest]);
}

/** Octets that a body has when decoded (BINARY.SIZE), its pieces given one by one. */
export function decodedSize(pieces: Iterable<Buffer>, encoding: string): number {
  const decoder = createDecoder(encoding);
  let size = 0;
  for (const piece of pieces) size += decoder.push(piece).length;
  return size + decoder.end().length;
}

/** Text of a decoded or encoded body: transfer encoding and character set undone. */
export function decodeTextBody(body: Buffer, encoding: string, charset: string): string {
  return decodeCharset(decodeBody(body, encoding), charset);
}
