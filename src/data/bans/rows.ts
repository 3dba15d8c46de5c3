import type { BanRow } from './bans.sql.ts';
import type { Ban, BanKind } from './types.ts';

/** "manual: asked for by the police": cause and reason share a column. */
export function causeText({ cause, reason }: Pick<Ban, 'cause' | 'reason'>): string {
  return `${cause}: ${reason}`;
}

export function toBan(row: BanRow): Ban {
  const colon = row.cause.indexOf(': ');
  return {
    kind: row.kind as BanKind,
    subject: row.subject,
    cause: row.cause.startsWith('manual') ? 'manual' : 'guessing',
    reason: colon < 0 ? '' : row.cause.slice(colon + 2),
    offences: row.offences,
    since: row.created_at,
    until: row.until,
  };
}
