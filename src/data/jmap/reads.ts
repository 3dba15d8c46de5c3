import { long, point, single } from '../catalogue.ts';
import type { ReadTx } from '../db/sql.ts';
import { settingByName } from '../directory/directory.sql.ts';
import { EPOCH } from './epoch.ts';
import { parseHidden } from '../mailstore/rows.ts';
import { type ContentRef, Flag } from '../mailstore/types.ts';
import * as sql from './account-mail.sql.ts';
import { mailboxBySpecialUse } from '../mailstore/mailboxes.sql.ts';
import { type Counts, countsOf } from './account-counts.ts';
import { accountMail, visiblePlaces } from './account-mail.ts';
import { keywordsOf } from './keywords.ts';
import { emailChanges, mailboxChanges, threadChanges } from './changes.ts';
import { accountState, objectChanges, objects, objectState, upload, uploadPiece } from './objects.ts';
import { newestEmail } from './delivery.ts';
import { queryEmailChanges, queryEmails } from './query.ts';
import { submissions } from './submissions.ts';

/** An email as JMAP tells of it, without what stands in its octets. */
export interface EmailFacts {
  readonly id: number;
  readonly threadId: number;
  readonly mailboxIds: readonly number[];
  readonly keywords: readonly string[];
  readonly size: number;
  readonly receivedAt: number;
  readonly content: ContentRef;
}

interface Scope {
  readonly cache: string;
  readonly accountId: number;
  readonly visible?: readonly number[] | undefined;
}

/** Emails by id; those that lie in no mailbox that may be seen are left out. */
async function emails(
  tx: ReadTx,
  args: { accountId: number; visible?: readonly number[] | undefined; ids: readonly number[] },
): Promise<EmailFacts[]> {
  const visible = args.visible && new Set(args.visible);
  const found: EmailFacts[] = [];
  for (const id of args.ids) {
    const row = await tx.get(sql.emailById, id, args.accountId);
    if (row === undefined) continue;
    const places = (await tx.all(sql.placesOfEmail, id))
      // RFC 8621 section 4.1.1: what has \Deleted is not shown.
      .filter(({ flags }) => (flags & Flag.Deleted) === 0)
      .filter((place) => visible === undefined || visible.has(place.mailbox_id))
      .map((place) => ({ ...place, mailboxId: place.mailbox_id }));
    if (places.length === 0) continue;
    found.push({
      id,
      threadId: row.thread_id,
      mailboxIds: [...new Set(places.map(({ mailboxId }) => mailboxId))],
      keywords: keywordsOf(places),
      size: row.size,
      receivedAt: row.received_at,
      content: {
        emailId: id,
        blobId: row.blob_id,
        prefix: row.prefix,
        hidden: parseHidden(row.hidden),
        structure: row.structure,
        blobSize: row.blob_size,
      },
    });
  }
  return found;
}

/** Emails of threads, the oldest first (RFC 8621 section 3); undefined for a thread that is not there. */
async function threads(
  tx: ReadTx,
  { cache, accountId, visible, ids }: Scope & { ids: readonly number[] | null },
): Promise<{ seq: number; threads: { id: number; emailIds: number[] }[] }> {
  const mail = await accountMail(tx, cache, accountId);
  const seen = visible && new Set(visible);
  const found: { id: number; emailIds: number[] }[] = [];
  for (const id of ids ?? mail.threads.keys()) {
    const emailIds = (mail.threads.get(id) ?? [])
      .filter((each) => visiblePlaces(each, seen).length > 0)
      .toSorted((a, b) => a.receivedAt - b.receivedAt || a.id - b.id)
      .map((each) => each.id);
    if (emailIds.length > 0) found.push({ id, emailIds });
  }
  return { seq: mail.modseq, threads: found };
}

async function counts(
  tx: ReadTx,
  { cache, accountId, visible }: Scope,
): Promise<{ seq: number; counts: ReadonlyMap<number, Counts>; sortOrders: ReadonlyMap<number, number> }> {
  const mail = await accountMail(tx, cache, accountId);
  const orders = await tx.all(sql.sortOrders, accountId);
  const trash = await tx.get(mailboxBySpecialUse, accountId, '\\Trash');
  const told = new Map<number, Counts>();
  for (const [id, { unreadThreadsHere, unreadThreads, ...others }] of countsOf(mail, trash?.id)) {
    // Nobody learns of emails in mailboxes that they may not see.
    told.set(id, { ...others, unreadThreads: visible === undefined ? unreadThreads : unreadThreadsHere });
  }
  return {
    seq: mail.modseq,
    counts: told,
    sortOrders: new Map(orders.map((row) => [row.mailbox_id, row.sort_order])),
  };
}

/** Ids of all emails of an account, above one. */
async function emailIds(
  tx: ReadTx,
  { cache, accountId, above }: Scope & { above: number },
): Promise<Float64Array> {
  const mail = await accountMail(tx, cache, accountId);
  return Float64Array.from([...mail.emails.keys()].filter((id) => id > above));
}

async function epoch(tx: ReadTx, _args: null): Promise<{ epoch: string }> {
  return { epoch: (await tx.get(settingByName, EPOCH))?.value ?? '' };
}

export const reads = {
  /** The account's modseq: the state of all that is mail. */
  'jmap.state': single(accountState),
  'jmap.emails': long(emails),
  'jmap.threads': long(threads),
  'jmap.counts': long(counts),
  'jmap.emailIds': long(emailIds),
  'jmap.query': long(queryEmails),
  'jmap.queryChanges': long(queryEmailChanges),
  'jmap.emailChanges': long(emailChanges),
  'jmap.threadChanges': long(threadChanges),
  'jmap.mailboxChanges': long(mailboxChanges),
  'jmap.newestEmail': long(newestEmail),
  'jmap.objects': point(objects),
  /** Which history the states of this store belong to: another one since it was restored from a backup. */
  'jmap.epoch': single(epoch),
  /** Where a kind of them stands. */
  'jmap.objectState': single(objectState),
  'jmap.submissions': long(submissions),
  'jmap.objectChanges': point(objectChanges),
  'jmap.upload': single(upload),
  'jmap.uploadPiece': single(uploadPiece),
} as const;
