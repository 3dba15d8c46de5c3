import { Refusal } from '../../base/errors.ts';
import type { WriteTx } from '../db/sql.ts';
import { beginAccount } from '../mailstore/account.ts';
import { MAX_MAILBOXES } from '../mailstore/names.ts';
import { noSuchMailbox } from '../mailstore/rows.ts';
import { resolveName } from './known.ts';
import { Right } from './rights.ts';
import * as sql from './sharing.sql.ts';

/**
 * Subscribe to somebody else's mailbox, by the name the account knows it by, or end that. To subscribe, the account must
 * see it (RFC 4314 section 4); to unsubscribe nothing need be there.
 * @throws Refusal 'no-such-mailbox', 'limit'
 */
export async function subscribeShared(
  tx: WriteTx,
  { accountId, name, subscribed }: { accountId: number; name: string; subscribed: boolean },
): Promise<null> {
  await beginAccount(tx, accountId);
  if (!subscribed) {
    if ((await tx.run(sql.dropSubscription, accountId, name.normalize('NFC'))) > 0) tx.touch(accountId);
    return null;
  }
  const found = await resolveName(tx, { accountId, name });
  if (found === undefined || (found.rights & Right.Lookup) === 0) throw noSuchMailbox();
  if ((await tx.all(sql.subscriptionsOf, accountId)).length >= MAX_MAILBOXES) {
    throw new Refusal('limit', `At most ${MAX_MAILBOXES} mailboxes of others may be subscribed.`, {
      imapCode: 'LIMIT',
    });
  }
  if ((await tx.run(sql.addSubscription, accountId, found.mailbox.name)) > 0) tx.touch(accountId);
  return null;
}
