import type { TypeNames } from '../sql.ts';

/** The first schema. Times are milliseconds since the epoch, sizes octets, flags of truth 0 or 1. */
export function first(t: TypeNames): string[] {
  return [...directory(t), ...mail(t), ...queue(t), ...journal(t)];
}

function directory(t: TypeNames): string[] {
  return [
    // name: A-label, lower case. alias_of: this domain means that one. catch_all: address that gets the rest.
    `CREATE TABLE domains (id ${t.id}, name ${t.text} NOT NULL UNIQUE, alias_of ${t.int} REFERENCES domains(id),
      catch_all ${t.text}, created_at ${t.int} NOT NULL)${t.table}`,
    // address: primary address, normalised. role: user | domain-admin | admin. status: active | suspended | removed.
    `CREATE TABLE accounts (id ${t.id}, address ${t.text} NOT NULL, domain_id ${t.int} NOT NULL REFERENCES domains(id),
      display_name ${t.text} NOT NULL, role ${t.text} NOT NULL, status ${t.text} NOT NULL, removed_at ${t.int},
      quota ${t.int} NOT NULL, recipients_per_hour ${t.int}, created_at ${t.int} NOT NULL)${t.table}`,
    `CREATE UNIQUE INDEX accounts_address ON accounts(address) WHERE status <> 'removed'`,
    `CREATE INDEX accounts_domain ON accounts(domain_id)`,
    // The row every write to an account's mail takes: change counter (modseq), octets and emails in use.
    `CREATE TABLE account_counters (account_id ${t.int} PRIMARY KEY REFERENCES accounts(id), modseq ${t.int} NOT NULL,
      used ${t.int} NOT NULL, emails ${t.int} NOT NULL, uidvalidity ${t.int} NOT NULL)${t.table}`,
    // Aliases: local_part@domain to one or many addresses.
    `CREATE TABLE aliases (id ${t.id}, domain_id ${t.int} NOT NULL REFERENCES domains(id), local_part ${t.text} NOT NULL,
      created_at ${t.int} NOT NULL, UNIQUE (domain_id, local_part))${t.table}`,
    `CREATE TABLE alias_targets (alias_id ${t.int} NOT NULL REFERENCES aliases(id), address ${t.text} NOT NULL,
      PRIMARY KEY (alias_id, address))${t.table}`,
    // scheme: argon2id or the imported hash's own. scram_*: NULL until the password was seen once.
    `CREATE TABLE credentials (account_id ${t.int} PRIMARY KEY REFERENCES accounts(id), hash ${t.text} NOT NULL,
      scram_salt ${t.blob}, scram_iterations ${t.int}, scram_stored_key ${t.blob}, scram_server_key ${t.blob},
      changed_at ${t.int} NOT NULL)${t.table}`,
    // Further addresses (or '@domain') an account may send as.
    `CREATE TABLE sender_grants (account_id ${t.int} NOT NULL REFERENCES accounts(id), address ${t.text} NOT NULL,
      created_at ${t.int} NOT NULL, PRIMARY KEY (account_id, address))${t.table}`,
    // state: active | retired
    `CREATE TABLE dkim_keys (id ${t.id}, domain_id ${t.int} NOT NULL REFERENCES domains(id), selector ${t.text} NOT NULL,
      algorithm ${t.text} NOT NULL, private_key ${t.text} NOT NULL, public_key ${t.text} NOT NULL, state ${t.text} NOT NULL,
      created_at ${t.int} NOT NULL, UNIQUE (domain_id, selector))${t.table}`,
    // Small values of the program itself: keys for SRS, the decoy for unknown logins, when jobs ran last.
    `CREATE TABLE settings (name ${t.text} PRIMARY KEY, value ${t.text} NOT NULL)${t.table}`,
  ];
}

/** Ends a CREATE TABLE of short rows found by their primary key: SQLite keeps them in the key's own tree. */
function clustered(t: TypeNames): string {
  return t.dialect === 'sqlite' ? ' STRICT, WITHOUT ROWID' : '';
}

