/** Date fields (RFC 5322 3.3 and 4.3), read leniently: what real mail has, never an exception. */
import { skipComment } from './params.ts';

/** Characters of a date that are read. */
const MAX_DATE = 200;
const MINUTE_MS = 60_000;

export interface MailDate {
  /** Milliseconds since the epoch. */
  readonly ms: number;
  /** Minutes east of UTC as written; 0 for unknown zones (RFC 5322 4.3). */
  readonly zone: number;
}

const months = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
/** Minutes east of UTC. RFC 5322 4.3: the North American ones have a meaning, single letters and the rest mean -0000. */
const zones: Record<string, number> = {
  ut: 0,
  gmt: 0,
  utc: 0,
  z: 0,
  est: -300,
  edt: -240,
  cst: -360,
  cdt: -300,
  mst: -420,
  mdt: -360,
  pst: -480,
  pdt: -420,
  cet: 60,
  met: 60,
  cest: 120,
  mest: 120,
  bst: 60,
  jst: 540,
};

function withoutComments(text: string): string {
  let out = '';
  let pos = 0;
  while (pos < text.length) {
    const open = text.indexOf('(', pos);
    if (open === -1) break;
    out += `${text.slice(pos, open)} `;
    pos = skipComment(text, open);
  }
  return out + text.slice(pos);
}

interface Parts {
  day?: number;
  month?: number;
  year?: number;
  hour?: number;
  minute?: number;
  second?: number;
  zone?: number;
}

/** RFC 5322 4.3: two digits below 50 are 20xx, other two and all three digits count from 1900. */
function fullYear(digits: string): number {
  const year = Number(digits);
  if (digits.length === 2) return year < 50 ? 2000 + year : 1900 + year;
  return digits.length === 3 ? 1900 + year : year;
}

function takeTime(parts: Parts, token: string): boolean {
  const time = /^(\d{1,2})[:.](\d{1,2})(?:[:.](\d{1,2})(?:[.,]\d{1,9})?)?(am|pm)?$/i.exec(token);
  if (time === null) return false;
  const [, hour = '', minute = '', second = '0', half] = time;
  const offset = half?.toLowerCase() === 'pm' ? 12 : 0;
  parts.hour = half ? (Number(hour) % 12) + offset : Number(hour);
  parts.minute = Number(minute);
  parts.second = Number(second);
  return true;
}

function takeZone(parts: Parts, token: string): boolean {
  const match = /^(?:utc?|gmt)?([+-])(\d{1,2}):?(\d{2})$/i.exec(token);
  if (match !== null) {
    const [, sign, hours, minutes] = match;
    const value = Number(hours) * 60 + Number(minutes);
    // Nowhere on Earth is further than 14 hours from Greenwich; nonsense is not allowed to move the date.
    parts.zone = value > 24 * 60 ? 0 : sign === '-' ? -value : value;
    return true;
  }
  const name = token.toLowerCase();
  if (!Object.hasOwn(zones, name)) return false;
  parts.zone ??= zones[name] ?? 0;
  return true;
}

function takeNumber(parts: Parts, token: string): void {
  if (!/^\d{1,5}$/.test(token)) return;
  if (parts.day === undefined && token.length <= 2) parts.day = Number(token);
  else if (parts.year === undefined && token.length >= 2) parts.year = fullYear(token);
}

function takeToken(parts: Parts, token: string): void {
  if (takeTime(parts, token)) return;
  const month = months.indexOf(token.slice(0, 3).toLowerCase());
  if (month !== -1 && /^[a-z]{3,9}\.?$/i.test(token) && parts.month === undefined) parts.month = month;
  else if (parts.hour !== undefined && takeZone(parts, token)) return;
  else takeNumber(parts, token);
}

/** RFC 3339 dates, which some programs put into mail. */
function isoDate(text: string): MailDate | undefined {
  const match =
    /^(\d{4})-(\d\d)-(\d\d)[T ](\d\d):(\d\d)(?::(\d\d))?(?:[.,]\d{1,9})? ?(z|[+-]\d\d:?\d\d)?/i.exec(text);
  if (match === null) return undefined;
  const [, year, month, day, hour, minute, second = '0', zone] = match;
  const parts: Parts = {};
  if (zone !== undefined) takeZone(parts, zone);
  return assemble({
    year: Number(year),
    month: Number(month) - 1,
    day: Number(day),
    hour: Number(hour),
    minute: Number(minute),
    second: Number(second),
    zone: parts.zone ?? 0,
  });
}

function assemble({
  year,
  month,
  day,
  hour = 0,
  minute = 0,
  second = 0,
  zone = 0,
}: Parts): MailDate | undefined {
  if (year === undefined || month === undefined || day === undefined) return undefined;
  if (year < 1900 || year > 9999 || month < 0 || month > 11 || day < 1) return undefined;
  if (hour > 24 || minute > 59 || second > 60) return undefined;
  const midnight = Date.UTC(year, month, day);
  if (new Date(midnight).getUTCMonth() !== month) return undefined; // 31 June
  const ms = midnight + ((hour * 60 + minute) * 60 + second) * 1000 - zone * MINUTE_MS;
  return { ms, zone };
}

/** Reads a date field's value; undefined where no day, month and year (1900 to 9999) can be made out. */
export function parseDate(value: string): MailDate | undefined {
  const text = withoutComments(value.slice(0, MAX_DATE)).trim();
  const iso = isoDate(text);
  if (iso !== undefined) return iso;
  const parts: Parts = {};
  // "12-Nov-93" is one word in old mail; a zone's sign stays with its digits.
  for (const word of text.split(/[\s,;]+/)) {
    const dashed = /^(\d{1,2})-([a-z]{3,9})-(\d{2,5})$/i.exec(word);
    if (dashed !== null) for (const piece of dashed.slice(1)) takeToken(parts, piece);
    else if (word !== '') takeToken(parts, word);
  }
  return assemble(parts);
}
