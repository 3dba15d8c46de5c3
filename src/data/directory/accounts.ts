import { Refusal } from '../../base/errors.ts';
import { limits } from '../../base/limits.ts';
import { usableScram } from '../access/app-passwords.ts';
import { cutGrants } from '../access/oauth.ts';
import { cutSessions } from '../access/sessions.ts';
import type { WriteTx } from '../db/sql.ts';
import { createDefaults } from '../mailstore/mailboxes.ts';
import { maskedAt } from '../account/masked.sql.ts';
import { aliasAt } from './addresses.sql.ts';
import { adminDomainsOf } from './admin-domains.sql.ts';
import { dropAdminDomains } from './admin-domains.ts';
import { putCredential, upgradeCredential as upgradeCredentialSql } from './credentials.sql.ts';
import {
  accountByAddress,
  insertAccount,
  otherAdministrators,
  setMessageQuota,
  setQuota as setQuotaSql,
  setRole as setRoleSql,
  setStatus as setStatusSql,
} from './directory.sql.ts';
import { needAccount, needOwn, needRemovedAccount } from './find.ts';
import { audit, requireAccount, requireAdmin, requireDomain } from './permission.ts';
import { PURGE_EMAILS, purgeAccount } from './removal.ts';
import type { Account, Actor, Role, ScramSecret } from './types.ts';

/** UTF-16 units of a display name. */
const DISPLAY_NAME = 200;

export interface NewAccount {
  readonly actor: Actor;
  readonly address: string;
  readonly displayName: string;
  readonly role: Role;
  readonly quota: number;
  readonly hash: string;
  readonly scram: ScramSecret | null;
  /** Nobody is to log in to it: `hash` and `scram` are not kept. */
  readonly shared?: boolean;
}

export async function addAccount(tx: WriteTx, args: NewAccount): Promise<Account> {
  const { actor, role, shared = false } = args;
  if (shared && role !== 'user') throw new Refusal('bad-input', 'A shared account administers nothing.');
  const { domain, localPart, address } = await needOwn(tx, args.address);
  requireAccount(actor, { domainId: domain.id, role });
  const quota = needQuota(args.quota);
  if ((await tx.get(accountByAddress, address)) !== undefined) {
    throw new Refusal('already-exists', `The account ${address} exists already.`);
  }
  if ((await tx.get(aliasAt, domain.id, localPart)) !== undefined) {
    throw new Refusal('already-exists', `${address} is an alias: remove it first.`);
  }
  if ((await tx.get(maskedAt, domain.id, localPart)) !== undefined) {
    throw new Refusal('already-exists', `${address} is, or was, a masked address of somebody.`);
  }
  const displayName = args.displayName.slice(0, DISPLAY_NAME).replaceAll('\0', '').toWellFormed();
  const row = await tx.get(
    insertAccount,
    address,
    domain.id,
    displayName,
    role,
    quota,
    tx.now,
    shared ? 1 : 0,
  );
  if (row === undefined) throw new Error('an INSERT returned no row');
  // Makes the account's counters too.
  await createDefaults(tx, { accountId: row.id });
  if (!shared) await putPassword(tx, row.id, args);
  await audit(tx, actor, 'account.add', address, { role, quota, ...(shared && { shared: 1 }) });
  return needAccount(tx, address);
}

function putPassword(
  tx: WriteTx,
  accountId: number,
  { hash, scram }: { hash: string; scram: ScramSecret | null },
): Promise<number> {
  const { salt = null, iterations = null, storedKey = null, serverKey = null } = scram ?? {};
  return tx.run(putCredential, accountId, hash, salt, iterations, storedKey, serverKey, tx.now);
}

/** Everybody may set their own password, administrators those of their accounts. Ends the account's sessions. */
export async function setPassword(
  tx: WriteTx,
  args: { actor: Actor; address: string; hash: string; scram: ScramSecret | null },
): Promise<null> {
  const account = await needAccount(tx, args.address);
  if (args.actor.name !== account.address) requireAccount(args.actor, account);
  if (account.shared) {
    throw new Refusal('conflict', `${account.address} is a shared account: nobody logs in to it.`);
  }
  await putPassword(tx, account.id, {
    hash: args.hash,
    scram: await usableScram(tx, account.id, args.scram),
  });
  tx.revoke(account.id);
  await cutSessions(tx, account.id, 0);
  await audit(tx, args.actor, 'account.password', account.address);
  return null;
}

export async function upgradeCredential(
  tx: WriteTx,
  args: { accountId: number; oldHash: string; hash: string; scram: ScramSecret },
): Promise<null> {
  const { salt, iterations, storedKey, serverKey } = args.scram;
  await tx.run(
    upgradeCredentialSql,
    args.hash,
    salt,
    iterations,
    storedKey,
    serverKey,
    args.accountId,
    args.oldHash,
  );
  return null;
}

