import type { StsMode } from '../../mail/mta-sts/policy.ts';
import type { QuirkRow, StsRow } from './transport-security.sql.ts';
import type { StsEntry, StsFailure, TlsQuirk, TlsQuirkKind } from './types.ts';

const MODES: readonly StsMode[] = ['enforce', 'testing', 'none'];
const QUIRKS: readonly TlsQuirkKind[] = ['small-hello', 'tls1.2', 'plain'];
const FAILURES: readonly StsFailure['type'][] = [
  'sts-policy-fetch-error',
  'sts-policy-invalid',
  'sts-webpki-invalid',
];

export function toStsEntry(row: StsRow): StsEntry {
  const failed =
    row.failed_at === null
      ? undefined
      : {
          at: row.failed_at,
          recordId: row.failed_id ?? '',
          type: FAILURES.find((type) => type === row.failure_type) ?? 'sts-policy-fetch-error',
          reason: row.failure ?? '',
        };
  const policy =
    row.policy === null
      ? undefined
      : {
          file: Buffer.from(row.policy),
          recordId: row.record_id,
          mode: MODES.find((mode) => mode === row.mode) ?? 'none',
          fetchedAt: row.fetched_at,
          expiresAt: row.expires_at,
        };
  return { domain: row.domain, policy, usedAt: row.used_at, failed };
}

export function toQuirk(row: QuirkRow): TlsQuirk {
  return {
    host: row.host,
    quirk: QUIRKS.find((kind) => kind === row.quirk) ?? 'small-hello',
    reason: row.reason,
    firstAt: row.first_at,
    lastAt: row.last_at,
    until: row.until,
    seen: row.seen,
  };
}
