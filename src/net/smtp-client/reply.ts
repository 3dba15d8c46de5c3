import type { SmtpReply } from '../../base/errors.ts';

export const REPLY_LIMITS = {
  /** Octets of a reply line, CRLF included. RFC 5321 4.5.3.1.5 says 512; some explain themselves at length. */
  lineBytes: 4096,
  /** Lines of one reply; EHLO has the most. */
  lines: 200,
} as const;

export type ReplyParse =
  | { readonly kind: 'reply'; readonly reply: SmtpReply; readonly length: number }
  | { readonly kind: 'incomplete' }
  | { readonly kind: 'malformed'; readonly reason: string };

const INCOMPLETE: ReplyParse = { kind: 'incomplete' };
const LF = 0x0a;
const CR = 0x0d;
const DASH = 0x2d;
const SPACE = 0x20;

function malformed(reason: string): ReplyParse {
  return { kind: 'malformed', reason };
}

/**
 * One reply (RFC 5321 section 4.2) at the beginning of `bytes`. Every line must have the same code; a bare LF as line
 * end is taken, for nothing hangs on it here. Text comes out without control characters: it goes into logs and bounces.
 */
export function parseReply(bytes: Buffer): ReplyParse {
  const texts: string[] = [];
  let code = '';
  let at = 0;
  for (let count = 0; count < REPLY_LIMITS.lines; count++) {
    const lf = bytes.indexOf(LF, at);
    const end = lf === -1 ? bytes.length : lf;
    if (end - at >= REPLY_LIMITS.lineBytes) return malformed('reply line too long');
    if (lf === -1) return INCOMPLETE;
    const line = bytes.subarray(at, bytes[lf - 1] === CR && lf > at ? lf - 1 : lf);
    const own = line.toString('latin1', 0, 3);
    if (!/^[2-5]\d\d$/.test(own)) return malformed(`not a reply: ${printable(line).slice(0, 80)}`);
    if (code !== '' && own !== code) return malformed(`reply changes its code from ${code} to ${own}`);
    code = own;
    const mark = line[3];
    if (mark !== undefined && mark !== DASH && mark !== SPACE)
      return malformed('no space behind the reply code');
    texts.push(printable(line.subarray(4)));
    at = lf + 1;
    if (mark !== DASH) return { kind: 'reply', reply: toReply(Number(code), texts), length: at };
  }
  return malformed('reply of too many lines');
}

function printable(bytes: Buffer): string {
  // UTF-8 is for replies under SMTPUTF8; invalid octets become U+FFFD.
  return bytes.toString('utf8').replaceAll(/\p{Cc}/gu, '?');
}

const ENHANCED = /^([245])\.(\d{1,3})\.(\d{1,3})(?: |$)/;

/** Take the enhanced status code (RFC 2034 section 4) off the lines that have it, where its class fits the code. */
function toReply(code: number, texts: readonly string[]): SmtpReply {
  let enhanced: string | undefined;
  const lines = texts.map((text) => {
    const match = ENHANCED.exec(text);
    if (match === null || Number(match[1]) !== Math.floor(code / 100)) return text;
    enhanced ??= match[0].trimEnd();
    return text.slice(match[0].length);
  });
  return { code, lines, ...(enhanced !== undefined && { enhanced }) };
}

/** A reply as a person writes it: "550 5.1.1 No such user". */
export function replyText(reply: SmtpReply): string {
  return [String(reply.code), reply.enhanced, ...reply.lines].filter(Boolean).join(' ');
}
