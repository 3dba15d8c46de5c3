import { statement } from '../db/sql.ts';

export interface SnoozeRow {
  email_id: number;
  account_id: number;
  mailbox_id: number;
  back_to: number;
  wake_at: number;
}

const COLUMNS = 'email_id, account_id, mailbox_id, back_to, wake_at';

export const snoozeOf = statement<[emailId: number, accountId: number], SnoozeRow>(
  `SELECT ${COLUMNS} FROM snoozes WHERE email_id = ? AND account_id = ?`,
);

export const snoozesOf = statement<[accountId: number, limit: number], SnoozeRow>(
  `SELECT ${COLUMNS} FROM snoozes WHERE account_id = ? ORDER BY wake_at, email_id LIMIT ?`,
);

export const countSnoozes = statement<[accountId: number], { count: number }>(
  'SELECT COUNT(*) AS count FROM snoozes WHERE account_id = ?',
);

export const due = statement<[now: number, limit: number], SnoozeRow>(
  `SELECT ${COLUMNS} FROM snoozes WHERE wake_at <= ? ORDER BY wake_at, email_id LIMIT ?`,
);

export const putSnooze = statement<
  [emailId: number, accountId: number, mailboxId: number, backTo: number, wakeAt: number, since: number]
>(
  `INSERT INTO snoozes (email_id, account_id, mailbox_id, back_to, wake_at, since) VALUES (?, ?, ?, ?, ?, ?)
   ON CONFLICT (email_id) DO UPDATE SET mailbox_id = excluded.mailbox_id, back_to = excluded.back_to,
     wake_at = excluded.wake_at`,
);

export const deleteSnooze = statement<[emailId: number]>('DELETE FROM snoozes WHERE email_id = ?');

export const traceOfEmail = statement<[emailId: number], { trace: string | null }>(
  'SELECT trace FROM emails WHERE id = ?',
);