function mail(t: TypeNames): string[] {
  return [
    // The octets of a message, once, whoever holds it. data: inline octets, or NULL and file: name in the blob store.
    // encoding: raw | zstd (of data or of the file). size: of the decoded octets. Large columns stand last, here and in
    // emails, so that reading the small ones touches no overflow page.
    `CREATE TABLE blobs (id ${t.id}, size ${t.int} NOT NULL, encoding ${t.text} NOT NULL, file ${t.text},
      created_at ${t.int} NOT NULL, data ${t.blob})${t.table}`,
    `CREATE INDEX blobs_file ON blobs(file) WHERE file IS NOT NULL`,
    // name: full path, '/' between levels, NFC. special_use: e.g. \Junk. recent_uid: lowest UID no session was told of.
    // forgotten_modseq: expunges up to this modseq may have lost their tombstones.
    `CREATE TABLE mailboxes (id ${t.id}, account_id ${t.int} NOT NULL REFERENCES accounts(id), name ${t.text} NOT NULL,
      special_use ${t.text}, subscribed ${t.int} NOT NULL, uidvalidity ${t.int} NOT NULL, uidnext ${t.int} NOT NULL,
      recent_uid ${t.int} NOT NULL, modseq ${t.int} NOT NULL, created_modseq ${t.int} NOT NULL, messages ${t.int} NOT NULL,
      unseen ${t.int} NOT NULL, deleted ${t.int} NOT NULL, size ${t.int} NOT NULL, forgotten_modseq ${t.int} NOT NULL,
      created_at ${t.int} NOT NULL, UNIQUE (account_id, name))${t.table}`,
    `CREATE INDEX mailboxes_special ON mailboxes(account_id, special_use) WHERE special_use IS NOT NULL`,
    // Subscriptions may outlive their mailbox (RFC 9051 6.3.7), deleted mailboxes leave a trace for change feeds.
    `CREATE TABLE dead_mailboxes (id ${t.int} PRIMARY KEY, account_id ${t.int} NOT NULL, name ${t.text} NOT NULL,
      subscribed ${t.int} NOT NULL, uidvalidity ${t.int} NOT NULL, modseq ${t.int} NOT NULL,
      died_at ${t.int} NOT NULL)${t.table}`,
    `CREATE INDEX dead_mailboxes_account ON dead_mailboxes(account_id, modseq)`,
    // An email, apart from where it lies. prefix: what we put before the stored octets (Return-Path, Received, ...).
    // hidden: JSON list of [start, end) octet ranges of the blob not shown. size: as read, prefix in, hidden out.
    // structure: JSON of the MIME tree. orphaned_at: when its last placement went (undelete period begins).
    // thread_id: unique within the account, the created_modseq of the thread's first email.
    `CREATE TABLE emails (id ${t.id}, account_id ${t.int} NOT NULL REFERENCES accounts(id),
      blob_id ${t.int} NOT NULL REFERENCES blobs(id), thread_id ${t.int} NOT NULL, received_at ${t.int} NOT NULL,
      sent_at ${t.int}, size ${t.int} NOT NULL, created_modseq ${t.int} NOT NULL, orphaned_at ${t.int}, trace ${t.text},
      hidden ${t.text}, prefix ${t.blob} NOT NULL, envelope ${t.blob} NOT NULL, bodystructure ${t.blob} NOT NULL,
      structure ${t.text} NOT NULL)${t.table}`,
    `CREATE INDEX emails_account ON emails(account_id, thread_id)`,
    `CREATE INDEX emails_blob ON emails(blob_id)`,
    `CREATE INDEX emails_orphaned ON emails(orphaned_at) WHERE orphaned_at IS NOT NULL`,
    `CREATE INDEX emails_account_orphaned ON emails(account_id, orphaned_at) WHERE orphaned_at IS NOT NULL`,
    // Where an email lies. flags: bits (see mailstore/flags.ts). keywords: space-separated, NULL for none.
    `CREATE TABLE placements (mailbox_id ${t.int} NOT NULL REFERENCES mailboxes(id), uid ${t.int} NOT NULL,
      email_id ${t.int} NOT NULL REFERENCES emails(id), modseq ${t.int} NOT NULL, created_modseq ${t.int} NOT NULL,
      flags ${t.int} NOT NULL, keywords ${t.text}, size ${t.int} NOT NULL, received_at ${t.int} NOT NULL,
      saved_at ${t.int} NOT NULL, PRIMARY KEY (mailbox_id, uid))${clustered(t)}`,
    `CREATE INDEX placements_email ON placements(email_id)`,
    `CREATE INDEX placements_modseq ON placements(mailbox_id, modseq)`,
    `CREATE INDEX placements_deleted ON placements(mailbox_id, uid) WHERE (flags & 8) <> 0`,
    `CREATE INDEX placements_keywords ON placements(mailbox_id, uid) WHERE keywords IS NOT NULL`,
    // What an expunge leaves: enough for QRESYNC, JMAP changes and undelete.
    `CREATE TABLE tombstones (mailbox_id ${t.int} NOT NULL, uid ${t.int} NOT NULL, email_id ${t.int} NOT NULL,
      account_id ${t.int} NOT NULL, modseq ${t.int} NOT NULL, flags ${t.int} NOT NULL, keywords ${t.text},
      expunged_at ${t.int} NOT NULL, PRIMARY KEY (mailbox_id, uid))${clustered(t)}`,
    `CREATE INDEX tombstones_email ON tombstones(email_id)`,
    `CREATE INDEX tombstones_expunged ON tombstones(expunged_at)`,
    `CREATE INDEX tombstones_modseq ON tombstones(mailbox_id, modseq, email_id)`,
    `CREATE INDEX tombstones_account ON tombstones(account_id, modseq)`,
    // Message-IDs seen in an account (hash: first 48 bits of SHA-256 as a number) and the thread they belong to.
    `CREATE TABLE thread_refs (account_id ${t.int} NOT NULL, hash ${t.int} NOT NULL, thread_id ${t.int} NOT NULL,
      PRIMARY KEY (account_id, hash))${clustered(t)}`,
  ];
}

