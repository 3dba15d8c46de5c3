import { Refusal } from '../../base/errors.ts';
import type { WriteTx } from '../db/sql.ts';
import { copyOfMailbox } from '../sharing/annotations.sql.ts';
import { beginAccount } from './account.ts';
import type { CountersRow } from './account.sql.ts';
import {
  childrenOf,
  createParents,
  createPath,
  mailboxMaker,
  needMailbox,
  refuseExisting,
} from './mailboxes.ts';
import { dropDeadSubscription, type MailboxColumns, renameMailbox } from './mailboxes.sql.ts';
import { checkNameSize, INBOX, mailboxName, SEPARATOR } from './names.ts';
import { transfer } from './placements.ts';
import { EVERYTHING, ownMailbox } from './rows.ts';

/**
 * RENAME (RFC 9051 6.3.6): what lies below moves along, missing parents are made. INBOX stays; its messages move into
 * a new mailbox, its children stay too.
 * @throws Refusal 'no-such-mailbox', 'already-exists', 'not-permitted', 'bad-input', 'limit'
 */
export async function rename(
  tx: WriteTx,
  args: { accountId: number; from: string; to: string },
): Promise<null> {
  const { accountId } = args;
  const from = mailboxName(args.from);
  const to = mailboxName(args.to);
  const counters = await beginAccount(tx, accountId);
  const source = await needMailbox(tx, accountId, from);
  await refuseExisting(tx, accountId, to);
  if (from === INBOX) await moveInbox(tx, accountId, counters, source, to);
  else await renameTree(tx, accountId, counters, source, to);
  tx.touch(accountId);
  return null;
}

async function moveInbox(
  tx: WriteTx,
  accountId: number,
  counters: CountersRow,
  inbox: MailboxColumns,
  to: string,
): Promise<void> {
  const id = await createPath(tx, accountId, counters, to);
  const target = await ownMailbox(tx, accountId, id);
  // RFC 5464 section 4.1: annotations go along, and stay.
  await tx.run(copyOfMailbox, id, counters.modseq, inbox.id);
  await transfer(tx, { accountId, modseq: counters.modseq, source: inbox, target }, EVERYTHING, true);
}

async function renameTree(
  tx: WriteTx,
  accountId: number,
  counters: CountersRow,
  source: MailboxColumns,
  to: string,
): Promise<void> {
  const from = source.name;
  if (to.startsWith(from + SEPARATOR)) {
    throw new Refusal('not-permitted', 'A mailbox cannot be moved below itself.', { imapCode: 'CANNOT' });
  }
  const children = await childrenOf(tx, accountId, from);
  const moved = [{ id: source.id, name: from, subscribed: source.subscribed }, ...children].map((row) => ({
    ...row,
    name: to + row.name.slice(from.length),
  }));
  for (const row of moved) checkNameSize(row.name);
  const maker = mailboxMaker(tx, accountId, counters);
  await createParents(tx, accountId, to, maker.make);
  await maker.done();
  for (const row of moved) {
    const wasSubscribed = (await tx.run(dropDeadSubscription, accountId, row.name)) > 0;
    await tx.run(renameMailbox, row.name, wasSubscribed ? 1 : row.subscribed, counters.modseq, row.id);
  }
}
