import { statement } from '../db/sql.ts';

export const insertEmail = statement<
  [
    accountId: number,
    blobId: number,
    threadId: number,
    receivedAt: number,
    sentAt: number | null,
    size: number,
    createdModseq: number,
    trace: string | null,
    hidden: string | null,
    prefix: Uint8Array,
    envelope: Uint8Array,
    bodystructure: Uint8Array,
    structure: string,
  ],
  { id: number }
>(
  `INSERT INTO emails (account_id, blob_id, thread_id, received_at, sent_at, size, created_modseq, trace, hidden,
     prefix, envelope, bodystructure, structure)
   VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING id`,
);

export const insertPlacement = statement<
  [
    mailboxId: number,
    uid: number,
    emailId: number,
    modseq: number,
    createdModseq: number,
    flags: number,
    keywords: string | null,
    size: number,
    receivedAt: number,
    savedAt: number,
  ]
>(
  `INSERT INTO placements (mailbox_id, uid, email_id, modseq, created_modseq, flags, keywords, size, received_at,
     saved_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
);

/** The mailbox asked for, else the inbox, else NULL. */
function target(condition: string) {
  return statement<[accountId: number, wanted: string | number, accountId: number], { id: number | null }>(
    `SELECT COALESCE((SELECT MIN(id) FROM mailboxes WHERE account_id = ? AND ${condition}),
       (SELECT id FROM mailboxes WHERE account_id = ? AND name = 'INBOX')) AS id`,
  );
}

export const targetBySpecialUse = target('special_use = ?');
export const targetByName = target('name = ?');
export const targetById = target('id = ?');
