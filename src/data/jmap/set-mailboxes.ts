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

export interface SetMailboxOutcome {
  readonly oldSeq: number;
  readonly newSeq: number;
  readonly id: number;
  readonly failure?: SetFailure;
}

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
    if ('create' in change) return await answer(await create(tx, request, change.create));
    if ('update' in change) {
      await update(tx, request, change.update, change.fields);
      return await answer(change.update);
    }
    await destroy(tx, request, change.destroy, change.removeEmails);
    return await answer(change.destroy);
  } catch (error) {
    if (error instanceof Failed) return answer(0, error.failure);
    if (error instanceof Refusal) return answer(0, failureOf(error));
    throw error;
  }
}

function failureOf(refusal: Refusal): SetFailure {
  const description = refusal.message;
  if (refusal.kind === 'limit') return { type: 'overQuota', description };
  if (refusal.kind === 'not-permitted') return { type: 'forbidden', description };
  return { type: 'invalidProperties', properties: ['name'], description };
}

async function need(tx: WriteTx, { accountId, viewer }: SetMailbox, id: number): Promise<MailboxColumns> {
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
  request: SetMailbox,
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

async function requireFreeRole(
  tx: WriteTx,
  request: SetMailbox,
  role: SpecialUse,
  id: number,
): Promise<void> {
  if (request.viewer !== request.accountId) throw new Failed({ type: 'forbidden' });
  const taken = await tx.get(mailboxBySpecialUse, request.accountId, role);
  if (taken !== undefined && taken.id !== id) throw invalid(['role'], 'Another mailbox has this role.');
}

async function create(
  tx: WriteTx,
  request: SetMailbox,
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

async function update(tx: WriteTx, request: SetMailbox, id: number, fields: MailboxFields): Promise<void> {
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
  if (fields.specialUse !== undefined && fields.specialUse !== row.special_use)
    await tx.run(sql.setSpecialUse, fields.specialUse, modseq, id);
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
  request: SetMailbox,
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

async function destroy(tx: WriteTx, request: SetMailbox, id: number, removeEmails: boolean): Promise<void> {
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
