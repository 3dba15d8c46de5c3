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
  ];
}
