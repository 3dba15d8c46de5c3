import type { ReadTx } from '../db/sql.ts';
import { quotaOf } from './account.sql.ts';
import { parseKeywords } from './flags.ts';
import * as sql from './listing.sql.ts';
import { mailboxById } from './mailboxes.sql.ts';
import { toMailbox } from './rows.ts';
import type { Mailbox, MailboxChanges } from './types.ts';

/** Rows taken from the database at once: a large mailbox must not stand in memory as objects. */
const PAGE = 10_000;

/** UIDs that arrive page by page, packed as they come. */
async function packed(
  page: (after: number) => Promise<{ uid: number }[]>,
  expected: number,
): Promise<Uint32Array> {
  let uids = new Uint32Array(Math.max(expected, 16));
  let length = 0;
  let after = 0;
  for (;;) {
    const rows = await page(after);
    if (length + rows.length > uids.length) {
      const larger = new Uint32Array(Math.max(2 * uids.length, length + rows.length));
      larger.set(uids);
      uids = larger;
    }
    for (const row of rows) uids[length++] = row.uid;
    if (rows.length < PAGE) return uids.slice(0, length);
    after = uids[length - 1] ?? after;
  }
}

export interface Snapshot {
  readonly mailbox: Mailbox;
  readonly uids: Uint32Array;
  readonly firstUnseen: number | undefined;
  readonly keywords: readonly string[];
}

/** A mailbox as SELECT shows it: all UIDs, the first unseen one, and the keywords in use. */
export async function snapshot(
  tx: ReadTx,
  { mailboxId }: { mailboxId: number },
): Promise<Snapshot | undefined> {
  const row = await tx.get(mailboxById, mailboxId);
  if (row === undefined) return undefined;
  const uids = await packed((after) => tx.all(sql.uidsAfter, mailboxId, after, PAGE), row.messages);
  const unseen = row.unseen > 0 ? await tx.get(sql.firstUnseen, mailboxId) : undefined;
  const keywords = new Map<string, string>();
  for (const { keywords: text } of await tx.all(sql.keywordTexts, mailboxId)) {
    for (const keyword of parseKeywords(text)) {
      const key = keyword.toLowerCase();
      if (!keywords.has(key)) keywords.set(key, keyword);
    }
  }
  const byName = [...keywords].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, keyword]) => keyword);
  return { mailbox: toMailbox(row), uids, firstUnseen: unseen?.uid, keywords: byName };
}

/** UIDs, ascending, that have all bits of `all`, none of `none`, the keyword, and not the other. */
export async function uidsByFlags(
  tx: ReadTx,
  args: { mailboxId: number; all: number; none: number; keyword?: string; notKeyword?: string },
): Promise<Uint32Array> {
  const { mailboxId, all, none } = args;
  const keyword = args.keyword?.toLowerCase();
  const notKeyword = args.notKeyword?.toLowerCase();
  if (keyword === undefined && notKeyword === undefined) {
    return packed((after) => tx.all(sql.uidsByFlags, mailboxId, after, all, all, none, PAGE), 0);
  }
  const passes = remembered((text) => {
    const has = parseKeywords(text).map((each) => each.toLowerCase());
    if (keyword !== undefined && !has.includes(keyword)) return false;
    return notKeyword === undefined || !has.includes(notKeyword);
  });
  const found: number[] = [];
  let after = 0;
  for (;;) {
    const rows = await tx.all(sql.keywordsByFlags, mailboxId, after, all, all, none, PAGE);
    for (const row of rows) if (passes(row.keywords)) found.push(row.uid);
    if (rows.length < PAGE) return Uint32Array.from(found);
    after = rows.at(-1)?.uid ?? after;
  }
}

function remembered(test: (text: string | null) => boolean): (text: string | null) => boolean {
  const known = new Map<string | null, boolean>();
  return (text) => {
    const old = known.get(text);
    if (old !== undefined) return old;
    const answer = test(text);
    known.set(text, answer);
    return answer;
  };
}

/** The changes of a mailbox that is not there. */
export function noChanges(): MailboxChanges {
  return {
    exists: false,
    modseq: 0,
    uidnext: 0,
    uidvalidity: 0,
    expunged: [],
    changed: [],
    complete: true,
  };
}

/** What changed in a mailbox after a modseq. */
export async function changesSince(
  tx: ReadTx,
  { mailboxId, modseq }: { mailboxId: number; modseq: number },
): Promise<MailboxChanges> {
  const row = await tx.get(mailboxById, mailboxId);
  if (row === undefined) return noChanges();
  const same = row.modseq <= modseq;
  const expunged = same ? [] : await tx.all(sql.expungedSince, mailboxId, modseq);
  const changed = same ? [] : await tx.all(sql.changedSince, mailboxId, modseq);
  return {
    exists: true,
    modseq: row.modseq,
    uidnext: row.uidnext,
    uidvalidity: row.uidvalidity,
    expunged: expunged.map(({ uid }) => uid),
    changed: changed.map((each) => ({
      uid: each.uid,
      modseq: each.modseq,
      flags: each.flags,
      keywords: parseKeywords(each.keywords),
    })),
    complete: modseq >= row.forgotten_modseq,
  };
}

/** UIDs expunged after a modseq, ascending. `complete` is false when some of them are forgotten. */
export async function vanishedSince(
  tx: ReadTx,
  { mailboxId, modseq }: { mailboxId: number; modseq: number },
): Promise<{ uids: Uint32Array; uidnext: number; complete: boolean }> {
  const row = await tx.get(mailboxById, mailboxId);
  if (row === undefined) return { uids: new Uint32Array(0), uidnext: 1, complete: true };
  const complete = modseq >= row.forgotten_modseq;
  const none = !complete || row.modseq <= modseq;
  const rows = none ? [] : await tx.all(sql.expungedSince, mailboxId, modseq);
  return { uids: Uint32Array.from(rows, ({ uid }) => uid), uidnext: row.uidnext, complete };
}

/** Octets of a mailbox's messages with \Deleted (DELETED-STORAGE of RFC 9208). */
export async function deletedSize(tx: ReadTx, { mailboxId }: { mailboxId: number }): Promise<number> {
  return (await tx.get(sql.deletedSize, mailboxId))?.octets ?? 0;
}

/** Octets and emails in use; a limit of 0 is none. */
export async function quota(
  tx: ReadTx,
  { accountId }: { accountId: number },
): Promise<{ used: number; emails: number; limit: number; messageLimit: number }> {
  const row = await tx.get(quotaOf, accountId);
  return {
    used: row?.used ?? 0,
    emails: row?.emails ?? 0,
    limit: row?.quota ?? 0,
    messageLimit: row?.quota_messages ?? 0,
  };
}

/** Emails that lie nowhere and can be brought back, newest first, with the place each lay in last (0: unknown). */
export async function orphans(
  tx: ReadTx,
  { accountId, limit }: { accountId: number; limit: number },
): Promise<{ emailId: number; mailboxId: number; uid: number; orphanedAt: number }[]> {
  const rows = await tx.all(sql.orphansOf, accountId, limit);
  return rows.map((row) => ({
    emailId: row.email_id,
    mailboxId: row.mailbox_id ?? 0,
    uid: row.uid ?? 0,
    orphanedAt: row.orphaned_at,
  }));
}
