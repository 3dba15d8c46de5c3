import type { ReadTx } from '../db/sql.ts';
import { mailboxByName, mailboxById } from '../mailstore/mailboxes.sql.ts';
import { parseKeywords } from '../mailstore/flags.ts';
import { INBOX } from '../mailstore/names.ts';
import { parseHidden } from '../mailstore/rows.ts';
import { type ContentRef, Flag } from '../mailstore/types.ts';
import * as sql from './emails.sql.ts';

export interface OwnEmail {
  readonly trace: string | undefined;
  readonly receivedAt: number;
  readonly content: ContentRef;
  /** Where it lies, the last place first. */
  readonly places: readonly {
    readonly mailboxId: number;
    readonly name: string;
    readonly specialUse: string | undefined;
    readonly savedAt: number;
    readonly keywords: readonly string[];
  }[];
}

/** An email of the account, also one that was deleted. */
export async function ownEmail(
  tx: ReadTx,
  { accountId, emailId }: { accountId: number; emailId: number },
): Promise<OwnEmail | undefined> {
  const row = await tx.get(sql.ownEmail, emailId, accountId);
  if (row === undefined) return undefined;
  const places = await tx.all(sql.mailboxesOfEmail, emailId);
  return {
    trace: row.trace ?? undefined,
    receivedAt: row.received_at,
    content: {
      emailId,
      blobId: row.blob_id,
      prefix: row.prefix,
      hidden: parseHidden(row.hidden),
      structure: row.structure,
      blobSize: row.blob_size,
    },
    places: places.map((each) => ({
      mailboxId: each.id,
      name: each.name,
      specialUse: each.special_use ?? undefined,
      savedAt: each.saved_at,
      keywords: parseKeywords(each.keywords),
    })),
  };
}

export interface DeletedEmail {
  readonly id: number;
  readonly deletedAt: number;
  readonly receivedAt: number;
  readonly size: number;
  /** Rendered as IMAP has it. */
  readonly envelope: Uint8Array;
  /** Where it lay last; undefined where that is gone, and it would go to the inbox. */
  readonly mailbox: string | undefined;
}

export interface DeletedPage {
  readonly accountId: number;
  /** The last one that was told before. */
  readonly before?: { readonly deletedAt: number; readonly id: number };
  readonly limit: number;
}

/** Rows of one read: what mail programs throw away of drafts is passed over, and may be much. */
const PAGE = 200;
const PAGES = 20;

/** Deleted mail that can be brought back, newest first. Drafts are left out: each time one is saved the old one goes. */
export async function deletedEmails(
  tx: ReadTx,
  { accountId, before, limit }: DeletedPage,
): Promise<{ emails: DeletedEmail[]; next: { deletedAt: number; id: number } | undefined }> {
  const names = new Map<number, string | undefined>();
  const nameOf = async (id: number | null): Promise<string | undefined> => {
    if (id === null) return undefined;
    if (!names.has(id)) names.set(id, (await tx.get(mailboxById, id))?.name);
    return names.get(id);
  };
  const emails: DeletedEmail[] = [];
  let at = before ?? { deletedAt: Number.MAX_SAFE_INTEGER, id: Number.MAX_SAFE_INTEGER };
  for (let page = 0; page < PAGES; page++) {
    const rows = await tx.all(sql.deletedAfter, accountId, at.deletedAt, at.deletedAt, at.id, PAGE);
    for (const row of rows) {
      if (emails.length >= limit) return { emails, next: at };
      at = { deletedAt: row.orphaned_at, id: row.email_id };
      if (((row.flags ?? 0) & Flag.Draft) !== 0) continue;
      emails.push({
        id: row.email_id,
        deletedAt: row.orphaned_at,
        receivedAt: row.received_at,
        size: row.size,
        envelope: row.envelope,
        mailbox: await nameOf(row.mailbox_id),
      });
    }
    if (rows.length < PAGE) return { emails, next: undefined };
  }
  return { emails, next: at };
}

/** The mailbox a deleted email goes back to; undefined for what is no deleted email of the account. */
export async function wayBack(
  tx: ReadTx,
  { accountId, emailId }: { accountId: number; emailId: number },
): Promise<{ mailboxId: number; mailbox: string } | undefined> {
  const row = await tx.get(sql.deletedOne, emailId, accountId);
  if (row === undefined) return undefined;
  const last = row.mailbox_id === null ? undefined : await tx.get(mailboxById, row.mailbox_id);
  const target = last?.account_id === accountId ? last : await tx.get(mailboxByName, accountId, INBOX);
  return target && { mailboxId: target.id, mailbox: target.name };
}
