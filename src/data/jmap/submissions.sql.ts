import { statement } from '../db/sql.ts';

/** The next change of an account's objects of a kind. */
export const takeCounter = statement<[accountId: number, kind: string], { modseq: number }>(
  `INSERT INTO jmap_counters (account_id, kind, modseq, floor) VALUES (?, ?, 1, 0)
   ON CONFLICT (account_id, kind) DO UPDATE SET modseq = jmap_counters.modseq + 1 RETURNING modseq`,
);

export const counterOf = statement<[accountId: number, kind: string], { modseq: number; floor: number }>(
  `SELECT modseq, floor FROM jmap_counters WHERE account_id = ? AND kind = ?`,
);

export const raiseFloor = statement<[accountId: number, kind: string]>(
  `UPDATE jmap_counters SET floor = modseq WHERE account_id = ? AND kind = ?`,
);

/** The submission that a message in the queue is. */
export const submissionOf = statement<[messageId: number], { account_id: number; submission_id: number }>(
  `SELECT account_id, submission_id FROM queue_messages
   WHERE id = ? AND submission_id IS NOT NULL AND account_id IS NOT NULL`,
);

export const changeSubmission = statement<[modseq: number, now: number, accountId: number, id: number]>(
  `UPDATE jmap_objects SET modseq = ?, changed_at = ?
   WHERE account_id = ? AND kind = 'submission' AND id = ? AND data IS NOT NULL`,
);

export const rewriteSubmission = statement<[data: string, accountId: number, id: number]>(
  `UPDATE jmap_objects SET data = ?
   WHERE account_id = ? AND kind = 'submission' AND id = ? AND data IS NOT NULL`,
);

export interface QueuedRow {
  message_id: number;
  submission_id: number;
  release_at: number | null;
  settled_at: number | null;
  dropped_at: number | null;
}

const QUEUED = `SELECT id AS message_id, submission_id, release_at, settled_at, dropped_at FROM queue_messages`;

/** What of an account's submissions is in the queue, settled or not. */
export const queuedOf = statement<[accountId: number], QueuedRow>(
  `${QUEUED} WHERE account_id = ? AND submission_id IS NOT NULL`,
);

export const queuedSubmission = statement<[accountId: number, submissionId: number], QueuedRow>(
  `${QUEUED} WHERE account_id = ? AND submission_id = ?`,
);

export const recipientsQueued = statement<
  [messageId: number],
  { address: string; state: string; last_reply: string | null; last_host: string | null }
>('SELECT address, state, last_reply, last_host FROM queue_recipients WHERE message_id = ? ORDER BY id');

export const countObjects = statement<[accountId: number, kind: string], { count: number }>(
  'SELECT COUNT(*) AS count FROM jmap_objects WHERE account_id = ? AND kind = ?',
);

/** The oldest objects of a kind that no message waits for. */
export const oldestObjects = statement<[accountId: number, kind: string, limit: number], { id: number }>(
  `SELECT o.id FROM jmap_objects o WHERE o.account_id = ? AND o.kind = ? AND NOT EXISTS (
     SELECT 1 FROM queue_messages m WHERE m.account_id = o.account_id AND m.submission_id = o.id
       AND m.settled_at IS NULL) ORDER BY o.id LIMIT ?`,
);

export const forgetObject = statement<[accountId: number, kind: string, id: number]>(
  'DELETE FROM jmap_objects WHERE account_id = ? AND kind = ? AND id = ?',
);
