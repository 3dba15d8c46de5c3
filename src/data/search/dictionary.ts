import { type Bits, hasBit, isFull, orPostings } from './bits.ts';
import { BREAK, SINGLE_BIT } from './format.ts';
import type { Section } from './segment.ts';

/** How a token has to go with a piece of what is looked for. */
export type Fit = 'contains' | 'ends' | 'is' | 'begins';

export function fits(token: string, piece: string, fit: Fit): boolean {
  if (fit === 'contains') return token.includes(piece);
  if (fit === 'ends') return token.endsWith(piece);
  return fit === 'begins' ? token.startsWith(piece) : token === piece;
}

/** A piece as it stands in a dictionary or among literals. */
export function pattern(piece: string, fit: Fit): Buffer {
  const octets = Buffer.from(piece);
  const edge = Buffer.of(BREAK);
  if (fit === 'contains') return octets;
  if (fit === 'ends') return Buffer.concat([octets, edge]);
  return fit === 'begins' ? Buffer.concat([edge, octets]) : Buffer.concat([edge, octets, edge]);
}

function offsetOf(offsets: Uint32Array, token: number): number {
  return (offsets[token] ?? 0) & ~SINGLE_BIT;
}

export function isSingle(offsets: Uint32Array, token: number): boolean {
  return ((offsets[token] ?? 0) & SINGLE_BIT) !== 0;
}

/** The text of a token. */
export function tokenText(dictionary: Buffer, offsets: Uint32Array, token: number): string {
  return dictionary.toString('utf8', offsetOf(offsets, token), offsetOf(offsets, token + 1) - 1);
}

/** Tokens of a section's dictionary that go with a piece. */
export function matchingTokens(section: Section, piece: string, fit: Fit): number[] {
  const dictionary = section.part('dictionary');
  const offsets = section.numbers('offsets');
  const wanted = pattern(piece, fit);
  const found: number[] = [];
  const last = offsets.length - 2;
  for (let at = dictionary.indexOf(wanted); at !== -1; ) {
    // The first octet of the token itself.
    const inside = wanted[0] === BREAK ? at + 1 : at;
    let low = 0;
    let high = last;
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      if (offsetOf(offsets, middle) <= inside) low = middle;
      else high = middle - 1;
    }
    found.push(low);
    // The octet before the next token is the break that may begin what goes with it.
    at = dictionary.indexOf(wanted, offsetOf(offsets, low + 1) - 1);
  }
  return found;
}

/** Tokens after which a look is worth it whether all emails are in already: frequent ones come first. */
const LOOK_EVERY = 256;

/** Add the emails that have one of these tokens. */
export function orTokens(into: Bits, section: Section, emails: number, tokens: readonly number[]): void {
  if (tokens.length === 0) return;
  const postings = section.part('postings');
  const offsets = section.numbers('postingOffsets');
  for (const [at, token] of tokens.entries()) {
    orPostings(into, postings, offsets[token] ?? 0, offsets[token + 1] ?? 0);
    if (at % LOOK_EVERY === LOOK_EVERY - 1 && isFull(into, emails)) return;
  }
}

/** The email whose literals hold the octet at `place`. */
function emailAt(offsets: Uint32Array, place: number): number {
  let low = 0;
  let high = offsets.length - 2;
  while (low < high) {
    const middle = (low + high + 1) >>> 1;
    if ((offsets[middle] ?? 0) <= place) low = middle;
    else high = middle - 1;
  }
  return low;
}

/** Add the emails of which a literal goes with a piece; those that are in already are not looked at. */
export function orLiterals(into: Bits, section: Section, piece: string, fit: Fit): void {
  const literals = section.part('literals');
  if (literals.length === 0) return;
  const offsets = section.numbers('literalOffsets');
  const wanted = pattern(piece, fit);
  for (let at = literals.indexOf(wanted); at !== -1; ) {
    let email = emailAt(offsets, at);
    into[email >>> 3] = (into[email >>> 3] ?? 0) | (1 << (email & 7));
    do email++;
    while (email < offsets.length - 1 && hasBit(into, email));
    at = literals.indexOf(wanted, offsets[email] ?? literals.length);
    if ((offsets[email] ?? literals.length) >= literals.length) break;
  }
}

/** Literals of one email, in their order. */
export function literalsOf(section: Section, email: number): string[] {
  const offsets = section.numbers('literalOffsets');
  const start = offsets[email] ?? 0;
  const end = offsets[email + 1] ?? 0;
  if (end - start < 2) return [];
  return splitTokens(section.part('literals').subarray(start, end));
}

/** Tokens that stand each between two breaks. */
export function splitTokens(octets: Buffer): string[] {
  const tokens: string[] = [];
  for (let at = 1; at < octets.length; ) {
    const end = octets.indexOf(BREAK, at);
    if (end === -1) break;
    tokens.push(octets.toString('utf8', at, end));
    at = end + 1;
  }
  return tokens;
}
