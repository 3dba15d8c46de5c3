import { long } from '../catalogue.ts';
import type { ReadTx } from '../db/sql.ts';
import { dmarcDays, failingSince, tlsDays } from './findings.sql.ts';

interface Wanted {
  readonly domain?: string;
  /** Reports about a time that ended after this (ms). */
  readonly since: number;
  readonly unproven: boolean;
}

/** A source whose mail fails DKIM or SPF, counted by the reports of others. */
export interface FailingSource {
  readonly domain: string;
  readonly ip: string;
  /** When it was first told (ms). */
  readonly firstAt: number;
  /** Messages without DKIM or without SPF; without DKIM; without SPF. */
  readonly failed: number;
  readonly noDkim: number;
  readonly noSpf: number;
}

const SOURCES_MAX = 1000;

async function failing(tx: ReadTx, { domain = '', since, unproven }: Wanted): Promise<FailingSource[]> {
  const rows = await tx.all(failingSince, since, Number(!unproven), domain, domain, domain, SOURCES_MAX);
  return rows.map((row) => ({
    domain: row.domain,
    ip: row.ip,
    firstAt: row.first_at,
    failed: row.failed,
    noDkim: row.no_dkim,
    noSpf: row.no_spf,
  }));
}

export const findingReads = {
  'reports.failing': long(failing),
  /** Sums of each day (days since the epoch, UTC) of which a report tells. */
  'reports.days': long(async (tx: ReadTx, { domain = '', since, unproven }: Wanted) => ({
    dmarc: await tx.all(dmarcDays, since, Number(!unproven), domain, domain, domain),
    tls: await tx.all(tlsDays, since, Number(!unproven), domain, domain, domain),
  })),
} as const;
