import { Flag } from '../../../data/mailstore/types.ts';
import { encodeUtf7 } from './utf7.ts';

/** Text as the octets of its UTF-8, one character each: the form that `Output` takes. */
export function utf8Octets(text: string): string {
  for (let i = 0; i < text.length; i++) {
    if (text.charCodeAt(i) > 127) return Buffer.from(text, 'utf8').toString('latin1');
  }
  return text;
}

/** Text for people in a response: on one line, as octets of UTF-8. */
export function respText(text: string): string {
  return utf8Octets(text.replace(/[\r\n\0]+/g, ' '));
}

const escapes = /["\\]/g;

/** A string: quoted where that is possible, else a literal. `octets` is latin1; 8-bit is quoted only with `utf8`. */
export function string(octets: string, utf8 = false): string {
  let quotable = octets.length <= 1024;
  for (let i = 0; quotable && i < octets.length; i++) {
    const code = octets.charCodeAt(i);
    if (code === 0 || code === 10 || code === 13 || (code > 127 && !utf8)) quotable = false;
  }
  return quotable ? `"${octets.replace(escapes, '\\$&')}"` : `{${octets.length}}\r\n${octets}`;
}

export function nstring(octets: string | undefined): string {
  return octets === undefined ? 'NIL' : string(octets);
}

/** A mailbox name: UTF-8 for a client that has enabled it (RFC 9051 section 5.1), modified UTF-7 for others. */
export function mailbox(name: string, utf8: boolean): string {
  return utf8 ? string(utf8Octets(name), true) : string(encodeUtf7(name));
}

const SYSTEM: readonly (readonly [number, string])[] = [
  [Flag.Answered, '\\Answered'],
  [Flag.Flagged, '\\Flagged'],
  [Flag.Deleted, '\\Deleted'],
  [Flag.Seen, '\\Seen'],
  [Flag.Draft, '\\Draft'],
];

/** The texts of all combinations of system flags. */
const systemTexts: readonly string[] = Array.from({ length: 32 }, (_, bits) =>
  SYSTEM.filter(([bit]) => (bits & bit) !== 0)
    .map(([, name]) => name)
    .join(' '),
);

/** A flag keyword must be an atom; what came by other ways than IMAP may be none and is not shown. */
function isAtom(keyword: string): boolean {
  return /^[!#$&'+\-./0-9:;<=>?@A-Z[^_`a-z|}~]+$/.test(keyword);
}

/** "(\Seen $Forwarded)". */
export function flagList(flags: number, keywords: readonly string[], recent: boolean): string {
  let text = systemTexts[flags & 31] ?? '';
  for (const keyword of keywords) if (isAtom(keyword)) text += text === '' ? keyword : ` ${keyword}`;
  if (recent) text += text === '' ? '\\Recent' : ' \\Recent';
  return `(${text})`;
}

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

function two(n: number): string {
  return n < 10 ? `0${n}` : String(n);
}

const DAY_MS = 86_400_000;
/** The day that was written last: messages of a mailbox often follow each other within one. */
let lastDay = Number.NaN;
let lastDayText = '';

function dayText(days: number): string {
  if (days === lastDay) return lastDayText;
  const date = new Date(days * DAY_MS);
  const day = date.getUTCDate();
  const year = String(Math.min(Math.max(date.getUTCFullYear(), 0), 9999)).padStart(4, '0');
  lastDay = days;
  lastDayText = `${day < 10 ? ' ' : ''}${day}-${MONTHS[date.getUTCMonth()]}-${year}`;
  return lastDayText;
}

/** date-time (RFC 9051 section 9), in UTC: "21-Nov-2026 09:30:00 +0000", quotes included. */
export function dateTime(ms: number): string {
  const days = Math.floor(ms / DAY_MS);
  const seconds = Math.floor((ms - days * DAY_MS) / 1000);
  const minutes = Math.floor(seconds / 60);
  const time = `${two(Math.floor(minutes / 60))}:${two(minutes % 60)}:${two(seconds % 60)}`;
  return `"${dayText(days)} ${time} +0000"`;
}
