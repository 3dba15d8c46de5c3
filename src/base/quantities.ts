import { Refusal } from './errors.ts';

/** Sizes, spans and times as people write and read them. */

const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB'] as const;

export function sizeText(octets: number): string {
  let value = octets;
  let unit = 0;
  while (value >= 1024 && unit < UNITS.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${unit === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${UNITS[unit] ?? ''}`;
}

/** "5G", "500M", "1.5 GiB", "1048576", "0" or "none". Refusal 'bad-input'. */
export function parseSize(text: string): number {
  if (/^none$/i.test(text.trim())) return 0;
  const match = /^(\d{1,15}(?:\.\d{1,6})?) ?(?:([KMGT])(?:i?B)?|B)?$/i.exec(text.trim());
  const exponent = match?.[2] === undefined ? 0 : 'KMGT'.indexOf(match[2].toUpperCase()) + 1;
  const octets = Math.floor(Number(match?.[1] ?? Number.NaN) * 1024 ** exponent);
  if (Number.isSafeInteger(octets)) return octets;
  throw new Refusal('bad-input', `"${text}" is not a size: write it as 500M or 5G, or "none" for no limit.`);
}

const SPANS: readonly (readonly [ms: number, unit: string])[] = [
  [86_400_000, 'd'],
  [3_600_000, 'h'],
  [60_000, 'min'],
];

/** A span in its largest whole unit: "3 d", "12 min", "5 s". */
export function spanText(ms: number): string {
  for (const [size, unit] of SPANS) if (ms >= size) return `${Math.floor(ms / size)} ${unit}`;
  return `${Math.max(0, Math.floor(ms / 1000))} s`;
}

/** "90s", "30min", "1h", "7d", "2 w" in milliseconds. Refusal 'bad-input'. */
export function parseSpan(text: string): number {
  const span = /^(\d{1,6}) ?(s|m|min|h|d|w)$/.exec(text.trim());
  if (span !== null) return Number(span[1]) * (AGO[span[2] ?? ''] ?? 0);
  throw new Refusal('bad-input', `"${text}" is not a span of time: write it as 30min, 1h or 7d.`);
}

/** "2026-01-31 15:04:05" in the given or the machine's time zone. */
export function timeText(ms: number, timeZone?: string): string {
  if (!Number.isFinite(ms) || Math.abs(ms) > 8.64e15) return '?';
  let format = formats.get(timeZone);
  if (format === undefined) {
    format = new Intl.DateTimeFormat('en-GB', {
      year: 'numeric',
      month: '2-digit',
      day: '2-digit',
      hour: '2-digit',
      minute: '2-digit',
      second: '2-digit',
      hourCycle: 'h23',
      ...(timeZone !== undefined && { timeZone }),
    });
    formats.set(timeZone, format);
  }
  const part = Object.fromEntries(format.formatToParts(ms).map(({ type, value }) => [type, value]));
  return `${part['year']}-${part['month']}-${part['day']} ${part['hour']}:${part['minute']}:${part['second']}`;
}

const formats = new Map<string | undefined, Intl.DateTimeFormat>();

const AGO: Readonly<Record<string, number>> = {
  s: 1000,
  m: 60_000,
  min: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
};

/** "2026-01-31", "2026-01-31 15:04", either in the machine's time zone or with its own, or "2h" for two hours ago. */
export function parseTime(text: string, nowMs: number): number {
  const ago = /^(\d{1,6}) ?(s|m|min|h|d|w)$/.exec(text.trim());
  if (ago !== null) return nowMs - Number(ago[1]) * (AGO[ago[2] ?? ''] ?? 0);
  const date = /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d)?)(?:\.\d{1,9})?(Z|[+-]\d\d:\d\d)?)?$/.exec(
    text.trim(),
  );
  // A date alone would be read as UTC.
  const ms = date === null ? Number.NaN : Date.parse(`${date[1]}T${date[2] ?? '00:00'}${date[3] ?? ''}`);
  if (Number.isFinite(ms)) return ms;
  throw new Refusal(
    'bad-input',
    `"${text}" is not a time: write it as 2026-01-31, "2026-01-31 15:04", or 2h for two hours ago.`,
  );
}
