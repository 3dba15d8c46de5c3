import type { ReadTx } from '../db/sql.ts';
import { parseHidden } from '../mailstore/rows.ts';
import type { VaultDetail, VaultEntry, VaultKind, VaultScope, VaultState } from './types.ts';
import * as sql from './vault.sql.ts';

/** Newest first, before the id `before`. Each scope sees its own recipients only: who else got it is not theirs to know. */
export async function list(
  tx: ReadTx,
  args: { scope: VaultScope; limit: number; before?: number },
): Promise<VaultEntry[]> {
  const { scope, limit, before = Number.MAX_SAFE_INTEGER } = args;
  const rows =
    'accountId' in scope
      ? await tx.all(sql.newestOfAccount, scope.accountId, before, limit)
      : 'domainIds' in scope
        ? await newestOfDomains(tx, scope.domainIds, before, limit)
        : await tx.all(sql.newest, before, limit);
  const entries: VaultEntry[] = [];
  for (const row of rows) entries.push(toEntry(row, await recipients(tx, row.id, scope)));
  return entries;
}

/** One entry and how to read it; undefined when there is none, or none in this scope. */
export async function get(
  tx: ReadTx,
  args: { caseNumber: string; scope: VaultScope },
): Promise<VaultDetail | undefined> {
  const row = await tx.get(sql.entryByCase, args.caseNumber);
  if (row === undefined) return undefined;
  const seen = await recipients(tx, row.id, args.scope);
  if (seen.length === 0 && !('all' in args.scope)) return undefined;
  const content = {
    emailId: 0,
    blobId: row.blob_id,
    prefix: row.received,
    hidden: parseHidden(row.hidden),
    structure: row.structure,
    blobSize: row.size,
  };
  return { ...toEntry(row, seen), verdict: row.verdict, content };
}

async function newestOfDomains(
  tx: ReadTx,
  domainIds: readonly number[],
  before: number,
  limit: number,
): Promise<sql.EntryRow[]> {
  const found = new Map<number, sql.EntryRow>();
  for (const id of domainIds)
    for (const row of await tx.all(sql.newestOfDomain, before, id, limit)) found.set(row.id, row);
  return [...found.values()].toSorted((a, b) => b.id - a.id).slice(0, limit);
}

async function recipients(tx: ReadTx, vaultId: number, scope: VaultScope): Promise<VaultEntry['recipients']> {
  const rows = await tx.all(sql.recipientsOf, vaultId);
  return rows
    .filter((row) =>
      'accountId' in scope
        ? row.account_id === scope.accountId && row.state !== 'deleted'
        : !('domainIds' in scope) || scope.domainIds.includes(row.domain_id),
    )
    .map((row) => ({ accountId: row.account_id, address: row.address, state: row.state as VaultState }));
}

function toEntry(row: sql.EntryRow, seen: VaultEntry['recipients']): VaultEntry {
  return {
    id: row.id,
    caseNumber: row.case_number,
    trace: row.trace,
    kind: row.kind as VaultKind,
    size: row.size,
    reversePath: row.reverse_path,
    ip: row.ip,
    author: row.author,
    subject: row.subject,
    reason: row.reason,
    createdAt: row.created_at,
    expiresAt: row.expires_at,
    recipients: seen,
  };
}
