import { statement } from '../db/sql.ts';
import { RECIPIENT, type RecipientRow } from './queue.sql.ts';

/** Leasing recipients, and ending attempts. */

const DUE = `SELECT destination FROM queue_destinations WHERE due_at <= ?
  ORDER BY due_at, served, destination LIMIT ?`;

/** The head of the line; another sender that asks at the same moment gets those behind. */
export const dueDestinations = statement<[now: number, limit: number], { destination: string }>({
  sqlite: DUE,
  postgres: `${DUE} FOR UPDATE SKIP LOCKED`,
});

export const firstDue = statement<[destination: string, now: number], { message_id: number }>(
  `SELECT message_id FROM queue_recipients WHERE state = 'queued' AND destination = ? AND next_at <= ?
   ORDER BY next_at, id LIMIT 1`,
);

// The plus keeps both engines from going by next_at, through all that is due at the destination.
const GROUP = `SELECT id FROM queue_recipients
  WHERE message_id = ? AND destination = ? AND state = 'queued' AND +next_at <= ? ORDER BY id LIMIT ?`;

// Picked once, apart from the UPDATE: PostgreSQL may run a subquery that skips locked rows for every row it updates,
// and then the limit is none.
const LEASE = (group: string): string =>
  `WITH picked AS MATERIALIZED (${group})
   UPDATE queue_recipients SET state = 'leased', lease = ?, lease_until = ?
   WHERE state = 'queued' AND id IN (SELECT id FROM picked) RETURNING ${RECIPIENT}`;

/** The due recipients of one message at one destination. */
export const leaseGroup = statement<
  [messageId: number, destination: string, now: number, limit: number, owner: string, until: number],
  RecipientRow
>({ sqlite: LEASE(GROUP), postgres: LEASE(`${GROUP} FOR UPDATE SKIP LOCKED`) });

export const endRelease = statement<[messageId: number]>(
  'UPDATE queue_messages SET release_at = NULL WHERE id = ?',
);

export const nextAtOf = statement<[destination: string], { next_at: number }>(
  `SELECT next_at FROM queue_recipients WHERE state = 'queued' AND destination = ? ORDER BY next_at LIMIT 1`,
);

/** To the end of the line of those that are due, or to where it is due next. */
export const moveInLine = statement<[dueAt: number, destination: string]>(
  'UPDATE queue_destinations SET due_at = ?, served = served + 1 WHERE destination = ?',
);

export const leaveLine = statement<[destination: string]>(
  'DELETE FROM queue_destinations WHERE destination = ?',
);

export interface LeaseRow {
  message_id: number;
  destination: string;
  hold_reason: string | null;
  dropped_at: number | null;
  expires_at: number | null;
}

const LEASED = `SELECT r.message_id, r.destination, m.hold_reason, m.dropped_at, m.expires_at
  FROM queue_recipients r JOIN queue_messages m ON m.id = r.message_id
  WHERE r.id = ? AND r.state = 'leased' AND r.lease = ?`;

/** The lease on a recipient if it is still the owner's, with what its message says should become of it. */
export const leaseOf = statement<[id: number, owner: string], LeaseRow>({
  sqlite: LEASED,
  postgres: `${LEASED} FOR UPDATE`,
});

export const endLease = statement<
  [
    state: string,
    nextAt: number,
    attempts: number,
    lastAt: number | null,
    lastReply: string | null,
    lastHost: string | null,
    settledAt: number | null,
    id: number,
  ]
>(
  `UPDATE queue_recipients SET state = ?, next_at = ?, attempts = attempts + ?, last_at = COALESCE(?, last_at),
     last_reply = COALESCE(?, last_reply), last_host = COALESCE(?, last_host), settled_at = ?,
     lease = NULL, lease_until = NULL
   WHERE id = ?`,
);

/** So many recipients of a message were settled; with the last one it is. */
export const countSettled = statement<[count: number, countAgain: number, now: number, messageId: number]>(
  `UPDATE queue_messages SET open = open - ?, settled_at = CASE WHEN open = ? THEN ? ELSE settled_at END WHERE id = ?`,
);

export const markWarned = statement<[id: number]>('UPDATE queue_recipients SET warned = 1 WHERE id = ?');

/** A lease found without its owner. */
export interface LostLease {
  id: number;
  message_id: number;
  address: string;
  destination: string;
  queue_id: string;
  trace: string;
  hold_reason: string | null;
  dropped_at: number | null;
}

const LOST = `SELECT r.id, r.message_id, r.address, r.destination, m.queue_id, m.trace, m.hold_reason, m.dropped_at
  FROM queue_recipients r JOIN queue_messages m ON m.id = r.message_id`;

const ofOwner = `${LOST} WHERE r.state = 'leased' AND r.lease = ?`;
const expired = `${LOST} WHERE r.state = 'leased' AND r.lease_until <= ?`;

export const leasesOf = statement<[owner: string], LostLease>({
  sqlite: ofOwner,
  postgres: `${ofOwner} FOR UPDATE`,
});

export const expiredLeases = statement<[now: number], LostLease>({
  sqlite: expired,
  postgres: `${expired} FOR UPDATE SKIP LOCKED`,
});
