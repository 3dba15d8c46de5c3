import { Refusal } from '../../base/errors.ts';
import type { WriteTx } from '../db/sql.ts';
import { beginAccount } from './account.ts';
import { type Appended, appendOne } from './deposit.ts';
import { removePlacements } from './placements.ts';
import { ownMailbox } from './rows.ts';

export interface AppendAll {
  readonly accountId: number;
  readonly mailboxId: number;
  /** At least one. */
  readonly messages: readonly Appended[];
  /** The message that makes room for them (RFC 8508): it goes in the same commit. */
  readonly replaces?: { readonly accountId: number; readonly mailboxId: number; readonly uid: number };
}

/**
 * MULTIAPPEND (RFC 3502) and REPLACE (RFC 8508): all messages come in and the one they replace goes, or nothing changes.
 * UIDs ascend in the order of the messages.
 * @throws Refusal as `append`; 'no-such-message' when what is to be replaced has gone
 */
export async function appendAll(
  tx: WriteTx,
  args: AppendAll,
): Promise<{ uidvalidity: number; uids: readonly number[] }> {
  const { accountId, messages, replaces } = args;
  if (replaces !== undefined) await makeRoom(tx, replaces, accountId);
  let uidvalidity = 0;
  const uids: number[] = [];
  for (const message of messages) {
    const appended = await appendOne(tx, message, args);
    uidvalidity = appended.uidvalidity;
    uids.push(appended.uid);
  }
  tx.touch(accountId);
  return { uidvalidity, uids };
}

/** The old message goes first: its octets do not count against the quota of the new one. */
async function makeRoom(
  tx: WriteTx,
  { accountId, mailboxId, uid }: NonNullable<AppendAll['replaces']>,
  targetAccountId: number,
): Promise<void> {
  // Ascending, see beginAccount.
  if (targetAccountId < accountId) await beginAccount(tx, targetAccountId);
  const { modseq } = await beginAccount(tx, accountId);
  await ownMailbox(tx, accountId, mailboxId);
  const gone = await removePlacements(tx, { accountId, mailboxId, modseq }, [{ from: uid, to: uid }], true);
  if (gone.length === 0)
    throw new Refusal('no-such-message', 'The message to be replaced is gone.', {
      imapCode: 'EXPUNGEISSUED',
    });
  tx.touch(accountId);
}
