import { Refusal } from '../../base/errors.ts';
import type { ReadTx, WriteTx } from '../db/sql.ts';
import { countersOf } from './account-mail.sql.ts';
import type { Changed, Since } from './changes.ts';
import * as sql from './objects.sql.ts';
import { makeRoom } from './submissions.ts';
import { counterOf, takeCounter } from './submissions.sql.ts';

/** Identities and submissions: what JMAP keeps of its own, small and few. `data` is JSON. */
export type ObjectKind = 'identity' | 'submission';

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
  const { seq } = await objectState(tx, { accountId, kind });
  for (const { id, changed_at: changedAt, data } of rows) {
    if (data !== null) found.push({ id, changedAt, data });
  }
  return { seq, objects: found };
}

/** The modseq of the last change of a kind. */
export async function objectState(
  tx: ReadTx,
  { accountId, kind }: { accountId: number; kind: ObjectKind },
): Promise<{ seq: number }> {
  return { seq: (await tx.get(counterOf, accountId, kind))?.modseq ?? 0 };
}

/** Undefined: what happened since then is not known any more, or never was a state. */
export async function objectChanges(
  tx: ReadTx,
  {
    accountId,
    kind,
    since,
    max,
  }: { accountId: number; kind: ObjectKind; since: Since; max?: number | undefined },
): Promise<Changed | undefined> {
  const counter = (await tx.get(counterOf, accountId, kind)) ?? { modseq: 0, floor: 0 };
  if (since.seq > counter.modseq || since.seq < counter.floor) return undefined;
  const created: number[] = [];
  const updated: number[] = [];
  const destroyed: number[] = [];
  let last = since.seq;
  const entries = (await tx.all(sql.objectsOf, accountId, kind)).flatMap((row) => {
    const existed = row.created_modseq <= since.seq;
    if (row.modseq <= since.seq || (row.data === null && !existed)) return [];
    // No two of them have changed at the same modseq. One that is new is told of when it came, else a list that is cut
    // short would end behind its coming and before it was told of.
    return [{ id: row.id, at: existed ? row.modseq : row.created_modseq, existed, gone: row.data === null }];
  });
  entries.sort((a, b) => a.at - b.at);
  for (const { id, at, existed, gone } of entries.slice(0, max)) {
    last = at;
    (gone ? destroyed : existed ? updated : created).push(id);
  }
  const more = max !== undefined && entries.length > max;
  return { created, updated, destroyed, until: { seq: more ? last : counter.modseq }, more };
}

/**
 * RFC 8620 section 5.3, ifInState: nobody else may have changed anything, and that holds until this transaction ends.
 * @throws Refusal 'conflict'
 */
export async function requireSeq(
  tx: ReadTx,
  { accountId, kind, ifSeq }: { accountId: number; kind: ObjectKind; ifSeq?: number | undefined },
): Promise<void> {
  if (ifSeq === undefined || (await objectState(tx, { accountId, kind })).seq === ifSeq) return;
  throw new Refusal('conflict', 'Something else has been changed meanwhile.');
}

/**
 * Write an object: `id` undefined makes one, `data` null destroys it. Returns its id and the modseq of the change.
 * @throws Refusal 'conflict' when the kind is not at `ifSeq`
 */
export async function putObject(
  tx: WriteTx,
  args: {
    accountId: number;
    kind: ObjectKind;
    id?: number;
    data: string | null;
    ifSeq?: number | undefined;
  },
): Promise<{ id: number; seq: number }> {
  const { accountId, kind, data } = args;
  await requireSeq(tx, args);
  if (args.id === undefined) await makeRoom(tx, accountId, kind);
  const modseq = (await tx.get(takeCounter, accountId, kind))?.modseq ?? 0;
  const id = args.id ?? modseq;
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
