import type { TypeNames } from '../sql.ts';

/** Certificates that authorities issue by ACME. Times: milliseconds since the epoch. */
export function certificates(t: TypeNames): string[] {
  return [
    // One account at each authority. directory: its URL. url: the account's, NULL until it is made. contact: JSON list as
    // it was told. private_key: PEM.
    `CREATE TABLE acme_accounts (directory ${t.text} PRIMARY KEY, private_key ${t.text} NOT NULL, url ${t.text},
      contact ${t.text} NOT NULL, created_at ${t.int} NOT NULL)${t.table}`,
    // What is wanted, by its main name, with what is there: chain, private_key: PEM, NULL until there is one; names: JSON
    // list of those in it. renew_at: when the next is due. window_*: as the authority wishes, ask_at: when it is asked
    // again. failures: in a row; retry_at: not before.
    `CREATE TABLE acme_certificates (name ${t.text} PRIMARY KEY, directory ${t.text} NOT NULL, names ${t.text} NOT NULL,
      chain ${t.text}, private_key ${t.text}, not_before ${t.int}, not_after ${t.int}, issued_at ${t.int}, renew_at ${t.int},
      window_start ${t.int}, window_end ${t.int}, explanation ${t.text}, ask_at ${t.int}, failures ${t.int} NOT NULL,
      failed_at ${t.int}, failure ${t.text}, retry_at ${t.int}, created_at ${t.int} NOT NULL)${t.table}`,
  ];
}
