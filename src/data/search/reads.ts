import { long, point } from '../catalogue.ts';
import type { ReadTx } from '../db/sql.ts';
import { content } from '../mailstore/fetch.ts';
import type { ContentRef } from '../mailstore/types.ts';
import * as sql from './search.sql.ts';

/** Rows taken from the database at once. */
const PAGE = 10_000;

/** UIDs of a mailbox, ascending, and the email of each. */
export interface EmailUids {
  readonly uids: Uint32Array;
  readonly emails: Float64Array;
}

async function emailUids(
  tx: ReadTx,
  { mailboxId, after }: { mailboxId: number; after: number },
): Promise<EmailUids> {
  const uids: number[] = [];
  const emails: number[] = [];
  for (let last = after; ; last = uids.at(-1) ?? last) {
    const rows = await tx.all(sql.emailUids, mailboxId, last, PAGE);
    for (const row of rows) {
      uids.push(row.uid);
      emails.push(row.email_id);
    }
    if (rows.length < PAGE) return { uids: Uint32Array.from(uids), emails: Float64Array.from(emails) };
  }
}

export const reads = {
  /** Emails of an account after one, ascending. */
  'search.newIds': long(
    async (tx: ReadTx, args: { accountId: number; after: number; limit: number }): Promise<Float64Array> => {
      const rows = await tx.all(sql.newIds, args.accountId, args.after, args.limit);
      return Float64Array.from(rows, (row) => row.id);
    },
  ),
  /** How to read the octets of some emails; those that are gone are left out. */
  'search.contents': long(
    async (
      tx: ReadTx,
      { accountId, ids }: { accountId: number; ids: readonly number[] },
    ): Promise<ContentRef[]> => {
      const found: ContentRef[] = [];
      for (const emailId of ids) {
        const ref = await content(tx, { accountId, emailId });
        if (ref !== undefined) found.push(ref);
      }
      return found;
    },
  ),
  /** Accounts with mail. */
  'search.accounts': long(async (tx: ReadTx, _args: null): Promise<number[]> => {
    const rows = await tx.all(sql.accountsWithMail);
    return rows.map((row) => row.account_id);
  }),
  /** The last change of an account's mail, and how many emails it has. */
  'search.account': point(
    async (
      tx: ReadTx,
      { accountId }: { accountId: number },
    ): Promise<{ modseq: number; emails: number } | undefined> => tx.get(sql.mailOf, accountId),
  ),
  /** UIDs of a mailbox after one, and the email of each. */
  'mailstore.emailUids': long(emailUids),
} as const;
