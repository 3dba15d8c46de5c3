import type { TypeNames } from '../sql.ts';

/** Who may do what with whose mailboxes (RFC 4314), and annotations (RFC 5464). */
export function sharing(t: TypeNames): string[] {
  return [
    // 1: nobody logs in to it; its mailboxes are for those who were given rights.
    `ALTER TABLE accounts ADD COLUMN shared ${t.int} NOT NULL DEFAULT 0`,
    // Emails an account may keep, 0 any number (RFC 9208 section 5.2).
    `ALTER TABLE accounts ADD COLUMN quota_messages ${t.int} NOT NULL DEFAULT 0`,
    // subject: anyone | a:ACCOUNT | d:DOMAIN | g:ALIAS, by id, so that a name used again brings no old rights along.
    // rights: letters of RFC 4314 section 2.1. negative: 1 takes them away. The owner has them all without a row.
    `CREATE TABLE mailbox_rights (mailbox_id ${t.int} NOT NULL REFERENCES mailboxes(id) ON DELETE CASCADE,
      subject ${t.text} NOT NULL, negative ${t.int} NOT NULL, rights ${t.text} NOT NULL,
      PRIMARY KEY (mailbox_id, subject, negative))${t.table}`,
    `CREATE INDEX mailbox_rights_subject ON mailbox_rights(subject)`,
    `CREATE INDEX alias_targets_address ON alias_targets(address)`,
    // Subscriptions to others' mailboxes, by the name that the subscriber knows them by.
    `CREATE TABLE shared_subscriptions (account_id ${t.int} NOT NULL REFERENCES accounts(id), name ${t.text} NOT NULL,
      PRIMARY KEY (account_id, name))${t.table}`,
    // modseq: the owner's (of the server's: the setter's) when it was set.
    // viewer: account whose private annotation it is, or 0 for the shared one. entry: lower case, without the prefix
    // /private or /shared.
    `CREATE TABLE mailbox_annotations (mailbox_id ${t.int} NOT NULL REFERENCES mailboxes(id) ON DELETE CASCADE,
      viewer ${t.int} NOT NULL, entry ${t.text} NOT NULL, modseq ${t.int} NOT NULL, value ${t.blob} NOT NULL,
      PRIMARY KEY (mailbox_id, viewer, entry))${t.table}`,
    `CREATE INDEX mailbox_annotations_viewer ON mailbox_annotations(viewer)`,
    // Of the server as a whole.
    `CREATE TABLE server_annotations (viewer ${t.int} NOT NULL, entry ${t.text} NOT NULL, modseq ${t.int} NOT NULL,
      value ${t.blob} NOT NULL, PRIMARY KEY (viewer, entry))${t.table}`,
  ];
}
