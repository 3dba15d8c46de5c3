import { statement } from '../db/sql.ts';

export const insertBlob = statement<
  [size: number, encoding: string, file: string | null, createdAt: number, data: Uint8Array | null],
  { id: number }
>(`INSERT INTO blobs (size, encoding, file, created_at, data) VALUES (?, ?, ?, ?, ?) RETURNING id`);

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

/** The mailbox asked for, else the inbox. */
export const targetBySpecialUse = statement<[accountId: number, use: string, use: string], { id: number }>(
  `SELECT id FROM mailboxes WHERE account_id = ? AND (special_use = ? OR name = 'INBOX')
   ORDER BY CASE WHEN special_use = ? THEN 0 ELSE 1 END, id LIMIT 1`,
);

export const targetByName = statement<[accountId: number, name: string, name: string], { id: number }>(
  `SELECT id FROM mailboxes WHERE account_id = ? AND name IN (?, 'INBOX')
   ORDER BY CASE WHEN name = ? THEN 0 ELSE 1 END LIMIT 1`,
);

export const targetById = statement<[accountId: number, id: number, id: number], { id: number }>(
  `SELECT id FROM mailboxes WHERE account_id = ? AND (id = ? OR name = 'INBOX')
   ORDER BY CASE WHEN id = ? THEN 0 ELSE 1 END LIMIT 1`,
);
