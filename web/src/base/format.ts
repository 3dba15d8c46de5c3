import { language } from './i18n.ts';

/** The language with the region that the browser names for it: "en" is 21/11/2026 to some and 11/21/2026 to others. */
function locale(): string {
  const wanted = language.value;
  const tags = typeof navigator === 'undefined' ? [] : navigator.languages;
  return tags.find((tag) => tag.toLowerCase().startsWith(`${wanted}-`)) ?? wanted;
}

const formats = new Map<string, Intl.DateTimeFormat>();

function dateFormat(options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = `${locale()} ${JSON.stringify(options)}`;
  let format = formats.get(key);
  if (format === undefined) formats.set(key, (format = new Intl.DateTimeFormat(locale(), options)));
  return format;
}

/** As a list shows it: the time today, the day this year, else the date. `at`: milliseconds since the epoch. */
export function formatShort(at: number, now: number = Date.now()): string {
  const day = new Date(at);
  const today = new Date(now);
  if (day.toDateString() === today.toDateString()) return dateFormat({ timeStyle: 'short' }).format(day);
  if (day.getFullYear() === today.getFullYear())
    return dateFormat({ day: 'numeric', month: 'short' }).format(day);
  return dateFormat({ year: 'numeric', month: '2-digit', day: '2-digit' }).format(day);
}

/** Day and time in full. */
export function formatLong(at: number): string {
  return dateFormat({ dateStyle: 'full', timeStyle: 'short' }).format(at);
}

export function formatDateTime(at: number): string {
  return dateFormat({ dateStyle: 'medium', timeStyle: 'short' }).format(at);
}

/** A time within the next weeks: day of the week, day and time. */
export function formatSoon(at: number): string {
  return dateFormat({
    weekday: 'short',
    day: 'numeric',
    month: 'short',
    hour: 'numeric',
    minute: '2-digit',
  }).format(at);
}

export function formatDate(at: number): string {
  return dateFormat({ dateStyle: 'medium' }).format(at);
}

const UNITS = ['byte', 'kilobyte', 'megabyte', 'gigabyte', 'terabyte'] as const;

/** Octets, in units of a thousand. */
export function formatSize(octets: number): string {
  let value = octets;
  let unit = 0;
  while (value >= 1000 && unit < UNITS.length - 1) {
    value /= 1000;
    unit++;
  }
  return new Intl.NumberFormat(locale(), {
    style: 'unit',
    unit: UNITS[unit] ?? 'byte',
    // "342 byte" is no English.
    unitDisplay: unit === 0 ? 'long' : 'short',
    maximumFractionDigits: unit === 0 || value >= 100 ? 0 : 1,
  }).format(value);
}

export function formatNumber(value: number): string {
  return new Intl.NumberFormat(locale()).format(value);
}

const STEPS: readonly (readonly [unit: Intl.RelativeTimeFormatUnit, ms: number])[] = [
  ['year', 31_536_000_000],
  ['month', 2_592_000_000],
  ['day', 86_400_000],
  ['hour', 3_600_000],
  ['minute', 60_000],
];

/** "3 hours ago", "in 2 days". */
export function formatRelative(at: number, now: number = Date.now()): string {
  const format = new Intl.RelativeTimeFormat(locale(), { numeric: 'auto' });
  for (const [unit, ms] of STEPS) {
    if (Math.abs(at - now) >= ms) return format.format(Math.round((at - now) / ms), unit);
  }
  return format.format(0, 'minute');
}
