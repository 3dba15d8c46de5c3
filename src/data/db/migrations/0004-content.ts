import type { TypeNames } from '../sql.ts';

/** Keys by which emails are sorted and put into threads, and their previews. */
export function content(t: TypeNames): string[] {
  return [
    // What SORT and THREAD go by (mail/message/sort-keys.ts). sent_at: Date field, NULL where none can be read. refs:
    // 8 octets for each id, the email's own first. Emails from before this table get their row when somebody sorts.
    `CREATE TABLE email_keys (email_id ${t.int} PRIMARY KEY REFERENCES emails(id), sent_at ${t.int},
      reply ${t.int} NOT NULL, subject ${t.text} NOT NULL, from_mailbox ${t.text} NOT NULL, to_mailbox ${t.text} NOT NULL,
      cc_mailbox ${t.text} NOT NULL, from_display ${t.text} NOT NULL, to_display ${t.text} NOT NULL,
      refs ${t.blob} NOT NULL)${t.dialect === 'sqlite' ? ' STRICT, WITHOUT ROWID' : ''}`,
    // PREVIEW (RFC 8970), kept when somebody first asks for it (mail/preview.ts).
    `CREATE TABLE email_previews (email_id ${t.int} PRIMARY KEY REFERENCES emails(id), preview ${t.text} NOT NULL)${
      t.dialect === 'sqlite' ? ' STRICT, WITHOUT ROWID' : ''
    }`,
    // Mailbox access keys of URLAUTH (RFC 4467): account_id is who makes URLs with it, the owner of the mailbox or not.
    `CREATE TABLE mailbox_url_keys (mailbox_id ${t.int} NOT NULL REFERENCES mailboxes(id) ON DELETE CASCADE,
      account_id ${t.int} NOT NULL REFERENCES accounts(id), secret ${t.blob} NOT NULL,
      PRIMARY KEY (mailbox_id, account_id))${t.table}`,
    `CREATE INDEX mailbox_url_keys_account ON mailbox_url_keys(account_id)`,
  ];
}
