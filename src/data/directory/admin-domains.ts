import { Refusal } from '../../base/errors.ts';
import type { ReadTx, WriteTx } from '../db/sql.ts';
import {
  adminDomainsOf,
  deleteAdminDomainsOf,
  deleteAdminsOfDomain,
  deleteInvitationsOfDomain,
  insertAdminDomain,
  setDelegated,
  settleDelegated,
} from './admin-domains.sql.ts';
import { needAccount, needDomain } from './find.ts';
import { audit, requireAdmin } from './permission.ts';
import type { Actor } from './types.ts';

/** Domains one account may administer beside its own. */
const DOMAINS_MAX = 1000;

/** Names of the domains that an account administers beside its own, and their ids. */
export function adminDomains(
  tx: ReadTx,
  { accountId }: { accountId: number },
): Promise<{ id: number; name: string }[]> {
  return tx.all(adminDomainsOf, accountId);
}

/** Let a domain administrator look after these domains beside its own, and no others. Refusals 'not-permitted', 'conflict'. */
export async function setAdminDomains(
  tx: WriteTx,
  args: { actor: Actor; address: string; domains: readonly string[] },
): Promise<{ domains: string[] }> {
  requireAdmin(args.actor);
  const account = await needAccount(tx, args.address);
  if (args.domains.length > DOMAINS_MAX)
    throw new Refusal('limit', `An account administers at most ${DOMAINS_MAX} domains beside its own.`);
  if (account.role !== 'domain-admin' && args.domains.length > 0)
    throw new Refusal('conflict', `${account.address} is no domain administrator: change its role first.`);
  const ids = new Set<number>();
  for (const name of args.domains) {
    const domain = await needDomain(tx, name);
    if (domain.alias_of !== null)
      throw new Refusal('bad-input', `${domain.name} is an alias of ${domain.alias_of}: name that one.`);
    if (domain.id !== account.domainId) ids.add(domain.id);
  }
  const before = (await tx.all(adminDomainsOf, account.id)).map(({ name }) => name);
  await putAdminDomains(tx, account.id, [...ids]);
  const domains = (await tx.all(adminDomainsOf, account.id)).map(({ name }) => name);
  const { address } = account;
  const undo = { kind: 'admin-domains', address, before, after: domains } as const;
  await audit(tx, args.actor, 'account.admin-domains', address, { domains: domains.join(' ') }, undo);
  return { domains };
}

export async function putAdminDomains(tx: WriteTx, accountId: number, ids: readonly number[]): Promise<void> {
  await tx.run(deleteAdminDomainsOf, accountId);
  for (const id of ids) await tx.run(insertAdminDomain, accountId, id);
  await tx.run(setDelegated, ids.length > 0 ? 1 : 0, accountId);
}

export function dropAdminDomains(tx: WriteTx, accountId: number): Promise<void> {
  return putAdminDomains(tx, accountId, []);
}

/** A domain goes: nobody administers it, and nobody is invited to it. */
export async function forgetDomain(tx: WriteTx, domainId: number): Promise<void> {
  await tx.run(deleteAdminsOfDomain, domainId);
  await tx.run(settleDelegated);
  await tx.run(deleteInvitationsOfDomain, domainId);
}
