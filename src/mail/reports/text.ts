import { oneLine } from '../dsn/encode.ts';
import { parseIp, readable, unmapped } from '../spf/ip.ts';

/** Characters of a domain name with its dots. */
const DOMAIN_CHARS = 253;
/** Characters of a date: the longest form of ISO 8601 has 35. */
const DATE_CHARS = 40;
const LATEST_MS = 8.64e15;

/** Text of a stranger on one line, without controls, of at most `max` characters. */
export function cleanText(text: string, max = 255): string {
  return oneLine(text, max);
}

/** A domain name as reports have it: lower case, without the final dot, nothing checked. */
export function cleanDomain(text: string): string {
  return cleanText(text, DOMAIN_CHARS + 1)
    .toLowerCase()
    .replace(/\.$/, '');
}

/** The canonical text of an address (RFC 5952), brackets taken off; what is none stays as cleaned text. */
export function cleanIp(text: string): string {
  const clean = cleanText(text, 64).replace(/^\[|\]$/g, '');
  const ip = parseIp(clean);
  return ip === undefined ? clean : readable(unmapped(ip));
}

/** A number of messages or sessions; undefined for what is none. Strings of digits are taken, as some reporters send them. */
export function cleanCount(value: unknown): number | undefined {
  const number = typeof value === 'string' && /^\s*\d{1,15}\s*$/.test(value) ? Number(value) : value;
  return typeof number === 'number' && Number.isSafeInteger(number) && number >= 0 ? number : undefined;
}

/** Seconds or (wrongly) milliseconds since the epoch, or an ISO 8601 date: milliseconds, undefined for anything else. */
export function cleanTime(text: string): number | undefined {
  const trimmed = text.trim().slice(0, DATE_CHARS);
  if (/^\d{1,10}(?:\.\d{0,9})?$/.test(trimmed)) return Math.floor(Number(trimmed)) * 1000;
  if (/^\d{12,14}$/.test(trimmed)) return Number(trimmed);
  if (!/^\d{4}-\d\d-\d\d/.test(trimmed)) return undefined;
  const ms = Date.parse(/T/.test(trimmed) && !/Z|[+-]\d\d:?\d\d$/i.test(trimmed) ? `${trimmed}Z` : trimmed);
  return Number.isFinite(ms) && Math.abs(ms) < LATEST_MS ? ms : undefined;
}
