import { formatDateTime, formatSize } from '../base/format.ts';
import { flatten, type Json, toText } from './setting-values.ts';

const GIGABYTE = 1_000_000_000;

/** Octets of a number of gigabytes that was typed, 0 where nothing was; undefined: it is no such number. */
export function octetsOf(gigabytes: string): number | undefined {
  const text = gigabytes
    .trim()
    .replace(/\s*GB$/i, '')
    .replace(',', '.');
  const value = Number(text);
  return Number.isFinite(value) && value >= 0 ? Math.round(value * GIGABYTE) : undefined;
}

/** Gigabytes as they are typed, to the octet: what is shown is saved again. '' for none. */
export function gigabytesOf(octets: number): string {
  return octets === 0 ? '' : String(octets / GIGABYTE);
}

/** What is wrong where it is not said at that field. */
export function problemBeside(problems: Readonly<Record<string, string>>, field: string): string | undefined {
  return Object.entries(problems).find(([name]) => name !== field)?.[1];
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

/** Words for names and values of an entry of the audit; undefined: there are none. */
export type AuditWord = (key: string) => string | undefined;

/** Facts that are octets, and those that are yes or no. */
const OCTETS = new Set(['quota', 'size']);
const FLAGS = new Set(['everything', 'purge', 'shared']);

/** What an entry of the audit says: of settings what changed, "greylist.mode: suspicious → all"; of all else its facts. */
export function auditWords(action: string, data: unknown, word: AuditWord): string {
  if (typeof data !== 'object' || data === null) return String(data);
  const { before, after } = data as Readonly<Record<string, unknown>>;
  const settings = settingsChange(before, after);
  if (settings !== undefined) return settings;
  const value = (name: string, given: unknown): string => {
    if (FLAGS.has(name)) return word(Number(given) === 0 ? 'value no' : 'value yes') ?? String(given);
    if (OCTETS.has(name) || (action === 'account.quota' && (name === 'from' || name === 'to')))
      return given === 0 ? (word('value unlimited') ?? '0') : formatSize(Number(given));
    const text = plain(given);
    return (typeof given === 'string' && word(`value ${given}`)) || text;
  };
  return Object.entries(data)
    .filter(([, given]) => given !== null && String(given) !== '')
    .map(([name, given]) => `${word(`fact ${name}`) ?? name}: ${value(name, given)}`)
    .join(', ');
}

/** Undefined where these are no settings before and after. */
function settingsChange(before: unknown, after: unknown): string | undefined {
  // Either may be missing: nothing was set before, or nothing is any more.
  if (typeof before !== 'string' && typeof after !== 'string') return undefined;
  const [was, is] = [settingsOf(before ?? '{}'), settingsOf(after ?? '{}')];
  if (was === undefined || is === undefined) return undefined;
  const names = [...new Set([...was.keys(), ...is.keys()])].filter((name) => was.get(name) !== is.get(name));
  return names.map((name) => `${name}: ${was.get(name) ?? '–'} → ${is.get(name) ?? '–'}`).join(', ');
}

function settingsOf(text: unknown): ReadonlyMap<string, string> | undefined {
  if (typeof text !== 'string' || !text.startsWith('{')) return undefined;
  try {
    const settings = JSON.parse(text) as Readonly<Record<string, Json>>;
    return new Map(flatten(settings).map(([name, value]) => [name, toText(value)] as const));
  } catch {
    return undefined;
  }
}
