import type { Alert } from '../../data/alerts/alerts.ts';
import type { NoticeText } from '../notice-mail.ts';
import type { AlertSettings } from './settings.ts';

/** One mail for all there is to tell, not one for each. */
export interface Digest {
  /** Not told before. */
  readonly fresh: readonly Alert[];
  /** Told long ago, and not mended. */
  readonly lasting: readonly Alert[];
  /** Well again. */
  readonly over: readonly Alert[];
}

const MINUTE = 60_000;
/** Minutes that what is critical waits at most. */
const SOON_MINUTES = 5;

/** What is to be told now; undefined: nothing, or not yet. */
export function dueDigest(
  alerts: readonly Alert[],
  settings: AlertSettings,
  mailedAt: number | undefined,
  now: number,
): Digest | undefined {
  const again = settings.repeat_hours * 60 * MINUTE;
  const fresh = alerts.filter(({ toldAt, clearedAt }) => toldAt === undefined && clearedAt === undefined);
  const over = alerts.filter(({ clearedAt }) => clearedAt !== undefined);
  const lasting = alerts.filter(
    ({ toldAt, clearedAt }) =>
      clearedAt === undefined && toldAt !== undefined && again > 0 && now - toldAt >= again,
  );
  if (fresh.length + over.length + lasting.length === 0) return undefined;
  const urgent = fresh.some(({ severity }) => severity === 'critical');
  const minutes = urgent ? Math.min(SOON_MINUTES, settings.digest_minutes) : settings.digest_minutes;
  if (mailedAt !== undefined && now - mailedAt < minutes * MINUTE) return undefined;
  return { fresh, lasting, over };
}

function time(ms: number): string {
  const text = new Date(ms).toISOString();
  return `${text.slice(0, 10)} ${text.slice(11, 16)} UTC`;
}

/** Alerts told in one mail; the others are counted. */
const SHOWN = 50;

export function digestText({ fresh, lasting, over }: Digest, hostname: string): NoticeText {
  const critical = fresh.filter(({ severity }) => severity === 'critical').length;
  const first = fresh.find(({ severity }) => severity === 'critical') ?? fresh[0] ?? lasting[0];
  const subject =
    first === undefined
      ? `${hostname}: well again`
      : `${hostname}: ${critical > 0 ? 'needs you: ' : ''}${first.summary.slice(0, 80)}${fresh.length > 1 ? ` (and ${fresh.length - 1} more)` : ''}`;
  const section = (title: string, alerts: readonly Alert[]): string[] =>
    alerts.length === 0
      ? []
      : [
          title,
          '',
          ...alerts.slice(0, SHOWN).flatMap((alert) => one(alert)),
          ...(alerts.length > SHOWN ? [`And ${alerts.length - SHOWN} more: postern alert list`, ''] : []),
        ];
  return {
    subject,
    paragraphs: [
      ...section('New:', fresh),
      ...section('Still so:', lasting),
      ...section('Well again:', over),
      'All there is now: postern alert list. Of what you are told, and how often: postern alert show.',
    ],
  };
}

function one({ summary, remedy, since, clearedAt, severity }: Alert): string[] {
  if (clearedAt !== undefined) return [`From ${time(since)} until ${time(clearedAt)}: ${summary}`, ''];
  const command = remedy.startsWith('postern ') ? `    ${remedy}` : remedy;
  return [
    `${severity === 'critical' ? 'CRITICAL, since' : 'Since'} ${time(since)}: ${summary}`,
    ...(remedy === '' ? [] : [command]),
    '',
  ];
}

/** What the webhook gets. */
export function digestJson(digest: Digest, hostname: string, now: number): string {
  const alert = ({ key, kind, severity, summary, remedy, since, clearedAt }: Alert): object => ({
    key,
    kind,
    severity,
    summary,
    remedy,
    since: new Date(since).toISOString(),
    ...(clearedAt !== undefined && { until: new Date(clearedAt).toISOString() }),
  });
  return JSON.stringify({
    server: hostname,
    at: new Date(now).toISOString(),
    new: digest.fresh.map(alert),
    lasting: digest.lasting.map(alert),
    over: digest.over.map(alert),
  });
}
