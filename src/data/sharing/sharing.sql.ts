import { statement } from '../db/sql.ts';
import type { MailboxColumns } from '../mailstore/mailboxes.sql.ts';

/** Access control lists and subscriptions to others' mailboxes. */

export interface PersonRow {
  id: number;
  address: string;
  domain_id: number;
  shared: number;
}

const PERSON = `SELECT id, address, domain_id, shared FROM accounts`;

export const personById = statement<[id: number], PersonRow>(
  `${PERSON} WHERE id = ? AND status <> 'removed'`,
);
export const personByAddress = statement<[address: string], PersonRow>(
  `${PERSON} WHERE address = ? AND status <> 'removed'`,
);

export interface RightsRow {
  rights: string;
  negative: number;
}

/** The subjects that mean an account: everybody, itself, its domain, the aliases that lead to it. */
const MINE = `(SELECT 'anyone' UNION ALL SELECT CAST(? AS TEXT) UNION ALL SELECT CAST(? AS TEXT)
  UNION ALL SELECT 'g:' || CAST(t.alias_id AS TEXT) FROM alias_targets t WHERE t.address = ?)`;
type Mine = [account: string, domain: string, address: string];

/** The entries of a mailbox's list that mean an account. */
export const rightsOfViewer = statement<[mailboxId: number, ...Mine], RightsRow & { subject: string }>(
  `SELECT r.subject, r.rights, r.negative FROM mailbox_rights r WHERE r.mailbox_id = ? AND r.subject IN ${MINE}`,
);

export interface SharedRow extends MailboxColumns, RightsRow {
  address: string;
  shared: number;
}

/** Entries that mean an account, of all mailboxes that are not its own, a mailbox's next to each other. */
export const sharedWith = statement<[...Mine, accountId: number, limit: number], SharedRow>(
  `SELECT m.id, m.account_id, m.name, m.special_use, m.subscribed, m.uidvalidity, m.uidnext, m.modseq, m.messages,
     m.unseen, m.deleted, m.size, m.recent_uid, m.forgotten_modseq, a.address, a.shared, r.rights, r.negative
   FROM mailbox_rights r JOIN mailboxes m ON m.id = r.mailbox_id JOIN accounts a ON a.id = m.account_id
   WHERE r.subject IN ${MINE} AND m.account_id <> ? AND a.status <> 'removed' ORDER BY m.id LIMIT ?`,
);

/** Entries of an account's own mailboxes that mean itself: few have any. */
export const ownEntries = statement<
  [accountId: number, ...Mine],
  RightsRow & { mailbox_id: number; subject: string }
>(
  `SELECT r.mailbox_id, r.subject, r.rights, r.negative FROM mailboxes m JOIN mailbox_rights r ON r.mailbox_id = m.id
   WHERE m.account_id = ? AND r.subject IN ${MINE}`,
);

/** A list with what its subjects are called; those whose name is gone are left out. */
export const aclOf = statement<
  [mailboxId: number],
  RightsRow & { subject: string; address: string | null; domain: string | null; alias: string | null }
>(
  `SELECT r.subject, r.rights, r.negative, a.address, d.name AS domain, l.local_part || '@' || e.name AS alias
   FROM mailbox_rights r
   LEFT JOIN accounts a ON r.subject = 'a:' || CAST(a.id AS TEXT) AND a.status <> 'removed'
   LEFT JOIN domains d ON r.subject = 'd:' || CAST(d.id AS TEXT)
   LEFT JOIN aliases l ON r.subject = 'g:' || CAST(l.id AS TEXT) LEFT JOIN domains e ON e.id = l.domain_id
   WHERE r.mailbox_id = ? ORDER BY r.negative, r.subject`,
);

export const entryOf = statement<[mailboxId: number, subject: string, negative: number], { rights: string }>(
  `SELECT rights FROM mailbox_rights WHERE mailbox_id = ? AND subject = ? AND negative = ?`,
);

export const anyEntry = statement<[mailboxId: number], { one: number }>(
  `SELECT 1 AS one FROM mailbox_rights WHERE mailbox_id = ? LIMIT 1`,
);

export const countEntries = statement<[mailboxId: number], { n: number }>(
  `SELECT COUNT(*) AS n FROM mailbox_rights WHERE mailbox_id = ?`,
);

export const putEntry = statement<[mailboxId: number, subject: string, negative: number, rights: string]>(
  `INSERT INTO mailbox_rights (mailbox_id, subject, negative, rights) VALUES (?, ?, ?, ?)
   ON CONFLICT (mailbox_id, subject, negative) DO UPDATE SET rights = excluded.rights`,
);

export const deleteEntry = statement<[mailboxId: number, subject: string, negative: number]>(
  `DELETE FROM mailbox_rights WHERE mailbox_id = ? AND subject = ? AND negative = ?`,
);

export const deleteSubject = statement<[subject: string]>(`DELETE FROM mailbox_rights WHERE subject = ?`);

/** A new mailbox begins with the list of the one above it. */
export const inheritRights = statement<[mailboxId: number, accountId: number, parent: string]>(
  `INSERT INTO mailbox_rights (mailbox_id, subject, negative, rights)
   SELECT CAST(? AS BIGINT), r.subject, r.negative, r.rights FROM mailboxes m JOIN mailbox_rights r ON r.mailbox_id = m.id
   WHERE m.account_id = ? AND m.name = ?`,
);

/** The same from the inbox, in an account that nobody logs in to. */
export const inheritFromInbox = statement<[mailboxId: number, accountId: number]>(
  `INSERT INTO mailbox_rights (mailbox_id, subject, negative, rights)
   SELECT CAST(? AS BIGINT), r.subject, r.negative, r.rights FROM accounts a
   JOIN mailboxes m ON m.account_id = a.id AND m.name = 'INBOX' JOIN mailbox_rights r ON r.mailbox_id = m.id
   WHERE a.id = ? AND a.shared = 1`,
);

export const subscriptionsOf = statement<[accountId: number], { name: string }>(
  `SELECT name FROM shared_subscriptions WHERE account_id = ? ORDER BY name`,
);

export const subscriptionHeld = statement<[accountId: number, name: string], { name: string }>(
  `SELECT name FROM shared_subscriptions WHERE account_id = ? AND name = ?`,
);

export const addSubscription = statement<[accountId: number, name: string]>(
  `INSERT INTO shared_subscriptions (account_id, name) VALUES (?, ?) ON CONFLICT (account_id, name) DO NOTHING`,
);

export const dropSubscription = statement<[accountId: number, name: string]>(
  `DELETE FROM shared_subscriptions WHERE account_id = ? AND name = ?`,
);

export const deleteSubscriptions = statement<[accountId: number]>(
  `DELETE FROM shared_subscriptions WHERE account_id = ?`,
);
export const deleteRightsOf = statement<[accountId: number]>(
  `DELETE FROM mailbox_rights WHERE subject = 'a:' || CAST(? AS TEXT)`,
);
export const deleteMailboxAnnotations = statement<[accountId: number]>(
  `DELETE FROM mailbox_annotations WHERE viewer = ?`,
);
export const deleteServerAnnotations = statement<[accountId: number]>(
  `DELETE FROM server_annotations WHERE viewer = ?`,
);
/** What goes with an account for good. Its mailboxes take their lists and annotations along. */
export const forgetAccountStatements = [
  deleteSubscriptions,
  deleteRightsOf,
  deleteMailboxAnnotations,
  deleteServerAnnotations,
] as const;
