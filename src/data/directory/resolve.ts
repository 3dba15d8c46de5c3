import { normalizeLocalPart } from '../../mail/address/local-part.ts';
import { formatAddress } from '../../mail/address/path.ts';
import type { ReadTx } from '../db/sql.ts';
import { baseDomain, ownAddress, parseAddress } from './address.ts';
import { maskedAt } from '../account/masked.sql.ts';
import { aliasAt, targetsOf } from './addresses.sql.ts';
import {
  type AccountRow,
  accountByAddress,
  accountById,
  type DomainRow,
  firstAdministrator,
} from './directory.sql.ts';
import type { ResolvedTarget, Resolution } from './types.ts';

/** Aliases that lead to aliases: how many steps are followed. */
export const ALIAS_DEPTH = 10;
/** Accounts and addresses one recipient may become, and aliases passed on the way; beyond it the mail is refused, never cut short. */
export const ALIAS_FANOUT = 500;
/** Delimiters of one local part at which it is split in search of an account. */
const SUBADDRESS_SPLITS = 4;

/** Local parts that always reach somebody (RFC 5321 4.5.1, RFC 2142 section 2). */
const ALWAYS_DELIVERABLE: ReadonlySet<string> = new Set(['postmaster', 'abuse']);

export interface ResolveRequest {
  readonly localPart: string;
  /** Normalised (A-labels, lower case). */
  readonly domain: string;
  /** '' turns subaddressing off. */
  readonly delimiter: string;
  /** Octets that are to be stored, for `overQuota`. */
  readonly size: number;
  /** Accounts and aliases only: no catch-all, and nobody stands in for postmaster@. */
  readonly own?: boolean;
  /** False: masked addresses lead nowhere, for logging in. */
  readonly masked?: boolean;
}

interface Search {
  readonly delimiter: string;
  readonly size: number;
  /** Whether what no account or alias takes goes to the catch-all. */
  readonly catchAll: boolean;
  readonly targets: Map<string, ResolvedTarget>;
  /** Aliases and catch-alls already followed: each is followed once, wherever it occurs. */
  readonly followed: Set<string>;
  /** Set when an alias led back to itself, or too far; the aliases passed. */
  circle: readonly string[] | undefined;
  tooLarge: boolean;
  /** Masked addresses count. */
  readonly masked: boolean;
  /** One that is switched off was met. */
  switchedOff: boolean;
}

interface Step {
  readonly localPart: string;
  readonly domain: string;
  readonly detail: string;
  readonly via: readonly string[];
}

/** Where mail for a recipient goes. Aliases that lead nowhere count as unknown, never as the catch-all's. */
export async function resolve(tx: ReadTx, request: ResolveRequest): Promise<Resolution> {
  const domain = await baseDomain(tx, request.domain);
  if (domain === undefined) return { status: 'not-local' };
  if (request.own === true) return run(tx, request, false);
  if (!isAlwaysDeliverable(request)) return run(tx, request, true);
  const found = await run(tx, request, false);
  if (found.status === 'ok') return found;
  const administrator = await tx.get(firstAdministrator, domain.id);
  if (administrator === undefined) return run(tx, request, true);
  return { status: 'ok', targets: [toTarget(administrator, { detail: '', via: [] }, request.size)] };
}

async function run(tx: ReadTx, request: ResolveRequest, catchAll: boolean): Promise<Resolution> {
  const state = newSearch(request, catchAll);
  await follow(tx, state, { localPart: request.localPart, domain: request.domain, detail: '', via: [] });
  return outcome(state);
}

/**
 * What an address leads to when only accounts, aliases and subaddresses count: for logging in and sending, where a
 * catch-all and the administrator's duty for postmaster@ give no rights.
 */
export async function resolveOwn(
  tx: ReadTx,
  request: { localPart: string; domain: string; delimiter: string; masked?: boolean },
): Promise<readonly ResolvedTarget[]> {
  if ((await baseDomain(tx, request.domain)) === undefined) return [];
  const found = await run(tx, { ...request, size: 0 }, false);
  return found.status === 'ok' ? found.targets : [];
}

function newSearch(request: ResolveRequest, catchAll: boolean): Search {
  return {
    delimiter: normalizeLocalPart(request.delimiter),
    size: request.size,
    catchAll,
    targets: new Map(),
    followed: new Set(),
    circle: undefined,
    tooLarge: false,
    masked: request.masked !== false,
    switchedOff: false,
  };
}

function outcome(search: Search): Resolution {
  // Better nobody than only some of those it was meant for: the sender is told.
  if (search.tooLarge) return { status: 'loop', via: search.circle ?? [] };
  if (search.targets.size > 0) return { status: 'ok', targets: [...search.targets.values()] };
  if (search.switchedOff) return { status: 'unknown', switchedOff: true };
  return search.circle === undefined ? { status: 'unknown' } : { status: 'loop', via: search.circle };
}

