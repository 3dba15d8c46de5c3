import type { TypeNames } from '../sql.ts';

/** Keys and certificates that correspondents sign with. */
export function keys(t: TypeNames): string[] {
  return [
    // kind: pgp | smime. fingerprint: hex in lower case (of a certificate its SHA-256). data: a transferable public key
    // (RFC 9580 section 10.1) or a certificate in DER. source: given | domain | autocrypt | message. trusted: 1 when the
    // owner of the account has said so.
    `CREATE TABLE correspondent_keys (id ${t.id},
      account_id ${t.int} NOT NULL REFERENCES accounts(id) ON DELETE CASCADE, kind ${t.text} NOT NULL,
      address ${t.text} NOT NULL, fingerprint ${t.text} NOT NULL, data ${t.blob} NOT NULL, source ${t.text} NOT NULL,
      trusted ${t.int} NOT NULL, first_seen ${t.int} NOT NULL, changed_at ${t.int} NOT NULL,
      UNIQUE (account_id, kind, address, fingerprint))${t.table}`,
    'CREATE INDEX correspondent_keys_address ON correspondent_keys(account_id, address)',
  ];
}
