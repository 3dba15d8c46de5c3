import { language } from '../base/i18n.ts';

const UNITS = [
  ['day', 86_400_000],
  ['hour', 3_600_000],
  ['minute', 60_000],
  ['second', 1000],
] as const;

/** A time span of `ms` milliseconds in its largest unit. */
export function formatMs(ms: number, unitDisplay: 'long' | 'narrow' = 'long'): string {
  const [unit, size] = UNITS.find(([, least]) => ms >= least) ?? ['millisecond', 1];
  const value = ms / size;
  return new Intl.NumberFormat(language.value, {
    style: 'unit',
    unit,
    unitDisplay,
    maximumFractionDigits: value < 10 ? 1 : 0,
  }).format(value);
}

const GIGABYTE = 1_000_000_000;

/** Octets of a number of gigabytes that was typed; 0 for what is none. */
export function octetsOf(gigabytes: string): number {
  const value = Number(gigabytes.replace(',', '.'));
  return Number.isFinite(value) && value > 0 ? Math.round(value * GIGABYTE) : 0;
}

/** Gigabytes as they are typed; '' for none. */
export function gigabytesOf(octets: number): string {
  return octets === 0 ? '' : String(Math.round((octets / GIGABYTE) * 1000) / 1000);
}

/** Values of an event on one line: "host mx.example.org, reply 250 ok". */
export function dataWords(data: unknown): string {
  if (typeof data !== 'object' || data === null) return String(data);
  return Object.entries(data)
    .filter(([name]) => name !== 'session')
    .map(([name, value]) => `${name} ${typeof value === 'string' ? value : JSON.stringify(value)}`)
    .join(', ');
}
