import { statement } from '../db/sql.ts';
import type { IntakeState, RecipientOutcome, ToldBy } from './types.ts';

export interface ObjectRow {
  readonly bucket: string;
  readonly object_key: string;
  readonly source: string;
  readonly state: IntakeState;
  readonly trace: string;
  readonly told_by: ToldBy;
  readonly first_at: number;
  readonly received_at: number;
  readonly size: number | null;
  readonly attempts: number;
  readonly next_at: number | null;
  readonly reason: string;
  readonly recipients: string | null;
  readonly notice: string | null;
  readonly settled_at: number | null;
  readonly removed_at: number | null;
}

const COLUMNS = `bucket, object_key, source, state, trace, told_by, first_at, received_at, size, attempts, next_at, reason,
  recipients, notice, settled_at, removed_at`;

export const objectByName = statement<[bucket: string, key: string], ObjectRow>(
  `SELECT ${COLUMNS} FROM intake_objects WHERE bucket = ? AND object_key = ?`,
);

export const putObject = statement<
  [
    bucket: string,
    key: string,
    source: string,
    state: string,
    trace: string,
    toldBy: string,
    firstAt: number,
    receivedAt: number,
    size: number | null,
    attempts: number,
    nextAt: number | null,
    reason: string,
    recipients: string | null,
    notice: string | null,
    settledAt: number | null,
  ]
>(
  `INSERT INTO intake_objects (bucket, object_key, source, state, trace, told_by, first_at, received_at, size, attempts,
     next_at, reason, recipients, notice, settled_at, removed_at)
   VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, NULL)
   ON CONFLICT (bucket, object_key) DO UPDATE SET source = excluded.source, state = excluded.state,
     told_by = excluded.told_by, size = COALESCE(excluded.size, intake_objects.size), attempts = excluded.attempts,
     next_at = excluded.next_at, reason = excluded.reason, recipients = excluded.recipients, notice = excluded.notice,
     settled_at = excluded.settled_at`,
);

export const markRemoved = statement<[at: number, bucket: string, key: string]>(
  'UPDATE intake_objects SET removed_at = ?, next_at = NULL WHERE bucket = ? AND object_key = ?',
);

export const putOff = statement<[nextAt: number, reason: string, bucket: string, key: string]>(
  'UPDATE intake_objects SET next_at = ?, reason = ?, attempts = attempts + 1 WHERE bucket = ? AND object_key = ?',
);

export const dueObjects = statement<[now: number, limit: number], ObjectRow>(
  `SELECT ${COLUMNS} FROM intake_objects WHERE next_at IS NOT NULL AND next_at <= ? ORDER BY next_at LIMIT ?`,
);

export const nextDue = statement<[], { next_at: number | null }>(
  'SELECT MIN(next_at) AS next_at FROM intake_objects WHERE next_at IS NOT NULL',
);

export const objectsOfState = statement<[state: string, limit: number], ObjectRow>(
  `SELECT ${COLUMNS} FROM intake_objects WHERE state = ? ORDER BY received_at LIMIT ?`,
);

export const newestObjects = statement<[limit: number], ObjectRow>(
  `SELECT ${COLUMNS} FROM intake_objects ORDER BY first_at DESC LIMIT ?`,
);

export const countByState = statement<[], { state: IntakeState; n: number; oldest: number | null }>(
  'SELECT state, COUNT(*) AS n, MIN(received_at) AS oldest FROM intake_objects GROUP BY state',
);

/** What was settled long ago and is in the bucket no more. */
export const oldObjects = statement<[before: number, limit: number], { bucket: string; object_key: string }>(
  `SELECT bucket, object_key FROM intake_objects WHERE first_at < ? AND (removed_at IS NOT NULL OR state = 'gone') LIMIT ?`,
);

export const dropObject = statement<[bucket: string, key: string]>(
  'DELETE FROM intake_objects WHERE bucket = ? AND object_key = ?',
);

export const dropRecipients = statement<[bucket: string, key: string]>(
  'DELETE FROM intake_recipients WHERE bucket = ? AND object_key = ?',
);

export const recipientsOf = statement<
  [bucket: string, key: string],
  { recipient: string; outcome: RecipientOutcome }
>('SELECT recipient, outcome FROM intake_recipients WHERE bucket = ? AND object_key = ? ORDER BY recipient');

export const recipientByName = statement<
  [bucket: string, key: string, recipient: string],
  { outcome: RecipientOutcome }
>('SELECT outcome FROM intake_recipients WHERE bucket = ? AND object_key = ? AND recipient = ?');

export const insertRecipient = statement<
  [bucket: string, key: string, recipient: string, outcome: string, at: number]
>('INSERT INTO intake_recipients (bucket, object_key, recipient, outcome, at) VALUES (?, ?, ?, ?, ?)');

export interface ProblemRow {
  readonly id: number;
  readonly source: string;
  readonly told_by: ToldBy;
  readonly first_at: number;
  readonly last_at: number;
  readonly count: number;
  readonly reason: string;
  readonly body: string;
}

export const putProblem = statement<
  [
    digest: string,
    source: string,
    toldBy: string,
    firstAt: number,
    lastAt: number,
    reason: string,
    body: string,
  ]
>(
  `INSERT INTO intake_problems (digest, source, told_by, first_at, last_at, count, reason, body)
   VALUES (?, ?, ?, ?, ?, 1, ?, ?)
   ON CONFLICT (digest) DO UPDATE SET last_at = excluded.last_at, count = intake_problems.count + 1,
     told_by = excluded.told_by, reason = excluded.reason`,
);

export const newestProblems = statement<[limit: number], ProblemRow>(
  `SELECT id, source, told_by, first_at, last_at, count, reason, body FROM intake_problems ORDER BY last_at DESC, id DESC
   LIMIT ?`,
);

export const countProblems = statement<[], { n: number }>('SELECT COUNT(*) AS n FROM intake_problems');

export const dropProblem = statement<[id: number]>('DELETE FROM intake_problems WHERE id = ?');

export const dropOldProblems = statement<[before: number]>('DELETE FROM intake_problems WHERE last_at < ?');
