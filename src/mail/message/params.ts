/**
 * Structured MIME fields: Content-Type and Content-Disposition with their parameters (RFC 2045 5.1, RFC 2183),
 * parameter continuations and character sets (RFC 2231). Tolerant: what cannot be read is skipped to the next ";".
 */
import { decodeCharset } from '../charset.ts';
import { decodeWords, hexPair } from './words.ts';
import type { Param } from './structure.ts';

/** Parameters of one field that are kept. */
const MAX_PARAMS = 200;
/**
 * Octets of a field that are read, for what is behind them would be dropped by other mailers too: a file name of 4,096
 * octets, each written as "%xx", fits.
 */
const MAX_FIELD = 16 * 1024;
/** Nesting of comments that is followed. */
const MAX_COMMENT_DEPTH = 100;

/** Position after white space, line ends and comments (RFC 5322 3.2.2) from `pos`. */
export function skipCfws(text: string, start: number): number {
  let pos = start;
  while (pos < text.length) {
    const char = text.charCodeAt(pos);
    if (char === 32 || char === 9 || char === 13 || char === 10) pos++;
    else if (char === 40) pos = skipComment(text, pos);
    else break;
  }
  return pos;
}

/** Position after the comment that opens at `start`; the end of the text when it is never closed. */
export function skipComment(text: string, start: number): number {
  let depth = 0;
  for (let pos = start; pos < text.length; pos++) {
    const char = text.charCodeAt(pos);
    if (char === 92) pos++;
    else if (char === 40) depth = Math.min(depth + 1, MAX_COMMENT_DEPTH);
    else if (char === 41 && --depth === 0) return pos + 1;
  }
  return text.length;
}

/** The content of the quoted string that opens at `start`, and the position after it. */
export function quotedString(text: string, start: number): { value: string; end: number } {
  let pos = start + 1;
  let from = pos;
  let value = '';
  for (; pos < text.length; pos++) {
    const char = text.charCodeAt(pos);
    if (char === 34) break;
    if (char === 92 && pos + 1 < text.length) {
      value += text.slice(from, pos);
      from = ++pos;
    } else if (char === 13 || char === 10) {
      value += text.slice(from, pos);
      from = pos + 1;
    }
  }
  return { value: value + text.slice(from, Math.min(pos, text.length)), end: Math.min(pos + 1, text.length) };
}

/** RFC 2045 token: no controls, space or tspecials. Octets over 127 are let through. */
function tokenEnd(text: string, start: number): number {
  let pos = start;
  while (pos < text.length) {
    const char = text.charCodeAt(pos);
    if (char <= 32 || char === 127 || TSPECIALS.includes(text.charAt(pos))) break;
    pos++;
  }
  return pos;
}
const TSPECIALS = '()<>@,;:\\"/[]?=';

/** The first token of a field's first 16 KiB, comments skipped: Content-Transfer-Encoding, a disposition kind. */
export function firstToken(value: string): string {
  const text = value.slice(0, MAX_FIELD);
  const start = skipCfws(text, 0);
  return text.slice(start, tokenEnd(text, start));
}

export interface ContentType {
  /** In lower case. Empty when nothing can be read. */
  readonly type: string;
  readonly subtype: string;
  readonly asSent: string;
  readonly params: Param[];
}

/** Reads a Content-Type field (unfolded or not), 16 KiB of it. Missing pieces are empty strings. */
export function parseContentType(value: string): ContentType {
  const text = value.slice(0, MAX_FIELD);
  let pos = skipCfws(text, 0);
  const typeEnd = tokenEnd(text, pos);
  const type = text.slice(pos, typeEnd);
  let subtype = '';
  pos = skipCfws(text, typeEnd);
  if (text.charCodeAt(pos) === 47) {
    pos = skipCfws(text, pos + 1);
    const end = tokenEnd(text, pos);
    subtype = text.slice(pos, end);
    pos = end;
  }
  const params = parseParams(text, pos);
  return {
    type: type.toLowerCase(),
    subtype: subtype.toLowerCase(),
    asSent: `${type}/${subtype}`,
    params,
  };
}

/** One `;name=value` from the ";" at `pos` or later; `param` is absent where there is something else. */
function nextParam(text: string, start: number): { param?: Param; end: number } {
  let pos = skipCfws(text, start + 1);
  const nameEnd = tokenEnd(text, pos);
  const name = text.slice(pos, nameEnd);
  pos = skipCfws(text, nameEnd);
  if (name === '' || text.charCodeAt(pos) !== 61) return { end: pos };
  pos = skipCfws(text, pos + 1);
  if (text.charCodeAt(pos) === 34) {
    const { value, end } = quotedString(text, pos);
    return { param: [name, value], end };
  }
  // Unquoted values with tspecials in them are common: anything up to ";" or white space is taken.
  let end = pos;
  while (end < text.length && !'; \t\r\n'.includes(text.charAt(end))) end++;
  return { param: [name, text.slice(pos, end)], end };
}

