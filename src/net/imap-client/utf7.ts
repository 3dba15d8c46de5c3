/** Modified UTF-7 of mailbox names (RFC 3501 section 5.1.3), read leniently: names of other systems must not be lost. */

function isPlain(code: number): boolean {
  return code >= 0x20 && code <= 0x7e;
}

/** Text as a mailbox name on the wire, plain ASCII. */
export function encodeMailboxName(text: string): string {
  let out = '';
  for (let at = 0; at < text.length; ) {
    const code = text.charCodeAt(at);
    if (isPlain(code)) {
      out += code === 0x26 ? '&-' : text.charAt(at);
      at++;
      continue;
    }
    let end = at + 1;
    while (end < text.length && !isPlain(text.charCodeAt(end))) end++;
    const octets = Buffer.from(text.slice(at, end), 'utf16le').swap16();
    out += `&${octets.toString('base64').replaceAll('=', '').replaceAll('/', ',')}-`;
    at = end;
  }
  return out;
}

/** The name that modified UTF-7 spells. What is not modified UTF-7 is taken as UTF-8, as newer servers have it. */
export function decodeMailboxName(wire: Buffer): string {
  const text = wire.toString('latin1');
  if (wire.some((octet) => octet > 0x7e)) return wire.toString('utf8');
  let out = '';
  for (let at = 0; at < text.length; ) {
    const start = text.indexOf('&', at);
    const end = start === -1 ? -1 : text.indexOf('-', start);
    if (start === -1 || end === -1) return out + text.slice(at);
    out += text.slice(at, start);
    out += end === start + 1 ? '&' : decodeRun(text.slice(start + 1, end));
    at = end + 1;
  }
  return out;
}

function decodeRun(run: string): string {
  if (!/^[A-Za-z0-9+,]+$/.test(run)) return `&${run}-`;
  const octets = Buffer.from(run.replaceAll(',', '/'), 'base64');
  return octets
    .subarray(0, octets.length & ~1)
    .swap16()
    .toString('utf16le')
    .toWellFormed();
}