function isAlwaysDeliverable(request: ResolveRequest): boolean {
  const local = normalizeLocalPart(request.localPart);
  return splits(local, normalizeLocalPart(request.delimiter)).some(({ user }) =>
    ALWAYS_DELIVERABLE.has(user),
  );
}

/** Follow one address; `via` are the aliases that led to it. */
async function follow(tx: ReadTx, search: Search, step: Step): Promise<void> {
  if (search.tooLarge) return;
  const domain = await baseDomain(tx, step.domain);
  if (domain === undefined) {
    addExternal(search, step);
    return;
  }
  const local = normalizeLocalPart(step.localPart);
  for (const { user, detail } of splits(local, search.delimiter)) {
    const at = { ...step, localPart: user, detail: detail || step.detail };
    if (await followExact(tx, search, at, domain)) return;
  }
  if (search.catchAll && domain.catch_all !== null) {
    const catchAll = `@${domain.name}`;
    await followTargets(tx, search, { ...step, via: [...step.via, catchAll] }, catchAll, [domain.catch_all]);
  }
}

/** The local part as it is, then without its detail, the longest user first (RFC 5233 section 4 leaves it to us). */
function splits(local: string, delimiter: string): { user: string; detail: string }[] {
  const found = [{ user: local, detail: '' }];
  if (delimiter === '') return found;
  let at = local.lastIndexOf(delimiter);
  while (at > 0 && found.length <= SUBADDRESS_SPLITS) {
    found.push({ user: local.slice(0, at), detail: local.slice(at + delimiter.length) });
    at = local.lastIndexOf(delimiter, at - 1);
  }
  return found;
}

async function followExact(tx: ReadTx, search: Search, step: Step, domain: DomainRow): Promise<boolean> {
  const address = ownAddress(step.localPart, domain.name);
  const found = await tx.get(accountByAddress, address);
  if (found !== undefined) {
    add(search, `account ${found.id}`, toTarget(found, step, search.size));
    return true;
  }
  const alias = await tx.get(aliasAt, domain.id, step.localPart);
  if (alias === undefined) return search.masked && followMasked(tx, search, step, domain);
  const targets = await tx.all(targetsOf, alias.id, ALIAS_FANOUT + 1);
  await followTargets(
    tx,
    search,
    { ...step, via: [...step.via, address] },
    address,
    targets.map((row) => row.address),
  );
  return true;
}

/** One that is switched off or deleted is nobody's: the catch-all does not get its mail either. */
async function followMasked(tx: ReadTx, search: Search, step: Step, domain: DomainRow): Promise<boolean> {
  const found = await tx.get(maskedAt, domain.id, step.localPart);
  if (found === undefined) return false;
  const account = found.state === 'on' ? await tx.get(accountById, found.account_id) : undefined;
  if (account === undefined || account.status === 'removed') {
    search.switchedOff = true;
    return true;
  }
  const via = [...step.via, ownAddress(step.localPart, domain.name)];
  const target = { ...toTarget(account, { detail: step.detail, via }, search.size), masked: found.id };
  add(search, `account ${account.id}`, target);
  return true;
}

async function followTargets(
  tx: ReadTx,
  search: Search,
  step: Step,
  name: string,
  targets: readonly string[],
): Promise<void> {
  const before = step.via.slice(0, -1);
  if (before.includes(name) || before.length >= ALIAS_DEPTH) {
    search.circle ??= step.via;
    if (before.length >= ALIAS_DEPTH) search.tooLarge = true;
    return;
  }
  if (search.followed.has(name)) return;
  search.followed.add(name);
  if (search.followed.size > ALIAS_FANOUT) {
    search.tooLarge = true;
    return;
  }
  for (const target of targets) {
    const address = parseAddress(target);
    if (address !== undefined) await follow(tx, search, { ...step, ...address });
  }
}

function addExternal(search: Search, step: Step): void {
  const address = formatAddress({ localPart: step.localPart, domain: step.domain });
  add(search, `external ${address}`, { kind: 'external', address, via: step.via });
}

function add(search: Search, key: string, target: ResolvedTarget): void {
  if (search.targets.has(key)) return;
  if (search.targets.size >= ALIAS_FANOUT) {
    search.tooLarge = true;
    search.circle ??= target.via;
    return;
  }
  search.targets.set(key, target);
}

function toTarget(row: AccountRow, step: Pick<Step, 'detail' | 'via'>, size: number): ResolvedTarget {
  return {
    kind: 'account',
    accountId: row.id,
    address: row.address,
    detail: step.detail,
    // Nothing is ever empty once its header is in front: a mailbox that is exactly full is over.
    overQuota: row.quota > 0 && row.used + Math.max(size, 1) > row.quota,
    suspended: row.status === 'suspended',
    via: step.via,
  };
}
