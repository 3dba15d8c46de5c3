import { statement } from '../db/sql.ts';

export interface MailboxColumns {
  id: number;
  account_id: number;
  name: string;
  special_use: string | null;
  subscribed: number;
  uidvalidity: number;
  uidnext: number;
  modseq: number;
  messages: number;
  unseen: number;
  deleted: number;
  size: number;
  recent_uid: number;
  forgotten_modseq: number;
}

const COLUMNS = `id, account_id, name, special_use, subscribed, uidvalidity, uidnext, modseq, messages, unseen, deleted,
  size, recent_uid, forgotten_modseq`;

export const mailboxesOf = statement<[accountId: number], MailboxColumns>(
  `SELECT ${COLUMNS} FROM mailboxes WHERE account_id = ?`,
);

export const mailboxByName = statement<[accountId: number, name: string], MailboxColumns>(
  `SELECT ${COLUMNS} FROM mailboxes WHERE account_id = ? AND name = ?`,
);

export const mailboxById = statement<[id: number], MailboxColumns>(
  `SELECT ${COLUMNS} FROM mailboxes WHERE id = ?`,
);

export const countMailboxes = statement<[accountId: number], { n: number }>(
  `SELECT COUNT(*) AS n FROM mailboxes WHERE account_id = ?`,
);

export const mailboxBySpecialUse = statement<[accountId: number, specialUse: string], { id: number }>(
  `SELECT id FROM mailboxes WHERE account_id = ? AND special_use = ? ORDER BY id LIMIT 1`,
);

/** Everything below a mailbox. The prefix ends in '/', `length` counts its code points. */
export const mailboxesUnder = statement<
  [accountId: number, length: number, prefix: string],
  { id: number; name: string; subscribed: number }
>(
  `SELECT id, name, subscribed FROM mailboxes WHERE account_id = ? AND SUBSTR(name, 1, CAST(? AS INTEGER)) = ?`,
);

export const insertMailbox = statement<
  [
    accountId: number,
    name: string,
    specialUse: string | null,
    subscribed: number,
    uidvalidity: number,
    modseq: number,
    createdModseq: number,
    createdAt: number,
  ],
  { id: number }
>(
  `INSERT INTO mailboxes (account_id, name, special_use, subscribed, uidvalidity, uidnext, recent_uid, modseq,
     created_modseq, messages, unseen, deleted, size, forgotten_modseq, created_at)
   VALUES (?, ?, ?, ?, ?, 1, 1, ?, ?, 0, 0, 0, 0, 0, ?) RETURNING id`,
);

export const deleteMailbox = statement<[id: number]>(`DELETE FROM mailboxes WHERE id = ?`);

export const insertDeadMailbox = statement<
  [
    id: number,
    accountId: number,
    name: string,
    subscribed: number,
    uidvalidity: number,
    modseq: number,
    at: number,
  ]
>(
  `INSERT INTO dead_mailboxes (id, account_id, name, subscribed, uidvalidity, modseq, died_at)
   VALUES (?, ?, ?, ?, ?, ?, ?)`,
);

export const renameMailbox = statement<[name: string, subscribed: number, modseq: number, id: number]>(
  `UPDATE mailboxes SET name = ?, subscribed = ?, modseq = ? WHERE id = ?`,
);

export const setSubscribed = statement<[subscribed: number, modseq: number, id: number, subscribed: number]>(
  `UPDATE mailboxes SET subscribed = ?, modseq = ? WHERE id = ? AND subscribed <> ?`,
);

/** Names that are subscribed although their mailbox is gone. */
export const deadSubscriptions = statement<
  [accountId: number],
  { name: string; uidvalidity: number; modseq: number }
>(`SELECT name, uidvalidity, modseq FROM dead_mailboxes WHERE account_id = ? AND subscribed = 1`);

export const dropDeadSubscription = statement<[accountId: number, name: string]>(
  `UPDATE dead_mailboxes SET subscribed = 0 WHERE account_id = ? AND name = ? AND subscribed = 1`,
);

export const takeRecent = statement<[id: number]>(`UPDATE mailboxes SET recent_uid = uidnext WHERE id = ?`);

/** Take a UID for one message and count the message. */
export const takeUid = statement<
  [unseen: number, deleted: number, size: number, modseq: number, id: number],
  { uid: number; uidvalidity: number; name: string }
>(
  `UPDATE mailboxes SET uidnext = uidnext + 1, messages = messages + 1, unseen = unseen + ?, deleted = deleted + ?,
     size = size + ?, modseq = ? WHERE id = ? RETURNING uidnext - 1 AS uid, uidvalidity, name`,
);

/** Change the counters of a mailbox by differences. */
export const adjustMailbox = statement<
  [uids: number, messages: number, unseen: number, deleted: number, size: number, modseq: number, id: number]
>(
  `UPDATE mailboxes SET uidnext = uidnext + ?, messages = messages + ?, unseen = unseen + ?, deleted = deleted + ?,
     size = size + ?, modseq = ? WHERE id = ?`,
);
