import { Refusal } from '../../base/errors.ts';
import type { ReadTx, WriteTx } from '../db/sql.ts';
import { inheritFromInbox, inheritRights } from '../sharing/sharing.sql.ts';
import { beginAccount } from './account.ts';
import { addCounters, type CountersRow, lockAccountOf, setUidvalidity } from './account.sql.ts';
import {
  countMailboxes,
  deadSubscriptions,
  deleteMailbox,
  dropDeadSubscription,
  insertDeadMailbox,
  insertMailbox,
  type MailboxColumns,
  mailboxById,
  mailboxByName,
  mailboxBySpecialUse,
  mailboxesOf,
  mailboxesUnder,
  setSubscribed,
  takeRecent,
} from './mailboxes.sql.ts';
import { ancestors, INBOX, MAX_MAILBOXES, mailboxName, SEPARATOR } from './names.ts';
import { removePlacements } from './placements.ts';
import { EVERYTHING, noSuchMailbox, toMailbox } from './rows.ts';
import type { Mailbox, SpecialUse } from './types.ts';

/** All mailboxes, by name in order of code units; deleted ones that are still subscribed come with id 0. */
export async function listMailboxes(tx: ReadTx, { accountId }: { accountId: number }): Promise<Mailbox[]> {
  const alive = (await tx.all(mailboxesOf, accountId)).map(toMailbox);
  const dead = (await tx.all(deadSubscriptions, accountId)).map((row) => deadMailbox(accountId, row));
  return [...alive, ...dead].toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

function deadMailbox(accountId: number, row: { name: string; uidvalidity: number; modseq: number }): Mailbox {
  return {
    id: 0,
    accountId,
    name: row.name,
    specialUse: undefined,
    subscribed: true,
    uidvalidity: row.uidvalidity,
    uidnext: 1,
    modseq: row.modseq,
    messages: 0,
    unseen: 0,
    deleted: 0,
    size: 0,
    recentUid: 1,
  };
}

/** The mailbox of that name; undefined also for what cannot be a name. */
export async function findMailbox(
  tx: ReadTx,
  { accountId, name }: { accountId: number; name: string },
): Promise<Mailbox | undefined> {
  const path = nameIfValid(name);
  const row = path === undefined ? undefined : await tx.get(mailboxByName, accountId, path);
  return row && toMailbox(row);
}

function nameIfValid(name: string): string | undefined {
  try {
    return mailboxName(name);
  } catch (error) {
    if (error instanceof Refusal) return undefined;
    throw error;
  }
}

export async function findMailboxById(
  tx: ReadTx,
  { mailboxId }: { mailboxId: number },
): Promise<Mailbox | undefined> {
  const row = await tx.get(mailboxById, mailboxId);
  return row && toMailbox(row);
}

/** @throws Refusal 'no-such-mailbox' */
export async function needMailbox(tx: ReadTx, accountId: number, name: string): Promise<MailboxColumns> {
  const row = await tx.get(mailboxByName, accountId, name);
  if (row === undefined) throw noSuchMailbox();
  return row;
}

/** Create a mailbox and its missing parents (RFC 9051 6.3.4); special uses are unique in an account (RFC 6154). */
export async function createMailbox(
  tx: WriteTx,
  args: { accountId: number; name: string; specialUse?: SpecialUse },
): Promise<Mailbox> {
  const { accountId, specialUse } = args;
  const name = mailboxName(args.name);
  const counters = await beginAccount(tx, accountId);
  if (specialUse !== undefined && (await tx.get(mailboxBySpecialUse, accountId, specialUse)) !== undefined) {
    throw new Refusal('not-permitted', `Another mailbox is ${specialUse} already.`, { imapCode: 'USEATTR' });
  }
  const id = await createPath(tx, accountId, counters, name, specialUse);
  tx.touch(accountId);
  const row = await tx.get(mailboxById, id);
  if (row === undefined) throw new Error('a mailbox was not stored');
  return toMailbox(row);
}

/**
 * Create a mailbox and its missing parents within a write that has begun.
 * @throws Refusal 'already-exists', 'limit'
 */
export async function createPath(
  tx: WriteTx,
  accountId: number,
  counters: CountersRow,
  name: string,
  specialUse?: SpecialUse,
): Promise<number> {
  await refuseExisting(tx, accountId, name);
  const maker = mailboxMaker(tx, accountId, counters);
  await createParents(tx, accountId, name, maker.make);
  const id = await maker.make(name, specialUse);
  await maker.done();
  return id;
}

export async function refuseExisting(tx: ReadTx, accountId: number, name: string): Promise<void> {
  if ((await tx.get(mailboxByName, accountId, name)) === undefined) return;
  throw new Refusal('already-exists', 'A mailbox of that name exists already.', {
    imapCode: 'ALREADYEXISTS',
  });
}

export async function createParents(
  tx: WriteTx,
  accountId: number,
  name: string,
  make: (name: string) => Promise<number>,
): Promise<void> {
  for (const parent of ancestors(name)) {
    if ((await tx.get(mailboxByName, accountId, parent)) === undefined) await make(parent);
  }
}

/**
 * Makes mailboxes within one write. Each gets a UIDVALIDITY higher than any the account ever used, so a name that is
 * used again never shows old UIDs (RFC 9051 2.3.1.1). `done` must follow the last one.
 */
export function mailboxMaker(
  tx: WriteTx,
  accountId: number,
  counters: { readonly modseq: number; readonly uidvalidity: number },
): {
  make(name: string, specialUse?: SpecialUse, subscribed?: boolean): Promise<number>;
  done(): Promise<void>;
} {
  let uidvalidity = Math.max(counters.uidvalidity, Math.floor(tx.now / 1000) - 1);
  let room: number | undefined;
  const { modseq } = counters;
  return {
    async make(name, specialUse, subscribed = false) {
      room ??= MAX_MAILBOXES - ((await tx.get(countMailboxes, accountId))?.n ?? 0);
      if (room-- <= 0) {
        throw new Refusal('limit', `An account may have at most ${MAX_MAILBOXES} mailboxes.`, {
          imapCode: 'LIMIT',
        });
      }
      // RFC 9051 6.3.7: a name stays subscribed while its mailbox is away.
      const wasSubscribed = (await tx.run(dropDeadSubscription, accountId, name)) > 0;
      uidvalidity += 1;
      const row = await tx.get(
        insertMailbox,
        accountId,
        name,
        specialUse ?? null,
        subscribed || wasSubscribed ? 1 : 0,
        uidvalidity,
        modseq,
        modseq,
        tx.now,
      );
      if (row === undefined) throw new Error('a mailbox was not stored');
      await inherit(tx, row.id, accountId, name);
      return row.id;
    },
    async done() {
      await tx.run(setUidvalidity, uidvalidity, accountId);
    },
  };
}

/** A new mailbox has the access control list of the one above it; of a shared account's top that is the inbox. */
async function inherit(tx: WriteTx, mailboxId: number, accountId: number, name: string): Promise<void> {
  const parent = ancestors(name).at(-1);
  if (parent !== undefined) await tx.run(inheritRights, mailboxId, accountId, parent);
  else if (name !== INBOX) await tx.run(inheritFromInbox, mailboxId, accountId);
}

const DEFAULTS: readonly (readonly [name: string, specialUse?: SpecialUse])[] = [
  [INBOX],
  ['Archive', '\\Archive'],
  ['Drafts', '\\Drafts'],
  ['Junk', '\\Junk'],
  ['Sent', '\\Sent'],
  ['Trash', '\\Trash'],
];

/** Counters and special-use mailboxes of a new account; what exists already stays as it is. */
export async function createDefaults(tx: WriteTx, { accountId }: { accountId: number }): Promise<null> {
  await tx.run(addCounters, accountId);
  const counters = await beginAccount(tx, accountId);
  const maker = mailboxMaker(tx, accountId, counters);
  for (const [name, specialUse] of DEFAULTS) {
    if ((await tx.get(mailboxByName, accountId, name)) !== undefined) continue;
    const taken = specialUse && (await tx.get(mailboxBySpecialUse, accountId, specialUse));
    await maker.make(name, taken ? undefined : specialUse, true);
  }
  await maker.done();
  tx.touch(accountId);
  return null;
}

/** The inbox of an account that has none, within a write that has begun. */
export async function createInbox(tx: WriteTx, accountId: number, modseq: number): Promise<number> {
  const counters = await beginAccount(tx, accountId);
  const maker = mailboxMaker(tx, accountId, { ...counters, modseq });
  const id = await maker.make(INBOX, undefined, true);
  await maker.done();
  return id;
}

/**
 * The mailbox of a name, made with its parents where it is missing, within a write that has begun (RFC 5490 section 3.2:
 * fileinto :create). Undefined for what cannot be a name, and when there are too many already.
 */
export async function createWanted(
  tx: WriteTx,
  accountId: number,
  modseq: number,
  wanted: string,
  specialUse: SpecialUse | undefined,
): Promise<number | undefined> {
  const name = nameIfValid(wanted);
  if (name === undefined) return undefined;
  const there = await tx.get(mailboxByName, accountId, name);
  if (there !== undefined) return there.id;
  const counters = await beginAccount(tx, accountId);
  const taken = specialUse && (await tx.get(mailboxBySpecialUse, accountId, specialUse));
  const maker = mailboxMaker(tx, accountId, { ...counters, modseq });
  try {
    await createParents(tx, accountId, name, maker.make);
    return await maker.make(name, taken ? undefined : specialUse, true);
  } catch (error) {
    if (error instanceof Refusal) return undefined;
    throw error;
  } finally {
    await maker.done();
  }
}

/** Delete a mailbox; emails that lie nowhere else can be brought back for the undelete period. */
export async function deleteMailboxByName(
  tx: WriteTx,
  args: { accountId: number; name: string },
): Promise<{ id: number }> {
  const { accountId } = args;
  const name = mailboxName(args.name);
  const { modseq } = await beginAccount(tx, accountId);
  const row = await needMailbox(tx, accountId, name);
  // RFC 9051 6.3.5: it is an error to delete INBOX.
  if (name === INBOX) throw new Refusal('not-permitted', 'INBOX cannot be deleted.', { imapCode: 'CANNOT' });
  if ((await childrenOf(tx, accountId, name)).length > 0) {
    throw new Refusal('not-permitted', 'Delete the mailboxes below it first.', { imapCode: 'HASCHILDREN' });
  }
  await removePlacements(tx, { accountId, mailboxId: row.id, modseq }, EVERYTHING, true);
  await tx.run(insertDeadMailbox, row.id, accountId, name, row.subscribed, row.uidvalidity, modseq, tx.now);
  await tx.run(deleteMailbox, row.id);
  tx.touch(accountId);
  return { id: row.id };
}

export function childrenOf(
  tx: ReadTx,
  accountId: number,
  name: string,
): Promise<{ id: number; name: string; subscribed: number }[]> {
  const prefix = name + SEPARATOR;
  return tx.all(mailboxesUnder, accountId, [...prefix].length, prefix);
}

/**
 * Subscribe or unsubscribe a name. A mailbox must exist to be subscribed; a deleted one can be unsubscribed.
 * @throws Refusal 'no-such-mailbox', 'bad-input'
 */
export async function subscribe(
  tx: WriteTx,
  args: { accountId: number; name: string; subscribed: boolean },
): Promise<null> {
  const { accountId, subscribed } = args;
  const name = mailboxName(args.name);
  const { modseq } = await beginAccount(tx, accountId);
  const row = await tx.get(mailboxByName, accountId, name);
  if (row !== undefined) {
    const flag = subscribed ? 1 : 0;
    if ((await tx.run(setSubscribed, flag, modseq, row.id, flag)) > 0) tx.touch(accountId);
    return null;
  }
  if (!subscribed) {
    await tx.run(dropDeadSubscription, accountId, name);
    return null;
  }
  if ((await tx.all(deadSubscriptions, accountId)).some((dead) => dead.name === name)) return null;
  throw noSuchMailbox();
}

/** Take over \Recent (RFC 3501 2.3.2): one session at most is told of each message's arrival. */
export async function claimRecent(
  tx: WriteTx,
  { mailboxId }: { mailboxId: number },
): Promise<{ recentUid: number }> {
  await tx.run(lockAccountOf, mailboxId);
  const row = await tx.get(mailboxById, mailboxId);
  if (row === undefined) throw noSuchMailbox();
  if (row.recent_uid < row.uidnext) await tx.run(takeRecent, mailboxId);
  return { recentUid: row.recent_uid };
}
