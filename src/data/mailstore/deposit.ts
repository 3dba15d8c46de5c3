import { Refusal } from '../../base/errors.ts';
import { storeBlob } from '../blobs/writes.ts';
import type { WriteTx } from '../db/sql.ts';
import { judgedBy } from '../spam/judged.ts';
import { wishForEmails } from '../spam/training.ts';
import { accountAlive, takeRoom } from './account.sql.ts';
import { insertEmail, insertPlacement, targetById, targetByName, targetBySpecialUse } from './deposit.sql.ts';
import { checkFlagSet, countsOf, formatKeywords, keepableFlagSet } from './flags.ts';
import { createInbox, createWanted } from './mailboxes.ts';
import { takeUid } from './mailboxes.sql.ts';
import { INBOX, mailboxName } from './names.ts';
import { formatHidden, ownMailbox, visibleSize } from './rows.ts';
import { keepKeys } from './sort-keys.ts';
import { joinThread } from './threads.ts';
import type { Deposit, DepositResult, FlagSet, NewBlob, ParsedContent } from './types.ts';

/** A message on its way into the store. Its octets are written once, when the first to need them asks. */
export interface Incoming {
  readonly size: number;
  readonly content: ParsedContent;
  blobId(): Promise<number>;
}

export function incoming(tx: WriteTx, blob: NewBlob, content: ParsedContent): Incoming {
  let id: number | undefined;
  return {
    size: blob.size,
    content,
    async blobId() {
      return (id ??= await storeBlob(tx, blob));
    },
  };
}

/**
 * Put a message into accounts; results stand in the order of the deposits. A deposit that fails costs the others
 * nothing. Deposits into several mailboxes of one account share one email, with the prefix of the first.
 */
export async function depositAll(
  tx: WriteTx,
  message: Incoming,
  deposits: readonly Deposit[],
): Promise<DepositResult[]> {
  const groups = Map.groupBy(deposits.keys(), (index) => deposits[index]?.accountId ?? 0);
  const results: DepositResult[] = [];
  // Ascending accounts: two writers of a PostgreSQL store that share recipients must not wait for each other.
  for (const accountId of [...groups.keys()].toSorted((a, b) => a - b)) {
    const indexes = groups.get(accountId) ?? [];
    const group = indexes.flatMap((index) => deposits[index] ?? []);
    const answers = await depositInto(tx, message, accountId, group);
    indexes.forEach((index, i) => {
      const answer = answers[i];
      if (answer !== undefined) results[index] = answer;
    });
  }
  return results;
}

async function depositInto(
  tx: WriteTx,
  message: Incoming,
  accountId: number,
  group: readonly Deposit[],
): Promise<DepositResult[]> {
  const first = group[0];
  if (first === undefined) return [];
  const email = await storeEmail(tx, message, {
    ...first,
    ignoreQuota: group.some((each) => each.ignoreQuota),
  });
  if (typeof email === 'string') return group.map(() => ({ status: email }));
  const placed = new Map<number, DepositResult>();
  const results: DepositResult[] = [];
  for (const deposit of group) {
    const mailboxId = await targetOf(tx, accountId, deposit.mailbox, email.modseq);
    const result = placed.get(mailboxId) ?? (await place(tx, email, mailboxId, keepableFlagSet(deposit.set)));
    placed.set(mailboxId, result);
    results.push(result);
  }
  tx.touch(accountId);
  return results;
}

export interface StoredEmail {
  readonly id: number;
  readonly modseq: number;
  readonly size: number;
  readonly receivedAt: number;
}

/** Write the row of an email that lies nowhere yet; takes the account's next modseq and its quota. */
async function storeEmail(
  tx: WriteTx,
  message: Incoming,
  deposit: Deposit,
): Promise<StoredEmail | 'over-quota' | 'no-account'> {
  const { accountId, prefix, hidden, receivedAt } = deposit;
  const { content } = message;
  const size = visibleSize(message.size, prefix, hidden);
  const room = await tx.get(takeRoom, size, accountId, size, deposit.ignoreQuota ? 1 : 0);
  if (room === undefined) {
    return (await tx.get(accountAlive, accountId)) === undefined ? 'no-account' : 'over-quota';
  }
  const modseq = room.modseq;
  const threadId = await joinThread(tx, accountId, content, modseq);
  const row = await tx.get(
    insertEmail,
    accountId,
    await message.blobId(),
    threadId,
    receivedAt,
    content.sentAt ?? null,
    size,
    modseq,
    deposit.trace ?? null,
    formatHidden(hidden),
    prefix,
    content.envelope,
    content.bodystructure,
    content.structure,
  );
  if (row === undefined) throw new Error('an email was not stored');
  if (content.keys !== undefined) await keepKeys(tx, row.id, content.keys, content.sentAt);
  return { id: row.id, modseq, size, receivedAt };
}

