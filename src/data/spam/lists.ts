import { Refusal } from '../../base/errors.ts';
import type { ReadTx, WriteTx } from '../db/sql.ts';
import { needAccount } from '../directory/find.ts';
import { audit, requireAccount, requireAdmin } from '../directory/permission.ts';
import type { Actor } from '../directory/types.ts';
import type { ListState } from '../directory/undo-types.ts';
import { domainOfKey } from './address.ts';
import * as sql from './lists.sql.ts';
import { needPattern, networksOf } from './pattern.ts';
import { MAX_AUTHORS } from './senders.sql.ts';
import { type ListAction, type ListEntry, type ListMatch, SITE } from './types.ts';

/** Entries of one list. */
const MAX_ENTRIES = 10_000;
/** UTF-16 units of a note. */
const NOTE_LENGTH = 500;

/** `account`: an address, or null for the site's own list. */
interface ListOwner {
  readonly account: string | null;
}

/** Whose list it is, when the actor may change it: everybody their own. Refusals 'not-permitted', 'no-such-account'. */
async function needOwner(
  tx: WriteTx,
  actor: Actor,
  account: string | null,
): Promise<{ id: number; name: string }> {
  if (account === null) {
    requireAdmin(actor);
    return { id: SITE, name: 'the site' };
  }
  const owner = await needAccount(tx, account);
  if (actor.name !== owner.address) requireAccount(actor, owner);
  return { id: owner.id, name: owner.address };
}

/** Add an entry, or change the one with this pattern. Returns the pattern in its one spelling. */
export async function listAdd(
  tx: WriteTx,
  args: ListOwner & { actor: Actor; pattern: string; action: ListAction; note?: string },
): Promise<{ pattern: string }> {
  const { actor, action } = args;
  const owner = await needOwner(tx, actor, args.account);
  const { kind, pattern } = needPattern(args.pattern);
  const note = (args.note ?? '').slice(0, NOTE_LENGTH).replaceAll('\0', '').toWellFormed();
  if (((await tx.get(sql.countEntries, owner.id))?.count ?? 0) >= MAX_ENTRIES) {
    throw new Refusal('limit', `A list has at most ${MAX_ENTRIES} entries: remove some first.`);
  }
  const before = await stateAt(tx, owner.id, kind, pattern);
  await tx.run(sql.putEntry, owner.id, kind, pattern, action, note, tx.now);
  const { account } = args;
  const undo = { kind: 'sender-list', account, pattern, before, after: { action, note } } as const;
  await audit(tx, actor, `sender-list.${action}`, owner.name, { pattern, note }, undo);
  return { pattern };
}

async function stateAt(tx: ReadTx, owner: number, kind: string, pattern: string): Promise<ListState | null> {
  const row = await tx.get(sql.entryAt, owner, kind, pattern);
  return row === undefined ? null : { action: row.action as ListAction, note: row.note };
}

/** What a list says of a pattern; null: nothing. */
export async function listState(
  tx: ReadTx,
  { account, pattern: text }: ListOwner & { pattern: string },
): Promise<ListState | null> {
  const owner = account === null ? SITE : (await needAccount(tx, account)).id;
  const { kind, pattern } = needPattern(text);
  return stateAt(tx, owner, kind, pattern);
}

/** @throws Refusal 'not-found' */
export async function listRemove(
  tx: WriteTx,
  args: ListOwner & { actor: Actor; pattern: string },
): Promise<null> {
  const owner = await needOwner(tx, args.actor, args.account);
  const { kind, pattern } = needPattern(args.pattern);
  const before = await stateAt(tx, owner.id, kind, pattern);
  if ((await tx.run(sql.deleteEntry, owner.id, kind, pattern)) === 0) {
    throw new Refusal('not-found', `${pattern} is not in the list of ${owner.name}.`);
  }
  const undo = { kind: 'sender-list', account: args.account, pattern, before, after: null } as const;
  await audit(tx, args.actor, 'sender-list.remove', owner.name, { pattern }, undo);
  return null;
}

/** @throws Refusal 'no-such-account' */
export async function lists(tx: ReadTx, { account }: ListOwner): Promise<ListEntry[]> {
  const owner = account === null ? SITE : (await needAccount(tx, account)).id;
  return (await tx.all(sql.entriesOf, owner)).map((row) => ({
    pattern: row.pattern,
    action: row.action as ListAction,
    note: row.note,
    createdAt: row.created_at,
  }));
}

/** Which kinds of entries a list has. */
export interface ListKinds {
  readonly senders: boolean;
  readonly networks: boolean;
}

export async function siteLists(tx: ReadTx): Promise<ListKinds> {
  return {
    senders: (await tx.get(sql.anyListed, SITE, 'sender')) !== undefined,
    networks: (await tx.get(sql.anyListed, SITE, 'network')) !== undefined,
  };
}

/**
 * Finds what a message meets in an owner's list. Each author by address before domain; one that is blocked blocks the
 * message, and it is allowed only when all are (several authors are a trick more often than not; of more than a person
 * would name, the rest counts as not listed). Networks come last, the narrowest first.
 */
export function listMatcher(
  authors: readonly string[],
  ip: string | undefined,
): (tx: ReadTx, owner: number, has: ListKinds) => Promise<ListMatch | undefined> {
  const known = authors.slice(0, MAX_AUTHORS);
  const senders = [...known, ...known.map(domainPattern)];
  let networks: readonly string[] | undefined;
  return async (tx, owner, has) => {
    const met = has.senders ? await find(tx, owner, 'sender', senders) : NONE;
    const pattern = met.size > 0 ? byAuthors(met, known, authors.length) : undefined;
    const action = pattern === undefined ? undefined : met.get(pattern);
    if (pattern !== undefined && action !== undefined) return { action, pattern, site: owner === SITE };
    if (!has.networks || ip === undefined) return undefined;
    networks ??= networksOf(ip);
    const around = await find(tx, owner, 'network', networks);
    const narrowest = networks.find((network) => around.has(network));
    const meant = narrowest === undefined ? undefined : around.get(narrowest);
    if (narrowest === undefined || meant === undefined) return undefined;
    return { action: meant, pattern: narrowest, site: owner === SITE };
  };
}

const NONE: ReadonlyMap<string, ListAction> = new Map();

function domainPattern(key: string): string {
  return `@${domainOfKey(key)}`;
}

async function find(
  tx: ReadTx,
  owner: number,
  kind: sql.ListKind,
  patterns: readonly string[],
): Promise<ReadonlyMap<string, ListAction>> {
  const first = patterns[0];
  if (first === undefined) return NONE;
  const length = sql.MAX_CANDIDATES[kind];
  const padded = Array.from({ length }, (_, i) => patterns[i] ?? first);
  const rows = await tx.all(sql.listed[kind], owner, ...padded);
  return new Map(rows.map((row) => [row.pattern, row.action as ListAction]));
}

function byAuthors(
  found: ReadonlyMap<string, ListAction>,
  authors: readonly string[],
  all: number,
): string | undefined {
  const met = authors.flatMap((key) => {
    const pattern = [key, domainPattern(key)].find((candidate) => found.has(candidate));
    return pattern ?? [];
  });
  const blocked = met.find((pattern) => found.get(pattern) === 'block');
  if (blocked !== undefined) return blocked;
  return met.length === all ? met[0] : undefined;
}
