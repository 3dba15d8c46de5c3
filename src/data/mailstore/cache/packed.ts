import type { ReadTx } from '../../db/sql.ts';
import { fetchStatements } from '../fetch.sql.ts';
import { parseKeywords } from '../flags.ts';
import { mailboxById } from '../mailboxes.sql.ts';
import { toMailbox } from '../rows.ts';
import { MAX_UID, type Mailbox } from '../types.ts';

/** All placements of a mailbox in columns, ascending by UID: some 50 octets a message. */
export interface PackedRows {
  readonly uids: Uint32Array;
  readonly emailIds: Float64Array;
  readonly modseqs: Float64Array;
  readonly flags: Uint8Array;
  readonly sizes: Float64Array;
  readonly receivedAt: Float64Array;
  readonly savedAt: Float64Array;
  /** Of those that have any: the place in the columns, and their keywords. */
  readonly keywords: readonly (readonly [at: number, keywords: readonly string[]])[];
}

const PAGE = 10_000;

export function emptyRows(length: number): PackedRows & { keywords: [number, readonly string[]][] } {
  return {
    uids: new Uint32Array(length),
    emailIds: new Float64Array(length),
    modseqs: new Float64Array(length),
    flags: new Uint8Array(length),
    sizes: new Float64Array(length),
    receivedAt: new Float64Array(length),
    savedAt: new Float64Array(length),
    keywords: [],
  };
}

/** A mailbox and all that lies in it, as of one instant. */
export async function packed(
  tx: ReadTx,
  { mailboxId }: { mailboxId: number },
): Promise<{ mailbox: Mailbox; rows: PackedRows } | undefined> {
  const row = await tx.get(mailboxById, mailboxId);
  const statement = fetchStatements[0];
  if (row === undefined || statement === undefined) return undefined;
  let rows = emptyRows(row.messages);
  let length = 0;
  for (let after = 0; ; ) {
    const page = await tx.all(statement, mailboxId, after + 1, MAX_UID, 0, PAGE);
    if (length + page.length > rows.uids.length) rows = resized(rows, length, length + page.length);
    for (const each of page) {
      if (each.keywords !== null) rows.keywords.push([length, parseKeywords(each.keywords)]);
      rows.uids[length] = each.uid;
      rows.emailIds[length] = each.email_id;
      rows.modseqs[length] = each.modseq;
      rows.flags[length] = each.flags;
      rows.sizes[length] = each.size;
      rows.receivedAt[length] = each.received_at;
      rows.savedAt[length] = each.saved_at;
      length++;
    }
    if (page.length < PAGE) break;
    after = rows.uids[length - 1] ?? after;
  }
  return {
    mailbox: toMailbox(row),
    rows: length === rows.uids.length ? rows : resized(rows, length, length),
  };
}

/** The first `length` rows in columns of another size. */
export function resized(rows: PackedRows, length: number, size: number): ReturnType<typeof emptyRows> {
  const made = emptyRows(size);
  for (const name of ['uids', 'emailIds', 'modseqs', 'flags', 'sizes', 'receivedAt', 'savedAt'] as const)
    made[name].set(rows[name].subarray(0, length));
  // One by one: there may be more than a call has arguments.
  for (const [at, keywords] of rows.keywords) made.keywords.push([at, keywords]);
  return made;
}
