import { long, point, type WriteFunction } from '../catalogue.ts';
import type { ReadTx, WriteTx } from '../db/sql.ts';
import { type Accept, accept } from '../delivery/accept.ts';
import { putSetting, settingByName } from '../directory/directory.sql.ts';
import {
  type AlertRow,
  allAlerts,
  clearAlert,
  deleteAlert,
  destinationTroubles,
  putAlert,
  toldAlert,
} from './alerts.sql.ts';

/** What is wrong at present, since when, and whether the administrator was told. */

export const SETTING = 'alerts';
/** When the last digest went out, as JSON. */
const STATE = 'alerts.state';
/** Rows of one answer. */
const DESTINATIONS = 50;

export type Severity = 'warning' | 'critical';

export interface Finding {
  /** What it is about; the same trouble has the same key. */
  readonly key: string;
  /** As the settings name it. */
  readonly kind: string;
  readonly severity: Severity;
  /** One sentence. */
  readonly summary: string;
  /** A command, or what to do; '' for none. */
  readonly remedy: string;
}

/** Times in milliseconds since the epoch. */
export interface Alert extends Finding {
  readonly since: number;
  readonly seenAt: number;
  readonly toldAt: number | undefined;
  readonly clearedAt: number | undefined;
}

/** How mail to one domain goes: recipients that wait after an attempt, and settled ones since a time. */
export interface DestinationTrouble {
  readonly destination: string;
  readonly waiting: number;
  readonly failed: number;
  readonly delivered: number;
  /** What the host said, of one of them. */
  readonly reply: string;
}

export interface AlertState {
  /** When mail was sent last, milliseconds since the epoch. */
  readonly mailedAt?: number | undefined;
  /** What became of the last webhook; '' when it was taken. */
  readonly webhookProblem?: string | undefined;
}

function toAlert(row: AlertRow): Alert {
  const { key, kind, severity, summary, remedy, since } = row;
  return {
    key,
    kind,
    severity: severity === 'critical' ? 'critical' : 'warning',
    summary,
    remedy,
    since,
    seenAt: row.seen_at,
    toldAt: row.told_at ?? undefined,
    clearedAt: row.cleared_at ?? undefined,
  };
}

const LENGTH = 500;
const cut = (text: string): string => text.slice(0, LENGTH).replaceAll('\0', '\ufffd').toWellFormed();

/** What was found, and what is well again. */
async function note(
  tx: WriteTx,
  args: { found: readonly Finding[]; cleared: readonly string[] },
): Promise<null> {
  for (const { key, kind, severity, summary, remedy } of args.found)
    await tx.run(putAlert, cut(key), kind, severity, cut(summary), cut(remedy), tx.now, tx.now);
  for (const key of args.cleared) await tx.run(clearAlert, tx.now, key);
  return null;
}

/** These were told of, with the mails that tell it. */
async function told(
  tx: WriteTx,
  args: { keys: readonly string[]; notices: readonly Accept[]; state: AlertState },
): Promise<null> {
  for (const key of args.keys) {
    if ((await tx.run(toldAlert, tx.now, key)) === 0) await tx.run(deleteAlert, key);
  }
  for (const notice of args.notices) await accept(tx, notice);
  await tx.run(putSetting, STATE, JSON.stringify(args.state));
  return null;
}

export const reads = {
  'alerts.settings': point(
    async (tx: ReadTx, _args: null): Promise<string | undefined> =>
      (await tx.get(settingByName, SETTING))?.value,
  ),
  'alerts.state': point(async (tx: ReadTx, _args: null): Promise<AlertState> => {
    const row = await tx.get(settingByName, STATE);
    return row === undefined ? {} : (JSON.parse(row.value) as AlertState);
  }),
  /** Oldest first; also those that are well again when that was not told yet. */
  'alerts.list': point(
    async (tx: ReadTx, _args: null): Promise<readonly Alert[]> => (await tx.all(allAlerts)).map(toAlert),
  ),
  /** Domains that do not take our mail, the worst first. */
  'alerts.destinations': long(
    async (tx: ReadTx, { since }: { since: number }): Promise<readonly DestinationTrouble[]> =>
      (await tx.all(destinationTroubles, since, DESTINATIONS)).map((row) => ({
        destination: row.destination,
        waiting: Number(row.waiting),
        failed: Number(row.failed),
        delivered: Number(row.delivered),
        reply: row.reply ?? '',
      })),
  ),
} as const;

export const writes = {
  'alerts.note': note as WriteFunction<{ found: readonly Finding[]; cleared: readonly string[] }, null>,
  'alerts.told': told as WriteFunction<Parameters<typeof told>[1], null>,
} as const;
