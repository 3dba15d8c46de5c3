import { statement } from '../db/sql.ts';

/** Putting messages in, and reading them; attempts are in attempts.sql.ts, what administrators do in admin.sql.ts. */

export const insertMessage = statement<
  [
    queueId: string,
    trace: string,
    blobId: number,
    prefix: Uint8Array,
    hidden: string | null,
    size: number,
    accountId: number | null,
    origin: string,
    reversePath: string,
    mayBounce: number,
    ret: string | null,
    envid: string | null,
    body: string,
    smtputf8: number,
    requireTls: number,
    originated: number,
    messageId: string | null,
    createdAt: number,
    warnAt: number | null,
    expiresAt: number | null,
    holdReason: string | null,
    releaseAt: number | null,
    open: number,
  ],
  { id: number }
>(
  `INSERT INTO queue_messages (queue_id, trace, blob_id, prefix, hidden, size, account_id, origin, reverse_path,
     may_bounce, ret, envid, body, smtputf8, require_tls, originated, message_id, created_at, warn_at, expires_at,
     hold_reason, release_at, open)
   VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING id`,
);

export const insertRecipient = statement<
  [
    messageId: number,
    address: string,
    destination: string,
    orcpt: string | null,
    notify: string,
    state: string,
    nextAt: number,
  ]
>(
  `INSERT INTO queue_recipients (message_id, address, destination, orcpt, notify, state, attempts, next_at, warned)
   VALUES (?, ?, ?, ?, ?, ?, 0, ?, 0)`,
);

/** The EmailSubmission that a message in the queue is. */
export const linkSubmission = statement<[submissionId: number, queueId: string]>(
  'UPDATE queue_messages SET submission_id = ? WHERE queue_id = ?',
);

/** A destination takes its place in the line, or moves forward in it. */
export const lineUp = statement<[destination: string, dueAt: number]>(
  `INSERT INTO queue_destinations (destination, due_at, served) VALUES (?, ?, 0)
   ON CONFLICT (destination) DO UPDATE SET due_at = excluded.due_at, served = 0
   WHERE excluded.due_at < queue_destinations.due_at`,
);

/** A message with the size of its blob, as it lies in the tables. */
export interface MessageRow {
  id: number;
  queue_id: string;
  trace: string;
  blob_id: number;
  blob_size: number;
  prefix: Uint8Array;
  hidden: string | null;
  size: number;
  account_id: number | null;
  origin: string;
  reverse_path: string;
  may_bounce: number;
  ret: string | null;
  envid: string | null;
  body: string;
  smtputf8: number;
  require_tls: number;
  originated: number;
  message_id: string | null;
  created_at: number;
  warn_at: number | null;
  expires_at: number | null;
  hold_reason: string | null;
  release_at: number | null;
}

const MESSAGE = `SELECT m.id, m.queue_id, m.trace, m.blob_id, b.size AS blob_size, m.prefix, m.hidden, m.size, m.account_id,
  m.origin, m.reverse_path, m.may_bounce, m.ret, m.envid, m.body, m.smtputf8, m.require_tls, m.originated, m.message_id,
  m.created_at, m.warn_at, m.expires_at, m.hold_reason, m.release_at
  FROM queue_messages m JOIN blobs b ON b.id = m.blob_id`;

export const messageById = statement<[id: number], MessageRow>(`${MESSAGE} WHERE m.id = ?`);

export const messageByQueueId = statement<[queueId: string], MessageRow>(`${MESSAGE} WHERE m.queue_id = ?`);

/** A recipient as it lies in the table. */
export interface RecipientRow {
  id: number;
  message_id: number;
  address: string;
  destination: string;
  orcpt: string | null;
  notify: string;
  state: string;
  attempts: number;
  next_at: number;
  last_at: number | null;
  last_reply: string | null;
  last_host: string | null;
  warned: number;
}

export const RECIPIENT = `id, message_id, address, destination, orcpt, notify, state, attempts, next_at, last_at, last_reply,
  last_host, warned`;

export const recipientsOfMessage = statement<[messageId: number], RecipientRow>(
  `SELECT ${RECIPIENT} FROM queue_recipients WHERE message_id = ? ORDER BY id`,
);

export const openMessages = statement<[after: number, limit: number], { id: number }>(
  'SELECT id FROM queue_messages WHERE settled_at IS NULL AND id > ? ORDER BY id LIMIT ?',
);

/** Messages with a recipient in a state (or any, '') to a destination (or any, ''). */
export const messagesByRecipient = statement<
  [
    after: number,
    state: string,
    sameState: string,
    destination: string,
    sameDestination: string,
    limit: number,
  ],
  { id: number }
>(
  `SELECT DISTINCT message_id AS id FROM queue_recipients
   WHERE message_id > ? AND (? = '' OR state = ?) AND (? = '' OR destination = ?) ORDER BY message_id LIMIT ?`,
);

/** Recipients not settled yet by state, with the oldest's id; each arm reads one partial index only. */
export const openCounts = statement<[], { state: string; count: number; first: number | null }>(
  `SELECT 'queued' AS state, COUNT(*) AS count, MIN(id) AS first FROM queue_recipients WHERE state = 'queued'
   UNION ALL SELECT 'leased', COUNT(*), MIN(id) FROM queue_recipients WHERE state = 'leased'
   UNION ALL SELECT 'held', COUNT(*), MIN(id) FROM queue_recipients WHERE state = 'held'`,
);

export const createdAtOfRecipient = statement<[id: number], { created_at: number }>(
  `SELECT m.created_at FROM queue_recipients r JOIN queue_messages m ON m.id = r.message_id WHERE r.id = ?`,
);

export const nextInLine = statement<[limit: number], { destination: string; due_at: number }>(
  'SELECT destination, due_at FROM queue_destinations ORDER BY due_at, served LIMIT ?',
);
