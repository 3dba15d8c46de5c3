import { Refusal } from '../../base/errors.ts';
import { formatAddress } from '../../mail/address/path.ts';
import type { ReadTx, WriteTx } from '../db/sql.ts';
import { needDomainName, ownAddress, parseAddress, storedAddress } from './address.ts';
import { aliasAt, targetsOf } from './addresses.sql.ts';
import { aliasState, type OwnPlace, putAliasState } from './alias-state.ts';
import { accountById } from './directory.sql.ts';
import { needOwn } from './find.ts';
import { allGroups, groupOf } from './groups.sql.ts';
import { audit, requireDomain } from './permission.ts';
import { ALIAS_FANOUT, resolve } from './resolve.ts';
import type { Actor, Group, GroupSenders } from './types.ts';
import type { AliasState } from './undo-types.ts';

/** Groups: aliases with a description and a word about who may send to them. */

/** UTF-16 units of a description. */
const DESCRIPTION = 500;

export interface GroupChange {
  readonly actor: Actor;
  readonly address: string;
  /** Replaces those there are. */
  readonly members?: readonly string[] | undefined;
  readonly add?: readonly string[] | undefined;
  readonly remove?: readonly string[] | undefined;
  readonly senders?: GroupSenders | undefined;
  readonly description?: string | undefined;
}

/** Make a group; an alias of that address becomes one when it leads to the same. Refusals 'already-exists', 'bad-input'. */
export async function addGroup(tx: WriteTx, args: GroupChange): Promise<Group> {
  const place = await permitted(tx, args);
  if ((await aliasState(tx, place)) !== null)
    throw new Refusal('already-exists', `${place.address} exists already, as a group or an alias.`);
  return save(tx, args, place, { targets: [], group: { description: '', senders: 'anyone' } }, 'group.add');
}

/** Change what is named. An alias that is no group becomes one. Refusal 'not-found'. */
export async function changeGroup(tx: WriteTx, args: GroupChange): Promise<Group> {
  const place = await permitted(tx, args);
  const before = await aliasState(tx, place);
  if (before === null) throw noSuchGroup(place.address);
  return save(tx, args, place, before, 'group.change');
}

export async function removeGroup(tx: WriteTx, args: { actor: Actor; address: string }): Promise<null> {
  const place = await permitted(tx, args);
  const before = await aliasState(tx, place);
  if (before?.group === undefined || before.group === null) throw noSuchGroup(place.address);
  await putAliasState(tx, place, null);
  const undo = { kind: 'alias', address: place.address, before, after: null } as const;
  await audit(tx, args.actor, 'group.remove', place.address, { members: before.targets.join(' ') }, undo);
  return null;
}

function noSuchGroup(address: string): Refusal {
  return new Refusal('not-found', `There is no group ${address}.`);
}

async function permitted(tx: ReadTx, args: { actor: Actor; address: string }): Promise<OwnPlace> {
  const place = await needOwn(tx, args.address);
  requireDomain(args.actor, place.domain.id);
  return place;
}

async function save(
  tx: WriteTx,
  args: GroupChange,
  place: OwnPlace,
  from: AliasState,
  action: string,
): Promise<Group> {
  const members = new Set<string>(args.members === undefined ? from.targets : []);
  for (const text of [...(args.members ?? []), ...(args.add ?? [])])
    members.add(await storedAddress(tx, text));
  for (const text of args.remove ?? []) {
    const address = await storedAddress(tx, text);
    if (!members.delete(address))
      throw new Refusal('not-found', `${address} is no member of ${place.address}.`);
  }
  if (members.size === 0) throw new Refusal('bad-input', 'A group needs a member.');
  if (members.size > ALIAS_FANOUT) throw new Refusal('limit', `A group has at most ${ALIAS_FANOUT} members.`);
  const description = (args.description ?? from.group?.description ?? '')
    .slice(0, DESCRIPTION)
    .replaceAll('\0', '')
    .toWellFormed();
  const senders = args.senders ?? from.group?.senders ?? 'anyone';
  const before = await aliasState(tx, place);
  await putAliasState(tx, place, { targets: [...members], group: { description, senders } });
  const after = await aliasState(tx, place);
  const undo = { kind: 'alias', address: place.address, before, after } as const;
  await audit(tx, args.actor, action, place.address, { members: [...members].join(' '), senders }, undo);
  return needGroup(tx, place);
}

