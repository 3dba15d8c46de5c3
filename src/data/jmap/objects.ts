import { Refusal } from '../../base/errors.ts';
import type { ReadTx, WriteTx } from '../db/sql.ts';
import { beginAccount } from '../mailstore/account.ts';
import { countersOf } from './account-mail.sql.ts';
import type { Changed, Since } from './changes.ts';
import * as sql from './objects.sql.ts';

/** Identities and submissions: what JMAP keeps of its own, small and few. `data` is JSON. */
export type ObjectKind = 'identity' | 'submission';

/** Objects of a kind that an account may have; destroyed ones count until they are used again or forgotten. */
const MAX_OBJECTS = 20_000;

export interface KeptObject {
  readonly id: number;
  readonly changedAt: number;
  readonly data: string;
}

/** All of a kind, ascending by id, and the modseq of their last change (0: never). */
export async function objects(
  tx: ReadTx,
  { accountId, kind }: { accountId: number; kind: ObjectKind },
): Promise<{ seq: number; objects: KeptObject[] }> {
  const rows = await tx.all(sql.objectsOf, accountId, kind);
  const found: KeptObject[] = [];
  let seq = 0;
  for (const { id, modseq, changed_at: changedAt, data } of rows) {
    if (modseq > seq) seq = modseq;
    if (data !== null) found.push({ id, changedAt, data });
  }
  return { seq, objects: found };
}

export async function objectChanges(
  tx: ReadTx,
  { accountId, kind, since }: { accountId: number; kind: ObjectKind; since: Since },
): Promise<Changed> {
  const rows = await tx.all(sql.objectsOf, accountId, kind);
  const created: number[] = [];
  const updated: number[] = [];
  const destroyed: number[] = [];
  let seq = 0;
  for (const row of rows) {
    if (row.modseq > seq) seq = row.modseq;
    if (row.modseq <= since.seq) continue;
    const existed = row.created_modseq <= since.seq;
    if (row.data === null) {
      if (existed) destroyed.push(row.id);
    } else (existed ? updated : created).push(row.id);
  }
  return { created, updated, destroyed, until: { seq }, more: false };
}

/** Write an object: `id` undefined makes one, `data` null destroys it. Returns its id and the modseq of the change. */
export async function putObject(
  tx: WriteTx,
  args: { accountId: number; kind: ObjectKind; id?: number; data: string | null },
): Promise<{ id: number; seq: number }> {
  const { accountId, kind, data } = args;
  const { modseq } = await beginAccount(tx, accountId);
  const id = args.id ?? modseq;
  if (args.id === undefined && (await tx.all(sql.objectsOf, accountId, kind)).length >= MAX_OBJECTS)
    throw new Refusal('limit', `An account may have at most ${MAX_OBJECTS} of these.`);
  const old = await tx.get(sql.objectById, accountId, kind, id);
  // The account's own identity has been there from the beginning, without a row.
  const made = old?.created_modseq ?? (id === 0 ? 0 : modseq);
  await tx.run(sql.putObject, accountId, kind, id, made, modseq, tx.now, data);
  tx.touch(accountId);
  return { id, seq: modseq };
}

/** Milliseconds that uploads are kept; RFC 8620 section 6.1 asks for an hour. */
export const UPLOAD_MS = 24 * 3600 * 1000;
/** Octets of uploads that are kept for an account, and their number: the oldest go first. */
export const UPLOADED_BYTES = 250_000_000;
export const UPLOADED_COUNT = 1000;
const PER_WRITE = 20;

/** Begin an upload; what is too old or too much goes. */
export async function beginUpload(
  tx: WriteTx,
  { accountId }: { accountId: number },
): Promise<{ id: number }> {
  const old = await tx.all(sql.expiredUploads, tx.now - UPLOAD_MS, PER_WRITE);
  for (const { id } of old) await removeUpload(tx, { id });
  let { octets, n } = (await tx.get(sql.uploadedBy, accountId)) ?? { octets: 0, n: 0 };
  for (const each of await tx.all(sql.oldestUploads, accountId, PER_WRITE)) {
    if ((octets ?? 0) <= UPLOADED_BYTES && n < UPLOADED_COUNT) break;
    await removeUpload(tx, { id: each.id });
    octets = (octets ?? 0) - each.size;
    n--;
  }
  const row = await tx.get(sql.insertUpload, accountId, tx.now);
  if (row === undefined) throw new Error('an upload was not stored');
  return { id: row.id };
}

export async function removeUpload(tx: WriteTx, { id }: { id: number }): Promise<null> {
  await tx.run(sql.deletePieces, id);
  await tx.run(sql.deleteUpload, id);
  return null;
}

/** Refusal 'not-found' when the upload has gone meanwhile. */
export async function addPiece(
  tx: WriteTx,
  args: { accountId: number; id: number; start: number; data: Uint8Array; last: boolean },
): Promise<null> {
  const row = await tx.get(sql.uploadById, args.id, args.accountId);
  if (row === undefined) throw new Refusal('not-found', 'The upload has gone.');
  if (args.data.length > 0) await tx.run(sql.insertPiece, args.id, args.start, args.data);
  await tx.run(sql.growUpload, args.data.length, args.last ? 1 : 0, args.id);
  return null;
}

/** Size of an upload that has come whole. */
export async function upload(
  tx: ReadTx,
  { accountId, id }: { accountId: number; id: number },
): Promise<{ size: number } | undefined> {
  const row = await tx.get(sql.uploadById, id, accountId);
  return row?.complete === 1 ? { size: row.size } : undefined;
}

export async function uploadPiece(
  tx: ReadTx,
  { id, start }: { id: number; start: number },
): Promise<{ data: Uint8Array } | undefined> {
  return tx.get(sql.pieceAfter, id, start);
}

/** Where an account stands. */
export async function accountState(
  tx: ReadTx,
  { accountId }: { accountId: number },
): Promise<{ seq: number }> {
  return { seq: (await tx.get(countersOf, accountId))?.modseq ?? 0 };
}
