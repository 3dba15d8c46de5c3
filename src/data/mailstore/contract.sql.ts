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
  blob: damage(`UPDATE emails SET blob_id = 999999 WHERE id = ?`),
};
