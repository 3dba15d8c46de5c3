import { HEADER_BYTES, KEPT_FIELDS } from './header-facts.ts';
import { crlf } from './line-ends.ts';
import type { Line } from './mbox-lines.ts';

const COLON = 58;
const QUOTE = 62;
const FROM = Buffer.from('From ');

/**
 * A message as it was before it was put into an mbox: one ">" less before "From " (mboxrd, and mboxo's own quoting), the
 * fields in which programs keep flags left out, lines ended by CRLF, without the empty line that ends it.
 */
export class MboxMessage {
  readonly #header: Buffer[] = [];
  #headerSize = 0;
  #inHeader = true;
  #skipping = false;
  #blank: Buffer | undefined;

  /** The header as it stands in the mbox, flags included. */
  get header(): Buffer {
    return Buffer.concat(this.#header);
  }

  /** The octets that a line gives; empty when it gives none, or none yet. */
  push({ octets, begins }: Line): readonly Buffer[] {
    const bare = octets.length === 1 || (octets.length === 2 && octets[0] === 13);
    if (begins && bare && octets.at(-1) === 10) {
      const before = this.#blank;
      this.#blank = undefined;
      if (this.#inHeader) {
        this.#inHeader = false;
        return [crlf(octets, 0)];
      }
      this.#blank = crlf(octets, 0);
      return before === undefined ? [] : [before];
    }
    const out: Buffer[] = [];
    if (this.#blank !== undefined) out.push(this.#blank);
    this.#blank = undefined;
    if (this.#inHeader) {
      if (this.#headerSize < HEADER_BYTES) this.#header.push(Buffer.from(octets));
      this.#headerSize += octets.length;
      if (begins && octets[0] !== 32 && octets[0] !== 9) this.#skipping = isKept(octets);
      if (this.#skipping) return out;
    }
    out.push(crlf(!this.#inHeader && begins ? unquoted(octets) : octets, 0));
    return out;
  }
}

function isKept(line: Buffer): boolean {
  const colon = line.indexOf(COLON);
  return colon > 0 && colon < 40 && KEPT_FIELDS.has(line.toString('latin1', 0, colon).trim().toLowerCase());
}

function unquoted(line: Buffer): Buffer {
  if (line[0] !== QUOTE) return line;
  let at = 1;
  while (line[at] === QUOTE) at++;
  return line.subarray(at, at + FROM.length).equals(FROM) ? line.subarray(1) : line;
}
