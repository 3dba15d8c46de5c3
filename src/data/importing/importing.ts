import { Refusal } from '../../base/errors.ts';
import type { ReadTx, WriteTx } from '../db/sql.ts';
import { audit, requireAdmin } from '../directory/permission.ts';
import type { Actor } from '../directory/types.ts';
import { depositAll, incoming } from '../mailstore/deposit.ts';
import { formatKeywords, parseKeywords } from '../mailstore/flags.ts';
import { copy, expunge } from '../mailstore/placements.ts';
import { storeFlags } from '../mailstore/store-flags.ts';
import { noteSent } from '../spam/senders.ts';
import {
  deleteImported,
  importedByKey,
  insertImported,
  insertSource,
  knownAfter,
  sourceByName,
  twinOf,
  updateImportedFlags,
} from './importing.sql.ts';
import type { ImportStatus, KnownMessage, NewImport } from './types.ts';

const NO_BYTES = new Uint8Array(0);

/** The number of a source, which is made when it is new; an audit row says so. */
export async function ensureSource(
  tx: WriteTx,
  args: { actor: Actor; accountId: number; address: string; source: string },
): Promise<{ sourceId: number }> {
  requireAdmin(args.actor);
  const found = await tx.get(sourceByName, args.accountId, args.source);
  if (found !== undefined) return { sourceId: found.id };
  const made = await tx.get(insertSource, args.accountId, args.source, tx.now);
  if (made === undefined) throw new Error('an INSERT returned no row');
  await audit(tx, args.actor, 'mail.import', args.address, { source: args.source });
  return { sourceId: made.id };
}

/** Mail of an account is read by an administrator: that leaves a trace. */
export async function noteExport(
  tx: WriteTx,
  args: { actor: Actor; address: string; mailbox: string },
): Promise<null> {
  requireAdmin(args.actor);
  await audit(tx, args.actor, 'mail.export', args.address, { mailbox: args.mailbox });
  return null;
}

/**
 * Put a message of another system into mailboxes, once: a key that is known stores nothing, and octets that another
 * source brought into the same mailbox (the same mail read from a copy, or under a new UIDVALIDITY) are not stored twice.
 */
export async function addImport(tx: WriteTx, args: NewImport): Promise<{ status: ImportStatus }> {
  const { accountId, sourceId, key, digest, blob } = args;
  if ((await tx.get(importedByKey, sourceId, key)) !== undefined) return { status: 'known' };
  const placed = new Map<number, number>();
  for (const mailboxId of args.mailboxIds) {
    const twin = await tx.get(twinOf, mailboxId, digest, sourceId);
    if (twin !== undefined) placed.set(mailboxId, twin.uid);
  }
  const missing = args.mailboxIds.filter((id) => !placed.has(id));
  if (missing.length > 0) {
    const deposits = missing.map((id) => ({
      accountId,
      mailbox: { id },
      prefix: NO_BYTES,
      hidden: [],
      set: args.set,
      receivedAt: args.receivedAt,
      trace: undefined,
      ignoreQuota: false,
    }));
    for (const result of await depositAll(tx, incoming(tx, blob, args.content), deposits)) {
      if (result.status !== 'stored') return { status: result.status };
      placed.set(result.mailboxId, result.uid);
    }
    const { messageId } = args.content;
    if (args.wrote !== undefined)
      await noteSent(tx, { ...args.wrote, accountId, messageId, at: Math.min(args.receivedAt, tx.now) });
  }
  const keywords = formatKeywords([...args.set.keywords]);
  for (const [mailboxId, uid] of placed)
    await tx.run(insertImported, sourceId, key, mailboxId, uid, args.set.flags, keywords, blob.size, digest);
  return { status: missing.length > 0 ? 'stored' : 'linked' };
}

export interface FlagChange {
  readonly key: string;
  readonly flags: number;
  readonly keywords: readonly string[];
}

