import { isAscii } from './domain.ts';

/** Octets of a local part as it stands on the wire, quotes and backslashes included (RFC 5321 4.5.3.1.1). */
export const LOCAL_PART_OCTETS = 64;

/**
 * The form of a local part under which mailboxes are looked up: NFC, lower case. RFC 5321 2.4 lets the receiving
 * host decide; ours are case-insensitive, as people expect. Never send this form on, other hosts may differ.
 */
export function normalizeLocalPart(localPart: string): string {
  return localPart.normalize('NFC').toLowerCase().normalize('NFC');
}

/**
 * Split `user+detail` (RFC 5233 1) at the first delimiter that has something before it, so that `+x` is a plain name.
 * An empty delimiter turns splitting off. `detail` is undefined without a delimiter, and may be ''.
 */
export function splitSubaddress(
  localPart: string,
  delimiter: string,
): { user: string; detail: string | undefined } {
  const at = delimiter === '' ? -1 : localPart.indexOf(delimiter, 1);
  if (at < 1) return { user: localPart, detail: undefined };
  return { user: localPart.slice(0, at), detail: localPart.slice(at + delimiter.length) };
}

/** A local part as it has to be written: as it is when it is a dot-string, else as a quoted string (RFC 5321 4.1.2). */
export function quoteLocalPart(localPart: string): string {
  if (isDotString(localPart)) return localPart;
  return `"${localPart.replace(/["\\]/g, '\\$&')}"`;
}

/** Dot-string of RFC 5321 4.1.2, with the characters of RFC 6531 3.3 beyond ASCII. */
export function isDotString(text: string): boolean {
  let previous = '.';
  for (const char of text) {
    if (char === '.' ? previous === '.' : !isAtext(char)) return false;
    previous = char;
  }
  return previous !== '.';
}

/** atext of RFC 5322 3.2.3 and every UTF8-non-ascii that can stand in an address. */
export function isAtext(char: string): boolean {
  return isAscii(char) ? /^[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]$/.test(char) : isPrintableUtf8(char);
}

/**
 * Whether a character beyond ASCII may stand in an address. RFC 6531 would take any; refused are what no address
 * needs and what only misleads or breaks a line: C1 controls, line and paragraph separators, other spaces,
 * characters that reverse the direction of text, noncharacters, unpaired surrogates and U+FFFD, which says that
 * the octets were not UTF-8.
 */
export function isPrintableUtf8(char: string): boolean {
  return !/[\p{Cc}\p{Cs}\p{Noncharacter_Code_Point}\p{Zl}\p{Zp}\p{Zs}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff\ufffd]/u.test(
    char,
  );
}
