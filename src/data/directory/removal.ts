import type { WriteTx } from '../db/sql.ts';
import { forgetAccountStatements as forgetAccess } from '../access/access.sql.ts';
import { deleteEmails, purgeAccount as purgeMail } from '../mailstore/purge.ts';
import { deletePlacementsOfAccount, emailsOfAccount } from '../mailstore/purge.sql.ts';
import { deleteUrlKeys } from '../mailstore/url-keys.sql.ts';
import { deleteTold } from '../housekeeping/housekeeping.sql.ts';
import { forgetAccountStatements as forgetOwn } from '../account/removal.sql.ts';
import { forgetAccountStatements as forgetImports } from '../importing/importing.sql.ts';
import { forgetAccountStatements as forgetJmap } from '../jmap/objects.sql.ts';
import { forgetAccountStatements as forgetSieve } from '../sieve/sieve.sql.ts';
import { forgetAccountStatements as forgetSharing } from '../sharing/sharing.sql.ts';
import { forgetAccountStatements as forgetFilter } from '../spam/removal.sql.ts';
import { forgetAccount as forgetVault } from '../vault/remove.ts';
import {
  deleteAccount,
  deleteAdminDomains,
  deleteCounters,
  deleteCredential,
  deleteGrants,
  deleteHold,
  deleteKnownLogins,
  deleteVolume,
  forgetComplaints,
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
  await tx.run(deletePlacementsOfAccount, accountId);
  const emails = await tx.all(emailsOfAccount, accountId, limit);
  const files = await deleteEmails(tx, emails);
  if (emails.length >= limit) return { emails: emails.length, files, done: false };
  files.push(...(await purgeMail(tx, accountId)), ...(await forgetVault(tx, accountId)));
  const rest = [
    ...forgetAccess,
    ...forgetFilter,
    ...forgetOwn,
    ...forgetImports,
    ...forgetJmap,
    ...forgetSharing,
    ...forgetSieve,
    deleteCredential,
    deleteGrants,
    deleteKnownLogins,
    deleteHold,
    deleteTold,
    deleteUrlKeys,
    deleteVolume,
    forgetComplaints,
    deleteAdminDomains,
    deleteCounters,
    deleteAccount,
  ];
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
