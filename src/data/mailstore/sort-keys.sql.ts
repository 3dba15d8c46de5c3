import { type Statement, statement } from '../db/sql.ts';

/** Nothing when the email has its row already. */
export const insertKeys = statement<
  [
    emailId: number,
    sentAt: number | null,
    reply: number,
    subject: string,
    fromMailbox: string,
    toMailbox: string,
    ccMailbox: string,
    fromDisplay: string,
    toDisplay: string,
    refs: Uint8Array,
  ]
>(
  `INSERT INTO email_keys (email_id, sent_at, reply, subject, from_mailbox, to_mailbox, cc_mailbox, from_display,
     to_display, refs) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (email_id) DO NOTHING`,
);

export const emailExists = statement<[id: number], { id: number }>(`SELECT id FROM emails WHERE id = ?`);

export const deleteKeys = statement<[emailId: number]>(`DELETE FROM email_keys WHERE email_id = ?`);

/** Messages whose email has no row of keys, ascending. */
export const uidsWithoutKeys = statement<[mailboxId: number, after: number, limit: number], { uid: number }>(
  `SELECT p.uid FROM placements p WHERE p.mailbox_id = ? AND p.uid > ?
     AND NOT EXISTS (SELECT 1 FROM email_keys k WHERE k.email_id = p.email_id) ORDER BY p.uid LIMIT ?`,
);

type Page = [mailboxId: number, after: number, limit: number];

/** A page of one key. `known` is 0 when the email has no row of keys. */
function page<R>(columns: string): Statement<Page, R> {
  return statement<Page, R>(
    `SELECT p.uid, CASE WHEN k.email_id IS NULL THEN 0 ELSE 1 END AS known, ${columns}
     FROM placements p LEFT JOIN email_keys k ON k.email_id = p.email_id
     WHERE p.mailbox_id = ? AND p.uid > ? ORDER BY p.uid LIMIT ?`,
  );
}

export interface KeyRow {
  uid: number;
  known: number;
  value: string | number | null;
}

/** RFC 5256 section 2.2: without a Date that can be read, the INTERNALDATE. */
const SENT = 'COALESCE(k.sent_at, p.received_at) AS value';

export const keyPages = {
  subject: page<KeyRow>('k.subject AS value'),
  from: page<KeyRow>('k.from_mailbox AS value'),
  to: page<KeyRow>('k.to_mailbox AS value'),
  cc: page<KeyRow>('k.cc_mailbox AS value'),
  fromDisplay: page<KeyRow>('k.from_display AS value'),
  toDisplay: page<KeyRow>('k.to_display AS value'),
  date: page<KeyRow>(SENT),
  arrival: statement<Page, KeyRow>(
    `SELECT uid, 1 AS known, received_at AS value FROM placements WHERE mailbox_id = ? AND uid > ? ORDER BY uid LIMIT ?`,
  ),
  size: statement<Page, KeyRow>(
    `SELECT uid, 1 AS known, size AS value FROM placements WHERE mailbox_id = ? AND uid > ? ORDER BY uid LIMIT ?`,
  ),
} as const;

export interface ReferenceRow {
  uid: number;
  known: number;
  reply: number | null;
  refs: Uint8Array | null;
}

export const referencePage = page<ReferenceRow>('k.reply, k.refs');
