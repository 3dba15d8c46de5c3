import { Refusal } from '../../base/errors.ts';
import type { WriteTx } from '../db/sql.ts';
import { accountById } from '../directory/directory.sql.ts';
import { audit, domainsOf, isAdmin, requireAccount } from '../directory/permission.ts';
import { toAccount } from '../directory/rows.ts';
import type { Account, Actor } from '../directory/types.ts';
import { record } from '../journal/record.ts';
import { type JournalEvent, terms } from '../journal/types.ts';
import { depositAll, type Incoming } from '../mailstore/deposit.ts';
import { parseHidden } from '../mailstore/rows.ts';
import { removeEntry } from './remove.ts';
import type { Deposit, DepositResult } from '../mailstore/types.ts';
import { wishForEmails } from '../spam/training.ts';
import * as sql from './vault.sql.ts';

/** One entry of the vault, for one of its accounts or for all of them. */
export interface VaultChange {
  readonly actor: Actor;
  readonly caseNumber: string;
  readonly accountId?: number;
}

interface Found {
  readonly entry: sql.DetailRow;
  readonly recipients: readonly { readonly row: sql.RecipientRow; readonly account: Account }[];
}

/**
 * The entry and those of its recipients that the actor means and may act for: everybody for themselves.
 * @throws Refusal 'not-found', 'not-permitted'
 */
async function find(tx: WriteTx, { actor, caseNumber, accountId }: VaultChange): Promise<Found> {
  const entry = await tx.get(sql.entryByCase, caseNumber);
  const rows = entry === undefined ? [] : await tx.all(sql.recipientsOf, entry.id);
  const recipients: { row: sql.RecipientRow; account: Account }[] = [];
  for (const row of rows) {
    if (accountId !== undefined && row.account_id !== accountId) continue;
    const found = await tx.get(accountById, row.account_id);
    if (found === undefined) continue;
    const account = toAccount(found);
    // Who else got it is not for whoever looks after other domains.
    if (actor.role === 'domain-admin' && !domainsOf(actor).includes(account.domainId)) continue;
    if (actor.name !== account.address) requireAccount(actor, account);
    recipients.push({ row, account });
  }
  const nobodys = recipients.length === 0 && (accountId !== undefined || !isAdmin(actor));
  if (entry === undefined || nobodys) {
    throw new Refusal('not-found', `The vault has no such case ${caseNumber}; its time may be over.`);
  }
  return { entry, recipients };
}

/**
 * Deliver what was kept to the inboxes of its recipients, and have it learned as good mail. Each gets it once.
 * @throws Refusal 'not-found', 'not-permitted', 'conflict' when nothing of it is left to release, 'over-quota',
 * 'no-such-account'
 */
export async function release(
  tx: WriteTx,
  args: VaultChange,
): Promise<{ deposits: readonly { accountId: number; emailId: number; uid: number; mailboxId: number }[] }> {
  const { entry, recipients } = await find(tx, args);
  const taken: Found['recipients'][number][] = [];
  for (const each of recipients) {
    if ((await tx.run(sql.changeState, 'released', entry.id, each.row.account_id, 'kept')) > 0)
      taken.push(each);
  }
  if (taken.length === 0) throw nothingToRelease(args.caseNumber, recipients);
  const results = await depositAll(
    tx,
    messageOf(entry),
    taken.map(({ row }) => depositOf(entry, row)),
  );
  const deposits: { accountId: number; emailId: number; uid: number; mailboxId: number }[] = [];
  const events: JournalEvent[] = [];
  for (const [i, { account }] of taken.entries()) {
    const { emailId, uid, mailboxId, mailbox } = storedOr(account, results[i]);
    await wishForEmails(tx, account.id, [emailId], 'ham', 'released');
    await audit(tx, args.actor, 'vault.release', account.address, { caseNumber: args.caseNumber });
    events.push(releasedEvent(tx, args, entry, account, mailbox));
    deposits.push({ accountId: account.id, emailId, uid, mailboxId });
  }
  await record(tx, events);
  return { deposits };
}

