import { point } from '../catalogue.ts';
import type { ReadTx } from '../db/sql.ts';
import { toQuirk, toStsEntry } from './rows.ts';
import { quirkOf, quirksAfter, stsAfter, stsOf, stsToRefresh } from './transport-security.sql.ts';
import type { StsEntry, TlsQuirk } from './types.ts';

/** Rows of one answer; ask on from the last. */
const ROWS_MAX = 500;

function rows(limit: number | undefined): number {
  return Math.min(limit ?? ROWS_MAX, ROWS_MAX);
}

export const reads = {
  /** What is kept of a domain's MTA-STS, also when it has run out. */
  'transport.sts': point(
    async (tx: ReadTx, { domain }: { domain: string }): Promise<StsEntry | undefined> => {
      const row = await tx.get(stsOf, domain);
      return row && toStsEntry(row);
    },
  ),
  /** By domain, those behind `after`. */
  'transport.allSts': point(
    async (tx: ReadTx, args: { after: string; limit?: number }): Promise<StsEntry[]> =>
      (await tx.all(stsAfter, args.after, rows(args.limit))).map(toStsEntry),
  ),
  /** Domains with a policy that was used since a time. */
  'transport.stsToRefresh': point(
    async (tx: ReadTx, args: { after: string; usedSince: number; limit?: number }): Promise<string[]> =>
      (await tx.all(stsToRefresh, args.after, args.usedSince, rows(args.limit))).map(({ domain }) => domain),
  ),
  'transport.quirk': point(async (tx: ReadTx, { host }: { host: string }): Promise<TlsQuirk | undefined> => {
    const row = await tx.get(quirkOf, host);
    return row && toQuirk(row);
  }),
  /** Hosts with odd TLS, by name, those behind `after`. */
  'transport.quirks': point(
    async (tx: ReadTx, args: { after: string; limit?: number }): Promise<TlsQuirk[]> =>
      (await tx.all(quirksAfter, args.after, rows(args.limit))).map(toQuirk),
  ),
} as const;
