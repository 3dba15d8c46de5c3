import type { WantedCertificate } from '../../data/certificates/settings.ts';
import type { AcmeCertificate } from '../../data/certificates/types.ts';
import type { CertificateInfo } from '../../net/tls-store.ts';

/** When what is due. Times in milliseconds since the epoch. */

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** Milliseconds until the next attempt, by failures in a row: authorities take five an hour for a name. */
const RETRY_MS = [5 * MINUTE, 15 * MINUTE, HOUR, 4 * HOUR, 12 * HOUR] as const;
/** How far it may be off, so that servers that failed together do not come back together. */
const RETRY_SPREAD = 0.2;
/** Milliseconds between two looks when nothing is due: settings of domains may have changed. */
const LOOK_MAX_MS = HOUR;
const LOOK_MIN_MS = 1000;

/** Share of its life before the end of a certificate when it is warned of, at most. */
const ALARM_SHARE = 0.2;

/** When the next attempt may be made. `random`: 0 up to 1. */
export function retryAt(
  now: number,
  failures: number,
  retryAfterMs: number | undefined,
  random: number,
): number {
  const usual = RETRY_MS[Math.min(failures, RETRY_MS.length - 1)] ?? DAY;
  return Math.floor(now + Math.max(usual * (1 + RETRY_SPREAD * random), retryAfterMs ?? 0));
}

export type Need = 'first' | 'authority' | 'names' | 'renewal';

/** Why a certificate has to be requested; undefined: what is there will do. */
export function needOf(
  wanted: WantedCertificate,
  have: AcmeCertificate | undefined,
  directory: string,
  now: number,
): Need | undefined {
  if (have?.issued === undefined) return 'first';
  const { issued } = have;
  if (have.directory !== directory) return 'authority';
  if (wanted.names.some((name) => !issued.names.includes(name))) return 'names';
  return now >= issued.renewAt ? 'renewal' : undefined;
}

/** When its authority is asked for its wish about renewal (RFC 9773); Infinity: that one has none of it. */
export function asksAt(have: AcmeCertificate | undefined, directory: string): number {
  if (have?.issued === undefined || have.directory !== directory) return Number.POSITIVE_INFINITY;
  return have.askAt ?? 0;
}

/** Milliseconds until something may be due. */
export function nextLookMs(
  wanted: readonly WantedCertificate[],
  all: readonly AcmeCertificate[],
  directory: string,
  now: number,
): number {
  const times = wanted.flatMap(({ name }) => {
    const have = all.find((one) => one.name === name);
    // What is overdue and was not tried now waits for an hour, whatever kept it from being tried.
    const due = [have?.issued?.renewAt ?? now, asksAt(have, directory)].filter((time) => time > now);
    return have?.retryAt === undefined ? due : [...due, have.retryAt];
  });
  const soonest = Math.min(...times.filter((time) => time > now), now + LOOK_MAX_MS);
  return Math.max(soonest - now, LOOK_MIN_MS);
}

/** Whether a certificate ends so soon that somebody has to hear of it. */
export function endsSoon({ notBefore, notAfter }: CertificateInfo, alarmDays: number, now: number): boolean {
  return notAfter - now < Math.min(alarmDays * DAY, (notAfter - notBefore) * ALARM_SHARE);
}

/** Whether a certificate is for a name, by itself or by a wildcard for its leftmost label. */
export function isFor({ names }: Pick<CertificateInfo, 'names'>, name: string): boolean {
  return names.includes(name) || names.includes(`*.${name.slice(name.indexOf('.') + 1)}`);
}
