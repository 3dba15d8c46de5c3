import type { ReadTx, WriteTx } from '../db/sql.ts';
import { deleteUrlKey, deleteUrlKeys, insertUrlKey, urlKeyOf } from './url-keys.sql.ts';

/** Mailbox access keys of URLAUTH (RFC 4467 section 2): one for each mailbox and who makes URLs into it. */
interface Whose {
  readonly mailboxId: number;
  readonly accountId: number;
}

export async function urlKey(
  tx: ReadTx,
  { mailboxId, accountId }: Whose,
): Promise<{ secret: Uint8Array } | undefined> {
  return tx.get(urlKeyOf, mailboxId, accountId);
}

/** The key, which is `secret` when there was none. */
export async function needUrlKey(
  tx: WriteTx,
  { mailboxId, accountId, secret }: Whose & { secret: Uint8Array },
): Promise<{ secret: Uint8Array }> {
  await tx.run(insertUrlKey, mailboxId, accountId, secret);
  return (await tx.get(urlKeyOf, mailboxId, accountId)) ?? { secret };
}

/** Forget the key of a mailbox, or all of an account's: URLs made with them are void. */
export async function resetUrlKeys(
  tx: WriteTx,
  { accountId, mailboxId }: { accountId: number; mailboxId?: number },
): Promise<null> {
  if (mailboxId === undefined) await tx.run(deleteUrlKeys, accountId);
  else await tx.run(deleteUrlKey, mailboxId, accountId);
  return null;
}
