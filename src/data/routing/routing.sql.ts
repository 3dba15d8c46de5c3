import { statement } from '../db/sql.ts';

export interface RefusalRow {
  way: string;
  destination: string;
  cause: string;
  reply: string;
  since: number;
  until: number;
  failures: number;
}

export const refusalsOf = statement<[destination: string], RefusalRow>(
  `SELECT way, destination, cause, reply, since, until, failures FROM way_refusals WHERE destination IN (?, '*')`,
);

export const allRefusals = statement<[limit: number], RefusalRow>(
  `SELECT way, destination, cause, reply, since, until, failures FROM way_refusals ORDER BY since DESC LIMIT ?`,
);

export const putRefusal = statement<
  [
    way: string,
    destination: string,
    cause: string,
    reply: string,
    since: number,
    until: number,
    failures: number,
  ]
>(
  `INSERT INTO way_refusals (way, destination, cause, reply, since, until, failures) VALUES (?, ?, ?, ?, ?, ?, ?)
   ON CONFLICT (way, destination) DO UPDATE SET cause = excluded.cause, reply = excluded.reply,
     until = excluded.until, failures = excluded.failures`,
);

export const deleteRefusal = statement<[way: string, destination: string]>(
  'DELETE FROM way_refusals WHERE way = ? AND destination = ?',
);

export const deleteRefusalsBefore = statement<[until: number]>('DELETE FROM way_refusals WHERE until < ?');

export interface UsageRow {
  way: string;
  period: string;
  messages: number;
  recipients: number;
  octets: number;
}

export const usageOf = statement<[way: string, day: string, month: string], UsageRow>(
  'SELECT way, period, messages, recipients, octets FROM way_usage WHERE way = ? AND period IN (?, ?)',
);

export const usageSince = statement<[period: string, limit: number], UsageRow>(
  `SELECT way, period, messages, recipients, octets FROM way_usage WHERE period >= ? ORDER BY period DESC, way LIMIT ?`,
);

export const addUsage = statement<
  [way: string, period: string, messages: number, recipients: number, octets: number]
>(
  `INSERT INTO way_usage (way, period, messages, recipients, octets) VALUES (?, ?, ?, ?, ?)
   ON CONFLICT (way, period) DO UPDATE SET messages = way_usage.messages + excluded.messages,
     recipients = way_usage.recipients + excluded.recipients, octets = way_usage.octets + excluded.octets`,
);

export const deleteUsageBefore = statement<[period: string]>('DELETE FROM way_usage WHERE period < ?');

export interface SendRow {
  tag: string;
  way: string;
  state: string;
  remote_id: string | null;
  message_id: number;
  queue_id: string;
  trace: string;
  account_id: number | null;
  reverse_path: string;
  recipients: string;
  started_at: number;
  grace_ms: number;
  confirmed: string;
}

const SEND = `tag, way, state, remote_id, message_id, queue_id, trace, account_id, reverse_path, recipients, started_at,
  grace_ms, confirmed`;

export const insertSend = statement<
  [
    tag: string,
    way: string,
    messageId: number,
    queueId: string,
    trace: string,
    accountId: number | null,
    reversePath: string,
    recipients: string,
    startedAt: number,
    graceMs: number,
  ]
>(
  `INSERT INTO sends (tag, way, state, message_id, queue_id, trace, account_id, reverse_path, recipients, started_at,
     grace_ms)
   VALUES (?, ?, 'started', ?, ?, ?, ?, ?, ?, ?, ?)`,
);

export const endSend = statement<[state: string, remoteId: string | null, recipients: string, tag: string]>(
  'UPDATE sends SET state = ?, remote_id = COALESCE(?, remote_id), recipients = ? WHERE tag = ?',
);

export const sendByTag = statement<[tag: string], SendRow>(`SELECT ${SEND} FROM sends WHERE tag = ?`);

export const sendByRemoteId = statement<[remoteId: string], SendRow>(
  `SELECT ${SEND} FROM sends WHERE remote_id = ? ORDER BY started_at DESC LIMIT 1`,
);

/** Calls for a message whose end was never written down. */
export const startedSends = statement<[messageId: number], SendRow>(
  `SELECT ${SEND} FROM sends WHERE message_id = ? AND state = 'started'`,
);

export const deleteSendsBefore = statement<[startedAt: number]>('DELETE FROM sends WHERE started_at < ?');

/** A recipient that waits although it was reached: the service says so afterwards. */
export const recipientsWaiting = statement<
  [id: number],
  { message_id: number; address: string; destination: string }
>(
  `SELECT message_id, address, destination FROM queue_recipients WHERE id = ? AND state IN ('queued', 'held')`,
);

export const deliverWaiting = statement<[now: number, reply: string, host: string, id: number]>(
  `UPDATE queue_recipients SET state = 'delivered', settled_at = ?, last_reply = ?, last_host = ? WHERE id = ?`,
);

export const confirmSend = statement<[remoteId: string, confirmed: string, tag: string]>(
  'UPDATE sends SET remote_id = ?, confirmed = ? WHERE tag = ?',
);
