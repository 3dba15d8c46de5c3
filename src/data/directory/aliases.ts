import { Refusal } from '../../base/errors.ts';
import type { WriteTx } from '../db/sql.ts';
import { baseDomain, needAddress, needDomainName, storedAddress } from './address.ts';
import { maskedAt } from '../account/masked.sql.ts';
import { deleteSubject } from '../sharing/sharing.sql.ts';
import {
  aliasAt,
  countTargets,
  deleteAlias,
  deleteGrant,
  deleteTarget,
  deleteTargets,
  grantHeld,
  insertAlias,
  insertGrant,
  insertTarget,
  targetsOf,
} from './addresses.sql.ts';
import { aliasState, refuseCircle } from './alias-state.ts';
import { accountByAddress } from './directory.sql.ts';
import { needAccount, needOwn } from './find.ts';
import { deleteGroup } from './groups.sql.ts';
import { audit, isAdmin, notPermitted, requireAccount, requireDomain } from './permission.ts';
import { ALIAS_FANOUT } from './resolve.ts';
import type { Actor, Alias } from './types.ts';

/** Make an alias, or add targets to one. Refusal 'conflict' when it would lead in a circle or to too many. */
export async function addAlias(
  tx: WriteTx,
  args: { actor: Actor; address: string; targets: readonly string[] },
): Promise<Alias> {
  const place = await needOwn(tx, args.address);
  const { domain, localPart, address } = place;
  requireDomain(args.actor, domain.id);
  const before = await aliasState(tx, place);
  if (args.targets.length === 0) throw new Refusal('bad-input', 'An alias needs an address to lead to.');
  if ((await tx.get(accountByAddress, address)) !== undefined) {
    throw new Refusal('already-exists', `${address} is an account.`);
  }
  if ((await tx.get(maskedAt, domain.id, localPart)) !== undefined) {
    throw new Refusal('already-exists', `${address} is, or was, a masked address of somebody.`);
  }
  const alias =
    (await tx.get(aliasAt, domain.id, localPart)) ??
    (await tx.get(insertAlias, domain.id, localPart, tx.now));
  if (alias === undefined) throw new Error('an INSERT returned no row');
  for (const target of args.targets) await tx.run(insertTarget, alias.id, await storedAddress(tx, target));
  await refuseCircle(tx, place);
  const after = await aliasState(tx, place);
  const undo = { kind: 'alias', address, before, after } as const;
  await audit(tx, args.actor, 'alias.add', address, { targets: args.targets.join(' ') }, undo);
  const targets = await tx.all(targetsOf, alias.id, ALIAS_FANOUT);
  return { address, targets: targets.map((row) => row.address) };
}

/** Remove one target, and the alias with the last; or the alias as it is. */
export async function removeAlias(
  tx: WriteTx,
  args: { actor: Actor; address: string; target?: string },
): Promise<null> {
  const place = await needOwn(tx, args.address);
  const { domain, localPart, address } = place;
  requireDomain(args.actor, domain.id);
  const before = await aliasState(tx, place);
  const alias = await tx.get(aliasAt, domain.id, localPart);
  if (alias === undefined) throw new Refusal('not-found', `There is no alias ${address}.`);
  if (args.target === undefined) {
    await tx.run(deleteTargets, alias.id);
  } else if ((await tx.run(deleteTarget, alias.id, await storedAddress(tx, args.target))) === 0) {
    throw new Refusal('not-found', `${address} does not lead to ${args.target}.`);
  }
  if (((await tx.get(countTargets, alias.id))?.count ?? 0) === 0) {
    await tx.run(deleteSubject, `g:${alias.id}`);
    await tx.run(deleteGroup, alias.id);
    await tx.run(deleteAlias, alias.id);
  }
  const undo = { kind: 'alias', address, before, after: await aliasState(tx, place) } as const;
  await audit(tx, args.actor, 'alias.remove', address, { target: args.target ?? null }, undo);
  return null;
}

/** `address` or `@domain` an account may send as besides its own. */
export async function addGrant(
  tx: WriteTx,
  args: { actor: Actor; account: string; address: string },
): Promise<null> {
  const account = await needAccount(tx, args.account);
  requireAccount(args.actor, account);
  const address = await storedGrant(tx, args.address);
  await requireGrantable(tx, args.actor, address);
  const isNew = (await tx.get(grantHeld, account.id, address)) === undefined;
  await tx.run(insertGrant, account.id, address, tx.now);
  const undo = { kind: 'grant', account: account.address, address, held: true } as const;
  await audit(tx, args.actor, 'grant.add', account.address, { address }, isNew ? undo : undefined);
  return null;
}

export async function removeGrant(
  tx: WriteTx,
  args: { actor: Actor; account: string; address: string },
): Promise<null> {
  const account = await needAccount(tx, args.account);
  requireAccount(args.actor, account);
  const address = await storedGrant(tx, args.address);
  if ((await tx.run(deleteGrant, account.id, address)) === 0) {
    throw new Refusal('not-found', `${account.address} has no grant for ${address}.`);
  }
  const undo = { kind: 'grant', account: account.address, address, held: false } as const;
  await audit(tx, args.actor, 'grant.remove', account.address, { address }, undo);
  return null;
}

async function storedGrant(tx: WriteTx, text: string): Promise<string> {
  if (!text.startsWith('@')) return storedAddress(tx, text);
  const name = needDomainName(text.slice(1));
  return `@${(await baseDomain(tx, name))?.name ?? name}`;
}

/** A domain administrator grants addresses of their domain only. */
async function requireGrantable(tx: WriteTx, actor: Actor, address: string): Promise<void> {
  if (isAdmin(actor)) return;
  const name = address.startsWith('@') ? address.slice(1) : needAddress(address).domain;
  const domain = await baseDomain(tx, name);
  if (domain === undefined) throw notPermitted();
  requireDomain(actor, domain.id);
}
