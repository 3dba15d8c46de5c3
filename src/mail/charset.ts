/** Character sets of mail: what TextDecoder knows, plus UTF-7, plus a guess for the rest. Never throws. */
import { isUtf8 } from 'node:buffer';
import { TextDecoder } from 'node:util';

/** Names that mail uses and the WHATWG table lacks. */
const aliases: Record<string, string> = {
  '646': 'us-ascii',
  cp932: 'shift_jis',
  'windows-932': 'shift_jis',
  cp936: 'gbk',
  ms936: 'gbk',
  'windows-936': 'gbk',
  cp949: 'euc-kr',
  'windows-949': 'euc-kr',
  cp950: 'big5',
  'windows-950': 'big5',
  macroman: 'macintosh',
  'mac-roman': 'macintosh',
  'utf-8n': 'utf-8',
  utf_8: 'utf-8',
  'unicode-1-1-utf-7': 'utf-7',
  'x-unicode-2-0-utf-7': 'utf-7',
  utf7: 'utf-7',
};

/** Decoders by label; undefined for what TextDecoder does not know. Bounded: labels come from strangers. */
const decoders = new Map<string, TextDecoder | undefined>();
const MAX_DECODERS = 200;
/** Longest label worth looking up. */
const MAX_LABEL = 60;

function decoderFor(label: string): TextDecoder | undefined {
  if (decoders.has(label)) return decoders.get(label);
  let decoder: TextDecoder | undefined;
  try {
    decoder = new TextDecoder(label, { ignoreBOM: false });
  } catch {
    decoder = undefined; // a RangeError: no such character set
  }
  if (decoders.size < MAX_DECODERS) decoders.set(label, decoder);
  return decoder;
}

/** The label in the form that `decodeCharset` looks up: lower case, without quotes, aliases resolved. */
export function normalCharset(label: string): string {
  const name = label
    .slice(0, MAX_LABEL)
    .replace(/["'\s]/g, '')
    .toLowerCase();
  return Object.hasOwn(aliases, name) ? (aliases[name] ?? name) : name;
}

/** Text of octets whose character set nobody told: UTF-8 if they are that, else windows-1252. */
export function guessText(bytes: Buffer): string {
  if (isUtf8(bytes)) return bytes.toString('utf8');
  return decoderFor('windows-1252')?.decode(bytes) ?? bytes.toString('latin1');
}

/** Text of `bytes` in the character set `label`; a guess when the label is empty, unknown or us-ascii. */
export function decodeCharset(bytes: Buffer, label: string): string {
  const name = normalCharset(label);
  if (name === 'utf-7') return decodeUtf7(bytes);
  if (name === '' || name === 'us-ascii' || name === 'ascii') return guessText(bytes);
  // RFC 2781 section 4.3: the mark at the beginning says which octet comes first; TextDecoder does not look at it.
  const bigEndian = name === 'utf-16' && bytes[0] === 0xfe && bytes[1] === 0xff;
  return decoderFor(bigEndian ? 'utf-16be' : name)?.decode(bytes) ?? guessText(bytes);
}

/** True for a label that is decoded as such and not guessed. */
export function knownCharset(label: string): boolean {
  const name = normalCharset(label);
  return name === 'utf-7' || decoderFor(name) !== undefined;
}

function isBase64(char: number): boolean {
  const letter = char | 32;
  return (letter >= 97 && letter <= 122) || (char >= 47 && char <= 57) || char === 43; // "/" stands before "0"
}

/** RFC 2152, tolerant: what is no base64 after "+" ends the shift; octets over 127 are taken as latin1. */
function decodeUtf7(bytes: Buffer): string {
  const text = bytes.toString('latin1');
  let out = '';
  let pos = 0;
  while (pos < text.length) {
    const plus = text.indexOf('+', pos);
    if (plus === -1) break;
    out += text.slice(pos, plus);
    let end = plus + 1;
    while (end < text.length && isBase64(text.charCodeAt(end))) end++;
    if (end === plus + 1) {
      out += '+';
    } else {
      const units = Buffer.from(text.slice(plus + 1, end), 'base64');
      out += units
        .subarray(0, units.length & ~1)
        .swap16()
        .toString('utf16le');
    }
    pos = text.charCodeAt(end) === 45 ? end + 1 : end;
  }
  return out + text.slice(pos);
}
