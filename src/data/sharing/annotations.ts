import { Refusal } from '../../base/errors.ts';
import type { ReadTx, WriteTx } from '../db/sql.ts';
import { accountById } from '../directory/directory.sql.ts';
import { audit } from '../directory/permission.ts';
import { beginAccount } from '../mailstore/account.ts';
import { mailboxById } from '../mailstore/mailboxes.sql.ts';
import { noSuchMailbox } from '../mailstore/rows.ts';
import * as sql from './annotations.sql.ts';

/** Octets of a value, and of an entry's name. */
export const MAX_ANNOTATION_BYTES = 32 * 1024;
export const MAX_ENTRY_BYTES = 250;
/** Entries of one mailbox (or of the server) that are shared, and that one account keeps for itself. */
export const MAX_ANNOTATIONS = 100;
/** Octets of all annotations that count towards one account. */
export const MAX_ACCOUNT_ANNOTATION_BYTES = 1024 * 1024;

export interface Annotation {
  readonly scope: 'private' | 'shared';
  /** Lower case, without the scope: "/comment". */
  readonly entry: string;
  readonly value: Uint8Array;
}

export interface AnnotationChange {
  readonly scope: 'private' | 'shared';
  readonly entry: string;
  /** Null: remove it. */
  readonly value: Uint8Array | null;
}

/** What an account sees of a mailbox's annotations, or with `mailboxId` 0 of the server's: the shared and its own. */
export async function annotations(
  tx: ReadTx,
  { accountId, mailboxId }: { accountId: number; mailboxId: number },
): Promise<Annotation[]> {
  const rows =
    mailboxId === 0
      ? await tx.all(sql.ofServer, accountId)
      : await tx.all(sql.ofMailbox, mailboxId, accountId);
  return rows.map(({ viewer, entry, value }) => ({
    scope: viewer === 0 ? 'shared' : 'private',
    entry,
    value,
  }));
}

/**
 * SETMETADATA (RFC 5464 section 4.3): all changes or none. Whether the account has the right to a mailbox's is asked by
 * whoever calls; the shared ones of the server (`mailboxId` 0) are for administrators.
 * @throws Refusal 'no-such-mailbox', 'not-permitted', 'limit' (METADATA TOOMANY, METADATA MAXSIZE n)
 */
export async function annotate(
  tx: WriteTx,
  args: { accountId: number; mailboxId: number; changes: readonly AnnotationChange[] },
): Promise<null> {
  const { accountId, mailboxId, changes } = args;
  const ownerId = mailboxId === 0 ? accountId : (await tx.get(mailboxById, mailboxId))?.account_id;
  if (ownerId === undefined) throw noSuchMailbox();
  const { modseq } = await beginAccount(tx, ownerId);
  for (const change of changes) await apply(tx, { accountId, mailboxId, modseq }, change);
  await checkLimits(tx, args, ownerId);
  // RFC 7162 section 3.2: it counts as a change of the mailbox.
  if (mailboxId !== 0) await tx.run(sql.raiseMailbox, modseq, mailboxId);
  tx.touch(ownerId);
  if (ownerId !== accountId) tx.touch(accountId);
  return null;
}

async function apply(
  tx: WriteTx,
  { accountId, mailboxId, modseq }: { accountId: number; mailboxId: number; modseq: number },
  { scope, entry, value }: AnnotationChange,
): Promise<void> {
  const viewer = scope === 'shared' ? 0 : accountId;
  if (value !== null && value.length > MAX_ANNOTATION_BYTES) {
    throw tooMuch(`METADATA MAXSIZE ${MAX_ANNOTATION_BYTES}`, `${MAX_ANNOTATION_BYTES} octets a value`);
  }
  if (mailboxId === 0) {
    if (viewer === 0) await administrator(tx, accountId, entry);
    if (value === null) await tx.run(sql.deleteOfServer, viewer, entry);
    else await tx.run(sql.putOfServer, viewer, entry, modseq, value);
  } else if (value === null) await tx.run(sql.deleteOfMailbox, mailboxId, viewer, entry);
  else await tx.run(sql.putOfMailbox, mailboxId, viewer, entry, modseq, value);
}

/** What the server says to all is an administrator's to set, and leaves a trace. */
async function administrator(tx: WriteTx, accountId: number, entry: string): Promise<void> {
  const row = await tx.get(accountById, accountId);
  if (row === undefined || row.role !== 'admin') {
    throw new Refusal('not-permitted', 'Only administrators may do that.', { imapCode: 'NOPERM' });
  }
  const actor = { name: row.address, role: 'admin', domainId: undefined } as const;
  await audit(tx, actor, 'server.annotate', 'the server', { entry });
}

async function checkLimits(
  tx: WriteTx,
  {
    accountId,
    mailboxId,
    changes,
  }: { accountId: number; mailboxId: number; changes: readonly AnnotationChange[] },
  ownerId: number,
): Promise<void> {
  for (const scope of ['shared', 'private'] as const) {
    if (!changes.some((change) => change.scope === scope && change.value !== null)) continue;
    const viewer = scope === 'shared' ? 0 : accountId;
    const counted =
      mailboxId === 0
        ? await tx.get(sql.serverCount, viewer)
        : await tx.get(sql.privateCount, mailboxId, viewer);
    if ((counted?.n ?? 0) > MAX_ANNOTATIONS) throw tooMuch('METADATA TOOMANY', `${MAX_ANNOTATIONS} entries`);
    const used =
      scope === 'private'
        ? await tx.get(sql.usedPrivately, accountId, accountId)
        : await tx.get(sql.usedShared, ownerId);
    if ((used?.octets ?? 0) > MAX_ACCOUNT_ANNOTATION_BYTES)
      throw tooMuch('METADATA TOOMANY', `${MAX_ACCOUNT_ANNOTATION_BYTES} octets in all`);
  }
}

function tooMuch(imapCode: string, what: string): Refusal {
  return new Refusal('limit', `At most ${what}.`, { imapCode });
}

/** When annotations that somebody sees were set, by what tells one from another. */
export type AnnotationMarks = ReadonlyMap<
  string,
  { readonly mailboxId: number; readonly entry: string; readonly modseq: number }
>;

/** Of the server and of all mailboxes of some accounts; what may not be seen of them is for the caller to leave out. */
export async function annotationMarks(
  tx: ReadTx,
  { accountId, owners }: { accountId: number; owners: readonly number[] },
): Promise<AnnotationMarks> {
  const marks = new Map<string, { mailboxId: number; entry: string; modseq: number }>();
  const add = (rows: readonly sql.MarkRow[]): void => {
    for (const { mailbox_id: mailboxId, viewer, entry, modseq } of rows) {
      const named = `/${viewer === 0 ? 'shared' : 'private'}${entry}`;
      marks.set(`${mailboxId} ${named}`, { mailboxId, entry: named, modseq });
    }
  };
  add(await tx.all(sql.marksOfServer, accountId));
  for (const owner of owners) add(await tx.all(sql.marksOfOwner, owner, accountId));
  return marks;
}