function queue(t: TypeNames): string[] {
  return [
    // origin: submission | forward | dsn | report. may_bounce: whether the reverse-path may be told of failure.
    // open: recipients not settled yet; settled_at: when the last one was. hold_reason, dropped_at and a passed
    // expires_at are wishes of an administrator that recipients in an attempt obey when it ends.
    `CREATE TABLE queue_messages (id ${t.id}, queue_id ${t.text} NOT NULL UNIQUE, trace ${t.text} NOT NULL,
      blob_id ${t.int} NOT NULL REFERENCES blobs(id), prefix ${t.blob} NOT NULL, hidden ${t.text}, size ${t.int} NOT NULL,
      account_id ${t.int}, origin ${t.text} NOT NULL, reverse_path ${t.text} NOT NULL, may_bounce ${t.int} NOT NULL,
      ret ${t.text}, envid ${t.text}, body ${t.text} NOT NULL, smtputf8 ${t.int} NOT NULL, require_tls ${t.int} NOT NULL,
      originated ${t.int} NOT NULL, message_id ${t.text}, created_at ${t.int} NOT NULL, warn_at ${t.int},
      expires_at ${t.int}, hold_reason ${t.text}, dropped_at ${t.int}, open ${t.int} NOT NULL,
      settled_at ${t.int})${t.table}`,
    // Senders that do not fit a rewritten address (SRS), by the token that stands for them.
    `CREATE TABLE srs_tokens (token ${t.text} PRIMARY KEY, address ${t.text} NOT NULL, used_at ${t.int} NOT NULL)${t.table}`,
    `CREATE INDEX queue_messages_blob ON queue_messages(blob_id)`,
    `CREATE INDEX queue_messages_open ON queue_messages(id) WHERE settled_at IS NULL`,
    `CREATE INDEX queue_messages_settled ON queue_messages(settled_at) WHERE settled_at IS NOT NULL`,
    // state: queued | leased | held | delivered | failed | dropped (docs/queue.md). destination: what deliveries are
    // grouped by, the recipient's domain. next_at: when it is due. lease: who works on it until when.
    `CREATE TABLE queue_recipients (id ${t.id}, message_id ${t.int} NOT NULL REFERENCES queue_messages(id),
      address ${t.text} NOT NULL, destination ${t.text} NOT NULL, orcpt ${t.text}, notify ${t.text} NOT NULL,
      state ${t.text} NOT NULL, attempts ${t.int} NOT NULL, next_at ${t.int} NOT NULL, lease ${t.text},
      lease_until ${t.int}, last_at ${t.int}, last_reply ${t.text}, last_host ${t.text}, warned ${t.int} NOT NULL,
      settled_at ${t.int})${t.table}`,
    `CREATE INDEX queue_recipients_due ON queue_recipients(destination, next_at) WHERE state = 'queued'`,
    `CREATE INDEX queue_recipients_leased ON queue_recipients(lease_until) WHERE state = 'leased'`,
    `CREATE INDEX queue_recipients_held ON queue_recipients(message_id) WHERE state = 'held'`,
    `CREATE INDEX queue_recipients_message ON queue_recipients(message_id, destination)`,
    // One place per destination in the line for the next attempt, so that a full destination never keeps the others
    // waiting: due_at is at or before the first due recipient's next_at, or when it was served last if that is later.
    `CREATE TABLE queue_destinations (destination ${t.text} PRIMARY KEY, due_at ${t.int} NOT NULL,
      served ${t.int} NOT NULL)${t.table}`,
    `CREATE INDEX queue_destinations_due ON queue_destinations(due_at, served)`,
  ];
}

function journal(t: TypeNames): string[] {
  return [
    // trace ties the events of one message or session together. data: JSON of the typed event. count: folded repeats.
    // fold: rows that came with the same one are a single row. size: octets this row and its terms cost, estimated.
    `CREATE TABLE journal (id ${t.id}, trace ${t.text} NOT NULL, at ${t.int} NOT NULL, kind ${t.text} NOT NULL,
      data ${t.text} NOT NULL, count ${t.int} NOT NULL, last_at ${t.int} NOT NULL, fold ${t.text},
      size ${t.int} NOT NULL)${t.table}`,
    `CREATE UNIQUE INDEX journal_fold ON journal(fold) WHERE fold IS NOT NULL`,
    `CREATE INDEX journal_trace ON journal(trace)`,
    `CREATE INDEX journal_at ON journal(at)`,
    // What a trace can be found by: 'm:' message id, 'q:' queue id, 'a:' address, 'i:' network address, 'c:' case.
    `CREATE TABLE journal_keys (term ${t.text} NOT NULL, trace ${t.text} NOT NULL, at ${t.int} NOT NULL,
      PRIMARY KEY (term, trace))${clustered(t)}`,
    `CREATE INDEX journal_keys_at ON journal_keys(at)`,
    // Who did what as an administrator.
    `CREATE TABLE audit (id ${t.id}, at ${t.int} NOT NULL, actor ${t.text} NOT NULL, action ${t.text} NOT NULL,
      subject ${t.text} NOT NULL, data ${t.text} NOT NULL)${t.table}`,
    `CREATE INDEX audit_at ON audit(at)`,
  ];
}
