import type { TypeNames } from '../sql.ts';

/** What was brought in from other mail systems, so that doing it again brings only what is new. */
export function imported(t: TypeNames): string[] {
  const clustered = t.dialect === 'sqlite' ? ' STRICT, WITHOUT ROWID' : '';
  return [
    // source: where mail came from, as the importer names it ("imap:alice@old.example:993/INBOX?1466543").
    `CREATE TABLE import_sources (id ${t.id}, account_id ${t.int} NOT NULL REFERENCES accounts(id),
      source ${t.text} NOT NULL, created_at ${t.int} NOT NULL)${t.table}`,
    `CREATE UNIQUE INDEX import_sources_name ON import_sources(account_id, source)`,
    // key: names the message within its source. uid: as which it was placed. flags, keywords: as the source had them when
    // they were taken over last; keywords: NULL for none. digest: SHA-256 of the octets.
    `CREATE TABLE imported (source_id ${t.int} NOT NULL REFERENCES import_sources(id), key ${t.text} NOT NULL,
      mailbox_id ${t.int} NOT NULL, uid ${t.int} NOT NULL, flags ${t.int} NOT NULL, keywords ${t.text},
      size ${t.int} NOT NULL, digest ${t.blob} NOT NULL, PRIMARY KEY (source_id, key, mailbox_id))${clustered}`,
    `CREATE INDEX imported_digest ON imported(mailbox_id, digest)`,
  ];
}
