/** Modified UTF-7 of mailbox names (RFC 3501 section 5.1.3). */

const BASE64 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+,';

const values: ReadonlyMap<string, number> = new Map([...BASE64].map((char, value) => [char, value]));

function isPlain(code: number): boolean {
  return code >= 0x20 && code <= 0x7e;
}

/** Text in modified UTF-7, which is plain ASCII. */
export function encodeUtf7(text: string): string {
  let out = '';
  let pos = 0;
  while (pos < text.length) {
    const code = text.charCodeAt(pos);
    if (isPlain(code)) {
      out += code === 0x26 ? '&-' : text.charAt(pos);
      pos++;
      continue;
    }
    let end = pos + 1;
    while (end < text.length && !isPlain(text.charCodeAt(end))) end++;
    out += `&${encodeRun(text, pos, end)}-`;
    pos = end;
  }
  return out;
}

function encodeRun(text: string, start: number, end: number): string {
  const bytes = Buffer.from(text.slice(start, end), 'utf16le').swap16();
  return bytes.toString('base64').replace(/=+$/, '').replaceAll('/', ',');
}

/**
 * The text of modified UTF-7, or undefined when it is malformed: 8-bit octets, controls, unfinished shifts, stray bits,
 * lone surrogates, and anything that has a shorter form (two spellings of one name are an attack).
 */
export function decodeUtf7(text: string): string | undefined {
  let out = '';
  let pos = 0;
  while (pos < text.length) {
    const code = text.charCodeAt(pos);
    if (!isPlain(code)) return undefined;
    if (code !== 0x26) {
      out += text.charAt(pos++);
      continue;
    }
    const end = text.indexOf('-', pos);
    if (end === -1) return undefined;
    const run = end === pos + 1 ? '&' : decodeRun(text.slice(pos + 1, end));
    if (run === undefined) return undefined;
    out += run;
    pos = end + 1;
  }
  return out.isWellFormed() && encodeUtf7(out) === text ? out : undefined;
}

function decodeRun(run: string): string | undefined {
  let out = '';
  let bits = 0;
  let count = 0;
  for (const char of run) {
    const value = values.get(char);
    if (value === undefined) return undefined;
    bits = ((bits << 6) | value) & 0x3f_ffff;
    count += 6;
    if (count >= 16) {
      count -= 16;
      out += String.fromCharCode((bits >> count) & 0xffff);
    }
  }
  return out === '' ? undefined : out;
}