export async function setStatus(
  tx: WriteTx,
  args: { actor: Actor; address: string; status: 'active' | 'suspended' },
): Promise<null> {
  const account = await needAccount(tx, args.address);
  requireAccount(args.actor, account);
  if (args.status === 'suspended') {
    await keepAnAdministrator(tx, account);
    await cutLogins(tx, account.id);
  }
  await tx.run(setStatusSql, args.status, null, account.id);
  const action = `account.${args.status === 'active' ? 'resume' : 'suspend'}`;
  const undo = { kind: 'status', address: account.address, from: account.status, to: args.status } as const;
  await audit(tx, args.actor, action, account.address, {}, undo);
  return null;
}

export async function setRole(
  tx: WriteTx,
  args: { actor: Actor; address: string; role: Role },
): Promise<null> {
  const account = await needAccount(tx, args.address);
  requireAccount(args.actor, account);
  if (account.shared && args.role !== 'user')
    throw new Refusal('conflict', `${account.address} is a shared account: nobody logs in to it.`);
  if (args.role === 'admin') requireAdmin(args.actor);
  else await keepAnAdministrator(tx, account);
  await tx.run(setRoleSql, args.role, account.id);
  const domains = (await tx.all(adminDomainsOf, account.id)).map(({ id }) => id);
  if (args.role !== 'domain-admin') await dropAdminDomains(tx, account.id);
  const change = { from: account.role, to: args.role };
  const undo = { kind: 'role', address: account.address, ...change, domains } as const;
  await audit(tx, args.actor, 'account.role', account.address, change, undo);
  return null;
}

/** Octets, and with `messages` how many emails besides; 0 for no limit. */
export async function setQuota(
  tx: WriteTx,
  args: { actor: Actor; address: string; quota: number; messages?: number },
): Promise<null> {
  const account = await needAccount(tx, args.address);
  requireAccount(args.actor, account);
  await tx.run(setQuotaSql, needQuota(args.quota), account.id);
  if (args.messages !== undefined) await tx.run(setMessageQuota, needQuota(args.messages), account.id);
  const { messages } = args;
  const change = { from: account.quota, to: args.quota };
  const undo = messages === undefined && ({ kind: 'quota', address: account.address, ...change } as const);
  const data = { ...change, ...(messages !== undefined && { messages }) };
  await audit(tx, args.actor, 'account.quota', account.address, data, undo || undefined);
  return null;
}

/** Unknown at once, sessions ended, mail kept for 30 days unless it is purged. Refusal 'conflict' for the last administrator. */
export async function removeAccount(
  tx: WriteTx,
  args: { actor: Actor; address: string; purge: boolean },
): Promise<{ files: readonly string[] }> {
  const account = await needAccount(tx, args.address);
  requireAccount(args.actor, account);
  await keepAnAdministrator(tx, account);
  // A purge that is not done yet goes on in the background, and is past restoring.
  await tx.run(setStatusSql, 'removed', args.purge ? 0 : tx.now, account.id);
  await cutLogins(tx, account.id);
  tx.touch(account.id);
  const undo = { kind: 'removed', address: account.address, from: account.status } as const;
  const data = { purge: Number(args.purge) };
  await audit(tx, args.actor, 'account.remove', account.address, data, args.purge ? undefined : undo);
  if (!args.purge) return { files: [] };
  return { files: (await purgeAccount(tx, account.id, PURGE_EMAILS)).files };
}

export async function restoreAccount(tx: WriteTx, args: { actor: Actor; address: string }): Promise<null> {
  const { domain, localPart, address } = await needOwn(tx, args.address);
  requireDomain(args.actor, domain.id);
  const account = await needRemovedAccount(tx, address);
  requireAccount(args.actor, account);
  if ((account.removedAt ?? 0) <= tx.now - limits.undeleteMs) {
    throw new Refusal('not-found', `${address} was removed too long ago, or its mail was purged.`);
  }
  const taken = (await tx.get(accountByAddress, address)) ?? (await tx.get(aliasAt, domain.id, localPart));
  if (taken !== undefined) throw new Refusal('already-exists', `${address} is in use again.`);
  await tx.run(setStatusSql, 'active', null, account.id);
  await audit(tx, args.actor, 'account.restore', address);
  return null;
}

/** All connections, web sessions and grants end; app passwords and second factors are there when it comes back. */
async function cutLogins(tx: WriteTx, accountId: number): Promise<void> {
  tx.revoke(accountId);
  await cutSessions(tx, accountId, 0);
  await cutGrants(tx, accountId);
}

/** Somebody must be left who can undo what an administrator did, and who reads postmaster@. */
async function keepAnAdministrator(tx: WriteTx, account: Account): Promise<void> {
  if (account.role !== 'admin' || account.status !== 'active') return;
  const others = await tx.get(otherAdministrators, account.id);
  if ((others?.count ?? 0) > 0) return;
  throw new Refusal('conflict', `${account.address} is the only administrator: make another one first.`);
}

function needQuota(quota: number): number {
  if (Number.isSafeInteger(quota) && quota >= 0) return quota;
  throw new Refusal('bad-input', 'A quota is a number of octets, or 0 for none.');
}
