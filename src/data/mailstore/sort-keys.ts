import type { SortKeys } from '../../mail/message/sort-keys.ts';
import type { ReadTx, WriteTx } from '../db/sql.ts';
import { emailExists, insertKeys, uidsWithoutKeys } from './sort-keys.sql.ts';

/** Keep what an email is sorted by; nothing when that is known. `sentAt`: its Date, milliseconds since the epoch. */
export async function keepKeys(
  tx: WriteTx,
  emailId: number,
  keys: SortKeys,
  sentAt: number | undefined,
): Promise<void> {
  await tx.run(
    insertKeys,
    emailId,
    sentAt ?? null,
    keys.reply ? 1 : 0,
    keys.subject,
    keys.from,
    keys.to,
    keys.cc,
    keys.fromDisplay,
    keys.toDisplay,
    keys.references,
  );
}

export interface LateKeys {
  readonly emailId: number;
  readonly keys: SortKeys;
  readonly sentAt: number | undefined;
}

/** Keys of emails that were stored before there were any. Emails that have gone meanwhile are passed over. */
export async function addKeys(tx: WriteTx, { emails }: { emails: readonly LateKeys[] }): Promise<null> {
  for (const { emailId, keys, sentAt } of emails.toSorted((a, b) => a.emailId - b.emailId)) {
    if ((await tx.get(emailExists, emailId)) !== undefined) await keepKeys(tx, emailId, keys, sentAt);
  }
  return null;
}

/** UIDs above `after` of messages without keys, ascending, at most `limit`. */
export async function withoutKeys(
  tx: ReadTx,
  { mailboxId, after, limit }: { mailboxId: number; after: number; limit: number },
): Promise<number[]> {
  return (await tx.all(uidsWithoutKeys, mailboxId, after, limit)).map(({ uid }) => uid);
}
