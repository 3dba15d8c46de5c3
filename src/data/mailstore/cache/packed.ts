import type { ReadTx } from '../../db/sql.ts';
import { type FetchRow, fetchStatements } from '../fetch.sql.ts';
import { parseKeywords } from '../flags.ts';
import type { EmailTexts } from './email-texts.ts';
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

export interface ColumnsRequest {
  readonly mailboxId: number;
  readonly from: number;
  readonly to: number;
  readonly limit: number;
  readonly texts: boolean;
}

/** Rows in columns, and what is at hand of their emails, where that was asked for. */
export interface Columns extends PackedRows {
  readonly texts?: readonly (EmailTexts | undefined)[];
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
    fill(rows, length, page);
    length += page.length;
    if (page.length < PAGE) break;
    after = rows.uids[length - 1] ?? after;
  }
  return {
    mailbox: toMailbox(row),
    rows: length === rows.uids.length ? rows : resized(rows, length, length),
  };
}

/**
 * Rows between two UIDs, ascending, at most `limit`: the read behind a FETCH of flags and numbers. `texts`: also what of
 * their emails stands in memory, which is nothing here.
 */
export async function columns(tx: ReadTx, { mailboxId, from, to, limit }: ColumnsRequest): Promise<Columns> {
  const statement = fetchStatements[0];
  const rows = statement === undefined ? [] : await tx.all(statement, mailboxId, from, to, 0, limit);
  const made = emptyRows(rows.length);
  fill(made, 0, rows);
  return made;
}

function fill(rows: ReturnType<typeof emptyRows>, from: number, page: readonly FetchRow[]): void {
  let at = from;
  for (const each of page) {
    if (each.keywords !== null) rows.keywords.push([at, parseKeywords(each.keywords)]);
    rows.uids[at] = each.uid;
    rows.emailIds[at] = each.email_id;
    rows.modseqs[at] = each.modseq;
    rows.flags[at] = each.flags;
    rows.sizes[at] = each.size;
    rows.receivedAt[at] = each.received_at;
    rows.savedAt[at] = each.saved_at;
    at++;
  }
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
