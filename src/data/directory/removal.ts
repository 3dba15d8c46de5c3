import type { WriteTx } from '../db/sql.ts';
import { purgeAccount as purgeMail, releaseBlob } from '../mailstore/purge.ts';
import { deleteEmail, deletePlacementsOfAccount, emailsOfAccount } from '../mailstore/purge.sql.ts';
import {
  deleteAccount,
  deleteCounters,
  deleteCredential,
  deleteGrants,
  removedBefore,
} from './removal.sql.ts';

/** Emails deleted in one write: others wait meanwhile. What is left goes in the next ones. */
export const PURGE_EMAILS = 2000;

/** Accounts looked at in one write. */
const PURGE_ACCOUNTS = 10;

/**
 * Delete an account's mail, at most `limit` emails; the account itself goes with the last of it. Returns the files of
 * blobs that nobody needs any more.
 */
export async function purgeAccount(
  tx: WriteTx,
  accountId: number,
  limit: number,
): Promise<{ emails: number; files: string[]; done: boolean }> {
  const files: string[] = [];
  await tx.run(deletePlacementsOfAccount, accountId);
  const emails = await tx.all(emailsOfAccount, accountId, limit);
  for (const { id, blob_id: blob } of emails) {
    await tx.run(deleteEmail, id);
    const file = await releaseBlob(tx, blob);
    if (file !== undefined) files.push(file);
  }
  if (emails.length >= limit) return { emails: emails.length, files, done: false };
  files.push(...(await purgeMail(tx, accountId)));
  const rest = [deleteCredential, deleteGrants, deleteCounters, deleteAccount];
  for (const statement of rest) await tx.run(statement, accountId);
  return { emails: emails.length, files, done: true };
}

/** Forget accounts removed before a time: at most `limit` emails a call. `more`: call again. */
export async function purgeRemoved(
  tx: WriteTx,
  args: { before: number; limit: number },
): Promise<{ accounts: number; files: readonly string[]; more: boolean }> {
  const files: string[] = [];
  let left = args.limit;
  let accounts = 0;
  const due = await tx.all(removedBefore, args.before, PURGE_ACCOUNTS);
  for (const { id } of due) {
    if (left <= 0) break;
    const purged = await purgeAccount(tx, id, left);
    files.push(...purged.files);
    left -= purged.emails;
    if (purged.done) accounts++;
  }
  return { accounts, files, more: accounts < due.length || due.length === PURGE_ACCOUNTS };
}
