import type { TypeNames } from '../sql.ts';

/** The filter's memory, the vault, the brakes against abuse, and reports. Units as in the first schema. */
export function filter(t: TypeNames): string[] {
  return [...training(t), ...vault(t), ...brakes(t), ...reports(t)];
}

/** Ends a CREATE TABLE of short rows found by their primary key: SQLite keeps them in the key's own tree. */
function clustered(t: TypeNames): string {
  return t.dialect === 'sqlite' ? ' STRICT, WITHOUT ROWID' : '';
}

function training(t: TypeNames): string[] {
  return [
    // What the classifier has learned. owner: 0 for the site, else an account. ham, spam: messages learned.
    `CREATE TABLE spam_models (owner ${t.int} PRIMARY KEY, ham ${t.int} NOT NULL, spam ${t.int} NOT NULL,
      updated_at ${t.int} NOT NULL, model ${t.blob} NOT NULL)${t.table}`,
    // What is to be learned, in order: written by the commit that moved or marked the message.
    // label: ham | spam. cause: moved | marked | trained | released | kept.
    `CREATE TABLE spam_training (id ${t.id}, account_id ${t.int} NOT NULL REFERENCES accounts(id),
      email_id ${t.int} NOT NULL, label ${t.text} NOT NULL, cause ${t.text} NOT NULL, at ${t.int} NOT NULL)${t.table}`,
    // One wish for an email: the newest.
    `CREATE UNIQUE INDEX spam_training_email ON spam_training(account_id, email_id)`,
    `CREATE INDEX spam_training_order ON spam_training(account_id, id)`,
    // What was learned of an email, so that nothing is learned twice and a change of mind is.
    `CREATE TABLE spam_learned (account_id ${t.int} NOT NULL REFERENCES accounts(id), email_id ${t.int} NOT NULL,
      label ${t.text} NOT NULL, at ${t.int} NOT NULL, PRIMARY KEY (account_id, email_id))${clustered(t)}`,
    // Whom an account has written to. address: lower case.
    `CREATE TABLE correspondents (account_id ${t.int} NOT NULL REFERENCES accounts(id), address ${t.text} NOT NULL,
      sent ${t.int} NOT NULL, last_at ${t.int} NOT NULL, PRIMARY KEY (account_id, address))${clustered(t)}`,
    `CREATE INDEX correspondents_last ON correspondents(account_id, last_at)`,
    // Message-IDs of mail an account has sent (hash as in thread_refs): what answers them is no spam.
    `CREATE TABLE sent_message_ids (hash ${t.int} NOT NULL, account_id ${t.int} NOT NULL REFERENCES accounts(id),
      at ${t.int} NOT NULL, PRIMARY KEY (hash, account_id))${clustered(t)}`,
    `CREATE INDEX sent_message_ids_at ON sent_message_ids(account_id, at)`,
    // Senders that are always taken or never wanted. account_id: 0 for the site. kind: sender (pattern: address |
    // @domain) | network. action: allow | block.
    `CREATE TABLE sender_lists (account_id ${t.int} NOT NULL, kind ${t.text} NOT NULL, pattern ${t.text} NOT NULL,
      action ${t.text} NOT NULL, note ${t.text} NOT NULL, created_at ${t.int} NOT NULL,
      PRIMARY KEY (account_id, kind, pattern))${clustered(t)}`,
    // What a site has seen of senders. kind: domain (authenticated) | network. Counts decay.
    `CREATE TABLE reputation (kind ${t.text} NOT NULL, name ${t.text} NOT NULL, ham ${t.int} NOT NULL,
      spam ${t.int} NOT NULL, last_at ${t.int} NOT NULL, PRIMARY KEY (kind, name))${clustered(t)}`,
    `CREATE INDEX reputation_last ON reputation(last_at)`,
  ];
}

