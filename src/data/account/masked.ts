import { randomToken } from '../../base/ids.ts';
import { Refusal } from '../../base/errors.ts';
import { normalizeLocalPart } from '../../mail/address/local-part.ts';
import { formatAddress } from '../../mail/address/path.ts';
import type { ReadTx, WriteTx } from '../db/sql.ts';
import { baseDomain, ownAddress, parseAddress } from '../directory/address.ts';
import { aliasAt } from '../directory/addresses.sql.ts';
import { accountByAddress, accountById, domainById } from '../directory/directory.sql.ts';
import { audit, requireAccount } from '../directory/permission.ts';
import { toAccount } from '../directory/rows.ts';
import type { Account, Actor } from '../directory/types.ts';
import * as sql from './masked.sql.ts';
import { isExpected, siteName } from './masked-sites.ts';

/**
 * Masked addresses: an address that somebody makes for one site, that leads to their account, and that can be switched
 * off. Who writes to it is counted by domain, so that it shows who passed it on.
 */

/** Addresses one account may make, those it has deleted among them: they are never given to anybody else. */
export const MAX_MASKED = 1000;
/** UTF-16 units. */
const LABEL_LENGTH = 200;
const ATTEMPTS = 8;

export type MaskedState = 'on' | 'off';

export interface MaskedAddress {
  readonly id: number;
  readonly address: string;
  readonly label: string;
  /** Domain that it was given to, '' when that was not said. */
  readonly site: string;
  readonly state: MaskedState;
  readonly createdAt: number;
  readonly lastAt: number | undefined;
  /** Messages that came. */
  readonly count: number;
  readonly senders: readonly {
    readonly domain: string;
    readonly count: number;
    readonly firstAt: number;
    readonly lastAt: number;
    /** It is the site's own. */
    readonly expected: boolean;
  }[];
  /** Somebody else than the site has it. */
  readonly leaked: boolean;
}

/** Everybody may do this for themselves. Refusals 'no-such-account', 'not-permitted'. */
async function owner(tx: ReadTx, actor: Actor, accountId: number): Promise<Account> {
  const row = await tx.get(accountById, accountId);
  if (row === undefined || row.status === 'removed')
    throw new Refusal('no-such-account', 'There is no such account.');
  const account = toAccount(row);
  if (actor.name !== account.address) requireAccount(actor, account);
  return account;
}

const CONSONANTS = 'bdfghjkmnprstvwz';
const VOWELS = 'aeiou';

/** A name that can be said over the telephone and not be guessed: "mubo.tokan.482" is one of 2^36. */
function randomName(): string {
  const letters = randomToken(9 + 4);
  const pick = (i: number, from: string): string =>
    from.charAt('0123456789abcdefghjkmnpqrstvwxyz'.indexOf(letters.charAt(i)) % from.length);
  const word = (at: number, length: number): string =>
    Array.from({ length }, (_, i) => pick(at + i, i % 2 === 0 ? CONSONANTS : VOWELS)).join('');
  const digits = Array.from({ length: 4 }, (_, i) => pick(9 + i, '23456789')).join('');
  return `${word(0, 4)}.${word(4, 5)}.${digits}`;
}

function cleanLabel(text: string): string {
  return text
    .replaceAll(/[\p{Cc}\u2028\u2029]/gu, ' ')
    .toWellFormed()
    .trim()
    .slice(0, LABEL_LENGTH);
}

/** Make one in the account's own domain. Refusals 'limit', 'bad-input' (the site is no domain). */
export async function addMasked(
  tx: WriteTx,
  args: { actor: Actor; accountId: number; label: string; site: string },
): Promise<MaskedAddress> {
  const { actor, accountId } = args;
  const account = await owner(tx, actor, accountId);
  const site = siteName(args.site);
  if (((await tx.get(sql.countMasked, accountId))?.count ?? 0) >= MAX_MASKED)
    throw new Refusal('limit', `An account may make ${MAX_MASKED} masked addresses in its life.`);
  const domain = await tx.get(domainById, account.domainId);
  if (domain === undefined) throw new Error('an account without its domain');
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const localPart = randomName();
    if (await isTaken(tx, domain.id, localPart, domain.name)) continue;
    const label = cleanLabel(args.label);
    const made = await tx.get(sql.insertMasked, accountId, domain.id, localPart, label, site, tx.now);
    if (made === undefined) continue;
    const address = ownAddress(localPart, domain.name);
    await audit(tx, actor, 'masked.add', account.address, { address, site });
    return need(tx, accountId, made.id);
  }
  throw new Error('no free name was found');
}

