import { statement } from '../db/sql.ts';

export interface PlacedEmailRow {
  uid: number;
  email_id: number;
  flags: number;
  keywords: string | null;
  size: number;
  received_at: number;
}

export const placedEmails = statement<
  [mailboxId: number, from: number, to: number, limit: number],
  PlacedEmailRow
>(
  `SELECT uid, email_id, flags, keywords, size, received_at FROM placements
   WHERE mailbox_id = ? AND uid BETWEEN ? AND ? ORDER BY uid LIMIT ?`,
);

export const envelopeOf = statement<[emailId: number], { envelope: Uint8Array }>(
  `SELECT envelope FROM emails WHERE id = ?`,
);

/** An email of somebody else with the same octets. */
export const cloneEmail = statement<
  [accountId: number, threadId: number, createdModseq: number, emailId: number],
  { id: number }
>(
  `INSERT INTO emails (account_id, blob_id, thread_id, received_at, sent_at, size, created_modseq, trace, hidden, prefix,
     envelope, bodystructure, structure)
   SELECT CAST(? AS BIGINT), blob_id, CAST(? AS BIGINT), received_at, sent_at, size, CAST(? AS BIGINT), trace, hidden,
     prefix, envelope, bodystructure, structure FROM emails WHERE id = ? RETURNING id`,
);
