import type { TypeNames } from '../sql.ts';

/** Who administers what, groups, invitations, statistics, and how to take back what an administrator did. */
export function admin(t: TypeNames): string[] {
  const clustered = t.dialect === 'sqlite' ? ' STRICT, WITHOUT ROWID' : '';
  return [
    // Domains that an account administers beside its own; accounts.delegated is 1 for those that have any.
    `CREATE TABLE admin_domains (account_id ${t.int} NOT NULL REFERENCES accounts(id),
      domain_id ${t.int} NOT NULL REFERENCES domains(id) ON DELETE CASCADE, PRIMARY KEY (account_id, domain_id))${clustered}`,
    `CREATE INDEX admin_domains_domain ON admin_domains(domain_id)`,
    `ALTER TABLE accounts ADD COLUMN delegated ${t.int} NOT NULL DEFAULT 0`,
    // An alias that is a list of people. senders: anyone | domain | members.
    `CREATE TABLE alias_groups (alias_id ${t.int} PRIMARY KEY REFERENCES aliases(id) ON DELETE CASCADE,
      description ${t.text} NOT NULL, senders ${t.text} NOT NULL, created_at ${t.int} NOT NULL)${clustered}`,
    // digest: SHA-256 of the token in hex. address: NULL for any name in the domain. used_for: the account that came of it.
    `CREATE TABLE invitations (id ${t.id}, digest ${t.text} NOT NULL UNIQUE,
      domain_id ${t.int} NOT NULL REFERENCES domains(id) ON DELETE CASCADE, address ${t.text}, role ${t.text} NOT NULL,
      quota ${t.int} NOT NULL, note ${t.text} NOT NULL, created_by ${t.text} NOT NULL, created_at ${t.int} NOT NULL,
      expires_at ${t.int} NOT NULL, used_at ${t.int}, used_for ${t.text})${t.table}`,
    `CREATE INDEX invitations_domain ON invitations(domain_id)`,
    `CREATE INDEX invitations_expires ON invitations(expires_at)`,
    // step: 60, 3600 or 86400 seconds. at: seconds since the epoch. data: JSON of what was counted and measured then.
    `CREATE TABLE stats (step ${t.int} NOT NULL, at ${t.int} NOT NULL, data ${t.text} NOT NULL,
      PRIMARY KEY (step, at))${clustered}`,
    // undo: JSON, what to put back and what must still hold for it (data/directory/undo.ts). undone_by: row of the undo.
    `ALTER TABLE audit ADD COLUMN undo ${t.text}`,
    `ALTER TABLE audit ADD COLUMN undone_by ${t.int}`,
  ];
}
