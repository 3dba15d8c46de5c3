import { Refusal } from '../../base/errors.ts';
import type { ReadTx, WriteTx } from '../db/sql.ts';
import { aliasAt } from '../directory/addresses.sql.ts';
import { accountById, domainByName } from '../directory/directory.sql.ts';
import { needAccount, needOwn } from '../directory/find.ts';
import { audit, requireAccount } from '../directory/permission.ts';
import { toAccount } from '../directory/rows.ts';
import type { Actor } from '../directory/types.ts';
import { beginAccount } from '../mailstore/account.ts';
import { mailboxById, mailboxByName, type MailboxColumns } from '../mailstore/mailboxes.sql.ts';
import { noSuchMailbox } from '../mailstore/rows.ts';
import { accountSubject, rightsOf } from './known.ts';
import { validName } from './namespaces.ts';
import { ALL_RIGHTS, formatRights, OWNER_ALWAYS, parseRights, Right } from './rights.ts';
import * as sql from './sharing.sql.ts';
import type { AclEntry, RightsMode } from './types.ts';

/** Entries of one mailbox's list. */
export const MAX_ACL_ENTRIES = 200;
/** UTF-16 units of an identifier. */
const IDENTIFIER_LENGTH = 400;

const GROUP = 'group:';

interface Subject {
  readonly subject: string;
  readonly negative: 0 | 1;
  /** The account it names, to be told. */
  readonly accountId: number | undefined;
}

/**
 * What an identifier means: an address, `anyone`, `@domain`, `group:ALIAS`, each with "-" in front to take away.
 * @throws Refusal 'not-found', 'bad-input'
 */
async function subjectOf(tx: ReadTx, identifier: string): Promise<Subject> {
  if (identifier.length > IDENTIFIER_LENGTH) throw new Refusal('bad-input', 'The identifier is too long.');
  const negative = identifier.startsWith('-') ? 1 : 0;
  const name = negative === 1 ? identifier.slice(1) : identifier;
  if (name.toLowerCase() === 'anyone') return { subject: 'anyone', negative, accountId: undefined };
  if (name.startsWith('@')) {
    const domain = await tx.get(domainByName, name.slice(1).toLowerCase());
    if (domain === undefined) throw nobody(name);
    return { subject: `d:${domain.alias_of_id ?? domain.id}`, negative, accountId: undefined };
  }
  if (name.startsWith(GROUP)) {
    const { domain, localPart } = await own(tx, name.slice(GROUP.length));
    const alias = await tx.get(aliasAt, domain, localPart);
    if (alias === undefined) throw nobody(name);
    return { subject: `g:${alias.id}`, negative, accountId: undefined };
  }
  const { address } = await own(tx, name);
  const person = await tx.get(sql.personByAddress, address);
  if (person === undefined) throw nobody(name);
  return { subject: accountSubject(person.id), negative, accountId: person.id };
}

async function own(
  tx: ReadTx,
  text: string,
): Promise<{ domain: number; localPart: string; address: string }> {
  try {
    const { domain, localPart, address } = await needOwn(tx, text);
    return { domain: domain.id, localPart, address };
  } catch (error) {
    if (error instanceof Refusal) throw nobody(text);
    throw error;
  }
}

function nobody(name: string): Refusal {
  return new Refusal(
    'not-found',
    `"${name.slice(0, 100)}" is nobody here: give an address, anyone, @domain or group:ALIAS.`,
    { imapCode: 'CANNOT' },
  );
}

/** The list of a mailbox, its owner first. */
export async function acl(tx: ReadTx, { mailboxId }: { mailboxId: number }): Promise<AclEntry[]> {
  const mailbox = await tx.get(mailboxById, mailboxId);
  const owner = mailbox && (await tx.get(accountById, mailbox.account_id));
  if (mailbox === undefined || owner === undefined) return [];
  const mine = accountSubject(owner.id);
  const rows = await tx.all(sql.aclOf, mailboxId);
  const stored = rows.find((row) => row.subject === mine && row.negative === 0);
  const ownRights = stored === undefined ? ALL_RIGHTS : (parseRights(stored.rights) ?? 0) | OWNER_ALWAYS;
  const entries: AclEntry[] = [{ identifier: owner.address, rights: ownRights }];
  for (const row of rows) {
    if (row === stored) continue;
    const name = row.subject === 'anyone' ? 'anyone' : nameOf(row);
    if (name === undefined) continue;
    entries.push({
      identifier: row.negative === 1 ? `-${name}` : name,
      rights: parseRights(row.rights) ?? 0,
    });
  }
  return entries;
}