/** Flags changed at the source: what it says counts, here too. Returns how many messages changed here. */
export async function importFlags(
  tx: WriteTx,
  args: { accountId: number; sourceId: number; changes: readonly FlagChange[] },
): Promise<{ changed: number }> {
  let changed = 0;
  for (const { key, flags, keywords } of args.changes) {
    for (const row of await tx.all(importedByKey, args.sourceId, key)) {
      const { mailbox_id: mailboxId, uid } = row;
      const request = { accountId: args.accountId, mailboxId, ranges: [{ from: uid, to: uid }] };
      const done = await ifThere(() =>
        storeFlags(tx, { ...request, mode: 'replace', set: { flags, keywords } }),
      );
      changed += done?.changed ?? 0;
    }
    await tx.run(updateImportedFlags, flags, formatKeywords([...keywords]), args.sourceId, key);
  }
  return { changed };
}

/** A known message got another label at the source: it comes to lie in these mailboxes too. */
export async function placeImport(
  tx: WriteTx,
  args: { accountId: number; sourceId: number; key: string; mailboxIds: readonly number[] },
): Promise<{ placed: number }> {
  const rows = await tx.all(importedByKey, args.sourceId, args.key);
  let placed = 0;
  for (const targetId of args.mailboxIds) {
    if (rows.some((row) => row.mailbox_id === targetId)) continue;
    for (const row of rows) {
      const ranges = [{ from: row.uid, to: row.uid }];
      const copied = await ifThere(() =>
        copy(tx, { accountId: args.accountId, mailboxId: row.mailbox_id, ranges, targetId }),
      );
      const uid = copied?.pairs[0]?.[1];
      if (uid === undefined) continue;
      const { flags, keywords, size, digest } = row;
      await tx.run(insertImported, args.sourceId, args.key, targetId, uid, flags, keywords, size, digest);
      placed++;
      break;
    }
  }
  return { placed };
}

/** Gone at the source: gone here, where it can be brought back like any deleted mail. What was moved here stays. */
export async function removeImports(
  tx: WriteTx,
  args: {
    accountId: number;
    sourceId: number;
    items: readonly { readonly key: string; readonly mailboxId: number }[];
  },
): Promise<{ removed: number }> {
  let removed = 0;
  for (const { key, mailboxId } of args.items) {
    const row = (await tx.all(importedByKey, args.sourceId, key)).find(
      (each) => each.mailbox_id === mailboxId,
    );
    if (row === undefined) continue;
    const ranges = [{ from: row.uid, to: row.uid }];
    const gone = await ifThere(() =>
      expunge(tx, { accountId: args.accountId, mailboxId, ranges, anyFlag: true }),
    );
    removed += gone?.uids.length ?? 0;
    await tx.run(deleteImported, args.sourceId, key, mailboxId);
  }
  return { removed };
}

/** Undefined when the mailbox was deleted meanwhile. */
async function ifThere<T>(work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof Refusal && error.kind === 'no-such-mailbox') return undefined;
    throw error;
  }
}

/** What a source has brought, in order of keys, at most `limit` rows after the given one. */
export async function known(
  tx: ReadTx,
  args: {
    accountId: number;
    source: string;
    after: { readonly key: string; readonly mailboxId: number };
    limit: number;
  },
): Promise<readonly KnownMessage[]> {
  const source = await tx.get(sourceByName, args.accountId, args.source);
  if (source === undefined) return [];
  const { key, mailboxId } = args.after;
  const rows = await tx.all(knownAfter, source.id, key, key, mailboxId, args.limit);
  return rows.map((row) => ({
    key: row.key,
    mailboxId: row.mailbox_id,
    uid: row.uid,
    flags: row.flags,
    keywords: parseKeywords(row.keywords),
    size: row.size,
    digest: row.digest,
    now:
      row.now_flags === null
        ? undefined
        : { flags: row.now_flags, keywords: parseKeywords(row.now_keywords) },
  }));
}