async function needGroup(tx: ReadTx, place: OwnPlace): Promise<Group> {
  const found = await groupAt(tx, place);
  if (found === undefined) throw noSuchGroup(place.address);
  return found;
}

async function groupAt(tx: ReadTx, { domain, localPart, address }: OwnPlace): Promise<Group | undefined> {
  const alias = await tx.get(aliasAt, domain.id, localPart);
  const row = alias && (await tx.get(groupOf, alias.id));
  if (alias === undefined || row === undefined) return undefined;
  const members = (await tx.all(targetsOf, alias.id, ALIAS_FANOUT)).map((each) => each.address);
  const { description, senders, created_at: createdAt } = row;
  return { address, members, description, senders: senders as GroupSenders, createdAt };
}

/** Refusal 'not-found' for what is no group. */
export async function group(tx: ReadTx, args: { address: string }): Promise<Group> {
  return needGroup(tx, await needOwn(tx, args.address));
}

export async function groups(tx: ReadTx, args: { domain?: string }): Promise<Group[]> {
  const domain = args.domain === undefined ? '' : needDomainName(args.domain);
  const found: Group[] = [];
  for (const row of await tx.all(allGroups, domain, domain)) {
    const members = (await tx.all(targetsOf, row.id, ALIAS_FANOUT)).map(({ address }) => address);
    const { description, senders, created_at: createdAt } = row;
    const address = ownAddress(row.local_part, row.domain);
    found.push({ address, members, description, senders: senders as GroupSenders, createdAt });
  }
  return found;
}

export interface GroupQuestion {
  /** Aliases that the recipient led through (directory.resolve). */
  readonly via: readonly string[];
  /** The reverse-path. */
  readonly sender: string;
  /** Who has logged in to send it; null: nobody. */
  readonly accountId: number | null;
}

/**
 * The first group on the way that this sender may not send to; undefined: none. Who has not logged in is believed for
 * addresses elsewhere only: our own people log in to send, so a stranger with one of their addresses made it up.
 */
export async function closedGroup(
  tx: ReadTx,
  { via, sender, accountId }: GroupQuestion,
): Promise<{ address: string; senders: GroupSenders } | undefined> {
  for (const address of via.slice(0, ALIAS_FANOUT)) {
    // "@domain" is a catch-all.
    const place = address.startsWith('@') ? undefined : await needOwn(tx, address).catch(() => undefined);
    const found = place && (await groupAt(tx, place));
    if (place === undefined || found === undefined || found.senders === 'anyone') continue;
    if (!(await belongs(tx, place, found.senders, { sender, accountId })))
      return { address: found.address, senders: found.senders };
  }
  return undefined;
}

async function belongs(
  tx: ReadTx,
  place: OwnPlace,
  senders: GroupSenders,
  { sender, accountId }: Pick<GroupQuestion, 'sender' | 'accountId'>,
): Promise<boolean> {
  if (accountId !== null && senders === 'domain')
    return (await tx.get(accountById, accountId))?.domain_id === place.domain.id;
  if (senders === 'domain') return false;
  const { localPart, domain } = place;
  const members = await resolve(tx, { localPart, domain: domain.name, delimiter: '', size: 0 });
  if (members.status !== 'ok') return false;
  const given = parseAddress(sender);
  const text = given === undefined ? '' : formatAddress(given).toLowerCase();
  return members.targets.some((target) =>
    target.kind === 'account' ? target.accountId === accountId : target.address.toLowerCase() === text,
  );
}
