import { Refusal } from '../../base/errors.ts';
import type { ReadTx, WriteTx } from '../db/sql.ts';
import { addAccount } from './accounts.ts';
import { needDomainName } from './address.ts';
import { adminDomainsOf } from './admin-domains.sql.ts';
import { aliasAt } from './addresses.sql.ts';
import { accountByAddress } from './directory.sql.ts';
import { needDomain, needOwn } from './find.ts';
import {
  allInvitations,
  countOpen,
  deleteInvitation,
  deleteInvitationsBefore,
  insertInvitation,
  invitationByDigest,
  invitationById,
  type InvitationRow,
  useInvitation,
} from './invitations.sql.ts';
import { audit, requireAccount } from './permission.ts';
import { toAccount } from './rows.ts';
import type { Account, Actor, Invitation, Role, ScramSecret } from './types.ts';

/** Milliseconds that an invitation is kept after its end, so that the list can tell what became of it. */
const KEPT_MS = 90 * 86_400_000;
/** Open invitations of one domain. */
const OPEN_MAX = 1000;
const LISTED_MAX = 2000;
/** UTF-16 units of a note. */
const NOTE = 200;

export interface NewInvitation {
  readonly actor: Actor;
  /** SHA-256 of the token in hex. */
  readonly digest: string;
  /** One of the two; with a domain alone the invited choose a name in it. */
  readonly address: string | null;
  readonly domain: string | null;
  readonly role: Role;
  readonly quota: number;
  readonly note: string;
  /** Milliseconds since the epoch. */
  readonly expiresAt: number;
}

/** Refusals 'not-permitted', 'already-exists', 'bad-input', 'limit'. */
export async function addInvitation(tx: WriteTx, args: NewInvitation): Promise<Invitation> {
  const { actor, role, quota } = args;
  const place = args.address === null ? undefined : await needOwn(tx, args.address);
  const domain = place?.domain ?? (await needDomain(tx, args.domain ?? ''));
  requireAccount(actor, { domainId: domain.id, role });
  if (domain.alias_of !== null)
    throw new Refusal('bad-input', `${domain.name} is an alias of ${domain.alias_of}: name that one.`);
  if (place !== undefined) await requireFree(tx, place);
  if (!/^[0-9a-f]{64}$/.test(args.digest)) throw new Refusal('bad-input', 'An invitation needs a token.');
  await tx.run(deleteInvitationsBefore, tx.now - KEPT_MS);
  if (((await tx.get(countOpen, domain.id, tx.now))?.count ?? 0) >= OPEN_MAX)
    throw new Refusal('limit', `There are ${OPEN_MAX} open invitations of ${domain.name}: withdraw some.`);
  const note = args.note.slice(0, NOTE).replaceAll('\0', '').toWellFormed();
  const address = place?.address ?? null;
  const row = await tx.get(
    insertInvitation,
    args.digest,
    domain.id,
    address,
    role,
    quota,
    note,
    actor.name,
    tx.now,
    args.expiresAt,
  );
  if (row === undefined) throw new Error('an INSERT returned no row');
  await audit(tx, actor, 'invitation.add', address ?? `@${domain.name}`, { role, quota, id: row.id });
  return toInvitation(await needRow(tx, row.id));
}

async function requireFree(
  tx: ReadTx,
  { domain, localPart, address }: Awaited<ReturnType<typeof needOwn>>,
): Promise<void> {
  const taken = (await tx.get(accountByAddress, address)) ?? (await tx.get(aliasAt, domain.id, localPart));
  if (taken !== undefined) throw new Refusal('already-exists', `${address} is in use already.`);
}

async function needRow(tx: ReadTx, id: number): Promise<InvitationRow> {
  const row = await tx.get(invitationById, id);
  if (row === undefined) throw new Refusal('not-found', 'There is no such invitation.');
  return row;
}