async function isTaken(tx: ReadTx, domainId: number, localPart: string, domain: string): Promise<boolean> {
  if ((await tx.get(accountByAddress, ownAddress(localPart, domain))) !== undefined) return true;
  return (await tx.get(aliasAt, domainId, localPart)) !== undefined;
}

async function need(tx: ReadTx, accountId: number, id: number): Promise<MaskedAddress> {
  const row = await tx.get(sql.maskedById, id, accountId);
  if (row === undefined) throw new Refusal('not-found', 'There is no such masked address.');
  const senders = (await tx.all(sql.sendersOf, accountId)).filter((each) => each.masked_id === id);
  return toMasked(row, senders);
}

type SenderRow = { domain: string; count: number; first_at: number; last_at: number };

function toMasked(row: sql.MaskedRow, rows: readonly SenderRow[]): MaskedAddress {
  // Without a site the first who wrote is taken for the one that it was given to.
  const site = row.site === '' ? (rows[0]?.domain ?? '') : row.site;
  const senders = rows.map(({ domain, count, first_at: firstAt, last_at: lastAt }) => ({
    domain,
    count,
    firstAt,
    lastAt,
    expected: isExpected(domain, site),
  }));
  return {
    id: row.id,
    address: formatAddress({ localPart: row.local_part, domain: row.domain }),
    label: row.label,
    site: row.site,
    state: row.state === 'on' ? 'on' : 'off',
    createdAt: row.created_at,
    lastAt: row.last_at ?? undefined,
    count: row.count,
    senders,
    leaked: senders.some(({ expected }) => !expected),
  };
}

/** Newest first. */
export async function listMasked(
  tx: ReadTx,
  { accountId }: { accountId: number },
): Promise<{ addresses: MaskedAddress[]; domains: string[] }> {
  const account = await tx.get(accountById, accountId);
  const domain = account && (await tx.get(domainById, account.domain_id));
  const senders = Map.groupBy(await tx.all(sql.sendersOf, accountId), (row) => row.masked_id);
  const rows = await tx.all(sql.maskedOf, accountId);
  return {
    addresses: rows.map((row) => toMasked(row, senders.get(row.id) ?? [])),
    domains: domain === undefined ? [] : [domain.name],
  };
}

/** Whose an address is, when it is a masked one. */
export async function maskedOwner(
  tx: ReadTx,
  { address }: { address: string },
): Promise<{ id: number; accountId: number } | undefined> {
  const parsed = parseAddress(address);
  const domain = parsed && (await baseDomain(tx, parsed.domain));
  if (parsed === undefined || domain === undefined) return undefined;
  const row = await tx.get(sql.maskedAt, domain.id, normalizeLocalPart(parsed.localPart));
  return row === undefined || row.state === 'deleted' ? undefined : { id: row.id, accountId: row.account_id };
}

/** Refusals 'not-found', 'bad-input'. */
export async function changeMasked(
  tx: WriteTx,
  args: {
    actor: Actor;
    accountId: number;
    id: number;
    label?: string;
    site?: string;
    state?: MaskedState | 'deleted';
  },
): Promise<MaskedAddress | null> {
  const { actor, accountId, id } = args;
  const account = await owner(tx, actor, accountId);
  const now = await need(tx, accountId, id);
  const label = args.label === undefined ? now.label : cleanLabel(args.label);
  const site = args.site === undefined ? now.site : siteName(args.site);
  const state = args.state ?? now.state;
  await tx.run(sql.changeMasked, label, site, state, id);
  if (state !== now.state)
    await audit(tx, actor, `masked.${state}`, account.address, { address: now.address });
  return state === 'deleted' ? null : need(tx, accountId, id);
}

/** Mail that came to masked addresses, with the commit that took it. */
export interface MaskedMail {
  readonly ids: readonly number[];
  /** Organisational domain of the sender; '' when there is none. */
  readonly domain: string;
}

export async function noteMasked(tx: WriteTx, { ids, domain }: MaskedMail): Promise<void> {
  // In one order, so that two messages to the same addresses never wait for each other in a circle.
  for (const id of [...new Set(ids)].toSorted((a, b) => a - b)) {
    await tx.run(sql.countMail, tx.now, id);
    if (domain !== '') await tx.run(sql.countSender, id, domain, tx.now, tx.now, id, id, domain);
  }
}
