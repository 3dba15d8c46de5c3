import type { ReadTx } from '../db/sql.ts';
import { listMailboxes } from '../mailstore/mailboxes.ts';
import { mailboxById, mailboxByName, type MailboxColumns } from '../mailstore/mailboxes.sql.ts';
import { ancestors, INBOX } from '../mailstore/names.ts';
import { toMailbox } from '../mailstore/rows.ts';
import { foreignName, foreignText, isReserved, validName } from './namespaces.ts';
import { ALL_RIGHTS, OWNER_ALWAYS, parseRights, Right, sumOfRights } from './rights.ts';
import * as sql from './sharing.sql.ts';
import type { KnownMailbox, NamedPlace } from './types.ts';

/** Entries of others' mailboxes that are looked at for one account. */
const MAX_ENTRIES = 20_000;

type Mine = [account: string, domain: string, address: string];

export function subjectsOf(person: sql.PersonRow): Mine {
  return [accountSubject(person.id), `d:${person.domain_id}`, person.address];
}

export function accountSubject(accountId: number): string {
  return `a:${accountId}`;
}

/** The sum of entries that mean an account; the owner has all rights unless an entry names them. */
function rightsFrom(
  rows: readonly (sql.RightsRow & { subject: string })[],
  ownerId: number | undefined,
): number {
  const entries = rows.map((row) => ({ rights: parseRights(row.rights) ?? 0, negative: row.negative === 1 }));
  if (ownerId === undefined) return sumOfRights(entries);
  const mine = accountSubject(ownerId);
  const named = rows.some((row) => row.subject === mine && row.negative === 0);
  if (!named) entries.push({ rights: ALL_RIGHTS, negative: false });
  return sumOfRights(entries) | OWNER_ALWAYS;
}

/** What an account may do with a mailbox; nothing where either is gone. */
export async function rightsOf(
  tx: ReadTx,
  { accountId, mailboxId }: { accountId: number; mailboxId: number },
): Promise<number> {
  const mailbox = await tx.get(mailboxById, mailboxId);
  if (mailbox === undefined) return 0;
  // Asked after every change of an account by its own sessions, where there is hardly ever anything to say.
  const isOwn = mailbox.account_id === accountId;
  if (isOwn && (await tx.get(sql.anyEntry, mailboxId)) === undefined) return ALL_RIGHTS;
  const person = await tx.get(sql.personById, accountId);
  return person === undefined ? 0 : rightsIn(tx, person, mailbox);
}

async function rightsIn(
  tx: ReadTx,
  person: sql.PersonRow,
  mailbox: MailboxColumns | undefined,
): Promise<number> {
  // Asked for a mailbox that is not there too: it must not take less time than for one that may not be seen.
  const rows = await tx.all(sql.rightsOfViewer, mailbox?.id ?? 0, ...subjectsOf(person));
  if (mailbox === undefined) return 0;
  return rightsFrom(rows, mailbox.account_id === person.id ? person.id : undefined);
}

/**
 * The mailbox that a name means for an account, and what it may do with it; undefined where there is none, or none to
 * which the account has any right. Whoever answers must make no difference where the right to see it (l) lacks.
 */
export async function resolveName(
  tx: ReadTx,
  { accountId, name }: { accountId: number; name: string },
): Promise<KnownMailbox | undefined> {
  const own = validName(name);
  const mine = own === undefined ? undefined : await tx.get(mailboxByName, accountId, own);
  // One's own mailbox that nobody ever shared: what nearly every SELECT is about.
  if (mine !== undefined && (await tx.get(sql.anyEntry, mine.id)) === undefined)
    return { mailbox: toMailbox(mine), path: mine.name, rights: ALL_RIGHTS, own: true };
  const person = await tx.get(sql.personById, accountId);
  if (person === undefined) return undefined;
  if (mine !== undefined) {
    return { mailbox: toMailbox(mine), path: mine.name, rights: await rightsIn(tx, person, mine), own: true };
  }
  const place = await foreignPlace(tx, person, name);
  if (place === undefined) return undefined;
  const row = await tx.get(mailboxByName, place.owner?.id ?? 0, place.path);
  const rights = await rightsIn(tx, person, row);
  // As much work for what is not there as for what may not be seen.
  if (row === undefined || place.owner === undefined || rights === 0) return undefined;
  const known = foreignText(toOwner(place.owner), row.name);
  const subscribed = (await tx.get(sql.subscriptionHeld, accountId, known)) !== undefined;
  return { mailbox: asForeign(row, known, subscribed), path: row.name, rights, own: false };
}

function toOwner(row: { address: string; shared: number }): { address: string; shared: boolean } {
  return { address: row.address, shared: row.shared === 1 };
}

