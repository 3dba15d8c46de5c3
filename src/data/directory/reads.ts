import { normalizeDomain } from '../../mail/address/domain.ts';
import { parseMailbox } from '../../mail/address/path.ts';
import { point } from '../catalogue.ts';
import type { ReadTx } from '../db/sql.ts';
import { baseDomain, needDomainName, ownAddress, parseAddress } from './address.ts';
import { allAliases, grantHeld, grantsOf } from './addresses.sql.ts';
import { reads as administration } from './administration.ts';
import { credentialOf } from './credentials.sql.ts';
import {
  accountByAddress,
  accountById,
  allAccounts,
  allDomains,
  dkimKeysOfDomain,
  domainByName,
  removedAccounts,
  settingByName,
} from './directory.sql.ts';
import { readDkimTimes } from './dkim-states.ts';
import { needAccount } from './find.ts';
import { resolve, resolveOwn, type ResolveRequest } from './resolve.ts';
import { toAccount, toCredential, toDkimKey, toDomain } from './rows.ts';
import { allGroups } from './groups.sql.ts';
import type {
  Account,
  Alias,
  DkimKey,
  Domain,
  GroupFacts,
  GroupSenders,
  Resolution,
  StoredCredential,
} from './types.ts';

async function account(tx: ReadTx, args: { address: string } | { id: number }): Promise<Account | undefined> {
  if ('id' in args) {
    const row = await tx.get(accountById, args.id);
    return row === undefined ? undefined : toAccount(row);
  }
  const parsed = parseAddress(args.address);
  const domain = parsed && (await baseDomain(tx, parsed.domain));
  if (!parsed || !domain) return undefined;
  const row = await tx.get(accountByAddress, ownAddress(parsed.localPart, domain.name));
  return row === undefined ? undefined : toAccount(row);
}

async function aliases(tx: ReadTx, args: { domain?: string }): Promise<Alias[]> {
  const domain = args.domain === undefined ? '' : needDomainName(args.domain);
  const found = new Map<number, { address: string; targets: string[]; group?: GroupFacts }>();
  const groups = new Map((await tx.all(allGroups, domain, domain)).map((row) => [row.id, row]));
  for (const row of await tx.all(allAliases, domain, domain)) {
    const { description, senders } = groups.get(row.id) ?? {};
    const group = description !== undefined && { group: { description, senders: senders as GroupSenders } };
    const address = ownAddress(row.local_part, row.domain);
    const alias = found.get(row.id) ?? { address, targets: [], ...group };
    alias.targets.push(row.target);
    found.set(row.id, alias);
  }
  return [...found.values()];
}

async function maySendAs(
  tx: ReadTx,
  args: { accountId: number; localPart: string; domain: string; delimiter: string },
): Promise<boolean> {
  const owner = await tx.get(accountById, args.accountId);
  if (owner === undefined || owner.status !== 'active') return false;
  // Of an alias for several nobody may speak in the name of all, unless an administrator grants it.
  const [target, ...others] = await resolveOwn(tx, args);
  if (others.length === 0 && target?.kind === 'account' && target.accountId === args.accountId) return true;
  const domain = (await baseDomain(tx, args.domain))?.name ?? args.domain;
  for (const address of [ownAddress(args.localPart, domain), `@${domain}`]) {
    if ((await tx.get(grantHeld, args.accountId, address)) !== undefined) return true;
  }
  // Grants for addresses elsewhere keep their letters as they were given; they mean the same person all the same.
  const wanted = ownAddress(args.localPart, domain);
  return (await tx.all(grantsOf, args.accountId)).some(({ address }) => {
    const grant = parseAddress(address);
    return grant !== undefined && ownAddress(grant.localPart, grant.domain) === wanted;
  });
}

async function credential(tx: ReadTx, args: { login: string }): Promise<StoredCredential | undefined> {
  const parsed = parseMailbox(args.login.trim(), { smtputf8: true });
  if (parsed.kind !== 'mailbox') return undefined;
  const [target, ...others] = await resolveOwn(tx, { ...parsed, delimiter: '', masked: false });
  if (target?.kind !== 'account' || others.length > 0) return undefined;
  const row = await tx.get(credentialOf, target.accountId);
  return row === undefined ? undefined : toCredential(row);
}

export const reads = {
  ...administration,
  'directory.domains': point(
    async (tx: ReadTx, _args: null): Promise<(Domain & { accounts: number; aliases: number })[]> =>
      (await tx.all(allDomains)).map((row) => ({
        ...toDomain(row),
        accounts: row.accounts,
        aliases: row.aliases,
      })),
  ),
  /** By name in any spelling. */
  'directory.domain': point(async (tx: ReadTx, args: { name: string }): Promise<Domain | undefined> => {
    const row = await tx.get(domainByName, normalizeDomain(args.name) ?? '');
    return row === undefined ? undefined : toDomain(row);
  }),
  /** By address; with `removed` those that are, without it those that are not. */
  'directory.accounts': point(
    async (tx: ReadTx, args: { domain?: string; removed?: boolean }): Promise<Account[]> => {
      const domain = args.domain === undefined ? '' : needDomainName(args.domain);
      const rows = await tx.all(args.removed ? removedAccounts : allAccounts, domain, domain);
      return rows.map(toAccount);
    },
  ),
  /** An account by its address that is not removed, or any by id. */
  'directory.account': point(account),
  'directory.aliases': point(aliases),
  /** Refusal 'no-such-account'. */
  'directory.grants': point(async (tx: ReadTx, args: { account: string }): Promise<string[]> => {
    const { id } = await needAccount(tx, args.account);
    return (await tx.all(grantsOf, id)).map((row) => row.address);
  }),
  /**
   * RFC 5321 recipient to where it goes: exact account, exact alias, without the subaddress detail, postmaster@ and
   * abuse@ of our domains (to the first administrator when nobody has them), catch-all. Local parts without regard to case.
   */
  'directory.resolve': point(resolve as (tx: ReadTx, args: ResolveRequest) => Promise<Resolution>),
  /** May this account use this address as reverse-path or From (own, alias that leads to it alone, grant, subaddress of own)? */
  'directory.maySendAs': point(maySendAs),
  /** By login name: the primary address, or an alias that leads to this account alone. */
  'directory.credential': point(credential),
  'directory.dkimKeys': point(
    async (tx: ReadTx, args: { domain: string }): Promise<DkimKey[]> =>
      (await tx.all(dkimKeysOfDomain, normalizeDomain(args.domain) ?? '')).map(toDkimKey),
  ),
  'directory.dkimTimes': point(readDkimTimes),
  'directory.setting': point(
    async (tx: ReadTx, args: { name: string }): Promise<string | undefined> =>
      (await tx.get(settingByName, args.name))?.value,
  ),
} as const;
