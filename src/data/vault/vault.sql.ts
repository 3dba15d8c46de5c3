import { statement } from '../db/sql.ts';

export const insertEntry = statement<
  [
    caseNumber: string,
    trace: string,
    kind: string,
    blobId: number,
    size: number,
    reversePath: string,
    ip: string,
    author: string,
    subject: string,
    reason: string,
    createdAt: number,
    expiresAt: number,
    sentAt: number | null,
    messageId: string | null,
    refs: string,
    hidden: string | null,
    received: Uint8Array,
    verdict: string,
    envelope: Uint8Array,
    bodystructure: Uint8Array,
    structure: string,
  ],
  { id: number }
>(
  `INSERT INTO vault (case_number, trace, kind, blob_id, size, reverse_path, ip, author, subject, reason, created_at,
     expires_at, sent_at, message_id, refs, hidden, received, verdict, envelope, bodystructure, structure)
   VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING id`,
);

/** Nothing for an account that was removed meanwhile. */
export const insertRecipient = statement<[vaultId: number, address: string, accountId: number], never>(
  `INSERT INTO vault_recipients (vault_id, account_id, address, state)
   SELECT CAST(? AS BIGINT), id, CAST(? AS TEXT), 'kept' FROM accounts WHERE id = ? AND status <> 'removed'
   ON CONFLICT (vault_id, account_id) DO NOTHING`,
);

export interface EntryRow {
  id: number;
  case_number: string;
  trace: string;
  kind: string;
  size: number;
  reverse_path: string;
  ip: string;
  author: string;
  subject: string;
  reason: string;
  created_at: number;
  expires_at: number;
}

const ENTRY = `v.id, v.case_number, v.trace, v.kind, v.size, v.reverse_path, v.ip, v.author, v.subject, v.reason,
  v.created_at, v.expires_at`;

export const newest = statement<[before: number, limit: number], EntryRow>(
  `SELECT ${ENTRY} FROM vault v WHERE v.id < ? ORDER BY v.id DESC LIMIT ?`,
);

export const newestOfAccount = statement<[accountId: number, before: number, limit: number], EntryRow>(
  `SELECT ${ENTRY} FROM vault_recipients r JOIN vault v ON v.id = r.vault_id
   WHERE r.account_id = ? AND r.vault_id < ? AND r.state <> 'deleted' ORDER BY r.vault_id DESC LIMIT ?`,
);

export const newestOfDomain = statement<[before: number, domainId: number, limit: number], EntryRow>(
  `SELECT ${ENTRY} FROM vault v WHERE v.id < ? AND EXISTS (SELECT 1 FROM vault_recipients r
     JOIN accounts a ON a.id = r.account_id WHERE r.vault_id = v.id AND a.domain_id = ?)
   ORDER BY v.id DESC LIMIT ?`,
);

export interface RecipientRow {
  account_id: number;
  address: string;
  state: string;
  domain_id: number;
}

export const recipientsOf = statement<[vaultId: number], RecipientRow>(
  `SELECT r.account_id, r.address, r.state, a.domain_id FROM vault_recipients r JOIN accounts a ON a.id = r.account_id
   WHERE r.vault_id = ? ORDER BY r.account_id`,
);

export interface DetailRow extends EntryRow {
  blob_id: number;
  sent_at: number | null;
  message_id: string | null;
  refs: string;
  hidden: string | null;
  received: Uint8Array;
  verdict: string;
  envelope: Uint8Array;
  bodystructure: Uint8Array;
  structure: string;
}

export const entryByCase = statement<[caseNumber: string], DetailRow>(
  `SELECT ${ENTRY}, v.blob_id, v.sent_at, v.message_id, v.refs, v.hidden, v.received, v.verdict, v.envelope,
     v.bodystructure, v.structure FROM vault v WHERE v.case_number = ?`,
);

/** Changes only what is in the state it must leave. */
export const changeState = statement<[state: string, vaultId: number, accountId: number, from: string]>(
  `UPDATE vault_recipients SET state = ? WHERE vault_id = ? AND account_id = ? AND state = ?`,
);

export const countKept = statement<[vaultId: number], { kept: number }>(
  `SELECT COUNT(*) AS kept FROM vault_recipients WHERE vault_id = ? AND state = 'kept'`,
);

export interface RemovedRow {
  id: number;
  blob_id: number;
  size: number;
}

export const expired = statement<[now: number, limit: number], RemovedRow>(
  'SELECT id, blob_id, size FROM vault WHERE expires_at <= ? ORDER BY expires_at LIMIT ?',
);

export const oldest = statement<[limit: number], RemovedRow>(
  'SELECT id, blob_id, size FROM vault ORDER BY id LIMIT ?',
);

export const totalSize = statement<[], { bytes: number }>(
  'SELECT CAST(COALESCE(SUM(size), 0) AS BIGINT) AS bytes FROM vault',
);

export const deleteRecipients = statement<[vaultId: number]>(
  'DELETE FROM vault_recipients WHERE vault_id = ?',
);
export const deleteEntry = statement<[id: number]>('DELETE FROM vault WHERE id = ?');

/** What only this account was to have. */
export const soleEntriesOf = statement<[accountId: number], RemovedRow>(
  `SELECT v.id, v.blob_id, v.size FROM vault_recipients r JOIN vault v ON v.id = r.vault_id
   WHERE r.account_id = ? AND NOT EXISTS (SELECT 1 FROM vault_recipients o
     WHERE o.vault_id = r.vault_id AND o.account_id <> r.account_id)`,
);

export const deleteRecipientsOfAccount = statement<[accountId: number]>(
  'DELETE FROM vault_recipients WHERE account_id = ?',
);
