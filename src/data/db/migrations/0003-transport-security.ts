import type { TypeNames } from '../sql.ts';

/** What is known of other hosts' TLS. Times: milliseconds since the epoch. */
export function transportSecurity(t: TypeNames): string[] {
  const clustered = t.dialect === 'sqlite' ? ' STRICT, WITHOUT ROWID' : '';
  return [
    // MTA-STS policies by domain (RFC 8461). record_id: id of the TXT record it came with; '' and no policy: a fetch that
    // failed. mode: enforce | testing | none. failed_at, failure: the last fetch that failed since.
    `CREATE TABLE sts_policies (domain ${t.text} PRIMARY KEY, record_id ${t.text} NOT NULL, mode ${t.text} NOT NULL,
      policy ${t.blob}, fetched_at ${t.int} NOT NULL, expires_at ${t.int} NOT NULL, used_at ${t.int} NOT NULL,
      failed_at ${t.int}, failed_id ${t.text}, failure_type ${t.text}, failure ${t.text})${t.table}`,
    `CREATE INDEX sts_policies_expires ON sts_policies(expires_at)`,
    `CREATE INDEX sts_policies_used ON sts_policies(used_at)`,
    // Hosts with which TLS works only in a reduced form, or not at all. quirk: small-hello | tls1.2 | plain.
    // until: when the usual form is tried again. seen: times it was found.
    `CREATE TABLE tls_quirks (host ${t.text} PRIMARY KEY, quirk ${t.text} NOT NULL, reason ${t.text} NOT NULL,
      first_at ${t.int} NOT NULL, last_at ${t.int} NOT NULL, until ${t.int} NOT NULL, seen ${t.int} NOT NULL)${clustered}`,
    `CREATE INDEX tls_quirks_last ON tls_quirks(last_at)`,
  ];
}