function vault(t: TypeNames): string[] {
  return [
    // Mail that was refused or held back after its data had arrived, kept for some days. case_number: as told to the
    // sender. kind: refused | held. verdict: JSON of the judgement. received: fields to go before the octets of every
    // copy. From sent_at on: what a release needs to make an email of it, as parsed; refs: JSON list of message ids.
    `CREATE TABLE vault (id ${t.id}, case_number ${t.text} NOT NULL UNIQUE, trace ${t.text} NOT NULL,
      kind ${t.text} NOT NULL, blob_id ${t.int} NOT NULL REFERENCES blobs(id), size ${t.int} NOT NULL,
      reverse_path ${t.text} NOT NULL, ip ${t.text} NOT NULL, author ${t.text} NOT NULL, subject ${t.text} NOT NULL,
      reason ${t.text} NOT NULL, created_at ${t.int} NOT NULL, expires_at ${t.int} NOT NULL, sent_at ${t.int},
      message_id ${t.text}, refs ${t.text} NOT NULL, hidden ${t.text}, received ${t.blob} NOT NULL,
      verdict ${t.text} NOT NULL, envelope ${t.blob} NOT NULL, bodystructure ${t.blob} NOT NULL,
      structure ${t.text} NOT NULL)${t.table}`,
    `CREATE INDEX vault_expires ON vault(expires_at)`,
    `CREATE INDEX vault_size ON vault(id, size)`,
    `CREATE INDEX vault_blob ON vault(blob_id)`,
    // Who it was for. state: kept | released | deleted.
    `CREATE TABLE vault_recipients (vault_id ${t.int} NOT NULL REFERENCES vault(id), account_id ${t.int} NOT NULL,
      address ${t.text} NOT NULL, state ${t.text} NOT NULL, PRIMARY KEY (vault_id, account_id))${clustered(t)}`,
    `CREATE INDEX vault_recipients_account ON vault_recipients(account_id, vault_id)`,
  ];
}

function brakes(t: TypeNames): string[] {
  return [
    // Greylisting by network and sender domain. passed_at: when the pair was first let through, NULL while it waits.
    `CREATE TABLE greylist (network ${t.text} NOT NULL, domain ${t.text} NOT NULL, first_at ${t.int} NOT NULL,
      last_at ${t.int} NOT NULL, tries ${t.int} NOT NULL, passed_at ${t.int}, PRIMARY KEY (network, domain))${clustered(t)}`,
    `CREATE INDEX greylist_last ON greylist(last_at)`,
    // Where an account logged in from: those places are not locked out with strangers.
    `CREATE TABLE known_logins (account_id ${t.int} NOT NULL REFERENCES accounts(id), network ${t.text} NOT NULL,
      last_at ${t.int} NOT NULL, PRIMARY KEY (account_id, network))${clustered(t)}`,
    // Bans, those that ended too: the next one of the same subject is longer. kind: network | account.
    `CREATE TABLE bans (id ${t.id}, kind ${t.text} NOT NULL, subject ${t.text} NOT NULL, cause ${t.text} NOT NULL,
      offences ${t.int} NOT NULL, created_at ${t.int} NOT NULL, until ${t.int} NOT NULL, lifted_at ${t.int},
      lifted_by ${t.text})${t.table}`,
    `CREATE INDEX bans_subject ON bans(kind, subject, until)`,
    `CREATE INDEX bans_until ON bans(until)`,
    // Networks that are never banned.
    `CREATE TABLE ban_exemptions (network ${t.text} PRIMARY KEY, note ${t.text} NOT NULL,
      created_at ${t.int} NOT NULL)${t.table}`,
    // Accounts whose outgoing mail is held, and why.
    `CREATE TABLE account_holds (account_id ${t.int} PRIMARY KEY REFERENCES accounts(id), reason ${t.text} NOT NULL,
      created_at ${t.int} NOT NULL)${t.table}`,
    // What an account sends a day: its own usual volume. day: days since the epoch, UTC.
    `CREATE TABLE account_volume (account_id ${t.int} NOT NULL REFERENCES accounts(id), day ${t.int} NOT NULL,
      messages ${t.int} NOT NULL, recipients ${t.int} NOT NULL, strangers ${t.int} NOT NULL,
      PRIMARY KEY (account_id, day))${clustered(t)}`,
  ];
}

