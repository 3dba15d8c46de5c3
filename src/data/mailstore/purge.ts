import { Refusal } from '../../base/errors.ts';
import type { WriteTx } from '../db/sql.ts';
import { accountById } from '../directory/directory.sql.ts';
import { audit, isAdmin, notPermitted, requireAccount } from '../directory/permission.ts';
import { toAccount } from '../directory/rows.ts';
import type { Actor } from '../directory/types.ts';
import { forgetEmail } from '../spam/training.ts';
import { beginAccount } from './account.ts';
import { addUsage, quotaOf } from './account.sql.ts';
import { place } from './deposit.ts';
import { parseKeywords } from './flags.ts';
import { deletePreview } from './previews.sql.ts';
import * as sql from './purge.sql.ts';
import { ownMailbox } from './rows.ts';
import { deleteKeys } from './sort-keys.sql.ts';
import { Flag } from './types.ts';

/**
 * Milliseconds a tombstone stays however short the undelete period is: a session that was idle, or a client that was
 * away for the weekend, must still learn of the expunge.
 */
export const TOMBSTONE_MS = 7 * 24 * 3600 * 1000;
/** Emails read at once where all of an account's go. */
const PAGE = 1000;

/**
 * Delete a blob's row when neither an email, nor a queued message, nor the vault needs it.
 * Returns the file to unlink after the commit, if its octets stood in one.
 */
export async function releaseBlob(tx: WriteTx, blobId: number): Promise<string | undefined> {
  const row = await tx.get(sql.deleteUnusedBlob, blobId);
  return row?.file ?? undefined;
}

/** Delete emails that lie nowhere. Returns files to unlink after the commit. */
export async function deleteEmails(tx: WriteTx, emails: readonly sql.DyingEmail[]): Promise<string[]> {
  for (const email of emails) {
    await forgetEmail(tx, email.account_id, email.id);
    await tx.run(deleteKeys, email.id);
    await tx.run(deletePreview, email.id);
    await tx.run(sql.deleteEmail, email.id);
  }
  const files: string[] = [];
  for (const blobId of new Set(emails.map((email) => email.blob_id))) {
    const file = await releaseBlob(tx, blobId);
    if (file !== undefined) files.push(file);
  }
  return files;
}

/** Remove for good what was orphaned before a time (ms), and tombstones that old; at most `limit` of each. */
export async function purge(
  tx: WriteTx,
  { before, limit }: { before: number; limit: number },
): Promise<{ emails: number; files: readonly string[] }> {
  const orphans = await tx.all(sql.orphansBefore, before, limit);
  const files = await deleteEmails(tx, orphans);
  const oldest = Math.min(before, tx.now - TOMBSTONE_MS);
  const forgotten = new Map<number, number>();
  const accounts = new Map<number, number>();
  const remember = (accountId: number, modseq: number): void => {
    accounts.set(accountId, Math.max(modseq, accounts.get(accountId) ?? 0));
  };
  for (const row of await tx.all(sql.tombstonesBefore, oldest, limit)) {
    const { mailbox_id: mailboxId, uid, modseq } = row;
    await tx.run(sql.deleteTombstone, mailboxId, uid);
    remember(row.account_id, modseq);
    forgotten.set(mailboxId, Math.max(modseq, forgotten.get(mailboxId) ?? 0));
  }
  for (const [mailboxId, modseq] of [...forgotten].toSorted(([a], [b]) => a - b)) {
    await tx.run(sql.forgetUpTo, modseq, mailboxId, modseq);
  }
  for (const dead of await tx.all(sql.deadBefore, oldest)) remember(dead.account_id, dead.modseq);
  for (const [accountId, modseq] of [...accounts].toSorted(([a], [b]) => a - b)) {
    await tx.run(sql.forgetAccountUpTo, modseq, accountId, modseq);
  }
  await tx.run(sql.deleteDeadMailboxes, oldest);
  return { emails: orphans.length, files };
}

