/** Pieces of messages that we write: fields, encoded words, dates, boundaries, encodings. Time and randomness are arguments. */

/** RFC 5322 2.1.1: lines should have at most 78 characters without their CRLF, must have at most 998. */
const LINE = 78;
const HARD_LINE = 998;
/** RFC 2045 6.7 and 6.8: encoded lines have at most 76. */
const ENCODED_LINE = 76;
/** RFC 2047 2: an encoded word has at most 75 characters. */
const WORD = 75;

const days = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];
const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

function two(value: number): string {
  return String(value).padStart(2, '0');
}

/** RFC 5322 3.3 date-time of `ms` since the epoch, in the zone `offset` minutes east of UTC. */
export function formatDate(ms: number, offset = 0): string {
  const local = new Date(ms + offset * 60_000);
  const time = [local.getUTCHours(), local.getUTCMinutes(), local.getUTCSeconds()].map(two).join(':');
  const zone = `${offset < 0 ? '-' : '+'}${two(Math.floor(Math.abs(offset) / 60))}${two(Math.abs(offset) % 60)}`;
  const date = `${local.getUTCDate()} ${months[local.getUTCMonth()]} ${local.getUTCFullYear()}`;
  return `${days[local.getUTCDay()]}, ${date} ${time} ${zone}`;
}

/** Text that can stand in a field: line ends, NUL and other controls become a space, so that nothing adds a field. */
export function headerSafe(value: string): string {
  return value.replace(/(?!\t)[\p{Cc}\u2028\u2029]+/gu, ' ');
}

/**
 * A whole field "Name: value CRLF", folded at white space so that lines have at most 78 characters where the text
 * allows and never more than 998 octets. The value is made safe; it is not encoded (see `encodeWords`). Throws on a
 * name that is none (RFC 5322 3.6.8): names are ours.
 */
export function foldField(name: string, value: string): string {
  if (!/^[\x21-\x39\x3b-\x7e]+$/.test(name)) throw new Error(`not a field name: ${JSON.stringify(name)}`);
  const words = headerSafe(value)
    .trim()
    .split(/(?<=[^ \t])(?=[ \t])/);
  const lines: string[] = [];
  let line = `${name}: `;
  let isFirst = true;
  for (const word of words.flatMap(splitLong)) {
    if (!isFirst && line.length + word.length > LINE) {
      lines.push(line);
      line = /^[ \t]/.test(word) ? word : ` ${word}`;
    } else line += word;
    isFirst = false;
  }
  lines.push(line);
  return `${lines.join('\r\n')}\r\n`;
}

/** Words no line can hold are cut: a broken word is better than a message that nobody takes. 4 octets a character at most. */
function splitLong(word: string): string[] {
  if (Buffer.byteLength(word) <= HARD_LINE - LINE) return [word];
  const pieces: string[] = [];
  let piece = '';
  for (const char of word) {
    if (piece.length >= (HARD_LINE - LINE) / 4) {
      pieces.push(piece);
      piece = '';
    }
    piece += char;
  }
  return [...pieces, piece];
}

const isAscii = (text: string): boolean => /^[\t\x20-\x7e]*$/.test(text);

/** Octets of UTF-8 cut between characters into runs whose `room`, the sum of what `cost` says of each, is not exceeded. */
function cutCharacters(text: string, cost: (char: string) => number, room: number): Buffer[] {
  const runs: Buffer[] = [];
  let run = '';
  let used = 0;
  for (const char of text) {
    const more = cost(char);
    if (run !== '' && used + more > room) {
      runs.push(Buffer.from(run));
      run = '';
      used = 0;
    }
    run += char;
    used += more;
  }
  return run === '' ? runs : [...runs, Buffer.from(run)];
}

/** Octets of a character in UTF-8. */
function utf8Length(char: string): number {
  const code = char.codePointAt(0) ?? 0;
  return code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
}

/** Characters that an octet of ASCII takes as Q (RFC 2047 5 (3), the strictest of places): "_" for a space. */
const Q_LENGTH = Uint8Array.from({ length: 128 }, (_, code) =>
  /[A-Za-z0-9!*+\-/ ]/.test(String.fromCharCode(code)) ? 1 : 3,
);

/** Characters that one character takes as Q. */
function qLength(char: string): number {
  return Q_LENGTH[char.charCodeAt(0)] ?? 3 * utf8Length(char);
}