function reports(t: TypeNames): string[] {
  return [
    // What we saw of others' domains, for the daily reports. row_key: hash of the columns that make a row of a report.
    `CREATE TABLE dmarc_observed (day ${t.int} NOT NULL, domain ${t.text} NOT NULL, row_key ${t.text} NOT NULL,
      count ${t.int} NOT NULL, data ${t.text} NOT NULL, PRIMARY KEY (day, domain, row_key))${clustered(t)}`,
    `CREATE TABLE tls_observed (day ${t.int} NOT NULL, domain ${t.text} NOT NULL, row_key ${t.text} NOT NULL,
      count ${t.int} NOT NULL, data ${t.text} NOT NULL, PRIMARY KEY (day, domain, row_key))${clustered(t)}`,
    // Reports that went out, so that none goes twice. kind: dmarc | tls. outcome: sent | none | failed.
    `CREATE TABLE reports_sent (kind ${t.text} NOT NULL, day ${t.int} NOT NULL, domain ${t.text} NOT NULL,
      report_id ${t.text} NOT NULL, outcome ${t.text} NOT NULL, detail ${t.text} NOT NULL, at ${t.int} NOT NULL,
      PRIMARY KEY (kind, day, domain))${clustered(t)}`,
    // Reports that others sent us. kind: dmarc | tls.
    `CREATE TABLE reports_received (id ${t.id}, kind ${t.text} NOT NULL, domain ${t.text} NOT NULL,
      organisation ${t.text} NOT NULL, report_id ${t.text} NOT NULL, begin_at ${t.int} NOT NULL, end_at ${t.int} NOT NULL,
      received_at ${t.int} NOT NULL, genuine ${t.int} NOT NULL, policy ${t.text} NOT NULL,
      UNIQUE (kind, domain, organisation, report_id))${t.table}`,
    `CREATE INDEX reports_received_end ON reports_received(end_at)`,
    `CREATE TABLE dmarc_received_rows (report_id ${t.int} NOT NULL REFERENCES reports_received(id), row_no ${t.int} NOT NULL,
      ip ${t.text} NOT NULL, count ${t.int} NOT NULL, disposition ${t.text} NOT NULL, dkim_aligned ${t.int} NOT NULL,
      spf_aligned ${t.int} NOT NULL, header_from ${t.text} NOT NULL, data ${t.text} NOT NULL,
      PRIMARY KEY (report_id, row_no))${clustered(t)}`,
    `CREATE TABLE tls_received_rows (report_id ${t.int} NOT NULL REFERENCES reports_received(id), row_no ${t.int} NOT NULL,
      policy_type ${t.text} NOT NULL, policy_domain ${t.text} NOT NULL, successes ${t.int} NOT NULL,
      failures ${t.int} NOT NULL, data ${t.text} NOT NULL, PRIMARY KEY (report_id, row_no))${clustered(t)}`,
    // Complaints (ARF) about mail of ours. account_id: who sent it, where that is known.
    `CREATE TABLE complaints (id ${t.id}, at ${t.int} NOT NULL, account_id ${t.int}, feedback_type ${t.text} NOT NULL,
      reporter ${t.text} NOT NULL, recipient ${t.text} NOT NULL, message_id ${t.text} NOT NULL,
      source_ip ${t.text} NOT NULL, data ${t.text} NOT NULL)${t.table}`,
    `CREATE INDEX complaints_at ON complaints(at)`,
    `CREATE INDEX complaints_account ON complaints(account_id, at)`,
  ];
}
