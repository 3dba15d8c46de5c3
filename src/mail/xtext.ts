/**
 * The two encodings of the DSN extension: xtext (RFC 3461 section 4) for ENVID, ORCPT and AUTH, and the forms of
 * RFC 6533 section 3 for addresses beyond ASCII.
 */

/** Characters of an encoded value that are looked at; RFC 3461 5.4 allows 500 for ORCPT, 100 for ENVID. */
export const XTEXT_LENGTH = 512;

/** Encode as xtext. Characters beyond ASCII are encoded as the octets of their UTF-8. */
export function encodeXtext(text: string): string {
  let encoded = '';
  for (const octet of Buffer.from(text, 'utf8')) {
    encoded += isXchar(octet) ? String.fromCharCode(octet) : `+${hex(octet, 2)}`;
  }
  return encoded;
}

/**
 * Decode xtext strictly: only printable ASCII, "+" only before two upper-case hexadecimal digits, no "=".
 * Undefined when it is malformed, longer than `maxLength` characters, empty, or decodes to anything but printable
 * ASCII and spaces (RFC 3461 4.2, 4.4): a decoded CR or LF would otherwise write header fields into our notifications.
 */
export function decodeXtext(text: string, maxLength: number = XTEXT_LENGTH): string | undefined {
  if (text.length === 0 || text.length > maxLength) return undefined;
  let decoded = '';
  for (let i = 0; i < text.length; i++) {
    let code = text.charCodeAt(i);
    if (code === PLUS) {
      const digits = text.slice(i + 1, i + 3);
      if (!/^[0-9A-F]{2}$/.test(digits)) return undefined;
      code = Number.parseInt(digits, 16);
      i += 2;
    } else if (!isXchar(code)) return undefined;
    if (code < 0x20 || code > 0x7e) return undefined;
    decoded += String.fromCharCode(code);
  }
  return decoded;
}

/** utf-8-addr-xtext: an address beyond ASCII in ASCII alone, for ORCPT and notifications to hosts without SMTPUTF8. */
export function encodeUtf8AddressXtext(address: string): string {
  return encodeEmbedded(address, isQchar);
}

/** utf-8-addr-unitext: the same where UTF-8 may stand; only backslash, "+", "=", spaces and controls are encoded. */
export function encodeUtf8AddressUnitext(address: string): string {
  return encodeEmbedded(address, (code) => isQchar(code) || code >= 0xa0);
}

/**
 * Decode utf-8-addr-xtext or, with `unitext`, also utf-8-addr-unitext (RFC 6533 section 3) strictly. Undefined when
 * malformed, empty, longer than `maxLength` characters, or decoding to a control or anything that is no character.
 */
export function decodeUtf8Addr(
  text: string,
  options: { unitext: boolean; maxLength?: number },
): string | undefined {
  if (text.length === 0 || text.length > (options.maxLength ?? XTEXT_LENGTH)) return undefined;
  let decoded = '';
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === BACKSLASH) {
      const end = text.indexOf('}', i);
      const point = end < 0 ? undefined : embeddedPoint(text.slice(i, end + 1));
      if (point === undefined) return undefined;
      decoded += String.fromCodePoint(point);
      i = end;
    } else if (isQchar(code) || (options.unitext && code >= 0xa0)) decoded += text[i];
    else return undefined;
  }
  // U+FFFD stands for octets that were not UTF-8.
  return decoded.isWellFormed() && !decoded.includes('\ufffd') ? decoded : undefined;
}

const PLUS = 0x2b;
const EQUALS = 0x3d;
const BACKSLASH = 0x5c;

function isXchar(code: number): boolean {
  return code >= 0x21 && code <= 0x7e && code !== PLUS && code !== EQUALS;
}

function isQchar(code: number): boolean {
  return isXchar(code) && code !== BACKSLASH;
}

function encodeEmbedded(text: string, plain: (code: number) => boolean): string {
  let encoded = '';
  for (const char of text.toWellFormed()) {
    const code = char.codePointAt(0) ?? 0;
    encoded += plain(code) ? char : `\\x{${hex(code, 2)}}`;
  }
  return encoded;
}

/** EmbeddedUnicodeChar: "\x{5C}". HEXPOINT has no leading zeros beyond two digits and only what needs encoding. */
function embeddedPoint(text: string): number | undefined {
  const digits = /^\\x\{([0-9A-F]{2}|[1-9A-F][0-9A-F]{2,4}|10[0-9A-F]{4})\}$/.exec(text)?.[1];
  if (digits === undefined) return undefined;
  const point = Number.parseInt(digits, 16);
  const isControl = point < 0x20 || (point >= 0x7f && point < 0xa0);
  const isSurrogate = point >= 0xd800 && point <= 0xdfff;
  return isControl || isSurrogate || isQchar(point) ? undefined : point;
}

function hex(code: number, digits: number): string {
  return code.toString(16).toUpperCase().padStart(digits, '0');
}
