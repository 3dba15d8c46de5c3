import type { ReadTx } from '../db/sql.ts';
import { checks } from './invariants.sql.ts';

/** Violations told of each rule: enough to see a pattern. */
const PER_RULE = 5;

/** What each rule says when it is broken; {a} {b} {c} are the numbers its check found. */
const rules: Readonly<Record<keyof typeof checks, string>> = {
  messages: 'mailbox {a} counts {b} messages but has {c}',
  unseen: 'mailbox {a} counts {b} unseen messages but has {c}',
  deleted: 'mailbox {a} counts {b} deleted messages but has {c}',
  size: 'mailbox {a} counts {b} octets but has {c}',
  used: 'account {a} counts {b} octets in use but has {c}',
  emails: 'account {a} counts {b} emails in use but has {c}',
  uidnext: 'mailbox {a} has UID {b} but uidnext {c}',
  buriedUid: 'mailbox {a} has a tombstone of UID {b} but uidnext {c}',
  recentUid: 'mailbox {a} has recent UID {b} above uidnext {c}',
  placementModseq: 'mailbox {a}: modseq {c} of UID {b} is above the mailbox’s',
  createdModseq: 'mailbox {a}: UID {b} was created at modseq {c}, after its last change',
  tombstoneModseq: 'mailbox {a}: modseq {c} of the tombstone of UID {b} is above the mailbox’s',
  mailboxModseq: 'mailbox {a} has modseq {b}, its account {c}, or it was created after its last change',
  uidvalidity: 'mailbox {a} has uidvalidity {b} above its account’s {c}',
  sharedUidvalidity: 'mailbox {a} and others of its account, {c} in all, share uidvalidity {b}',
  noCounters: 'mailbox {a} belongs to account {b}, which has no counters',
  missingMailbox: 'UID {b} lies in mailbox {a}, which does not exist',
  missingEmail: 'mailbox {a}: UID {b} places email {c}, which does not exist',
  differs: 'mailbox {a}: UID {b} has another size or account than its email {c}',
  lost: 'email {a} of account {b} lies nowhere and is no orphan',
  placedOrphan: 'mailbox {a}: UID {b} places email {c}, which is an orphan',
  undead: 'mailbox {a}: UID {b} (email {c}) is both there and expunged',
  missingBlob: 'email {a} refers to blob {b}, which does not exist',
  missingQueueBlob: 'queued message {a} refers to blob {b}, which does not exist',
  missingVaultBlob: 'vault entry {a} refers to blob {b}, which does not exist',
  strayVaultRecipient: 'vault entry {a} is for account {b}, and one of the two does not exist',
  strayTraining: 'account {a} wants email {b} learned, which does not exist or is not its own',
  strayLearned: 'account {a} has learned email {b}, which does not exist or is not its own',
  strayModel: 'there is a model of account {a}, which does not exist',
  strayList: 'there is a list of senders of account {a}, which does not exist',
  unusedBlob: 'blob {a} of {b} octets belongs to no email, no queued message and nothing in the vault',
  emptyBlob: 'blob {a} of {b} octets has neither data nor a file, or both',
  strayReference: 'account {a}: reference {b} leads to thread {c}, which cannot exist yet',
};

/** Check all that must hold in the mail store; what does not, in words. Reads every table: not for busy hours. */
export async function checkInvariants(tx: ReadTx): Promise<string[]> {
  const violations: string[] = [];
  for (const name of Object.keys(checks) as (keyof typeof checks)[]) {
    for (const found of await tx.all(checks[name], PER_RULE)) {
      const text = rules[name].replaceAll(/\{([abc])\}/g, (_, key: 'a' | 'b' | 'c') => String(found[key]));
      violations.push(text);
    }
  }
  return violations;
}
