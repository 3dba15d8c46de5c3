import { formatAddress } from '../../mail/address/path.ts';
import type { ReadTx } from '../db/sql.ts';
import { accountById } from '../directory/directory.sql.ts';
import { dayAt } from './memory.ts';
import { dayOf } from './memory.sql.ts';
import * as sql from './sieve.sql.ts';
import type { PlaceKind, Running, RunningScript, ScriptOwner } from './types.ts';

/** The order in which scripts run. */
const ORDER: readonly PlaceKind[] = [
  'site-before',
  'domain-before',
  'generated',
  'account',
  'domain-after',
  'site-after',
];

/** Aliases of one account that are looked at. */
const ALIASES = 200;

/**
 * What runs for these accounts; accounts without any script are left out. It is asked for each message that comes, so
 * where nobody has a script it costs one look at an empty index.
 */
export async function running(
  tx: ReadTx,
  { accountIds }: { accountIds: readonly number[] },
): Promise<Running[]> {
  if ((await tx.get(sql.anyRunning)) === undefined) return [];
  const found: Running[] = [];
  for (const accountId of accountIds) {
    const rows = await tx.all(sql.runningFor, accountId, accountId);
    if (rows.length === 0) continue;
    const scripts = rows.map(
      ({ id, place, name, digest }): RunningScript => ({ id, kind: place as PlaceKind, name, digest }),
    );
    scripts.sort((a, b) => ORDER.indexOf(a.kind) - ORDER.indexOf(b.kind));
    found.push({ accountId, scripts });
  }
  return found;
}

/** Text of a script that runs, with the digest it has now. */
export async function text(
  tx: ReadTx,
  { id }: { id: number },
): Promise<{ text: string; digest: string } | undefined> {
  const row = await tx.get(sql.scriptById, id);
  return row && { text: row.text, digest: row.digest };
}

export async function owner(
  tx: ReadTx,
  { accountId, now }: { accountId: number; now: number },
): Promise<ScriptOwner | undefined> {
  const account = await tx.get(accountById, accountId);
  if (account === undefined) return undefined;
  const aliases = await tx.all(sql.aliasesOf, account.address, ALIASES);
  const day = await tx.get(dayOf, accountId, dayAt(now));
  return {
    accountId,
    address: account.address,
    displayName: account.display_name,
    aliases: aliases.map(({ local_part: localPart, domain }) => formatAddress({ localPart, domain })),
    redirects: day?.redirects ?? 0,
    replies: day?.replies ?? 0,
  };
}