function qText(bytes: Buffer): string {
  let out = '';
  for (const byte of bytes) {
    if (byte === 32) out += '_';
    else if (Q_LENGTH[byte] === 1) out += String.fromCharCode(byte);
    else out += `=${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  }
  return out;
}

/**
 * `text` as it may stand in an unstructured field or as a display name's words: unchanged when it is ASCII and no
 * encoded word could be seen in it, else encoded words of UTF-8 (Q or B, whichever is shorter), cut between
 * characters, separated by spaces for `foldField`.
 */
export function encodeWords(text: string): string {
  const safe = headerSafe(text.toWellFormed());
  // A word that no line can hold would be cut as it stands; encoded, it reads as one.
  const fitting = safe.split(/[ \t]/).every((word) => word.length <= HARD_LINE - LINE);
  if (fitting && isAscii(safe) && !safe.includes('=?')) return safe;
  let inQ = 0;
  for (const char of safe) inQ += qLength(char);
  const useQ = inQ <= Math.ceil(Buffer.byteLength(safe) / 3) * 4;
  const room = WORD - '=?utf-8?q??='.length;
  // Of B the octets that fill whole groups of four characters.
  const runs = useQ
    ? cutCharacters(safe, qLength, room)
    : cutCharacters(safe, utf8Length, Math.floor(room / 4) * 3);
  const mark = useQ ? 'q' : 'b';
  return runs.map((run) => `=?utf-8?${mark}?${useQ ? qText(run) : run.toString('base64')}?=`).join(' ');
}

/** `name <address>` for an address field; the name quoted or encoded where it must be. */
export function formatAddress(name: string, address: string): string {
  const spec = headerSafe(address).replace(/[\s<>]/g, '');
  const safe = headerSafe(name).trim();
  if (safe === '') return spec;
  if (!isAscii(safe) || safe.includes('=?')) return `${encodeWords(safe)} <${spec}>`;
  if (/^[A-Za-z0-9!#$%&'*+\-/=?^_`{|}~ ]+$/.test(safe)) return `${safe} <${spec}>`;
  return `"${safe.replace(/["\\]/g, '\\$&')}" <${spec}>`;
}

/**
 * A boundary of at most 70 characters made of `random` (at least 15 octets of it). "=_" cannot occur in
 * quoted-printable or base64 text (RFC 2045 6.7).
 */
export function makeBoundary(random: Uint8Array): string {
  return `=_${Buffer.from(random).toString('hex').slice(0, 64)}`;
}

/** Base64 in lines of 76 characters, each with CRLF. */
export function encodeBase64(bytes: Buffer): Buffer {
  const text = bytes.toString('base64');
  const lines: string[] = [];
  for (let pos = 0; pos < text.length; pos += ENCODED_LINE) lines.push(text.slice(pos, pos + ENCODED_LINE));
  return Buffer.from(lines.map((line) => `${line}\r\n`).join(''), 'latin1');
}

/**
 * Quoted-printable (RFC 2045 6.7). Line ends CRLF, LF or CR of text become CRLF; with `binary` they are encoded.
 * "." and "From " at the start of a line are encoded too: some relays change them.
 */
export function encodeQuotedPrintable(bytes: Buffer, binary = false): Buffer {
  // Three octets for each, and as many for the soft end of each line, which has at least ENCODED_LINE - 3 before it.
  const most = bytes.length * 3;
  const out = Buffer.allocUnsafe(most + 3 * Math.ceil(most / (ENCODED_LINE - 3)));
  let end = 0;
  let column = 0;
  for (let pos = 0; pos < bytes.length; pos++) {
    const lineEnd = binary ? 0 : lineEndLength(bytes, pos);
    if (lineEnd > 0) {
      end = putCrlf(out, end);
      column = 0;
      pos += lineEnd - 1;
      continue;
    }
    const byte = bytes[pos] ?? 0;
    const within = column > 0 && column < ENCODED_LINE - 1;
    const plain = (within && isGraphic(byte)) || isPlainQp(bytes, pos, column, binary);
    if (column + (plain ? 1 : 3) > ENCODED_LINE - 1) {
      out[end++] = EQUALS;
      end = putCrlf(out, end);
      column = 0;
    }
    if (plain) out[end++] = byte;
    else end = putHex(out, end, byte);
    column += plain ? 1 : 3;
  }
  return Buffer.from(out.subarray(0, end));
}

const EQUALS = 0x3d;
const HEX_DIGITS = Buffer.from('0123456789ABCDEF');

function putCrlf(out: Buffer, end: number): number {
  out[end] = 13;
  out[end + 1] = 10;
  return end + 2;
}

function putHex(out: Buffer, end: number, byte: number): number {
  out[end] = EQUALS;
  out[end + 1] = HEX_DIGITS[byte >> 4] ?? 0;
  out[end + 2] = HEX_DIGITS[byte & 15] ?? 0;
  return end + 3;
}

function lineEndLength(bytes: Buffer, pos: number): number {
  if (bytes[pos] === 13) return bytes[pos + 1] === 10 ? 2 : 1;
  return bytes[pos] === 10 ? 1 : 0;
}

/** What may stand for itself within a line. */
function isGraphic(byte: number): boolean {
  return byte > 32 && byte < 127 && byte !== EQUALS;
}

/** True for an octet that may stand for itself where `column` characters are on the line already. */
function isPlainQp(bytes: Buffer, pos: number, column: number, binary: boolean): boolean {
  const byte = bytes[pos] ?? 0;
  const isBlank = byte === 32 || byte === 9;
  if (isBlank) return pos + 1 < bytes.length && (binary || lineEndLength(bytes, pos + 1) === 0);
  if (!isGraphic(byte)) return false;
  if (column > 0 && column < ENCODED_LINE - 1) return true;
  return byte !== 46 && !(byte === 70 && bytes.toString('latin1', pos, pos + 5) === 'From ');
}
