import { type Statement, statement } from '../db/sql.ts';

/** Columns of a fetch beyond the placement's own, one bit each. */
export const Want = { thread: 1, envelope: 2, bodystructure: 4, content: 8 } as const;

export interface FetchColumns {
  uid: number;
  email_id: number;
  modseq: number;
  flags: number;
  keywords: string | null;
  size: number;
  received_at: number;
  saved_at: number;
  thread_id?: number;
  envelope?: Uint8Array;
  bodystructure?: Uint8Array;
}

export interface ContentColumns {
  email_id: number;
  blob_id: number;
  prefix: Uint8Array;
  hidden: string | null;
  structure: string;
  blob_size: number;
}

type FetchParams = [mailboxId: number, from: number, to: number, changedSince: number, limit: number];
export type FetchRow = FetchColumns & Partial<ContentColumns>;

const CONTENT = 'e.blob_id, e.prefix, e.hidden, e.structure, b.size AS blob_size';

function fetchStatement(want: number): Statement<FetchParams, FetchRow> {
  const columns = ['p.uid, p.email_id, p.modseq, p.flags, p.keywords, p.size, p.received_at, p.saved_at'];
  if (want & Want.thread) columns.push('e.thread_id');
  if (want & Want.envelope) columns.push('e.envelope');
  if (want & Want.bodystructure) columns.push('e.bodystructure');
  if (want & Want.content) columns.push(CONTENT);
  const emails = want ? ' JOIN emails e ON e.id = p.email_id' : '';
  const blobs = want & Want.content ? ' JOIN blobs b ON b.id = e.blob_id' : '';
  return statement<FetchParams, FetchRow>(
    `SELECT ${columns.join(', ')} FROM placements p${emails}${blobs}
     WHERE p.mailbox_id = ? AND p.uid BETWEEN ? AND ? AND p.modseq > ? ORDER BY p.uid LIMIT ?`,
  );
}

/** One statement for each set of columns, by its bits. */
export const fetchStatements: readonly Statement<FetchParams, FetchRow>[] = Array.from(
  { length: 16 },
  (_, want) => fetchStatement(want),
);

export const contentOf = statement<[emailId: number, accountId: number], ContentColumns>(
  `SELECT e.id AS email_id, ${CONTENT} FROM emails e JOIN blobs b ON b.id = e.blob_id
   WHERE e.id = ? AND e.account_id = ?`,
);
