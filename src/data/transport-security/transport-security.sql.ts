import { statement } from '../db/sql.ts';

export interface StsRow {
  readonly domain: string;
  readonly record_id: string;
  readonly mode: string;
  readonly policy: Uint8Array | null;
  readonly fetched_at: number;
  readonly expires_at: number;
  readonly used_at: number;
  readonly failed_at: number | null;
  readonly failed_id: string | null;
  readonly failure_type: string | null;
  readonly failure: string | null;
}

export interface QuirkRow {
  readonly host: string;
  readonly quirk: string;
  readonly reason: string;
  readonly first_at: number;
  readonly last_at: number;
  readonly until: number;
  readonly seen: number;
}

const STS = `domain, record_id, mode, policy, fetched_at, expires_at, used_at, failed_at, failed_id, failure_type, failure`;
const QUIRK = 'host, quirk, reason, first_at, last_at, until, seen';

export const stsOf = statement<[domain: string], StsRow>(`SELECT ${STS} FROM sts_policies WHERE domain = ?`);

export const stsAfter = statement<[after: string, limit: number], StsRow>(
  `SELECT ${STS} FROM sts_policies WHERE domain > ? ORDER BY domain LIMIT ?`,
);

/** Policies that are in use and to be looked at again. */
export const stsToRefresh = statement<[after: string, usedSince: number, limit: number], { domain: string }>(
  `SELECT domain FROM sts_policies WHERE domain > ? AND used_at >= ? AND policy IS NOT NULL ORDER BY domain LIMIT ?`,
);

export const keepSts = statement<
  [
    domain: string,
    recordId: string,
    mode: string,
    policy: Uint8Array,
    fetchedAt: number,
    expiresAt: number,
    usedAt: number,
  ]
>(
  `INSERT INTO sts_policies (domain, record_id, mode, policy, fetched_at, expires_at, used_at)
   VALUES (?, ?, ?, ?, ?, ?, ?)
   ON CONFLICT (domain) DO UPDATE SET record_id = excluded.record_id, mode = excluded.mode, policy = excluded.policy,
     fetched_at = excluded.fetched_at, expires_at = excluded.expires_at, failed_at = NULL, failed_id = NULL,
     failure_type = NULL, failure = NULL`,
);

export const stsFailed = statement<
  [domain: string, usedAt: number, failedAt: number, failedId: string, type: string, failure: string]
>(
  `INSERT INTO sts_policies (domain, record_id, mode, policy, fetched_at, expires_at, used_at, failed_at, failed_id,
     failure_type, failure)
   VALUES (?, '', 'none', NULL, 0, 0, ?, ?, ?, ?, ?)
   ON CONFLICT (domain) DO UPDATE SET failed_at = excluded.failed_at, failed_id = excluded.failed_id,
     failure_type = excluded.failure_type, failure = excluded.failure`,
);

export const stsUsed = statement<[usedAt: number, domain: string]>(
  'UPDATE sts_policies SET used_at = ? WHERE domain = ?',
);

export const dropSts = statement<[domain: string]>('DELETE FROM sts_policies WHERE domain = ?');

/** Policies that ran out, and failures without one that are old. */
export const forgetSts = statement<[expiredBefore: number, failedBefore: number]>(
  `DELETE FROM sts_policies WHERE expires_at < ? AND (failed_at IS NULL OR failed_at < ?)`,
);

export const stsUsedAt = statement<[place: number], { used_at: number }>(
  'SELECT used_at FROM sts_policies ORDER BY used_at DESC LIMIT 1 OFFSET ?',
);

export const forgetStsBefore = statement<[usedBefore: number]>('DELETE FROM sts_policies WHERE used_at <= ?');

export const quirkOf = statement<[host: string], QuirkRow>(`SELECT ${QUIRK} FROM tls_quirks WHERE host = ?`);

export const quirksAfter = statement<[after: string, limit: number], QuirkRow>(
  `SELECT ${QUIRK} FROM tls_quirks WHERE host > ? ORDER BY host LIMIT ?`,
);

export const keepQuirk = statement<
  [host: string, quirk: string, reason: string, firstAt: number, lastAt: number, until: number]
>(
  `INSERT INTO tls_quirks (host, quirk, reason, first_at, last_at, until, seen) VALUES (?, ?, ?, ?, ?, ?, 1)
   ON CONFLICT (host) DO UPDATE SET quirk = excluded.quirk, reason = excluded.reason, last_at = excluded.last_at,
     until = excluded.until, seen = tls_quirks.seen + 1`,
);

export const dropQuirk = statement<[host: string]>('DELETE FROM tls_quirks WHERE host = ?');

export const forgetQuirks = statement<[lastBefore: number]>('DELETE FROM tls_quirks WHERE last_at <= ?');

export const quirkSeenAt = statement<[place: number], { last_at: number }>(
  'SELECT last_at FROM tls_quirks ORDER BY last_at DESC LIMIT 1 OFFSET ?',
);
