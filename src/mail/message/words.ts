/** Encoded words in header text (RFC 2047) and raw UTF-8 there (RFC 6532). */
import { decodeCharset, guessText, normalCharset } from '../charset.ts';

/** Raw "?" inside a word's text that are forgiven. */
const MAX_STRAY = 8;
/** Octets of a text in which encoded words are decoded: those that do not end there are shown as they stand. */
const MAX_ENCODED = 8192;

interface Word {
  readonly charset: string;
  readonly bytes: Buffer;
  readonly end: number;
}

/** The end of the word's text: the "?" of the next "?=", some stray "?" forgiven; -1 when there is none. */
function textEnd(text: string, start: number): number {
  let pos = start;
  for (let tries = 0; tries <= MAX_STRAY; tries++) {
    const mark = text.indexOf('?', pos);
    if (mark === -1 || (mark > start && text.charCodeAt(mark - 1) === 61 && tries > 0)) return -1;
    if (text.charCodeAt(mark + 1) === 61) return mark;
    pos = mark + 1;
  }
  return -1;
}

/** The encoded word that opens with "=?" at `start`: `=?charset[*language]?B|Q?text?=`. */
function wordAt(text: string, start: number): Word | undefined {
  const mark = text.indexOf('?', start + 2);
  if (mark === -1 || mark - start > 80 || text.charCodeAt(mark + 2) !== 63) return undefined;
  const encoding = text.charCodeAt(mark + 1) | 32;
  if (encoding !== 98 && encoding !== 113) return undefined;
  const end = textEnd(text, mark + 3);
  if (end === -1) return undefined;
  const raw = text.slice(mark + 3, end);
  const charset = text.slice(start + 2, mark).split('*', 1)[0] ?? ''; // RFC 2231 5: "*" and a language may follow
  return { charset, bytes: encoding === 98 ? Buffer.from(raw, 'base64') : decodeQ(raw), end: end + 2 };
}

/** RFC 2047 4.2. */
function decodeQ(text: string): Buffer {
  const bytes = Buffer.alloc(text.length);
  let used = 0;
  for (let pos = 0; pos < text.length; pos++) {
    const char = text.charCodeAt(pos);
    const hex = char === 61 ? hexPair(text, pos + 1) : -1;
    if (hex >= 0) {
      bytes[used++] = hex;
      pos += 2;
    } else bytes[used++] = char === 95 ? 32 : char;
  }
  return bytes.subarray(0, used);
}

/** Value of the two hexadecimal digits at `pos`, or -1. */
export function hexPair(text: string, pos: number): number {
  const high = hexDigit(text.charCodeAt(pos));
  const low = hexDigit(text.charCodeAt(pos + 1));
  return high < 0 || low < 0 ? -1 : high * 16 + low;
}

/** Value of a hexadecimal digit's character code, or -1. */
export function hexDigit(char: number): number {
  if (char >= 48 && char <= 57) return char - 48;
  const lower = char | 32;
  return lower >= 97 && lower <= 102 ? lower - 87 : -1;
}

function onlyBlanks(text: string, start: number, end: number): boolean {
  for (let pos = start; pos < end; pos++) {
    const char = text.charCodeAt(pos);
    if (char !== 32 && char !== 9 && char !== 13 && char !== 10) return false;
  }
  return true;
}

/**
 * Header text for display: encoded words decoded, white space between adjacent ones dropped (RFC 2047 6.2), words of
 * one character set joined before decoding (senders cut in mid-character), raw octets taken as UTF-8 or windows-1252,
 * broken words and those that do not end in the first 8,192 octets left as they are. `value` is latin1 text; linear
 * time, never throws.
 */
export function decodeWords(value: string): string {
  let out = '';
  let plainFrom = 0; // start of text not yet written
  const encoded = value.slice(0, MAX_ENCODED);
  let pos = encoded.indexOf('=?');
  let charset = '';
  let pending: Buffer[] = [];
  const flush = (): void => {
    if (pending.length > 0) out += decodeCharset(Buffer.concat(pending), charset);
    pending = [];
  };
  while (pos !== -1) {
    const word = wordAt(encoded, pos);
    if (word === undefined) {
      pos = encoded.indexOf('=?', pos + 2);
      continue;
    }
    const adjacent = pending.length > 0 && onlyBlanks(value, plainFrom, pos);
    if (!adjacent || normalCharset(charset) !== normalCharset(word.charset)) flush();
    if (!adjacent) out += plainText(value.slice(plainFrom, pos));
    charset = word.charset;
    pending.push(word.bytes);
    plainFrom = word.end;
    pos = encoded.indexOf('=?', plainFrom);
  }
  flush();
  return out + plainText(value.slice(plainFrom));
}

function plainText(text: string): string {
  for (let pos = 0; pos < text.length; pos++) {
    if (text.charCodeAt(pos) > 127) return guessText(Buffer.from(text, 'latin1'));
  }
  return text;
}
