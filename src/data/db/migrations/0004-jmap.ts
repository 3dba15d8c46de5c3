import type { TypeNames } from '../sql.ts';

/** What JMAP keeps beside the mail, and what its change feeds need to know of what has gone. */
export function jmap(t: TypeNames): string[] {
  const clustered = t.dialect === 'sqlite' ? ' STRICT, WITHOUT ROWID' : '';
  return [
    // When what was expunged had come: whether a client that was here at some modseq has ever seen it there.
    `ALTER TABLE tombstones ADD COLUMN created_modseq ${t.int} NOT NULL DEFAULT 0`,
    // Expunges and deleted mailboxes up to this modseq may be forgotten, in whatever mailbox they were.
    `ALTER TABLE account_counters ADD COLUMN forgotten_modseq ${t.int} NOT NULL DEFAULT 0`,
    // Mailbox sortOrder (RFC 8621 section 2), where it is not 0.
    `CREATE TABLE jmap_sort_orders (mailbox_id ${t.int} PRIMARY KEY REFERENCES mailboxes(id) ON DELETE CASCADE,
      sort_order ${t.int} NOT NULL)${clustered}`,
    // kind: identity | submission. id: unique within account and kind, the modseq it was made at (identity 0: the
    // account's own address). data: JSON, NULL: it was destroyed at modseq.
    `CREATE TABLE jmap_objects (account_id ${t.int} NOT NULL REFERENCES accounts(id), kind ${t.text} NOT NULL,
      id ${t.int} NOT NULL, created_modseq ${t.int} NOT NULL, modseq ${t.int} NOT NULL, changed_at ${t.int} NOT NULL,
      data ${t.text}, PRIMARY KEY (account_id, kind, id))${clustered}`,
    // Octets that a client has uploaded, for messages to be made of; kept for a day.
    `CREATE TABLE jmap_uploads (id ${t.id}, account_id ${t.int} NOT NULL REFERENCES accounts(id), size ${t.int} NOT NULL,
      complete ${t.int} NOT NULL, created_at ${t.int} NOT NULL)${t.table}`,
    `CREATE INDEX jmap_uploads_account ON jmap_uploads(account_id)`,
    `CREATE INDEX jmap_uploads_created ON jmap_uploads(created_at)`,
    `CREATE TABLE jmap_upload_pieces (upload_id ${t.int} NOT NULL REFERENCES jmap_uploads(id) ON DELETE CASCADE,
      start ${t.int} NOT NULL, data ${t.blob} NOT NULL, PRIMARY KEY (upload_id, start))${t.table}`,
  ];
}