/** The parameters from `start` on within the first 16 KiB, RFC 2231 continuations joined. */
export function parseParams(value: string, start: number): Param[] {
  const text = value.slice(0, MAX_FIELD);
  const params: Param[] = [];
  const pieces: Piece[] = [];
  let pos = text.indexOf(';', start);
  while (pos !== -1 && params.length + pieces.length < MAX_PARAMS) {
    const { param, end } = nextParam(text, pos);
    if (param !== undefined) {
      const piece = param[0].includes('*') ? pieceOf(param) : undefined;
      if (piece) pieces.push(piece);
      else params.push(param);
    }
    pos = text.indexOf(';', end);
  }
  if (pieces.length > 0) joinPieces(pieces, params);
  return params;
}

interface Piece {
  readonly name: string;
  readonly index: number;
  readonly extended: boolean;
  readonly value: string;
}

/** `name*3*` (RFC 2231 3 and 4), or undefined when the stars mean nothing. */
function pieceOf([key, value]: Param): Piece | undefined {
  const match = /^([^*]+)\*(?:(\d{1,5})(\*)?)?$/.exec(key);
  if (match === null) return undefined;
  const [, name = '', index, star] = match;
  return { name, index: Number(index ?? 0), extended: index === undefined || star !== undefined, value };
}

/** Joins pieces by name and number; they may come in any order, the first one may not be missing. */
function joinPieces(pieces: Piece[], params: Param[]): void {
  const byName = new Map<string, Piece[]>();
  for (const piece of pieces) {
    const key = piece.name.toLowerCase();
    const group = byName.get(key);
    if (group) group.push(piece);
    else byName.set(key, [piece]);
  }
  for (const key of [...byName.keys()].toSorted()) {
    const group = (byName.get(key) ?? []).toSorted((a, b) => a.index - b.index);
    const name = group[0]?.name ?? key;
    const run = group.filter((piece, i) => piece.index === i);
    // Numbers that are missing or come twice: what follows the gap cannot be placed.
    if (run.length === 0) {
      for (const piece of group)
        params.push([`${name}*${piece.index}${piece.extended ? '*' : ''}`, piece.value]);
      continue;
    }
    const extended = run.some((piece) => piece.extended);
    const value = run.map((p) => (extended && !p.extended ? escapePercent(p.value) : p.value)).join('');
    params.push([extended ? `${name}*` : name, value]);
  }
}

function escapePercent(value: string): string {
  return value.replace(/[%'\x80-\xff]/g, (c) => `%${c.charCodeAt(0).toString(16).padStart(2, '0')}`);
}

/**
 * The decoded value of a parameter, whichever way it was encoded: RFC 2231, or RFC 2047 words inside quotes, which
 * RFC 2047 5 forbids and every other mailer sends, or raw octets. Undefined when the parameter is absent.
 */
export function parameter(params: readonly Param[], name: string): string | undefined {
  const plain = params.find(([key]) => key.toLowerCase() === name);
  const extended = params.find(([key]) => key.toLowerCase() === `${name}*`);
  // RFC 6266 4.3 says it for HTTP, senders mean it in mail: the extended form is the better of two.
  if (extended) return decodeExtended(extended[1]);
  return plain && decodeWords(plain[1]);
}

/** The raw (latin1) value of a parameter such as `boundary` that is compared as octets. */
export function rawParameter(params: readonly Param[], name: string): string | undefined {
  const plain = params.find(([key]) => key.toLowerCase() === name);
  if (plain) return plain[1];
  const extended = params.find(([key]) => key.toLowerCase() === `${name}*`);
  return extended && percentDecode(splitCharset(extended[1]).text).toString('latin1');
}

function splitCharset(value: string): { charset: string; text: string } {
  const first = value.indexOf("'");
  const second = first === -1 ? -1 : value.indexOf("'", first + 1);
  if (second === -1) return { charset: '', text: value };
  return { charset: value.slice(0, first), text: value.slice(second + 1) };
}

function percentDecode(text: string): Buffer {
  const bytes = Buffer.alloc(text.length);
  let used = 0;
  for (let pos = 0; pos < text.length; pos++) {
    const hex = text.charCodeAt(pos) === 37 ? hexPair(text, pos + 1) : -1;
    if (hex >= 0) {
      bytes[used++] = hex;
      pos += 2;
    } else bytes[used++] = text.charCodeAt(pos);
  }
  return bytes.subarray(0, used);
}

function decodeExtended(value: string): string {
  const { charset, text } = splitCharset(value);
  return decodeCharset(percentDecode(text), charset);
}
