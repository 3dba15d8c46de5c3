import type { Decoder } from './decoder.ts';

const MONTHS = ['JAN', 'FEB', 'MAR', 'APR', 'MAY', 'JUN', 'JUL', 'AUG', 'SEP', 'OCT', 'NOV', 'DEC'];
const DAY_MS = 24 * 60 * 60 * 1000;

/** Days since the epoch of a date of the calendar, or undefined for one that does not exist. */
function dayNumber(year: number, month: number, day: number): number | undefined {
  const at = new Date(0);
  at.setUTCFullYear(year, month, day);
  if (month < 0 || at.getUTCMonth() !== month || at.getUTCDate() !== day) return undefined;
  return Math.floor(at.getTime() / DAY_MS);
}

/**
 * date: 1-Feb-2026, quoted or not; as days since the epoch. Android's old mail program put time and zone behind it:
 * SEARCH disregards both (RFC 9051 section 6.4.4).
 */
export function date(d: Decoder): number {
  const text = d.peek() === '"' ? d.string('a date').toString('latin1') : d.atom('a date');
  const match = /^(\d{1,2})-([A-Z]{3})-(\d{4})(?: \d\d:\d\d:\d\d [+-]\d{4})?$/.exec(text.toUpperCase());
  const [, day = '', month = '', year = ''] = match ?? [];
  const days = match === null ? undefined : dayNumber(Number(year), MONTHS.indexOf(month), Number(day));
  return days ?? d.fail('a date like 1-Feb-2026 before this');
}

/** date-time: "01-Feb-2026 09:30:00 +0100"; milliseconds since the epoch. A day of one digit need not have a blank before it. */
export function dateTime(d: Decoder): number {
  const text = d.string('a date and time').toString('latin1').toUpperCase();
  const match = /^([ \d]?\d)-([A-Z]{3})-(\d{4}) (\d\d):(\d\d):(\d\d) ([+-])(\d\d)(\d\d)$/.exec(text);
  if (match === null) return d.fail('a date and time like "01-Feb-2026 09:30:00 +0100" before this');
  const [, day = '', month = '', year = '', hour, minute, second, sign, zoneHour, zoneMinute] = match;
  const days = dayNumber(Number(year), MONTHS.indexOf(month), Number(day));
  const inDay = [Number(hour), Number(minute), Number(second)];
  const zone = (Number(zoneHour) * 60 + Number(zoneMinute)) * (sign === '-' ? -1 : 1);
  const [h = 0, m = 0, s = 0] = inDay;
  // 60: a leap second.
  if (days === undefined || h > 23 || m > 59 || s > 60) return d.fail('a date that exists before this');
  return days * DAY_MS + ((h * 60 + m - zone) * 60 + s) * 1000;
}
