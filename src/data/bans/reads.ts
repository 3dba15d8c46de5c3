import { long, point } from '../catalogue.ts';
import type { ReadTx } from '../db/sql.ts';
import { allExemptions, bansAfter, knownLoginsAfter } from './bans.sql.ts';
import { toBan } from './rows.ts';
import type { Ban, Exemption, KnownPlace } from './types.ts';

export const reads = {
  /** Bans not lifted whose end is after a time, the latest end first. */
  'bans.after': long(
    async (tx: ReadTx, args: { after: number; limit: number }): Promise<Ban[]> =>
      (await tx.all(bansAfter, args.after, args.limit)).map(toBan),
  ),
  'bans.exemptions': point(
    async (tx: ReadTx, _args: null): Promise<Exemption[]> =>
      (await tx.all(allExemptions)).map(({ network, note, created_at: since }) => ({ network, note, since })),
  ),
  /** Places known since a time, a page of them: those behind the last one of the page before. */
  'bans.known': long(
    async (
      tx: ReadTx,
      args: { since: number; accountId: number; network: string; limit: number },
    ): Promise<KnownPlace[]> => {
      const { since, accountId, network, limit } = args;
      const rows = await tx.all(knownLoginsAfter, since, accountId, accountId, network, limit);
      return rows.map((row) => ({ accountId: row.account_id, network: row.network, lastAt: row.last_at }));
    },
  ),
} as const;
