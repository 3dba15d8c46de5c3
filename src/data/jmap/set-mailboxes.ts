import { Refusal } from '../../base/errors.ts';
import type { WriteTx } from '../db/sql.ts';
import { beginAccount } from '../mailstore/account.ts';
import { childrenOf, createMailbox, deleteMailboxByName, subscribe } from '../mailstore/mailboxes.ts';
import { mailboxBySpecialUse, mailboxById, type MailboxColumns } from '../mailstore/mailboxes.sql.ts';
import { INBOX, SEPARATOR } from '../mailstore/names.ts';
import { rename } from '../mailstore/rename.ts';
import type { SpecialUse } from '../mailstore/types.ts';
import { rightsOf } from '../sharing/known.ts';
import { hasRights, Right } from '../sharing/rights.ts';
import * as sql from './account-mail.sql.ts';
import type { SetFailure } from './set-emails.ts';

export interface MailboxFields {
  /** One level. */
  readonly name?: string | undefined;
  /** Null: the top. `#` and a creation id is resolved by the caller, as creations go one by one. */
  readonly parentId?: number | null | undefined;
  readonly specialUse?: SpecialUse | null | undefined;
  readonly sortOrder?: number | undefined;
  readonly subscribed?: boolean | undefined;
}

export interface SetMailbox {
  readonly accountId: number;
  readonly viewer: number;
  readonly ifSeq?: number | undefined;
  readonly change:
    | { readonly create: MailboxFields & { readonly name: string } }
    | { readonly update: number; readonly fields: MailboxFields }
    | { readonly destroy: number; readonly removeEmails: boolean };
}

/** One of several changes that are done in one commit; `below`: it goes below what that one of them makes. */
export type TogetherChange = SetMailbox['change'] & { readonly below?: number | undefined };

export interface SetMailboxesTogether {
  readonly accountId: number;
  readonly viewer: number;
  readonly changes: readonly TogetherChange[];
  /** Begins names of those that stand aside meanwhile; nobody else's does. */
  readonly aside: string;
}

export interface SetMailboxOutcome {
  readonly oldSeq: number;
  readonly newSeq: number;
  readonly id: number;
  readonly failure?: SetFailure;
}

type Whose = Pick<SetMailbox, 'accountId' | 'viewer'>;

/** Thrown so that the transaction of one change ends with nothing done. */
class Failed extends Error {
  readonly failure: SetFailure;
  constructor(failure: SetFailure) {
    super(failure.type);
    this.failure = failure;
  }
}

function invalid(properties: readonly string[], description: string): Failed {
  return new Failed({ type: 'invalidProperties', properties, description });
}

/** Make, change or delete one mailbox. What fails is found before anything is written. */
export async function setMailbox(
  tx: WriteTx,
  request: SetMailbox,
): Promise<SetMailboxOutcome | 'state-mismatch'> {
  const { accountId, ifSeq, change } = request;
  const { modseq } = await beginAccount(tx, accountId);
  if (ifSeq !== undefined && ifSeq !== modseq - 1) return 'state-mismatch';
  const oldSeq = modseq - 1;
  const answer = async (id: number, failure?: SetFailure): Promise<SetMailboxOutcome> => {
    const newSeq = (await tx.get(sql.countersOf, accountId))?.modseq ?? modseq;
    return { oldSeq, newSeq, id, ...(failure !== undefined && { failure }) };
  };
  try {
    return await answer(await apply(tx, request, change));
  } catch (error) {
    if (error instanceof Failed) return answer(0, error.failure);
    if (error instanceof Refusal) return answer(0, failureOf(error));
    throw error;
  }
}

/** The id of what was made or changed. */
async function apply(tx: WriteTx, whose: Whose, change: SetMailbox['change']): Promise<number> {
  if ('create' in change) return create(tx, whose, change.create);
  if ('update' in change) {
    await update(tx, whose, change.update, change.fields);
    return change.update;
  }
  await destroy(tx, whose, change.destroy, change.removeEmails);
  return change.destroy;
}

/** Tries of changes that wait for each other. */
const MOST_TRIES = 2000;

/**
 * Changes of which each waits for another, such as two mailboxes that swap their names: all of them, or none.
 * @throws Refusal 'conflict'
 */