/** Whose account and which path a name of others' namespaces means; `owner` undefined: nobody's. */
async function foreignPlace(
  tx: ReadTx,
  person: sql.PersonRow,
  name: string,
): Promise<{ owner: sql.PersonRow | undefined; path: string } | undefined> {
  const foreign = foreignName(name);
  if (foreign === undefined) return undefined;
  for (const address of foreign.addresses) {
    const owner = await tx.get(sql.personByAddress, address);
    if (owner === undefined || owner.id === person.id) continue;
    if ((owner.shared === 1) === foreign.shared) return { owner, path: foreign.path };
  }
  return { owner: undefined, path: foreign.path };
}

/** Others' special uses are not this account's: a client must not take somebody's Trash for its own. */
function asForeign(row: MailboxColumns, name: string, subscribed: boolean) {
  return { ...toMailbox(row), name, subscribed, specialUse: undefined };
}

/** Where a mailbox of that name would be made; undefined for a name that is nobody's to use. */
export async function placeOf(
  tx: ReadTx,
  { accountId, name }: { accountId: number; name: string },
): Promise<NamedPlace | undefined> {
  const person = await tx.get(sql.personById, accountId);
  if (person === undefined) return undefined;
  if (!isReserved(name)) {
    const path = validName(name) ?? name;
    return { accountId, path, own: true, above: await rightsAbove(tx, person, accountId, path, ALL_RIGHTS) };
  }
  const place = await foreignPlace(tx, person, name);
  if (place?.owner === undefined || place.path === '') return undefined;
  const { owner, path } = place;
  return { accountId: owner.id, path, own: false, above: await rightsAbove(tx, person, owner.id, path, 0) };
}

/** Rights to the nearest mailbox above; `top` where there is none. */
async function rightsAbove(
  tx: ReadTx,
  person: sql.PersonRow,
  ownerId: number,
  path: string,
  top: number,
): Promise<number> {
  for (const parent of ancestors(path).toReversed()) {
    const row = await tx.get(mailboxByName, ownerId, parent);
    if (row !== undefined) return rightsIn(tx, person, row);
  }
  // The top of a shared account is below its inbox, so that those who look after it can make mailboxes.
  const owner = ownerId === person.id ? undefined : await tx.get(sql.personById, ownerId);
  if (owner?.shared !== 1) return top;
  return rightsIn(tx, person, await tx.get(mailboxByName, ownerId, INBOX));
}

/**
 * All mailboxes that an account may see, its own and others', by name. Subscriptions to what is not there, or no
 * longer to be seen, come with id 0.
 */
export async function knownMailboxes(
  tx: ReadTx,
  { accountId }: { accountId: number },
): Promise<KnownMailbox[]> {
  const person = await tx.get(sql.personById, accountId);
  if (person === undefined) return [];
  const own = await ownMailboxes(tx, person);
  const shared = await othersMailboxes(tx, person);
  return shared.length === 0
    ? own
    : [...own, ...shared].toSorted((a, b) => (a.mailbox.name < b.mailbox.name ? -1 : 1));
}

async function ownMailboxes(tx: ReadTx, person: sql.PersonRow): Promise<KnownMailbox[]> {
  const entries = Map.groupBy(
    await tx.all(sql.ownEntries, person.id, ...subjectsOf(person)),
    (row) => row.mailbox_id,
  );
  return (await listMailboxes(tx, { accountId: person.id })).map((mailbox) => {
    const rows = entries.get(mailbox.id);
    const rights = rows === undefined ? ALL_RIGHTS : rightsFrom(rows, person.id);
    return { mailbox, path: mailbox.name, rights, own: true };
  });
}

async function othersMailboxes(tx: ReadTx, person: sql.PersonRow): Promise<KnownMailbox[]> {
  const rows = await tx.all(sql.sharedWith, ...subjectsOf(person), person.id, MAX_ENTRIES);
  const names = new Set((await tx.all(sql.subscriptionsOf, person.id)).map((row) => row.name));
  const known: KnownMailbox[] = [];
  for (const [, entries] of Map.groupBy(rows, (row) => row.id)) {
    const [row] = entries;
    if (row === undefined) continue;
    const rights = rightsFrom(
      entries.map((entry) => ({ ...entry, subject: '' })),
      undefined,
    );
    if ((rights & Right.Lookup) === 0) continue;
    const name = foreignText(toOwner(row), row.name);
    known.push({ mailbox: asForeign(row, name, names.delete(name)), path: row.name, rights, own: false });
  }
  for (const name of names) known.push(goneSubscription(person.id, name));
  return known;
}

function goneSubscription(accountId: number, name: string): KnownMailbox {
  const mailbox = {
    id: 0,
    accountId,
    name,
    specialUse: undefined,
    subscribed: true,
    uidvalidity: 0,
    uidnext: 1,
    modseq: 0,
    messages: 0,
    unseen: 0,
    deleted: 0,
    size: 0,
    recentUid: 1,
  };
  return { mailbox, path: name, rights: 0, own: false };
}
