import type { ReadTx } from '../../db/sql.ts';
import { parseKeywords } from '../flags.ts';
import * as sql from '../listing.sql.ts';
import { changesSince, noChanges } from '../listing.ts';
import { mailboxById } from '../mailboxes.sql.ts';
import type { MailboxChanges } from '../types.ts';

/** Rows that changed, and rows that went, which are read in place; more are read in the reader thread. */
export const FEW_CHANGES = 500;

type Since = { readonly mailboxId: number; readonly modseq: number };

/** What changed in a mailbox after a modseq; when that is much, only that it is, and where the mailbox stands now. */
export async function fewChangesSince(
  tx: ReadTx,
  args: Since,
): Promise<MailboxChanges | { readonly many: true; readonly modseq: number }> {
  const { mailboxId, modseq } = args;
  const row = await tx.get(mailboxById, mailboxId);
  const many =
    row !== undefined &&
    row.modseq > modseq &&
    ((await tx.get(sql.changedBeyond, mailboxId, modseq, FEW_CHANGES)) ??
      (await tx.get(sql.expungedBeyond, mailboxId, modseq, FEW_CHANGES)));
  return many ? { many: true, modseq: row.modseq } : changesSince(tx, args);
}

/** MailboxChanges in columns: it goes from one thread to another as a few blocks of memory. */
export interface PackedChanges extends Omit<MailboxChanges, 'expunged' | 'changed'> {
  readonly expunged: Uint32Array;
  readonly uids: Uint32Array;
  readonly modseqs: Float64Array;
  readonly flags: Uint8Array;
  /** Of those that have any: the place in the columns, and their keywords. */
  readonly keywords: readonly (readonly [at: number, text: string])[];
}

/** What changed in a mailbox after a modseq, as of one instant. */
export async function packedChangesSince(
  tx: ReadTx,
  { mailboxId, modseq }: Since,
): Promise<PackedChanges | undefined> {
  const row = await tx.get(mailboxById, mailboxId);
  if (row === undefined) return undefined;
  const expunged = await tx.all(sql.expungedSince, mailboxId, modseq);
  const changed = await tx.all(sql.changedSince, mailboxId, modseq);
  return {
    exists: true,
    modseq: row.modseq,
    uidnext: row.uidnext,
    uidvalidity: row.uidvalidity,
    complete: modseq >= row.forgotten_modseq,
    expunged: Uint32Array.from(expunged, ({ uid }) => uid),
    uids: Uint32Array.from(changed, ({ uid }) => uid),
    modseqs: Float64Array.from(changed, (each) => each.modseq),
    flags: Uint8Array.from(changed, ({ flags }) => flags),
    keywords: changed.flatMap(({ keywords }, at) => (keywords === null ? [] : [[at, keywords] as const])),
  };
}

const NO_KEYWORDS: readonly string[] = [];

/** Back into rows. */
export function unpackedChanges(packed: PackedChanges | undefined): MailboxChanges {
  if (packed === undefined) return noChanges();
  const { exists, modseq, uidnext, uidvalidity, complete, modseqs, flags } = packed;
  const keywords = new Map(packed.keywords);
  return {
    exists,
    modseq,
    uidnext,
    uidvalidity,
    complete,
    expunged: Array.from(packed.expunged),
    changed: Array.from(packed.uids, (uid, at) => {
      const text = keywords.get(at);
      return {
        uid,
        modseq: modseqs[at] ?? 0,
        flags: flags[at] ?? 0,
        keywords: text === undefined ? NO_KEYWORDS : parseKeywords(text),
      };
    }),
  };
}