export async function setMailboxesTogether(
  tx: WriteTx,
  request: SetMailboxesTogether,
): Promise<{ oldSeq: number; newSeq: number; ids: readonly number[] }> {
  const { accountId, changes } = request;
  const { modseq } = await beginAccount(tx, accountId);
  const ids: number[] = [];
  const open = new Map<number, TogetherChange>();
  for (const [i, change] of changes.entries()) {
    const left = await attempt(() => standAside(tx, request, change, `${request.aside}${i}`));
    if (left === undefined) throw notAll();
    open.set(i, left);
  }
  let tries = MOST_TRIES;
  for (let before = -1; before !== open.size && tries > 0; ) {
    before = open.size;
    for (const [i, change] of open) {
      if (--tries < 0) break;
      const { below } = change;
      const parentId = below === undefined ? undefined : ids[below];
      if (below !== undefined && parentId === undefined) continue;
      const id = await attempt(() => apply(tx, request, withParent(change, parentId)));
      if (id === undefined) continue;
      ids[i] = id;
      open.delete(i);
    }
  }
  if (open.size > 0) throw notAll();
  const newSeq = (await tx.get(sql.countersOf, accountId))?.modseq ?? modseq;
  return { oldSeq: modseq - 1, newSeq, ids };
}

function notAll(): Refusal {
  return new Refusal('conflict', 'Not all of these changes can be made.');
}

/** Undefined: it cannot be done, not now at least. */
async function attempt<T>(run: () => Promise<T>): Promise<T | undefined> {
  try {
    return await run();
  } catch (error) {
    if (error instanceof Failed || error instanceof Refusal) return undefined;
    throw error;
  }
}

function withParent(change: SetMailbox['change'], parentId: number | undefined): SetMailbox['change'] {
  if (parentId === undefined) return change;
  if ('create' in change) return { create: { ...change.create, parentId } };
  return 'update' in change ? { ...change, fields: { ...change.fields, parentId } } : change;
}

/** Give up the name and the role that others wait for; the change that is left to be made. */
async function standAside(
  tx: WriteTx,
  request: SetMailboxesTogether,
  change: TogetherChange,
  aside: string,
): Promise<TogetherChange> {
  if ('create' in change) return change;
  const id = 'update' in change ? change.update : change.destroy;
  const row = await need(tx, request, id);
  const fields = 'update' in change ? change.fields : undefined;
  const moves = fields?.name !== undefined || fields?.parentId !== undefined || change.below !== undefined;
  if (fields === undefined || moves) await update(tx, request, id, { name: aside });
  if (row.special_use !== null && (fields === undefined || fields.specialUse !== undefined))
    await update(tx, request, id, { specialUse: null });
  if (!('update' in change) || !moves) return change;
  const name = row.name.slice(row.name.lastIndexOf(SEPARATOR) + 1);
  return { ...change, fields: { name, ...change.fields } };
}

function failureOf(refusal: Refusal): SetFailure {
  const description = refusal.message;
  if (refusal.kind === 'limit') return { type: 'overQuota', description };
  if (refusal.kind === 'not-permitted') return { type: 'forbidden', description };
  return { type: 'invalidProperties', properties: ['name'], description };
}

async function need(tx: WriteTx, { accountId, viewer }: Whose, id: number): Promise<MailboxColumns> {
  const row = await tx.get(mailboxById, id);
  const rights = await rightsOf(tx, { accountId: viewer, mailboxId: id });
  if (row === undefined || row.account_id !== accountId || !hasRights(rights, Right.Lookup))
    throw new Failed({ type: 'notFound' });
  return row;
}

async function requireRight(tx: WriteTx, viewer: number, mailboxId: number, right: number): Promise<void> {
  if (!hasRights(await rightsOf(tx, { accountId: viewer, mailboxId }), right))
    throw new Failed({ type: 'forbidden' });
}

/** The full name of what lies below a mailbox, where this viewer may put something. */
async function nameBelow(
  tx: WriteTx,
  request: Whose,
  parentId: number | null,
  name: string,
): Promise<string> {
  if (name === '' || name.includes(SEPARATOR))
    throw invalid(['name'], `A name must not be empty and must not have a "${SEPARATOR}".`);
  if (parentId === null) {
    if (request.viewer !== request.accountId) throw new Failed({ type: 'forbidden' });
    return name;
  }
  const parent = await need(tx, request, parentId).catch(() => {
    throw invalid(['parentId'], 'There is no such mailbox.');
  });
  await requireRight(tx, request.viewer, parent.id, Right.Create);
  return `${parent.name}${SEPARATOR}${name}`;
}

async function requireFreeRole(tx: WriteTx, request: Whose, role: SpecialUse, id: number): Promise<void> {
  if (request.viewer !== request.accountId) throw new Failed({ type: 'forbidden' });
  const taken = await tx.get(mailboxBySpecialUse, request.accountId, role);
  if (taken !== undefined && taken.id !== id) throw invalid(['role'], 'Another mailbox has this role.');
}