export interface Undelete {
  readonly actor: Actor;
  readonly accountId: number;
  readonly emailId: number;
  readonly mailboxId: number;
}

/** The address of the account, when this actor may change it. Refusals 'not-permitted', 'no-such-account'. */
async function permittedAccount(tx: WriteTx, actor: Actor, accountId: number): Promise<string> {
  const row = await tx.get(accountById, accountId);
  if (row === undefined) {
    if (!isAdmin(actor)) throw notPermitted();
    throw new Refusal('no-such-account', 'There is no such account.');
  }
  const account = toAccount(row);
  // Everybody may bring back what they deleted themselves.
  if (actor.name !== account.address) requireAccount(actor, account);
  return account.address;
}

/**
 * Bring an orphaned email back, marked as it was but without \Deleted; an audit row says who did.
 * @throws Refusal 'not-permitted', 'no-such-message' when it is not an orphan of this account, 'no-such-mailbox',
 * 'over-quota'
 */
export async function undelete(tx: WriteTx, args: Undelete): Promise<{ uid: number }> {
  const { actor, accountId, emailId, mailboxId } = args;
  const address = await permittedAccount(tx, actor, accountId);
  const { modseq } = await beginAccount(tx, accountId);
  const { name: mailbox } = await ownMailbox(tx, accountId, mailboxId);
  const email = await tx.get(sql.orphanToRestore, emailId, accountId);
  if (email === undefined) throw new Refusal('no-such-message', 'There is no such deleted message.');
  const quota = await tx.get(quotaOf, accountId);
  if (quota !== undefined && quota.quota > 0 && quota.used + email.size > quota.quota) {
    throw new Refusal('over-quota', 'The message would exceed the quota.', { imapCode: 'OVERQUOTA' });
  }
  const last = await tx.get(sql.lastTombstone, emailId);
  await tx.run(sql.restoreEmail, emailId);
  await tx.run(addUsage, email.size, 1, accountId);
  const set = { flags: (last?.flags ?? 0) & ~Flag.Deleted, keywords: parseKeywords(last?.keywords ?? null) };
  const stored = { id: emailId, modseq, size: email.size, receivedAt: email.received_at };
  const { uid } = await place(tx, stored, mailboxId, set);
  await audit(tx, actor, 'account.undelete', address, { emailId, mailbox });
  tx.touch(accountId);
  return { uid };
}

/**
 * Remove mail of an account, mailboxes included, at most `limit` emails a call: `done` says when all is gone. Between
 * calls the store is sound: the mailboxes go first, and leave orphans. The counters stay, at zero. Returns files to
 * unlink after the commit. For the removal of an account.
 */
export async function purgeAccountStep(
  tx: WriteTx,
  accountId: number,
  limit: number,
): Promise<{ emails: number; files: string[]; done: boolean }> {
  await beginAccount(tx, accountId);
  await tx.run(sql.orphanEmailsOfAccount, tx.now, accountId);
  await tx.run(sql.deletePlacementsOfAccount, accountId);
  await tx.run(sql.deleteMailboxesOfAccount, accountId);
  await tx.run(sql.clearUsage, accountId);
  const emails = await tx.all(sql.emailsOfAccount, accountId, limit);
  const files = await deleteEmails(tx, emails);
  const done = emails.length < limit;
  if (done) {
    await tx.run(sql.deleteTombstonesOfAccount, accountId);
    await tx.run(sql.deleteReferencesOfAccount, accountId);
    await tx.run(sql.deleteDeadMailboxesOfAccount, accountId);
  }
  tx.touch(accountId);
  return { emails: emails.length, files, done };
}

/** The same all at once. */
export async function purgeAccount(tx: WriteTx, accountId: number): Promise<string[]> {
  const files: string[] = [];
  for (;;) {
    const step = await purgeAccountStep(tx, accountId, PAGE);
    files.push(...step.files);
    if (step.done) return files;
  }
}