/** Give an email the next UID of a mailbox. */
export async function place(
  tx: WriteTx,
  email: StoredEmail,
  mailboxId: number,
  set: FlagSet,
): Promise<DepositResult & { status: 'stored' }> {
  const { unseen, deleted } = countsOf(set.flags);
  const taken = await tx.get(takeUid, unseen, deleted, email.size, email.modseq, mailboxId);
  if (taken === undefined) throw new Error(`mailbox ${mailboxId} went away`);
  await tx.run(
    insertPlacement,
    mailboxId,
    taken.uid,
    email.id,
    email.modseq,
    email.modseq,
    set.flags,
    formatKeywords(set.keywords),
    email.size,
    email.receivedAt,
    tx.now,
  );
  return {
    status: 'stored',
    emailId: email.id,
    mailboxId,
    mailbox: taken.name,
    uidvalidity: taken.uidvalidity,
    uid: taken.uid,
  };
}

/** The mailbox a deposit means, or the inbox, which is made anew should it be missing. */
async function targetOf(
  tx: WriteTx,
  accountId: number,
  wanted: Deposit['mailbox'],
  modseq: number,
): Promise<number> {
  if ('name' in wanted && wanted.create !== undefined) {
    const made = await createWanted(tx, accountId, modseq, wanted.name, wanted.create.specialUse);
    if (made !== undefined) return made;
  }
  const row = await findTarget(tx, accountId, wanted);
  return row?.id ?? (await createInbox(tx, accountId, modseq));
}

function findTarget(
  tx: WriteTx,
  accountId: number,
  wanted: Deposit['mailbox'],
): Promise<{ id: number | null } | undefined> {
  if ('id' in wanted) return tx.get(targetById, accountId, wanted.id, accountId);
  if ('specialUse' in wanted) return tx.get(targetBySpecialUse, accountId, wanted.specialUse, accountId);
  return tx.get(targetByName, accountId, nameOrInbox(wanted.name), accountId);
}

/** A name that cannot be a mailbox's means one that is missing. */
function nameOrInbox(name: string): string {
  try {
    return mailboxName(name);
  } catch (error) {
    if (error instanceof Refusal) return INBOX;
    throw error;
  }
}

/** One message for one mailbox, as APPEND brings it. */
export interface Appended {
  readonly blob: NewBlob;
  readonly content: ParsedContent;
  readonly deposit: Deposit;
}

/** Put a message into a mailbox of an account. Refusals of `append`. */
export async function appendOne(
  tx: WriteTx,
  { blob, content, deposit }: Appended,
  { accountId, mailboxId }: { readonly accountId: number; readonly mailboxId: number },
): Promise<{ uidvalidity: number; uid: number; emailId: number }> {
  const set = checkFlagSet(deposit.set);
  const email = await storeEmail(tx, incoming(tx, blob, content), { ...deposit, accountId });
  if (email === 'no-account') throw new Refusal('no-such-account', 'There is no such account.');
  if (email === 'over-quota') {
    throw new Refusal('over-quota', 'The message would exceed the quota.', { imapCode: 'OVERQUOTA' });
  }
  await ownMailbox(tx, accountId, mailboxId, 'TRYCREATE');
  const { uidvalidity, uid } = await place(tx, email, mailboxId, set);
  const label = judgedBy(set.keywords);
  if (label !== undefined) await wishForEmails(tx, accountId, [email.id], label, 'marked');
  return { uidvalidity, uid, emailId: email.id };
}

/**
 * APPEND (RFC 9051 6.3.12).
 * @throws Refusal 'no-such-mailbox' (TRYCREATE), 'over-quota' (OVERQUOTA), 'no-such-account', 'bad-input', 'limit'
 */
export async function append(
  tx: WriteTx,
  args: Appended & { readonly accountId: number; readonly mailboxId: number },
): Promise<{ uidvalidity: number; uid: number; emailId: number }> {
  const appended = await appendOne(tx, args, args);
  tx.touch(args.accountId);
  return appended;
}
