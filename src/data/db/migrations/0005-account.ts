import type { TypeNames } from '../sql.ts';

/** What people keep for themselves: masked addresses, snoozed mail, labels, preferences, names of correspondents. */
export function account(t: TypeNames): string[] {
  const clustered = t.dialect === 'sqlite' ? ' STRICT, WITHOUT ROWID' : '';
  return [
    // state: on | off | deleted. A deleted one stays, so that nobody else ever gets the mail that still comes to it.
    `CREATE TABLE masked_addresses (id ${t.id}, account_id ${t.int} NOT NULL REFERENCES accounts(id),
      domain_id ${t.int} NOT NULL REFERENCES domains(id), local_part ${t.text} NOT NULL, label ${t.text} NOT NULL,
      site ${t.text} NOT NULL, state ${t.text} NOT NULL, created_at ${t.int} NOT NULL, last_at ${t.int},
      count ${t.int} NOT NULL, UNIQUE (domain_id, local_part))${t.table}`,
    `CREATE INDEX masked_addresses_account ON masked_addresses(account_id, id)`,
    // Who has written to one, by organisational domain.
    `CREATE TABLE masked_senders (masked_id ${t.int} NOT NULL REFERENCES masked_addresses(id) ON DELETE CASCADE,
      domain ${t.text} NOT NULL, count ${t.int} NOT NULL, first_at ${t.int} NOT NULL, last_at ${t.int} NOT NULL,
      PRIMARY KEY (masked_id, domain))${clustered}`,
    // Mail that is put away until wake_at. mailbox_id: where it lies meanwhile, back_to: where it goes then.
    `CREATE TABLE snoozes (email_id ${t.int} PRIMARY KEY REFERENCES emails(id) ON DELETE CASCADE,
      account_id ${t.int} NOT NULL REFERENCES accounts(id), mailbox_id ${t.int} NOT NULL, back_to ${t.int} NOT NULL,
      wake_at ${t.int} NOT NULL, since ${t.int} NOT NULL)${clustered}`,
    `CREATE INDEX snoozes_wake ON snoozes(wake_at)`,
    `CREATE INDEX snoozes_account ON snoozes(account_id, wake_at)`,
    // kind: labels | preferences. data: JSON.
    `CREATE TABLE account_settings (account_id ${t.int} NOT NULL REFERENCES accounts(id), kind ${t.text} NOT NULL,
      data ${t.text} NOT NULL, changed_at ${t.int} NOT NULL, PRIMARY KEY (account_id, kind))${clustered}`,
    // How a correspondent is called; hidden 1: not to be proposed any more.
    `ALTER TABLE correspondents ADD COLUMN name ${t.text} NOT NULL DEFAULT ''`,
    `ALTER TABLE correspondents ADD COLUMN hidden ${t.int} NOT NULL DEFAULT 0`,
  ];
}
