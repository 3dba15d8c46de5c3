import type { ReadTx } from '../db/sql.ts';
import { type ContentColumns, contentOf, type FetchRow, fetchStatements, Want } from './fetch.sql.ts';
import { parseKeywords } from './flags.ts';
import { parseHidden } from './rows.ts';
import type { ContentRef, FetchRequest, MessageRow } from './types.ts';

/** Rows in UID order, at most `limit`; the read behind FETCH. */
export async function fetch(tx: ReadTx, request: FetchRequest): Promise<MessageRow[]> {
  const want = request.want.reduce((bits, name) => bits | Want[name], 0);
  const statement = fetchStatements[want];
  if (statement === undefined) throw new Error(`no statement for columns ${want}`);
  const found: MessageRow[] = [];
  for (const { from, to } of request.ranges) {
    const left = request.limit - found.length;
    if (left <= 0) break;
    const rows = await tx.all(statement, request.mailboxId, from, to, request.changedSince ?? 0, left);
    for (const row of rows) found.push(toMessageRow(row));
  }
  return found;
}

function toMessageRow(row: FetchRow): MessageRow {
  return {
    uid: row.uid,
    emailId: row.email_id,
    modseq: row.modseq,
    flags: row.flags,
    keywords: parseKeywords(row.keywords),
    size: row.size,
    receivedAt: row.received_at,
    savedAt: row.saved_at,
    ...(row.thread_id !== undefined && { threadId: row.thread_id }),
    ...(row.envelope !== undefined && { envelope: row.envelope }),
    ...(row.bodystructure !== undefined && { bodystructure: row.bodystructure }),
    ...(hasContent(row) && { content: toContent(row) }),
  };
}

function hasContent(row: FetchRow): row is FetchRow & ContentColumns {
  return row.blob_id !== undefined;
}

function toContent(row: ContentColumns): ContentRef {
  return {
    emailId: row.email_id,
    blobId: row.blob_id,
    prefix: row.prefix,
    hidden: parseHidden(row.hidden),
    structure: row.structure,
    blobSize: row.blob_size,
  };
}

/** How to read an email's octets; also of one that was expunged a moment ago, while its octets last. */
export async function content(
  tx: ReadTx,
  { accountId, emailId }: { accountId: number; emailId: number },
): Promise<ContentRef | undefined> {
  const row = await tx.get(contentOf, emailId, accountId);
  return row && toContent(row);
}