function nameOf(row: {
  address: string | null;
  domain: string | null;
  alias: string | null;
}): string | undefined {
  if (row.address !== null) return row.address;
  if (row.domain !== null) return `@${row.domain}`;
  return row.alias === null ? undefined : GROUP + row.alias;
}

export interface ChangeRights {
  readonly mailboxId: number;
  readonly identifier: string;
  readonly mode: RightsMode;
  /** Bits of `Right`. */
  readonly rights: number;
}

/**
 * SETACL and DELETEACL (RFC 4314 sections 3.1 and 3.2; no rights left: no entry) by an account that has the right a.
 * @throws Refusal 'no-such-mailbox', 'not-permitted', 'not-found', 'limit'
 */
export async function setRightsAs(tx: WriteTx, args: ChangeRights & { accountId: number }): Promise<null> {
  const mailbox = await tx.get(mailboxById, args.mailboxId);
  const me = await tx.get(sql.personById, args.accountId);
  if (mailbox === undefined || me === undefined) throw noSuchMailbox();
  // Before the check: whoever takes rights away at the same time is waited for.
  await beginAccount(tx, mailbox.account_id);
  const rights = await rightsOf(tx, args);
  if ((rights & Right.Administer) === 0) {
    if ((rights & Right.Lookup) === 0) throw noSuchMailbox();
    throw new Refusal('not-permitted', 'The right "a" is needed for that.', { imapCode: 'NOPERM' });
  }
  const actor: Actor = { name: me.address, role: 'user', domainId: me.domain_id };
  await change(tx, actor, mailbox, args);
  return null;
}

/** The same by an administrator, with the mailbox by account and name. Refusals 'no-such-account' besides. */
export async function setRights(
  tx: WriteTx,
  args: Omit<ChangeRights, 'mailboxId'> & { actor: Actor; account: string; mailbox: string },
): Promise<AclEntry[]> {
  const owner = await needAccount(tx, args.account);
  if (args.actor.name !== owner.address) requireAccount(args.actor, owner);
  await beginAccount(tx, owner.id);
  const mailbox = await tx.get(mailboxByName, owner.id, validName(args.mailbox) ?? '');
  if (mailbox === undefined) {
    throw new Refusal('no-such-mailbox', `${owner.address} has no mailbox "${args.mailbox.slice(0, 100)}".`);
  }
  await change(tx, args.actor, mailbox, { ...args, mailboxId: mailbox.id });
  return acl(tx, { mailboxId: mailbox.id });
}

async function change(tx: WriteTx, actor: Actor, mailbox: MailboxColumns, args: ChangeRights): Promise<void> {
  const { mailboxId, mode } = args;
  const { subject, negative, accountId } = await subjectOf(tx, args.identifier);
  const isOwner = accountId === mailbox.account_id && negative === 0;
  const row = await tx.get(sql.entryOf, mailboxId, subject, negative);
  const before = row === undefined ? (isOwner ? ALL_RIGHTS : 0) : (parseRights(row.rights) ?? 0);
  let after = args.rights & ALL_RIGHTS;
  if (mode === 'add') after |= before;
  else if (mode === 'remove') after = before & ~after;
  if (isOwner) after |= OWNER_ALWAYS;
  if (isOwner ? after === ALL_RIGHTS : after === 0)
    await tx.run(sql.deleteEntry, mailboxId, subject, negative);
  else {
    if (row === undefined && ((await tx.get(sql.countEntries, mailboxId))?.n ?? 0) >= MAX_ACL_ENTRIES) {
      throw new Refusal('limit', `A mailbox has at most ${MAX_ACL_ENTRIES} entries in its list.`, {
        imapCode: 'LIMIT',
      });
    }
    await tx.run(sql.putEntry, mailboxId, subject, negative, formatRights(after));
  }
  const owner = await tx.get(accountById, mailbox.account_id);
  await audit(tx, actor, 'mailbox.rights', owner === undefined ? '' : toAccount(owner).address, {
    mailbox: mailbox.name,
    who: args.identifier,
    from: formatRights(before),
    to: formatRights(after),
  });
  tx.touch(mailbox.account_id);
  if (accountId !== undefined && accountId !== mailbox.account_id) tx.touch(accountId);
}
