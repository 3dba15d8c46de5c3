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

/** Octets of UTF-8 cut between characters into runs that `fits`. */
function cutCharacters(text: string, fits: (bytes: Buffer) => boolean): Buffer[] {
  const runs: Buffer[] = [];
  let run = '';
  for (const char of text) {
    if (run !== '' && !fits(Buffer.from(run + char))) {
      runs.push(Buffer.from(run));
      run = '';
    }
    run += char;
  }
  return run === '' ? runs : [...runs, Buffer.from(run)];
}

/** RFC 2047 5 (3), the strictest of places: only letters, digits and "!*+-/" stand for themselves. */
function qText(bytes: Buffer): string {
  let out = '';
  for (const byte of bytes) {
    const char = String.fromCharCode(byte);
    if (/[A-Za-z0-9!*+\-/]/.test(char)) out += char;
    else out += byte === 32 ? '_' : `=${byte.toString(16).toUpperCase().padStart(2, '0')}`;
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
  const bytes = Buffer.from(safe);
  const useQ = qText(bytes).length <= Math.ceil(bytes.length / 3) * 4;
  const room = WORD - '=?utf-8?q??='.length;
  const fits = (run: Buffer): boolean => (useQ ? qText(run).length : Math.ceil(run.length / 3) * 4) <= room;
  const runs = cutCharacters(safe, fits);
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
  const out: string[] = [];
  let line = '';
  const put = (piece: string): void => {
    if (line.length + piece.length > ENCODED_LINE - 1) {
      out.push(`${line}=\r\n`);
      line = '';
    }
    line += piece;
  };
  for (let pos = 0; pos < bytes.length; pos++) {
    const byte = bytes[pos] ?? 0;
    const lineEnd = binary ? 0 : lineEndLength(bytes, pos);
    if (lineEnd > 0) {
      out.push(`${line}\r\n`);
      line = '';
      pos += lineEnd - 1;
    } else put(isPlainQp(bytes, pos, line.length, binary) ? String.fromCharCode(byte) : hexPiece(byte));
  }
  out.push(line);
  return Buffer.from(out.join(''), 'latin1');
}

function hexPiece(byte: number): string {
  return `=${byte.toString(16).toUpperCase().padStart(2, '0')}`;
}

function lineEndLength(bytes: Buffer, pos: number): number {
  if (bytes[pos] === 13) return bytes[pos + 1] === 10 ? 2 : 1;
  return bytes[pos] === 10 ? 1 : 0;
}

/** True for an octet that may stand for itself where `column` characters are on the line already. */
function isPlainQp(bytes: Buffer, pos: number, column: number, binary: boolean): boolean {
  const byte = bytes[pos] ?? 0;
  const isBlank = byte === 32 || byte === 9;
  if (isBlank) return pos + 1 < bytes.length && (binary || lineEndLength(bytes, pos + 1) === 0);
  if (byte < 33 || byte > 126 || byte === 61) return false;
  if (column > 0 && column < ENCODED_LINE - 1) return true;
  return byte !== 46 && !(byte === 70 && bytes.toString('latin1', pos, pos + 5) === 'From ');
}