function nothingToRelease(caseNumber: string, recipients: Found['recipients']): Refusal {
  const states = new Set(recipients.map(({ row }) => row.state));
  if (states.has('released')) {
    return new Refusal('conflict', `Case ${caseNumber} was released already: it is in the inbox.`);
  }
  if (states.has('deleted')) return new Refusal('conflict', `Case ${caseNumber} was deleted.`);
  return new Refusal('conflict', `Case ${caseNumber} was for none of our accounts: nobody can get it.`);
}

function storedOr(account: Account, result: DepositResult | undefined): DepositResult & { status: 'stored' } {
  if (result?.status === 'stored') return result;
  if (result?.status === 'over-quota') {
    throw new Refusal('over-quota', `The mailbox of ${account.address} is full: make room first.`);
  }
  throw new Refusal('no-such-account', `The account ${account.address} is removed.`);
}

function messageOf(entry: sql.DetailRow): Incoming {
  return {
    size: entry.size,
    blobId: () => Promise.resolve(entry.blob_id),
    content: {
      envelope: entry.envelope,
      bodystructure: entry.bodystructure,
      structure: entry.structure,
      sentAt: entry.sent_at ?? undefined,
      messageId: entry.message_id ?? undefined,
      references: JSON.parse(entry.refs) as string[],
    },
  };
}

/** RFC 5321 4.4: the final delivery adds Return-Path, above what was recorded when the message came. */
function depositOf(entry: sql.DetailRow, { account_id: accountId, address }: sql.RecipientRow): Deposit {
  const fields = `Return-Path: <${entry.reverse_path}>\r\nDelivered-To: ${address}\r\n`;
  return {
    accountId,
    mailbox: { name: 'INBOX' },
    prefix: Buffer.concat([Buffer.from(fields), entry.received]),
    hidden: parseHidden(entry.hidden),
    set: { flags: 0, keywords: [] },
    receivedAt: entry.created_at,
    trace: entry.trace,
    ignoreQuota: false,
  };
}

function releasedEvent(
  tx: WriteTx,
  { actor, caseNumber }: VaultChange,
  entry: sql.DetailRow,
  account: Account,
  mailbox: string,
): JournalEvent {
  return {
    trace: entry.trace,
    at: tx.now,
    kind: 'message.deposited',
    data: {
      account: account.address,
      accountId: account.id,
      mailbox,
      caseNumber,
      by: actor.name,
      reason: `${actor.name} released it from the vault (case ${caseNumber})`,
    },
    terms: [terms.address(account.address), terms.caseNumber(caseNumber)],
  };
}

/**
 * Delete what was kept, for the recipients meant; when nobody is left to release it, for good. Returns the files to
 * unlink after the commit.
 * @throws Refusal 'not-found', 'not-permitted', 'conflict' when it was deleted already
 */
export async function remove(tx: WriteTx, args: VaultChange): Promise<{ files: readonly string[] }> {
  const { entry, recipients } = await find(tx, args);
  let changed = 0;
  for (const { row, account } of recipients) {
    const count = await tx.run(sql.changeState, 'deleted', entry.id, row.account_id, row.state);
    if (count === 0 || row.state === 'deleted') continue;
    changed++;
    await audit(tx, args.actor, 'vault.delete', account.address, { caseNumber: args.caseNumber });
  }
  if (changed === 0 && recipients.length > 0) {
    throw new Refusal('conflict', `Case ${args.caseNumber} was deleted already.`);
  }
  if (recipients.length === 0) await audit(tx, args.actor, 'vault.delete', args.caseNumber);
  if (((await tx.get(sql.countKept, entry.id))?.kept ?? 0) > 0) return { files: [] };
  return { files: await removeEntry(tx, entry) };
}
