import { Refusal } from '../../base/errors.ts';
import type { WriteTx } from '../db/sql.ts';
import { deleteMaskedOfDomain } from '../account/masked.sql.ts';
import { deleteSubject } from '../sharing/sharing.sql.ts';
import { deleteScriptsOfDomain } from '../sieve/sieve.sql.ts';
import { needDomainName, storedAddress } from './address.ts';
import { forgetDomain } from './admin-domains.ts';
import {
  addSetting,
  deleteDkimKeys,
  deleteDomain,
  domainByName,
  domainUse,
  insertDkimKey,
  insertDomain,
  putSetting,
  replaceSetting,
  setCatchAll as setCatchAllSql,
  settingByName,
} from './directory.sql.ts';
import { needDomain } from './find.ts';
import { audit, requireAdmin, requireDomain } from './permission.ts';
import { toDomain } from './rows.ts';
import type { Actor, DkimKey, Domain } from './types.ts';

/** Domains, their keys, and settings. */

export async function addDomain(
  tx: WriteTx,
  args: { actor: Actor; name: string; aliasOf?: string },
): Promise<Domain> {
  const { actor, aliasOf } = args;
  requireAdmin(actor);
  const name = needDomainName(args.name);
  // RFC 1123 section 2.1: other servers send to no such name.
  if (name.includes('_'))
    throw new Refusal('bad-input', `"${args.name.slice(0, 300)}" is not a domain name.`);
  if ((await tx.get(domainByName, name)) !== undefined) {
    throw new Refusal('already-exists', `The domain ${name} is here already.`);
  }
  const base = aliasOf === undefined ? undefined : await needDomain(tx, aliasOf);
  if (base !== undefined && base.alias_of_id !== null) {
    throw new Refusal(
      'bad-input',
      `${base.name} is itself an alias of ${base.alias_of ?? ''}: name that one.`,
    );
  }
  await tx.get(insertDomain, name, base?.id ?? null, tx.now);
  await audit(tx, actor, 'domain.add', name, { aliasOf: base?.name ?? null });
  return toDomain(await needDomain(tx, name));
}

export async function removeDomain(tx: WriteTx, args: { actor: Actor; name: string }): Promise<null> {
  requireAdmin(args.actor);
  const domain = await needDomain(tx, args.name);
  const use = await tx.get(domainUse, domain.id, domain.id, domain.id, domain.id);
  if (use !== undefined && use.accounts + use.aliases + use.domains > 0) {
    throw new Refusal(
      'conflict',
      `${domain.name} still has ${use.accounts} accounts, ${use.aliases} aliases and ${use.domains} domain aliases: remove them first.`,
    );
  }
  if (use !== undefined && use.removed > 0) {
    throw new Refusal(
      'conflict',
      `${domain.name} has ${use.removed} removed accounts that can still be restored: purge them first.`,
    );
  }
  await tx.run(deleteDkimKeys, domain.id);
  await tx.run(deleteMaskedOfDomain, domain.id);
  await tx.run(deleteScriptsOfDomain, domain.id);
  await tx.run(deleteSubject, `d:${domain.id}`);
  await forgetDomain(tx, domain.id);
  await tx.run(deleteDomain, domain.id);
  await audit(tx, args.actor, 'domain.remove', domain.name);
  return null;
}

export async function setCatchAll(
  tx: WriteTx,
  args: { actor: Actor; domain: string; address: string | null },
): Promise<null> {
  const domain = await needDomain(tx, args.domain);
  requireDomain(args.actor, domain.id);
  if (domain.alias_of !== null) {
    throw new Refusal(
      'bad-input',
      `${domain.name} is an alias of ${domain.alias_of}: set its catch-all there.`,
    );
  }
  const address = args.address === null ? null : await storedAddress(tx, args.address);
  await tx.run(setCatchAllSql, address, domain.id);
  const undo = { kind: 'catch-all', domain: domain.name, from: domain.catch_all, to: address } as const;
  await audit(tx, args.actor, 'domain.catch-all', domain.name, { address }, undo);
  return null;
}

export async function addDkimKey(
  tx: WriteTx,
  args: Omit<DkimKey, 'id' | 'state'> & { actor: Actor; state?: 'pending' | 'active' },
): Promise<DkimKey> {
  const { actor, selector, algorithm, privateKey, publicKey, state = 'active' } = args;
  const domain = await needDomain(tx, args.domain);
  requireDomain(actor, domain.id);
  if (!/^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/.test(selector)) {
    throw new Refusal('bad-input', 'A selector consists of lower-case letters, digits and hyphens.');
  }
  const row = await tx.get(
    insertDkimKey,
    domain.id,
    selector,
    algorithm,
    privateKey,
    publicKey,
    state,
    tx.now,
  );
  if (row === undefined) {
    throw new Refusal('already-exists', `${domain.name} has a key with the selector ${selector} already.`);
  }
  await audit(tx, actor, 'domain.dkim-key', domain.name, { selector, algorithm, state });
  return { id: row.id, domain: domain.name, selector, algorithm, privateKey, publicKey, state };
}

export async function setSetting(tx: WriteTx, args: { name: string; value: string }): Promise<null> {
  await tx.run(putSetting, args.name, args.value);
  return null;
}

/** Set it if it still says `before` (undefined: if there is none); false when somebody else was faster. */
export async function changeSetting(
  tx: WriteTx,
  { name, before, value }: { name: string; before: string | undefined; value: string },
): Promise<boolean> {
  const changed =
    before === undefined
      ? await tx.run(addSetting, name, value)
      : await tx.run(replaceSetting, value, name, before);
  return changed > 0;
}

/** Keep the setting that stands, or make it this; returns what stands. For keys that several processes want. */
export async function ensureSetting(tx: WriteTx, args: { name: string; value: string }): Promise<string> {
  await tx.run(addSetting, args.name, args.value);
  return (await tx.get(settingByName, args.name))?.value ?? args.value;
}

/** What an administrator had done that changes nothing of the store by itself. */
export async function note(
  tx: WriteTx,
  {
    actor,
    action,
    subject,
    data = {},
  }: {
    actor: Actor;
    action: string;
    subject: string;
    data?: Readonly<Record<string, string | number>>;
  },
): Promise<null> {
  requireAdmin(actor);
  await audit(tx, actor, action, subject, { ...data });
  return null;
}

/** Who put a secret into a file of the data directory; never the secret. */
export async function keptSecret(
  tx: WriteTx,
  { actor, name }: { actor: Actor; name: string },
): Promise<null> {
  requireAdmin(actor);
  await audit(tx, actor, 'secret.keep', name);
  return null;
}
