import type { TypeNames } from '../sql.ts';

/** What administrators and owners are told of, and whether they were. */
export function alerts(t: TypeNames): string[] {
  const clustered = t.dialect === 'sqlite' ? ' STRICT, WITHOUT ROWID' : '';
  return [
    // key: what it is about ("certificate mail.example.org"). kind: as the settings name it. told_at: NULL until a mail
    // told of it. cleared_at: when it was well again; gone when that was told too.
    `CREATE TABLE alerts (key ${t.text} PRIMARY KEY, kind ${t.text} NOT NULL, severity ${t.text} NOT NULL,
      summary ${t.text} NOT NULL, remedy ${t.text} NOT NULL, since ${t.int} NOT NULL, seen_at ${t.int} NOT NULL,
      told_at ${t.int}, cleared_at ${t.int})${clustered}`,
    // The share of its quota, percent, that an account's owner was told of last.
    `CREATE TABLE quota_told (account_id ${t.int} PRIMARY KEY REFERENCES accounts(id), percent ${t.int} NOT NULL,
      told_at ${t.int} NOT NULL)${clustered}`,
  ];
}
