import { Refusal } from '../../base/errors.ts';
import type { ReadTx } from '../db/sql.ts';
import { baseDomain, needAddress, needDomainName, ownAddress } from './address.ts';
import { accountByAddress, type DomainRow, domainByName, removedAccount } from './directory.sql.ts';
import { toAccount } from './rows.ts';
import type { Account } from './types.ts';

/** What an administrator names, or the refusal that says that it does not exist. */

export async function needDomain(tx: ReadTx, name: string): Promise<DomainRow> {
  const domain = await tx.get(domainByName, needDomainName(name));
  if (domain === undefined) throw new Refusal('not-found', `${name} is not one of our domains.`);
  return domain;
}

/** The place of an address of ours: its real domain and its local part in the one spelling. */
export async function needOwn(
  tx: ReadTx,
  text: string,
): Promise<{ domain: DomainRow; localPart: string; address: string }> {
  const given = needAddress(text);
  const domain = await baseDomain(tx, given.domain);
  if (domain === undefined) throw new Refusal('not-found', `${given.domain} is not one of our domains.`);
  const address = ownAddress(given.localPart, domain.name);
  return { domain, localPart: needAddress(address).localPart, address };
}

export async function needAccount(tx: ReadTx, text: string): Promise<Account> {
  const { address } = await needOwn(tx, text);
  const row = await tx.get(accountByAddress, address);
  if (row === undefined) throw new Refusal('no-such-account', `There is no account ${address}.`);
  return toAccount(row);
}

export async function needRemovedAccount(tx: ReadTx, text: string): Promise<Account> {
  const { address } = await needOwn(tx, text);
  const row = await tx.get(removedAccount, address);
  if (row === undefined) throw new Refusal('no-such-account', `No account ${address} was removed.`);
  return toAccount(row);
}
