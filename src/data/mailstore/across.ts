import { Refusal } from '../../base/errors.ts';
import type { WriteTx } from '../db/sql.ts';
import { takeRoom } from './account.sql.ts';
import { cloneEmail, envelopeOf, placedEmails, type PlacedEmailRow } from './across.sql.ts';
import { place } from './deposit.ts';
import { parseKeywords } from './flags.ts';
import type { MailboxColumns } from './mailboxes.sql.ts';
import { tidyRanges } from './rows.ts';
import { joinThread } from './threads.ts';
import type { FlagSet, Permitted, UidRange } from './types.ts';

/** Messages copied one by one in one write: others wait meanwhile. */
export const MAX_ONE_BY_ONE = 5000;

/** The part of flags and keywords that somebody may set. */
export function permittedSet(set: FlagSet, permitted: Permitted | undefined): FlagSet {
  if (permitted === undefined) return set;
  return { flags: set.flags & permitted.flags, keywords: permitted.keywords ? set.keywords : [] };
}

/**
 * Copy messages one by one: into another account, where each becomes an email of its own that shares the octets and
 * counts towards that account's quota, or where only some flags may go along. The source's `modseq` has been taken,
 * and the target's account begun.
 * @throws Refusal 'limit', 'over-quota'
 */
export async function transferOneByOne(
  tx: WriteTx,
  way: { source: MailboxColumns; target: MailboxColumns; modseq: number; permitted: Permitted | undefined },
  given: readonly UidRange[],
): Promise<(readonly [source: number, target: number])[]> {
  const { source, target } = way;
  const pairs: (readonly [number, number])[] = [];
  for (const { from, to } of tidyRanges(given, source.uidnext)) {
    const rows = await tx.all(placedEmails, source.id, from, to, MAX_ONE_BY_ONE + 1);
    if (pairs.length + rows.length > MAX_ONE_BY_ONE) {
      throw new Refusal('limit', `At most ${MAX_ONE_BY_ONE} messages are copied between accounts at once.`, {
        imapCode: 'LIMIT',
      });
    }
    for (const row of rows) {
      const email =
        source.account_id === target.account_id
          ? { id: row.email_id, modseq: way.modseq }
          : await cloneInto(tx, target.account_id, row);
      const set = permittedSet({ flags: row.flags, keywords: parseKeywords(row.keywords) }, way.permitted);
      const stored = { ...email, size: row.size, receivedAt: row.received_at };
      const { uid } = await place(tx, stored, target.id, set);
      pairs.push([row.uid, uid]);
    }
  }
  return pairs;
}

async function cloneInto(
  tx: WriteTx,
  accountId: number,
  row: PlacedEmailRow,
): Promise<{ id: number; modseq: number }> {
  const room = await tx.get(takeRoom, row.size, accountId, row.size, 0);
  if (room === undefined) {
    throw new Refusal('over-quota', 'The messages would exceed the quota.', { imapCode: 'OVERQUOTA' });
  }
  const ids = idsOf((await tx.get(envelopeOf, row.email_id))?.envelope);
  const threadId = await joinThread(tx, accountId, ids, room.modseq);
  const made = await tx.get(cloneEmail, accountId, threadId, room.modseq, row.email_id);
  if (made === undefined) throw new Error('an email was not stored');
  return { id: made.id, modseq: room.modseq };
}

/** Octets at the end of an envelope in which In-Reply-To and Message-ID are looked for. */
const IDS_BYTES = 2000;
/** Ids of In-Reply-To that count. */
const MAX_IDS = 20;

/** Message-ID and In-Reply-To: the last two fields of a rendered envelope (RFC 9051 section 7.5.2). */
function idsOf(envelope: Uint8Array | undefined): { messageId: string | undefined; references: string[] } {
  const text = Buffer.from(envelope ?? [])
    .subarray(-IDS_BYTES)
    .toString('latin1');
  const split = text.lastIndexOf(' ');
  const messageId = /<([^<>]{1,1000})>/.exec(text.slice(split + 1))?.[1];
  const before = text.slice(0, Math.max(0, split));
  const field = /(?:NIL|"[^"]*")$/.exec(before)?.[0] ?? '';
  const references = [...field.matchAll(/<([^<>]{1,1000})>/g)].map(([, id = '']) => id).slice(0, MAX_IDS);
  return { messageId, references };
}
