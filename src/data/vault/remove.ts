import type { WriteTx } from '../db/sql.ts';
import { releaseBlob } from '../mailstore/purge.ts';
import * as sql from './vault.sql.ts';

/** Delete an entry for good. Returns the file of its octets, to unlink after the commit, when nobody else needs it. */
export async function removeEntry(
  tx: WriteTx,
  { id, blob_id: blobId }: { id: number; blob_id: number },
): Promise<string[]> {
  await tx.run(sql.deleteRecipients, id);
  await tx.run(sql.deleteEntry, id);
  const file = await releaseBlob(tx, blobId);
  return file === undefined ? [] : [file];
}

export interface VaultPurge {
  /** What expires at this time or before goes. */
  readonly before: number;
  /** Octets the vault may hold; beyond it the oldest go. */
  readonly maxBytes: number;
  /** Entries in one call. */
  readonly limit: number;
}

/** A job: one batch of deleting what is too old or too much. `more`: call again. */
export async function purge(
  tx: WriteTx,
  { before, maxBytes, limit }: VaultPurge,
): Promise<{ entries: number; files: readonly string[]; more: boolean }> {
  const files: string[] = [];
  const old = await tx.all(sql.expired, before, limit);
  for (const entry of old) files.push(...(await removeEntry(tx, entry)));
  let entries = old.length;
  let excess = ((await tx.get(sql.totalSize))?.bytes ?? 0) - maxBytes;
  if (excess > 0 && entries < limit) {
    for (const entry of await tx.all(sql.oldest, limit - entries)) {
      if (excess <= 0) break;
      files.push(...(await removeEntry(tx, entry)));
      excess -= entry.size;
      entries++;
    }
  }
  return { entries, files, more: entries >= limit };
}

/** An account goes for good: its part of the vault too, and what was for nobody else. Returns files to unlink. */
export async function forgetAccount(tx: WriteTx, accountId: number): Promise<string[]> {
  const files: string[] = [];
  for (const entry of await tx.all(sql.soleEntriesOf, accountId))
    files.push(...(await removeEntry(tx, entry)));
  await tx.run(sql.deleteRecipientsOfAccount, accountId);
  return files;
}
