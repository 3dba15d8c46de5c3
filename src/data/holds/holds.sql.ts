import { statement } from '../db/sql.ts';

/** Accounts whose outgoing mail is held, what each usually sends, and the messages that wait. */

export const insertHold = statement<[accountId: number, reason: string, now: number]>(
  `INSERT INTO account_holds (account_id, reason, created_at) VALUES (?, ?, ?)
   ON CONFLICT (account_id) DO NOTHING`,
);

export const holdOf = statement<[accountId: number], { reason: string; created_at: number }>(
  'SELECT reason, created_at FROM account_holds WHERE account_id = ?',
);

export const allHolds = statement<
  [],
  { account_id: number; address: string; reason: string; created_at: number }
>(
  `SELECT h.account_id, a.address, h.reason, h.created_at
   FROM account_holds h JOIN accounts a ON a.id = h.account_id ORDER BY h.created_at, a.address`,
);

export const deleteHold = statement<[accountId: number]>('DELETE FROM account_holds WHERE account_id = ?');

/** The most of a day, within some days. */
export const largestDay = statement<
  [accountId: number, from: number, before: number],
  { messages: number | null; recipients: number | null; strangers: number | null }
>(
  `SELECT MAX(messages) AS messages, MAX(recipients) AS recipients, MAX(strangers) AS strangers
   FROM account_volume WHERE account_id = ? AND day >= ? AND day < ?`,
);

/** Of an account that is still there. */
export const addVolume = statement<
  [
    accountId: number,
    day: number,
    messages: number,
    recipients: number,
    strangers: number,
    sameAccountId: number,
  ]
>(
  `INSERT INTO account_volume (account_id, day, messages, recipients, strangers)
   SELECT CAST(? AS BIGINT), CAST(? AS BIGINT), CAST(? AS BIGINT), CAST(? AS BIGINT), CAST(? AS BIGINT)
   WHERE EXISTS (SELECT 1 FROM accounts WHERE id = ?)
   ON CONFLICT (account_id, day) DO UPDATE SET messages = account_volume.messages + excluded.messages,
     recipients = account_volume.recipients + excluded.recipients,
     strangers = account_volume.strangers + excluded.strangers`,
);

/** What an administrator lets go is usual from now on: the day before is raised to what a day has. */
export const raiseUsual = statement<[accountId: number, day: number]>(
  `INSERT INTO account_volume (account_id, day, messages, recipients, strangers)
   SELECT account_id, day - 1, messages, recipients, strangers FROM account_volume WHERE account_id = ? AND day = ?
   ON CONFLICT (account_id, day) DO UPDATE SET
     messages = CASE WHEN excluded.messages > account_volume.messages THEN excluded.messages
       ELSE account_volume.messages END,
     recipients = CASE WHEN excluded.recipients > account_volume.recipients THEN excluded.recipients
       ELSE account_volume.recipients END,
     strangers = CASE WHEN excluded.strangers > account_volume.strangers THEN excluded.strangers
       ELSE account_volume.strangers END`,
);

export const deleteVolumeBefore = statement<[day: number]>('DELETE FROM account_volume WHERE day < ?');

export const correspondent = statement<[accountId: number, address: string], { sent: number }>(
  'SELECT sent FROM correspondents WHERE account_id = ? AND address = ?',
);

/** Messages of an account that wait for the end of a hold. */
export const heldMessages = statement<
  [accountId: number, reasonPattern: string, limit: number],
  { id: number; queue_id: string; trace: string }
>(
  `SELECT DISTINCT m.id, m.queue_id, m.trace FROM queue_recipients r JOIN queue_messages m ON m.id = r.message_id
   WHERE r.state = 'held' AND m.account_id = ? AND m.hold_reason LIKE ? ORDER BY m.id LIMIT ?`,
);

export const countHeld = statement<
  [reasonPattern: string],
  { account_id: number; address: string; messages: number; recipients: number; first: number }
>(
  `SELECT a.id AS account_id, a.address, COUNT(DISTINCT m.id) AS messages, COUNT(*) AS recipients, MIN(m.created_at) AS first
   FROM queue_recipients r JOIN queue_messages m ON m.id = r.message_id JOIN accounts a ON a.id = m.account_id
   WHERE r.state = 'held' AND m.hold_reason LIKE ? GROUP BY a.id, a.address ORDER BY a.address`,
);

/** The time it was held is no time in which it could have been delivered: what was to be done then is done as much later. */
export const shiftTimes = statement<[now: number, sameNow: number, messageId: number]>(
  `UPDATE queue_messages SET warn_at = warn_at + (? - created_at), expires_at = expires_at + (? - created_at)
   WHERE id = ?`,
);
