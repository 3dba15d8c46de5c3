import { statement } from '../db/sql.ts';

/** What administrators do to the queue, and forgetting what is settled. */

export const messageForChange = statement<
  [queueId: string],
  { id: number; trace: string; settled_at: number | null; account_id: number | null }
>({
  sqlite: 'SELECT id, trace, settled_at, account_id FROM queue_messages WHERE queue_id = ?',
  postgres: 'SELECT id, trace, settled_at, account_id FROM queue_messages WHERE queue_id = ? FOR UPDATE',
});

/** All queued recipients that are not due become due; of one destination, or all (''). */
export const retryAll = statement<
  [now: number, after: number, destination: string, sameDestination: string],
  { destination: string }
>(
  `UPDATE queue_recipients SET next_at = ? WHERE state = 'queued' AND next_at > ? AND (? = '' OR destination = ?)
   RETURNING destination`,
);

export const retryMessage = statement<
  [now: number, messageId: number, destination: string, sameDestination: string],
  { destination: string }
>(
  `UPDATE queue_recipients SET next_at = ? WHERE state = 'queued' AND message_id = ? AND (? = '' OR destination = ?)
   RETURNING destination`,
);

export const countLeased = statement<[messageId: number], { count: number }>(
  `SELECT COUNT(*) AS count FROM queue_recipients WHERE message_id = ? AND state = 'leased'`,
);

export const setHoldReason = statement<[reason: string | null, messageId: number]>(
  'UPDATE queue_messages SET hold_reason = ? WHERE id = ?',
);

export const holdQueued = statement<[messageId: number]>(
  `UPDATE queue_recipients SET state = 'held' WHERE message_id = ? AND state = 'queued'`,
);

export const releaseHeld = statement<[now: number, messageId: number], { destination: string }>(
  `UPDATE queue_recipients SET state = 'queued', next_at = ? WHERE message_id = ? AND state = 'held'
   RETURNING destination`,
);

export const markDropped = statement<[now: number, messageId: number]>(
  'UPDATE queue_messages SET dropped_at = ? WHERE id = ?',
);

export const dropWaiting = statement<[now: number, messageId: number]>(
  `UPDATE queue_recipients SET state = 'dropped', settled_at = ? WHERE message_id = ? AND state IN ('queued', 'held')`,
);

/** An expiry that never was in the future says that somebody gave up, not that time ran out. */
export const expireMessage = statement<[messageId: number]>(
  'UPDATE queue_messages SET expires_at = created_at, hold_reason = NULL WHERE id = ?',
);

export const makeAllDue = statement<[now: number, messageId: number], { destination: string }>(
  `UPDATE queue_recipients SET state = 'queued', next_at = ? WHERE message_id = ? AND state IN ('queued', 'held')
   RETURNING destination`,
);

export const settledMessages = statement<[before: number, limit: number], { id: number; blob_id: number }>(
  'SELECT id, blob_id FROM queue_messages WHERE settled_at < ? ORDER BY settled_at LIMIT ?',
);

export const deleteRecipients = statement<[messageId: number]>(
  'DELETE FROM queue_recipients WHERE message_id = ?',
);

export const deleteMessage = statement<[id: number]>('DELETE FROM queue_messages WHERE id = ?');
