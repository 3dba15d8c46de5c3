import { point } from '../catalogue.ts';
import type { ReadTx } from '../db/sql.ts';
import { periods } from './record.ts';
import { allRefusals, refusalsOf, sendByRemoteId, sendByTag, usageOf, usageSince } from './routing.sql.ts';
import { settings, toRefusal, toSend } from './rows.ts';
import type { Send, Usage, WayRefusal, WayUsage } from './types.ts';

/** Rows of one answer. */
const ROWS_MAX = 1000;

async function usage(
  tx: ReadTx,
  args: { way: string; at: number },
): Promise<{ readonly day: Usage; readonly month: Usage }> {
  const { day, month } = periods(args.at);
  const rows = await tx.all(usageOf, args.way, day, month);
  const none: Usage = { messages: 0, recipients: 0, octets: 0 };
  return {
    day: rows.find(({ period }) => period === day) ?? none,
    month: rows.find(({ period }) => period === month) ?? none,
  };
}

export const reads = {
  /** JSON; undefined: nothing was ever changed. */
  'routing.settings': point((tx: ReadTx, _args: null) => settings(tx)),
  'routing.refusals': point(
    async (tx: ReadTx, { destination }: { destination: string }): Promise<WayRefusal[]> =>
      (await tx.all(refusalsOf, destination)).map(toRefusal),
  ),
  'routing.allRefusals': point(
    async (tx: ReadTx, _args: null): Promise<WayRefusal[]> =>
      (await tx.all(allRefusals, ROWS_MAX)).map(toRefusal),
  ),
  'routing.usage': point(usage),
  'routing.usageSince': point(
    (tx: ReadTx, { period }: { period: string }): Promise<WayUsage[]> => tx.all(usageSince, period, ROWS_MAX),
  ),
  'routing.sendByTag': point(
    async (tx: ReadTx, { tag }: { tag: string }): Promise<Send | undefined> =>
      toSend(await tx.get(sendByTag, tag)),
  ),
  'routing.sendByRemoteId': point(
    async (tx: ReadTx, { remoteId }: { remoteId: string }): Promise<Send | undefined> =>
      toSend(await tx.get(sendByRemoteId, remoteId)),
  ),
} as const;
