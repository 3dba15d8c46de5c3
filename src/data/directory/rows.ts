import type { AccountRow, DkimKeyRow, DomainRow } from './directory.sql.ts';
import type { CredentialRow } from './credentials.sql.ts';
import type { Account, AccountStatus, DkimKey, Domain, Role, StoredCredential } from './types.ts';

/** Rows of the tables as the program knows them. */

export function toDomain(row: DomainRow): Domain {
  return {
    id: row.id,
    name: row.name,
    aliasOf: row.alias_of ?? undefined,
    catchAll: row.catch_all ?? undefined,
    createdAt: row.created_at,
  };
}

export function toAccount(row: AccountRow): Account {
  return {
    id: row.id,
    address: row.address,
    domainId: row.domain_id,
    displayName: row.display_name,
    role: row.role as Role,
    status: row.status as AccountStatus,
    removedAt: row.removed_at ?? undefined,
    quota: row.quota,
    used: row.used,
    emails: row.emails,
    recipientsPerHour: row.recipients_per_hour ?? undefined,
    createdAt: row.created_at,
    shared: row.shared === 1,
    ...(row.delegated === 1 && { delegated: true }),
  };
}

export function toCredential(row: CredentialRow): StoredCredential {
  const { scram_salt: salt, scram_iterations: iterations } = row;
  const { scram_stored_key: storedKey, scram_server_key: serverKey } = row;
  const complete = salt !== null && iterations !== null && storedKey !== null && serverKey !== null;
  return {
    accountId: row.account_id,
    address: row.address,
    status: row.status as AccountStatus,
    hash: row.hash,
    scram: complete ? { salt, iterations, storedKey, serverKey } : undefined,
    changedAt: row.changed_at,
  };
}

export function toDkimKey(row: DkimKeyRow): DkimKey {
  return {
    id: row.id,
    domain: row.domain,
    selector: row.selector,
    algorithm: row.algorithm as DkimKey['algorithm'],
    privateKey: row.private_key,
    publicKey: row.public_key,
    state: row.state as DkimKey['state'],
  };
}
