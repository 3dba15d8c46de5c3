import type { ReadTx } from '../db/sql.ts';
import { settingByName } from '../directory/directory.sql.ts';
import type { RefusalRow, SendRow } from './routing.sql.ts';
import type { Send, SendState, SentTo, WayRefusal } from './types.ts';

/** Under this name the settings table has the ways and routes, as JSON. */
export const SETTING = 'routing';

export async function settings(tx: ReadTx): Promise<string | undefined> {
  return (await tx.get(settingByName, SETTING))?.value;
}

export function sentTo(row: SendRow): SentTo[] {
  return (JSON.parse(row.recipients) as [number, string][]).map(([id, address]) => ({ id, address }));
}

export function toSend(row: SendRow | undefined): Send | undefined {
  if (row === undefined) return undefined;
  return {
    tag: row.tag,
    way: row.way,
    state: row.state as SendState,
    remoteId: row.remote_id ?? undefined,
    queueId: row.queue_id,
    trace: row.trace,
    accountId: row.account_id ?? undefined,
    reversePath: row.reverse_path,
    recipients: sentTo(row),
    startedAt: row.started_at,
    graceMs: row.grace_ms,
  };
}

export function toRefusal(row: RefusalRow): WayRefusal {
  const { way, destination, cause, reply, since, until, failures } = row;
  return { way, destination, cause, reply, since, until, failures };
}
