import { statement } from '../db/sql.ts';

/** What tests look at, or break, behind the store's back. */
export const countBlobs = statement<[], { n: number }>(`SELECT COUNT(*) AS n FROM blobs`);

const damage = (text: string) => statement<[id: number]>(text);

/** Each takes the id of the mailbox, account or email to harm. */
export const damages = {
  messages: damage(`UPDATE mailboxes SET messages = messages + 1 WHERE id = ?`),
  unseen: damage(`UPDATE placements SET flags = 0 WHERE mailbox_id = ?`),
  uidnext: damage(`UPDATE mailboxes SET uidnext = 1 WHERE id = ?`),
  modseq: damage(`UPDATE placements SET modseq = modseq + 1000 WHERE mailbox_id = ?`),
  used: damage(`UPDATE account_counters SET used = used + 1 WHERE account_id = ?`),
  orphan: damage(`UPDATE emails SET orphaned_at = 1 WHERE id = ?`),
  training: damage(
    `INSERT INTO spam_training (account_id, email_id, label, cause, at) VALUES (?, 999999, 'ham', 'moved', 1)`,
  ),
  learned: damage(`INSERT INTO spam_learned (account_id, email_id, label, at) VALUES (?, 999999, 'ham', 1)`),
  model: damage(
    `INSERT INTO spam_models (owner, ham, spam, updated_at, model)
     SELECT account_id + 1000, 1, 1, 1, envelope FROM emails WHERE account_id = ?`,
  ),
  senders: damage(
    `INSERT INTO sender_lists (account_id, kind, pattern, action, note, created_at)
     VALUES (? + 1000, 'sender', '@x', 'allow', '', 1)`,
  ),
  vault: damage(
    `INSERT INTO vault_recipients (vault_id, account_id, address, state) VALUES (77, ?, '', 'kept')`,
  ),
  blob: damage(`UPDATE emails SET blob_id = 999999 WHERE id = ?`),
};
