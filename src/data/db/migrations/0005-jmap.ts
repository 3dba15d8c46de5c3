import type { TypeNames } from '../sql.ts';

/** Mail that is to leave later, and what JMAP tells of what was submitted. */
export function jmapLater(t: TypeNames): string[] {
  const clustered = t.dialect === 'sqlite' ? ' STRICT, WITHOUT ROWID' : '';
  return [
    // Until when it waits to be sent (RFC 4865); NULL: from the first attempt on, and for what was to leave at once.
    `ALTER TABLE queue_messages ADD COLUMN release_at ${t.int}`,
    // The EmailSubmission of the account that it is: jmap_objects.id.
    `ALTER TABLE queue_messages ADD COLUMN submission_id ${t.int}`,
    `CREATE INDEX queue_messages_submission ON queue_messages(account_id, submission_id)
      WHERE submission_id IS NOT NULL`,
    // Changes of jmap_objects by account and kind are counted apart from those of mail. floor: what was destroyed up to
    // this one may be forgotten.
    `CREATE TABLE jmap_counters (account_id ${t.int} NOT NULL REFERENCES accounts(id), kind ${t.text} NOT NULL,
      modseq ${t.int} NOT NULL, floor ${t.int} NOT NULL, PRIMARY KEY (account_id, kind))${clustered}`,
    `INSERT INTO jmap_counters (account_id, kind, modseq, floor)
      SELECT account_id, kind, MAX(modseq), 0 FROM jmap_objects GROUP BY account_id, kind`,
  ];
}
