import { Refusal } from '../../base/errors.ts';
import type { ReadTx, WriteTx } from '../db/sql.ts';
import { deleteSubject } from '../sharing/sharing.sql.ts';
import {
  aliasAt,
  deleteAlias,
  deleteTargets,
  insertAlias,
  insertTarget,
  targetsOf,
} from './addresses.sql.ts';
import { accountByAddress, type DomainRow } from './directory.sql.ts';
import { deleteGroup, groupOf, putGroup } from './groups.sql.ts';
import { ALIAS_FANOUT, resolve } from './resolve.ts';
import type { GroupSenders } from './types.ts';
import type { AliasState } from './undo-types.ts';

/** The place of an address of ours (find.ts `needOwn`). */
export interface OwnPlace {
  readonly domain: DomainRow;
  readonly localPart: string;
  readonly address: string;
}

/** The alias at a place as it stands; null: there is none. */
export async function aliasState(tx: ReadTx, { domain, localPart }: OwnPlace): Promise<AliasState | null> {
  const alias = await tx.get(aliasAt, domain.id, localPart);
  if (alias === undefined) return null;
  const targets = (await tx.all(targetsOf, alias.id, ALIAS_FANOUT)).map(({ address }) => address);
  const group = await tx.get(groupOf, alias.id);
  return {
    targets,
    group:
      group === undefined ? null : { description: group.description, senders: group.senders as GroupSenders },
  };
}

export function sameState(a: AliasState | null, b: AliasState | null): boolean {
  if (a === null || b === null) return a === b;
  const same = (one: AliasState): string =>
    JSON.stringify([one.targets.toSorted(), one.group?.senders, one.group?.description]);
  return same(a) === same(b);
}

/** Make the alias at a place be so; null removes it. `targets` as they are stored. Refusals 'already-exists', 'conflict'. */
export async function putAliasState(tx: WriteTx, place: OwnPlace, wanted: AliasState | null): Promise<void> {
  const { domain, localPart, address } = place;
  const before = await tx.get(aliasAt, domain.id, localPart);
  if (wanted === null) {
    if (before === undefined) return;
    await tx.run(deleteTargets, before.id);
    await tx.run(deleteGroup, before.id);
    await tx.run(deleteSubject, `g:${before.id}`);
    await tx.run(deleteAlias, before.id);
    return;
  }
  if ((await tx.get(accountByAddress, address)) !== undefined)
    throw new Refusal('already-exists', `${address} is an account.`);
  const alias = before ?? (await tx.get(insertAlias, domain.id, localPart, tx.now));
  if (alias === undefined) throw new Error('an INSERT returned no row');
  await tx.run(deleteTargets, alias.id);
  for (const target of wanted.targets) await tx.run(insertTarget, alias.id, target);
  if (wanted.group === null) await tx.run(deleteGroup, alias.id);
  else await tx.run(putGroup, alias.id, wanted.group.description, wanted.group.senders, tx.now);
  await refuseCircle(tx, place);
}

export async function refuseCircle(tx: WriteTx, { localPart, domain, address }: OwnPlace): Promise<void> {
  const found = await resolve(tx, { localPart, domain: domain.name, delimiter: '', size: 0 });
  if (found.status !== 'loop') return;
  throw new Refusal(
    'conflict',
    `${address} would lead in a circle, or to more than ${ALIAS_FANOUT} addresses.`,
  );
}
