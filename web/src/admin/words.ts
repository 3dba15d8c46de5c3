import { formatDateTime } from '../base/format.ts';

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
    .filter(([name, value]) => name !== 'session' && value !== null && String(value) !== '')
    .map(([name, value]) => `${name} ${plain(value)}`)
    .join(', ');
}

/** Numbers between are milliseconds since the epoch: of the years 2001 to 2100. */
const FIRST_TIME = 1_000_000_000_000;
const LAST_TIME = 4_102_444_800_000;

/** A list of plain values without the marks of JSON. */
function plain(value: unknown): string {
  if (typeof value === 'number' && value > FIRST_TIME && value < LAST_TIME) return formatDateTime(value);
  if (typeof value === 'string') return value;
  const simple = Array.isArray(value) && value.every((each) => typeof each !== 'object');
  return simple ? value.join(' ') : JSON.stringify(value);
}