/** Withdraw an invitation. Refusals 'not-found', 'not-permitted'. */
export async function removeInvitation(tx: WriteTx, args: { actor: Actor; id: number }): Promise<null> {
  const row = await needRow(tx, args.id);
  requireAccount(args.actor, { domainId: row.domain_id, role: row.role as Role });
  await tx.run(deleteInvitation, row.id);
  const subject = row.address ?? `@${row.domain}`;
  await audit(tx, args.actor, 'invitation.remove', subject, { id: row.id, used: row.used_for });
  return null;
}

export interface Acceptance {
  readonly digest: string;
  /** Null where the invitation says it. */
  readonly address: string | null;
  readonly displayName: string;
  readonly hash: string;
  readonly scram: ScramSecret | null;
}

/** The account of somebody invited. Refusals 'not-found' (used, expired, withdrawn), 'already-exists', 'bad-input'. */
export async function acceptInvitation(tx: WriteTx, args: Acceptance): Promise<Account> {
  const row = await tx.get(invitationByDigest, args.digest);
  if (row === undefined || row.used_at !== null || row.expires_at <= tx.now || !(await stillGood(tx, row)))
    throw noInvitation();
  const address = row.address ?? args.address;
  if (address === null) throw new Refusal('bad-input', `Choose a name in ${row.domain}.`);
  const place = await needOwn(tx, address);
  if (place.domain.id !== row.domain_id)
    throw new Refusal('bad-input', `The invitation is for an address in ${row.domain}.`);
  const actor: Actor = {
    name: `invitation:${row.id} of ${row.created_by}`,
    role: 'system',
    domainId: undefined,
  };
  const { displayName, hash, scram } = args;
  const { quota } = row;
  const role = row.role as Role;
  const added = await addAccount(tx, {
    actor,
    address: place.address,
    displayName,
    role,
    quota,
    hash,
    scram,
  });
  if ((await tx.run(useInvitation, tx.now, added.address, row.id)) === 0) throw noInvitation();
  return added;
}

function noInvitation(): Refusal {
  return new Refusal(
    'not-found',
    'This invitation is not good any more: it was used, has expired, or was withdrawn.',
  );
}

/** Whoever invited may still do so. */
async function stillGood(tx: ReadTx, row: InvitationRow): Promise<boolean> {
  if (!row.created_by.includes('@')) return true;
  const found = await tx.get(accountByAddress, row.created_by);
  if (found === undefined || found.status !== 'active') return false;
  const { role, domainId, id } = toAccount(found);
  if (role === 'admin') return true;
  if (role !== 'domain-admin' || row.role === 'admin') return false;
  return (
    domainId === row.domain_id || (await tx.all(adminDomainsOf, id)).some((each) => each.id === row.domain_id)
  );
}

export async function invitations(tx: ReadTx, args: { domain?: string }): Promise<Invitation[]> {
  const domain = args.domain === undefined ? '' : needDomainName(args.domain);
  return (await tx.all(allInvitations, domain, domain, LISTED_MAX)).map(toInvitation);
}

/** An invitation that can still be accepted; undefined for all others. */
export async function openInvitation(
  tx: ReadTx,
  args: { digest: string; now: number },
): Promise<Invitation | undefined> {
  const row = await tx.get(invitationByDigest, args.digest);
  if (row === undefined || row.used_at !== null || row.expires_at <= args.now) return undefined;
  return (await stillGood(tx, row)) ? toInvitation(row) : undefined;
}

function toInvitation(row: InvitationRow): Invitation {
  return {
    id: row.id,
    domainId: row.domain_id,
    domain: row.domain,
    address: row.address ?? undefined,
    role: row.role as Role,
    quota: row.quota,
    note: row.note,
    createdBy: row.created_by,
    createdAt: row.created_at,
    expiresAt: row.expires_at,
    usedAt: row.used_at ?? undefined,
    usedFor: row.used_for ?? undefined,
  };
}
