/** Octets of a line, without CRLF, in mail (RFC 5322 2.1.1), and of an encoded line (RFC 2045 6.7). */
export const LINE_OCTETS = 998;
const ENCODED_LINE = 76;

/** Encode lines (ended by CRLF) as quoted-printable (RFC 2045 6.7). CR and LF only ever stand as line ends. */
export function encodeQuotedPrintable(bytes: Buffer): string {
  return bytes.toString('latin1').split('\r\n').map(encodeLine).join('\r\n');
}

function encodeLine(line: string): string {
  const rows: string[] = [];
  let row = '';
  for (let i = 0; i < line.length; i++) {
    const code = line.charCodeAt(i);
    const isLast = i === line.length - 1;
    const isPlain = (code > 0x20 && code < 0x7f && code !== 0x3d) || (isBlank(code) && !isLast);
    const piece = isPlain ? (line[i] ?? '') : `=${code.toString(16).toUpperCase().padStart(2, '0')}`;
    if (row.length + piece.length > ENCODED_LINE - 1) {
      rows.push(`${row}=`);
      row = '';
    }
    row += piece;
  }
  return [...rows, row].join('\r\n');
}

function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x09;
}

/** Decode quoted-printable, keeping what is malformed as it is. Latin-1 text in and out. */
export function decodeQuotedPrintable(text: string): string {
  return text
    .replace(/=\r?\n/g, '')
    .replace(/=([0-9A-Fa-f]{2})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 16)));
}

/** A date-time of RFC 5322 3.3, in UTC. `ms` since the epoch. */
export function formatDate(ms: number): string {
  return new Date(ms).toUTCString().replace('GMT', '+0000');
}

/** One line of text: controls become spaces, runs of them one, and the length is bounded. */
export function oneLine(text: string, maxLength = 2000): string {
  // oxlint-disable-next-line no-control-regex -- controls are what it looks for
  const clean = text.slice(0, maxLength).replace(/[\x00-\x20\x7f-\x9f\u2028\u2029]+/g, ' ');
  return clean.toWellFormed().trim();
}

/** One line of ASCII: every other character becomes "?". */
export function asciiLine(text: string, maxLength?: number): string {
  return oneLine(text, maxLength).replace(/[^ -~]/gu, '?');
}

/** Characters up to which a word is not broken: any address fits, and no line gets over `LINE_OCTETS` of UTF-8. */
const ASCII_WORD = 900;
const UTF8_WORD = 240;

/** Break text at spaces into lines of at most `width` characters; only a very long word is broken itself. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ').flatMap(breakWord)) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return line === '' ? lines : [...lines, line];
}

function breakWord(word: string): string[] {
  const chars = [...word];
  const size = chars.length === Buffer.byteLength(word) ? ASCII_WORD : UTF8_WORD;
  const pieces: string[] = [];
  for (let i = 0; i < chars.length; i += size) pieces.push(chars.slice(i, i + size).join(''));
  return pieces;
}

/** A header field, folded at spaces (RFC 5322 2.2.3). */
export function field(name: string, value: string): string {
  return `${wrap(`${name}: ${value}`, 76).join('\r\n ')}\r\n`;
}
