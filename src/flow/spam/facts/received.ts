/** Received fields (RFC 5321 4.4), read as programs write them. Each is cut to 1 KiB first; nothing backtracks over it. */
import { isIP } from 'node:net';
import { parseDate } from '../../../mail/message/dates.ts';
import type { ReceivedFact } from './types.ts';

const MAX_CHARS = 1024;
const MAX_HOST = 255;

/** The word behind `key` at a word's start, from `from` on. */
function wordAfter(text: string, lower: string, key: string): string | undefined {
  let at = lower.startsWith(`${key} `) ? 0 : lower.indexOf(` ${key} `);
  if (at === -1) return undefined;
  at += at === 0 && lower.startsWith(key) ? key.length : key.length + 1;
  while (text.charCodeAt(at) === 32) at++;
  let end = at;
  while (end < text.length && end - at < MAX_HOST) {
    const char = text.charCodeAt(end);
    if (char <= 32 || char === 59 || char === 40 || char === 41) break;
    end++;
  }
  return end > at ? lower.slice(at, end) : undefined;
}

/** An address in brackets or parentheses; IPv6 may carry its tag (RFC 5321 4.1.3). */
function addressIn(text: string): string | undefined {
  for (const match of text.matchAll(/[[(]\s?(?:ipv6:)?([0-9a-f:.]{3,45})(?:[\])]|\s|$)/gi)) {
    if (isIP(match[1] ?? '') !== 0) return match[1];
  }
  return undefined;
}

/** One field's unfolded value. */
export function receivedFact(value: string): ReceivedFact {
  const text = value.slice(0, MAX_CHARS).replaceAll('\t', ' ');
  const lower = text.toLowerCase();
  const semicolon = text.lastIndexOf(';');
  const date = semicolon === -1 ? undefined : parseDate(text.slice(semicolon + 1));
  const by = wordAfter(text, lower, 'by');
  const origin = lower.startsWith('from ') ? text.slice(0, Math.max(5, fromEnd(lower))) : '';
  const first = origin === '' ? undefined : wordAfter(origin, lower.slice(0, origin.length), 'from');
  const { helo, rdns } = names(origin.toLowerCase(), first);
  return {
    helo,
    rdns,
    ip: addressIn(origin) ?? (first !== undefined && isIP(first) !== 0 ? first : undefined),
    by,
    protocol: wordAfter(text, lower, 'with'),
    date: date?.ms,
  };
}

function fromEnd(lower: string): number {
  const by = lower.indexOf(' by ');
  return by === -1 ? lower.length : by;
}

/**
 * Postfix writes "from HELO (RDNS [IP])", Exim "from RDNS ([IP] helo=HELO)", qmail "from RDNS (HELO HELO) (IP)", sendmail
 * adds "may be forged".
 */
function names(origin: string, first: string | undefined): Pick<ReceivedFact, 'helo' | 'rdns'> {
  const told = /[( ]helo[= ]\[?([^\s()\]]{1,255})/.exec(origin)?.[1];
  if (told !== undefined) return { helo: told, rdns: known(first) };
  const inner = /\(([^\s()[\]]{1,255}) ?\[/.exec(origin)?.[1];
  return { helo: first, rdns: known(inner) };
}

function known(name: string | undefined): string | undefined {
  return name === undefined ||
    name === 'unknown' ||
    !name.includes('.') ||
    isIP(name.replace(/^\[|\]$/g, '')) !== 0
    ? undefined
    : (name.split('@').at(-1) ?? name);
}
