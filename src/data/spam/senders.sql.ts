import { type Statement, statement } from '../db/sql.ts';
import { REFERENCE_STEPS } from '../mailstore/threads.sql.ts';

/** Addresses an account's memory of correspondents holds; those not written to for longest go. */
export const MAX_CORRESPONDENTS = 5000;

/** Authors of a message that are looked up; shorter lists are padded by repeating one. */
export const MAX_AUTHORS = 4;

/** The account's own address is none: to be "in touch with oneself" is what forged mail claims. */
export const addCorrespondent = statement<
  [accountId: number, address: string, at: number, accountId: number, address: string],
  never
>(
  `INSERT INTO correspondents (account_id, address, sent, last_at)
   SELECT CAST(? AS BIGINT), CAST(? AS TEXT), 1, CAST(? AS BIGINT)
   WHERE NOT EXISTS (SELECT 1 FROM accounts WHERE id = ? AND address = ?)
   ON CONFLICT (account_id, address) DO UPDATE SET sent = correspondents.sent + 1,
     hidden = CASE WHEN excluded.last_at >= correspondents.last_at THEN 0 ELSE correspondents.hidden END,
     last_at = CASE WHEN excluded.last_at > correspondents.last_at THEN excluded.last_at ELSE correspondents.last_at END`,
);

export const addSentId = statement<[hash: number, accountId: number, at: number]>(
  `INSERT INTO sent_message_ids (hash, account_id, at) VALUES (?, ?, ?)
   ON CONFLICT (hash, account_id) DO UPDATE SET at = excluded.at`,
);

export const deleteSentBefore = statement<[accountId: number, before: number]>(
  'DELETE FROM sent_message_ids WHERE account_id = ? AND at < ?',
);

export const trimCorrespondents = statement<[accountId: number, accountId: number]>(
  `DELETE FROM correspondents WHERE account_id = ? AND last_at < (SELECT last_at FROM correspondents
     WHERE account_id = ? ORDER BY last_at DESC LIMIT 1 OFFSET ${MAX_CORRESPONDENTS - 1})`,
);

export const accountsAfter = statement<[after: number, limit: number], { id: number }>(
  'SELECT id FROM accounts WHERE id > ? ORDER BY id LIMIT ?',
);

function marks(n: number): string {
  return Array.from({ length: n }, () => '?').join(', ');
}

/** Accounts that sent one of the messages: few, however many receive the answer. */
export const sentBy: readonly Statement<readonly number[], { account_id: number }>[] = REFERENCE_STEPS.map(
  (n) =>
    statement<readonly number[], { account_id: number }>(
      `SELECT DISTINCT account_id FROM sent_message_ids WHERE hash IN (${marks(n)})`,
    ),
);

export interface RelationRow {
  /** How many of the authors it has written to, and how often to the least of them. */
  known: number;
  sent: number | null;
  /** Whether its list has entries of that kind. */
  senders: number;
  networks: number;
  ham: number | null;
  spam: number | null;
  updated_at: number | null;
}

function hasEntries(kind: string): string {
  return `CASE WHEN EXISTS (SELECT 1 FROM sender_lists WHERE account_id = ? AND kind = '${kind}') THEN 1 ELSE 0 END`;
}

/** All that ties one account to a message's authors. */
export const relationOf = statement<
  [accountId: number, accountId: number, accountId: number, ...addressesAndOwner: (string | number)[]],
  RelationRow
>(
  `SELECT c.known, c.sent, ${hasEntries('sender')} AS senders, ${hasEntries('network')} AS networks,
     m.ham, m.spam, m.updated_at
   FROM (SELECT COUNT(*) AS known, MIN(sent) AS sent FROM correspondents
     WHERE account_id = ? AND address IN (${marks(MAX_AUTHORS)})) c
   LEFT JOIN spam_models m ON m.owner = ?`,
);
