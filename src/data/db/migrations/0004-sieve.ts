import type { TypeNames } from '../sql.ts';

/** Sieve scripts and what they remember. */
export function sieve(t: TypeNames): string[] {
  const clustered = t.dialect === 'sqlite' ? ' STRICT, WITHOUT ROWID' : '';
  return [
    // place: account | generated | domain-before | domain-after | site-before | site-after | global. owner: the account's
    // or the domain's id, 0 for the site. size: octets of text. digest: SHA-256 of text in hex. active: 1 for what runs
    // on delivery (of 'account' at most one; 'global' scripts are only included).
    `CREATE TABLE sieve_scripts (id ${t.id}, place ${t.text} NOT NULL, owner ${t.int} NOT NULL, name ${t.text} NOT NULL,
      text ${t.text} NOT NULL, size ${t.int} NOT NULL, digest ${t.text} NOT NULL, active ${t.int} NOT NULL,
      created_at ${t.int} NOT NULL, changed_at ${t.int} NOT NULL, UNIQUE (place, owner, name))${t.table}`,
    'CREATE INDEX sieve_scripts_active ON sieve_scripts(owner, place) WHERE active = 1',
    // Vacation, forwards and rules as data (JSON); the script made of them is the row 'generated' of sieve_scripts.
    `CREATE TABLE sieve_settings (account_id ${t.int} PRIMARY KEY REFERENCES accounts(id), settings ${t.text} NOT NULL,
      changed_at ${t.int} NOT NULL)${clustered}`,
    // Who was answered, which message was seen: key is a kind and a digest.
    `CREATE TABLE sieve_memory (account_id ${t.int} NOT NULL REFERENCES accounts(id), key ${t.text} NOT NULL,
      expires_at ${t.int} NOT NULL, PRIMARY KEY (account_id, key))${clustered}`,
    'CREATE INDEX sieve_memory_expires ON sieve_memory(expires_at)',
    // What scripts of an account did in a day (days since the epoch, UTC).
    `CREATE TABLE sieve_days (account_id ${t.int} NOT NULL REFERENCES accounts(id), day ${t.int} NOT NULL,
      redirects ${t.int} NOT NULL, replies ${t.int} NOT NULL, remembered ${t.int} NOT NULL,
      PRIMARY KEY (account_id, day))${clustered}`,
  ];
}
