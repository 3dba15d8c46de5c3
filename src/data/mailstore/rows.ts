import { Refusal } from '../../base/errors.ts';
import type { ReadTx } from '../db/sql.ts';
import { type MailboxColumns, mailboxById } from './mailboxes.sql.ts';
import { MAX_UID, type Mailbox, type UidRange } from './types.ts';

export function toMailbox(row: MailboxColumns): Mailbox {
  return {
    id: row.id,
    accountId: row.account_id,
    name: row.name,
    specialUse: row.special_use ?? undefined,
    subscribed: row.subscribed === 1,
    uidvalidity: row.uidvalidity,
    uidnext: row.uidnext,
    modseq: row.modseq,
    messages: row.messages,
    unseen: row.unseen,
    deleted: row.deleted,
    size: row.size,
    recentUid: row.recent_uid,
  };
}

export function noSuchMailbox(imapCode: 'NONEXISTENT' | 'TRYCREATE' = 'NONEXISTENT'): Refusal {
  return new Refusal('no-such-mailbox', 'There is no such mailbox.', { imapCode });
}

/**
 * The mailbox of that id, of that account.
 * @throws Refusal 'no-such-mailbox'
 */
export async function ownMailbox(
  tx: ReadTx,
  accountId: number,
  mailboxId: number,
  imapCode: 'NONEXISTENT' | 'TRYCREATE' = 'NONEXISTENT',
): Promise<MailboxColumns> {
  const row = await tx.get(mailboxById, mailboxId);
  if (row === undefined || row.account_id !== accountId) throw noSuchMailbox(imapCode);
  return row;
}

export const EVERYTHING: readonly UidRange[] = [{ from: 1, to: MAX_UID }];

/** Ranges ascending and disjoint, whatever the caller gave, cut to UIDs below `uidnext`. */
export function tidyRanges(ranges: readonly UidRange[], uidnext: number): UidRange[] {
  const sorted = ranges
    .map((range) => ({ from: Math.max(1, range.from), to: Math.min(range.to, uidnext - 1) }))
    .filter((range) => range.from <= range.to)
    .toSorted((a, b) => a.from - b.from);
  const tidy: { from: number; to: number }[] = [];
  for (const range of sorted) {
    const last = tidy.at(-1);
    if (last !== undefined && range.from <= last.to + 1) last.to = Math.max(last.to, range.to);
    else tidy.push(range);
  }
  return tidy;
}

/** Octets of an email as its reader sees it. */
export function visibleSize(
  stored: number,
  prefix: Uint8Array,
  hidden: readonly (readonly [number, number])[],
): number {
  return hidden.reduce((size, [start, end]) => size - (end - start), stored + prefix.length);
}

export function formatHidden(hidden: readonly (readonly [number, number])[]): string | null {
  return hidden.length === 0 ? null : JSON.stringify(hidden);
}

export function parseHidden(text: string | null): readonly (readonly [number, number])[] {
  return text === null ? [] : (JSON.parse(text) as [number, number][]);
}
