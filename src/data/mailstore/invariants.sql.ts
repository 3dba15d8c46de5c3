import { statement } from '../db/sql.ts';

/** Each check selects what breaks its rule, as a few numbers that say where; none when the store is sound. */
export interface Violation {
  a: number;
  b: number | null;
  c: number | null;
}

function check(text: string) {
  return statement<[limit: number], Violation>(`${text} LIMIT ?`);
}

const NO_C = 'CAST(NULL AS BIGINT) AS c';

const SUMS = `SELECT mailbox_id, COUNT(*) AS messages, CAST(SUM(CASE WHEN (flags & 1) = 0 THEN 1 ELSE 0 END) AS BIGINT)
  AS unseen, CAST(SUM(CASE WHEN (flags & 8) <> 0 THEN 1 ELSE 0 END) AS BIGINT) AS deleted,
  CAST(SUM(size) AS BIGINT) AS size, MAX(uid) AS uid, MAX(modseq) AS modseq FROM placements GROUP BY mailbox_id`;

function counter(name: string) {
  return check(
    `SELECT m.id AS a, m.${name} AS b, COALESCE(s.${name}, 0) AS c FROM mailboxes m
     LEFT JOIN (${SUMS}) s ON s.mailbox_id = m.id WHERE m.${name} <> COALESCE(s.${name}, 0)`,
  );
}

function usage(column: string, sum: string) {
  return check(
    `SELECT c.account_id AS a, c.${column} AS b, COALESCE(s.n, 0) AS c FROM account_counters c
     LEFT JOIN (SELECT account_id, CAST(${sum} AS BIGINT) AS n FROM emails WHERE orphaned_at IS NULL
       GROUP BY account_id) s ON s.account_id = c.account_id WHERE c.${column} <> COALESCE(s.n, 0)`,
  );
}

function modseq(table: string, column = 'modseq') {
  return check(
    `SELECT t.mailbox_id AS a, t.uid AS b, t.${column} AS c FROM ${table} t JOIN mailboxes m ON m.id = t.mailbox_id
     WHERE t.${column} > m.modseq`,
  );
}

/** What is known of an email that is gone, or that is another account's. */
function ofEmails(table: string) {
  return check(
    `SELECT t.account_id AS a, t.email_id AS b, ${NO_C} FROM ${table} t
     WHERE NOT EXISTS (SELECT 1 FROM emails e WHERE e.id = t.email_id AND e.account_id = t.account_id)`,
  );
}

/** What is kept for an account that is gone; 0 is the site. */
function ofAccounts(table: string, column: string) {
  return check(
    `SELECT t.${column} AS a, CAST(NULL AS BIGINT) AS b, ${NO_C} FROM ${table} t
     WHERE t.${column} <> 0 AND NOT EXISTS (SELECT 1 FROM accounts a WHERE a.id = t.${column})`,
  );
}

