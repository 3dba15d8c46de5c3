import { formatSize } from '../base/format.ts';
import { language, texts } from '../base/i18n.ts';
import type { Json } from './setting-values.ts';

const ORIGINS = {
  submission: 'originSubmission',
  forward: 'originForward',
  dsn: 'originDsn',
  report: 'originReport',
} as const;

/** What a route is for, on one line; what this app does not know by the name it has in the settings. */
export function matchWords(match: { readonly [name: string]: Json }): string {
  const t = texts('admin');
  const list = (value: Json): readonly Json[] => (Array.isArray(value) ? value : [value]);
  const plain = (value: Json): string => list(value).map(String).join(', ');
  const words: Readonly<Record<string, (value: Json) => string>> = {
    recipient_domains: (value) => `${t('forDomains')}: ${plain(value)}`,
    sender_domains: (value) => `${t('fromDomains')}: ${plain(value)}`,
    accounts: (value) => `${t('fromAccounts')}: ${plain(value)}`,
    headers: (value) => `${t('withHeader')}: ${list(value).map(header).join(', ')}`,
    min_size: (value) => `${t('messageSize')}: ${t('atLeast', { size: formatSize(Number(value)) })}`,
    max_size: (value) => `${t('messageSize')}: ${t('atMost', { size: formatSize(Number(value)) })}`,
    origins: (value) => `${t('origin')}: ${list(value).map(origin).join(', ')}`,
  };
  const header = (value: Json): string => {
    const { name, contains } = value as { readonly name?: string; readonly contains?: string };
    return contains === undefined ? String(name) : `${name} ${t('containing', { text: contains })}`;
  };
  const origin = (value: Json): string => {
    const key = ORIGINS[value as keyof typeof ORIGINS];
    return key === undefined ? String(value) : t(key);
  };
  const given = Object.entries(match).map(
    ([name, value]) => words[name]?.(value) ?? `${name}: ${JSON.stringify(value)}`,
  );
  return given.length === 0 ? t('allMail') : given.join('; ');
}

/** A day or a month of the usage, "2026-11-22" or "2026-11", as the reader writes them; both are of UTC. */
export function periodWords(period: string): string {
  const isDay = period.length > '2026-11'.length;
  const options: Intl.DateTimeFormatOptions = isDay
    ? { dateStyle: 'medium' }
    : { month: 'long', year: 'numeric' };
  return new Intl.DateTimeFormat(language.value, { ...options, timeZone: 'UTC' }).format(new Date(period));
}
