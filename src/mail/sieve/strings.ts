/** What strings of a script mean: encoded characters (RFC 5228 2.4.2.4) and variables (RFC 5229 3). */
import { isUtf8 } from 'node:buffer';

/** A piece of a string: text as it stands, a variable by name, or a match variable by number. */
export type Piece =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'variable'; readonly name: string }
  | { readonly kind: 'match'; readonly index: number };

/** Characters of "${...}" that are looked at for an encoded character. */
const MAX_ENCODED = 4096;

/**
 * `text` with "${hex:...}" and "${unicode:...}" replaced, in one pass: what comes out is not looked at again. A number
 * that is no character, or octets that are no UTF-8, are an error (RFC 5228 2.4.2.4).
 */
export function decodeCharacters(text: string): { readonly text: string } | { readonly problem: string } {
  let out = '';
  let pos = 0;
  for (;;) {
    const open = text.indexOf('${', pos);
    if (open === -1) return { text: out + text.slice(pos) };
    const close = text.indexOf('}', open);
    const inner = close === -1 || close - open > MAX_ENCODED ? '' : text.slice(open + 2, close);
    const decoded = decodeOne(inner);
    if (decoded !== undefined && typeof decoded !== 'string') return decoded;
    out += text.slice(pos, open) + (decoded ?? '${');
    pos = decoded === undefined ? open + 2 : close + 1;
  }
}

/** What stands between "${" and "}"; undefined when it is no encoded character. */
function decodeOne(inner: string): string | { readonly problem: string } | undefined {
  const kind = /^(hex|unicode):/i.exec(inner)?.[1]?.toLowerCase();
  if (kind === undefined) return undefined;
  const numbers = inner
    .slice(kind.length + 1)
    .trim()
    .split(/[ \t\r\n]+/);
  if (kind === 'hex') {
    if (!numbers.every((number) => /^[0-9a-f]{1,2}$/i.test(number))) return undefined;
    const octets = Buffer.from(numbers.map((number) => Number.parseInt(number, 16)));
    return isUtf8(octets) ? octets.toString() : { problem: `the octets of "\${${inner}}" are not UTF-8` };
  }
  if (!numbers.every((number) => /^[0-9a-f]{1,40}$/i.test(number))) return undefined;
  const points = numbers.map((number) => Number.parseInt(number, 16));
  const wrong = points.findIndex((point) => point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff));
  if (wrong !== -1) return { problem: `"\${${inner}}": ${numbers[wrong]} is not the number of a character` };
  return String.fromCodePoint(...points);
}

/** RFC 5229 3: identifier, perhaps in a namespace, or digits. */
const REFERENCE = /\$\{(?:(\d{1,9})|([a-z_][a-z0-9_]{0,79}(?:\.[a-z_][a-z0-9_]{0,79}){0,4}))\}/gi;

/** The pieces of a string, or undefined when nothing in it refers to a variable. */
export function piecesOf(text: string): readonly Piece[] | undefined {
  if (!text.includes('${')) return undefined;
  const pieces: Piece[] = [];
  let pos = 0;
  for (const match of text.matchAll(REFERENCE)) {
    if (match.index > pos) pieces.push({ kind: 'text', text: text.slice(pos, match.index) });
    const [whole, digits, name] = match;
    if (digits !== undefined) pieces.push({ kind: 'match', index: Number(digits) });
    else pieces.push({ kind: 'variable', name: (name ?? '').toLowerCase() });
    pos = match.index + whole.length;
  }
  if (pos === 0 && pieces.length === 0) return undefined;
  if (pos < text.length) pieces.push({ kind: 'text', text: text.slice(pos) });
  return pieces;
}

/** `text` cut to `max` UTF-16 units without cutting a character in two. */
export function cut(text: string, max: number): string {
  if (text.length <= max) return text;
  const last = text.charCodeAt(max - 1);
  return text.slice(0, last >= 0xd800 && last <= 0xdbff ? max - 1 : max);
}