export const checks = {
  messages: counter('messages'),
  unseen: counter('unseen'),
  deleted: counter('deleted'),
  size: counter('size'),
  used: usage('used', 'SUM(size)'),
  emails: usage('emails', 'COUNT(*)'),
  uidnext: check(
    `SELECT p.mailbox_id AS a, p.uid AS b, m.uidnext AS c FROM placements p JOIN mailboxes m ON m.id = p.mailbox_id
     WHERE p.uid >= m.uidnext OR p.uid < 1`,
  ),
  buriedUid: check(
    `SELECT t.mailbox_id AS a, t.uid AS b, m.uidnext AS c FROM tombstones t JOIN mailboxes m ON m.id = t.mailbox_id
     WHERE t.uid >= m.uidnext`,
  ),
  recentUid: check(`SELECT id AS a, recent_uid AS b, uidnext AS c FROM mailboxes WHERE recent_uid > uidnext`),
  placementModseq: modseq('placements'),
  createdModseq: check(
    `SELECT mailbox_id AS a, uid AS b, created_modseq AS c FROM placements WHERE created_modseq > modseq`,
  ),
  tombstoneModseq: modseq('tombstones'),
  mailboxModseq: check(
    `SELECT m.id AS a, m.modseq AS b, c.modseq AS c FROM mailboxes m JOIN account_counters c
     ON c.account_id = m.account_id WHERE m.modseq > c.modseq OR m.created_modseq > m.modseq`,
  ),
  uidvalidity: check(
    `SELECT m.id AS a, m.uidvalidity AS b, c.uidvalidity AS c FROM mailboxes m JOIN account_counters c
     ON c.account_id = m.account_id WHERE m.uidvalidity > c.uidvalidity`,
  ),
  sharedUidvalidity: check(
    `SELECT MIN(id) AS a, uidvalidity AS b, COUNT(*) AS c FROM mailboxes GROUP BY account_id, uidvalidity
     HAVING COUNT(*) > 1`,
  ),
  noCounters: check(
    `SELECT m.id AS a, m.account_id AS b, ${NO_C} FROM mailboxes m
     WHERE NOT EXISTS (SELECT 1 FROM account_counters c WHERE c.account_id = m.account_id)`,
  ),
  missingMailbox: check(
    `SELECT p.mailbox_id AS a, p.uid AS b, ${NO_C} FROM placements p
     WHERE NOT EXISTS (SELECT 1 FROM mailboxes m WHERE m.id = p.mailbox_id)`,
  ),
  missingEmail: check(
    `SELECT p.mailbox_id AS a, p.uid AS b, p.email_id AS c FROM placements p
     WHERE NOT EXISTS (SELECT 1 FROM emails e WHERE e.id = p.email_id)`,
  ),
  differs: check(
    `SELECT p.mailbox_id AS a, p.uid AS b, p.email_id AS c FROM placements p JOIN emails e ON e.id = p.email_id
     JOIN mailboxes m ON m.id = p.mailbox_id WHERE e.account_id <> m.account_id OR e.size <> p.size`,
  ),
  lost: check(
    `SELECT e.id AS a, e.account_id AS b, ${NO_C} FROM emails e WHERE e.orphaned_at IS NULL
     AND NOT EXISTS (SELECT 1 FROM placements p WHERE p.email_id = e.id)`,
  ),
  placedOrphan: check(
    `SELECT p.mailbox_id AS a, p.uid AS b, e.id AS c FROM placements p JOIN emails e ON e.id = p.email_id
     WHERE e.orphaned_at IS NOT NULL`,
  ),
  undead: check(
    `SELECT t.mailbox_id AS a, t.uid AS b, t.email_id AS c FROM tombstones t
     JOIN placements p ON p.mailbox_id = t.mailbox_id AND p.uid = t.uid`,
  ),
  missingBlob: check(
    `SELECT e.id AS a, e.blob_id AS b, ${NO_C} FROM emails e
     WHERE NOT EXISTS (SELECT 1 FROM blobs b WHERE b.id = e.blob_id)`,
  ),
  missingQueueBlob: check(
    `SELECT q.id AS a, q.blob_id AS b, ${NO_C} FROM queue_messages q
     WHERE NOT EXISTS (SELECT 1 FROM blobs b WHERE b.id = q.blob_id)`,
  ),
  unusedBlob: check(
    `SELECT b.id AS a, b.size AS b, ${NO_C} FROM blobs b
     WHERE NOT EXISTS (SELECT 1 FROM emails e WHERE e.blob_id = b.id)
       AND NOT EXISTS (SELECT 1 FROM queue_messages q WHERE q.blob_id = b.id)
       AND NOT EXISTS (SELECT 1 FROM vault v WHERE v.blob_id = b.id)`,
  ),
  missingVaultBlob: check(
    `SELECT v.id AS a, v.blob_id AS b, ${NO_C} FROM vault v
     WHERE NOT EXISTS (SELECT 1 FROM blobs b WHERE b.id = v.blob_id)`,
  ),
  strayVaultRecipient: check(
    `SELECT r.vault_id AS a, r.account_id AS b, ${NO_C} FROM vault_recipients r
     WHERE NOT EXISTS (SELECT 1 FROM vault v WHERE v.id = r.vault_id)
       OR NOT EXISTS (SELECT 1 FROM accounts a WHERE a.id = r.account_id)`,
  ),
  strayTraining: ofEmails('spam_training'),
  strayLearned: ofEmails('spam_learned'),
  strayModel: ofAccounts('spam_models', 'owner'),
  strayList: ofAccounts('sender_lists', 'account_id'),
  emptyBlob: check(
    `SELECT id AS a, size AS b, ${NO_C} FROM blobs WHERE size > 0
     AND ((data IS NULL AND file IS NULL) OR (data IS NOT NULL AND file IS NOT NULL))`,
  ),
  strayReference: check(
    `SELECT r.account_id AS a, r.hash AS b, r.thread_id AS c FROM thread_refs r
     JOIN account_counters c ON c.account_id = r.account_id WHERE r.thread_id > c.modseq`,
  ),
};