async function create(
  tx: WriteTx,
  request: Whose,
  fields: MailboxFields & { readonly name: string },
): Promise<number> {
  const { accountId } = request;
  const name = await nameBelow(tx, request, fields.parentId ?? null, fields.name);
  const { specialUse } = fields;
  if (specialUse != null) await requireFreeRole(tx, request, specialUse, 0);
  const made = await createMailbox(tx, { accountId, name, ...(specialUse != null && { specialUse }) });
  // RFC 8621 section 2: what somebody makes they wish to see.
  if (fields.subscribed !== false && request.viewer === accountId)
    await subscribe(tx, { accountId, name, subscribed: true });
  if (fields.sortOrder !== undefined && fields.sortOrder !== 0)
    await tx.run(sql.putSortOrder, made.id, fields.sortOrder);
  return made.id;
}

async function update(tx: WriteTx, request: Whose, id: number, fields: MailboxFields): Promise<void> {
  const { accountId, viewer } = request;
  const row = await need(tx, request, id);
  const own = viewer === accountId;
  if (!own && (fields.subscribed !== undefined || fields.sortOrder !== undefined))
    throw new Failed({ type: 'forbidden' });
  if (fields.specialUse != null) {
    if (row.name === INBOX) throw invalid(['role'], 'The inbox has its role.');
    await requireFreeRole(tx, request, fields.specialUse, id);
  } else if (fields.specialUse === null && !own) throw new Failed({ type: 'forbidden' });
  const to = await newName(tx, request, row, fields);
  if (to !== row.name) await rename(tx, { accountId, from: row.name, to });
  const { modseq } = (await tx.get(sql.countersOf, accountId)) ?? { modseq: row.modseq };
  if (fields.specialUse !== undefined && fields.specialUse !== row.special_use) {
    await tx.run(sql.setSpecialUse, fields.specialUse, modseq, id);
    // RFC 8621 section 2, unreadThreads: what lies in the Trash does not count elsewhere.
    if ([fields.specialUse, row.special_use].includes('\\Trash'))
      await tx.run(sql.touchMailboxes, modseq, accountId);
  }
  if (fields.sortOrder !== undefined) {
    await tx.run(sql.putSortOrder, id, fields.sortOrder);
    await tx.run(sql.touchMailbox, modseq, id);
  }
  tx.touch(accountId);
  if (fields.subscribed !== undefined)
    await subscribe(tx, { accountId, name: to, subscribed: fields.subscribed });
}

async function newName(
  tx: WriteTx,
  request: Whose,
  row: MailboxColumns,
  fields: MailboxFields,
): Promise<string> {
  if (fields.name === undefined && fields.parentId === undefined) return row.name;
  const cut = row.name.lastIndexOf(SEPARATOR);
  const last = fields.name ?? row.name.slice(cut + 1);
  let to: string;
  if (fields.parentId === undefined) {
    if (last === '' || last.includes(SEPARATOR))
      throw invalid(['name'], `A name must not have a "${SEPARATOR}".`);
    to = cut < 0 ? last : `${row.name.slice(0, cut)}${SEPARATOR}${last}`;
  } else to = await nameBelow(tx, request, fields.parentId, last);
  if (to === row.name) return to;
  if (row.name === INBOX) throw new Failed({ type: 'forbidden', description: 'The inbox keeps its place.' });
  if (to.startsWith(row.name + SEPARATOR)) throw invalid(['parentId'], 'It cannot lie below itself.');
  await requireRight(tx, request.viewer, row.id, Right.Delete);
  return to;
}

async function destroy(tx: WriteTx, request: Whose, id: number, removeEmails: boolean): Promise<void> {
  const row = await need(tx, request, id);
  await requireRight(tx, request.viewer, id, Right.Delete);
  if (row.name === INBOX)
    throw new Failed({ type: 'forbidden', description: 'The inbox cannot be deleted.' });
  // RFC 8621 section 2.5.
  if ((await childrenOf(tx, request.accountId, row.name)).length > 0)
    throw new Failed({ type: 'mailboxHasChild' });
  // What has \Deleted is not there for JMAP (section 4.1.1).
  if (row.messages > row.deleted && !removeEmails) throw new Failed({ type: 'mailboxHasEmail' });
  if (row.messages > 0) await requireRight(tx, request.viewer, id, Right.DeleteMessages | Right.Expunge);
  await deleteMailboxByName(tx, { accountId: request.accountId, name: row.name });
}
