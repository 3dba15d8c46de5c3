import { statement } from '../db/sql.ts';

/** What administrators do to the queue, and forgetting what is settled. */

export const messageForChange = statement<
  [queueId: string],
  { id: number; trace: string; settled_at: number | null; account_id: number | null }
>({
  sqlite: 'SELECT id, trace, settled_at, account_id FROM queue_messages WHERE queue_id = ?',
  postgres: 'SELECT id, trace, settled_at, account_id FROM queue_messages WHERE queue_id = ? FOR UPDATE',
});

/** What its sender wants to leave later is not made to leave sooner. */
const RELEASED = `NOT EXISTS (SELECT 1 FROM queue_messages m
  WHERE m.id = queue_recipients.message_id AND m.release_at > ?)`;

/** All queued recipients that are not due become due; of one destination, or all (''). */
export const retryAll = statement<
  [now: number, after: number, destination: string, sameDestination: string, released: number],
  { destination: string }
>(
  `UPDATE queue_recipients SET next_at = ? WHERE state = 'queued' AND next_at > ? AND (? = '' OR destination = ?)
     AND ${RELEASED} RETURNING destination`,
);

export const retryMessage = statement<
  [now: number, messageId: number, destination: string, sameDestination: string, released: number],
  { destination: string }
>(
  `UPDATE queue_recipients SET next_at = ? WHERE state = 'queued' AND message_id = ? AND (? = '' OR destination = ?)
     AND ${RELEASED} RETURNING destination`,
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

/** Due now, or when its message may leave. */
export const releaseHeld = statement<
  [now: number, orNow: number, messageId: number],
  { destination: string; next_at: number }
>(
  `UPDATE queue_recipients SET state = 'queued', next_at = COALESCE((SELECT m.release_at FROM queue_messages m
     WHERE m.id = queue_recipients.message_id AND m.release_at > ?), ?)
   WHERE message_id = ? AND state = 'held' RETURNING destination, next_at`,
);

/** Recipients that keep a message from being taken back: an attempt was made, or is. */
export const begun = statement<[messageId: number], { count: number }>(
  `SELECT COUNT(*) AS count FROM queue_recipients
   WHERE message_id = ? AND (state NOT IN ('queued', 'held') OR attempts > 0)`,
);

/** Messages of one submission that wait for their time: it, and its copies for archives. */
export const waitingOfTrace = statement<[trace: string], { id: number }>(
  `SELECT id FROM queue_messages WHERE trace = ? AND release_at IS NOT NULL AND settled_at IS NULL`,
);

export const messageOfSubmission = statement<
  [accountId: number, submissionId: number],
  { id: number; queue_id: string; trace: string; release_at: number | null; settled_at: number | null }
>({
  sqlite: `SELECT id, queue_id, trace, release_at, settled_at FROM queue_messages
    WHERE account_id = ? AND submission_id = ?`,
  postgres: `SELECT id, queue_id, trace, release_at, settled_at FROM queue_messages
    WHERE account_id = ? AND submission_id = ? FOR UPDATE`,
});

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
