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
