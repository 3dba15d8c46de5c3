import { Refusal } from '../../base/errors.ts';
import { type ContentReader, contentReader } from '../../data/mailstore/content-reader.ts';
import { Flag, type UidRange } from '../../data/mailstore/types.ts';
import type { Store } from '../../data/store.ts';

/** The inbox as one session sees it: what is there at the login keeps its number to the end (RFC 1939 section 4). */
export interface Maildrop {
  /** Messages, deleted ones included. */
  readonly count: number;
  /** Messages that are not marked deleted, and their octets. */
  readonly left: { readonly count: number; readonly octets: number };
  /** Octets of a message. Throws a Refusal when there is no such number, or when it is marked deleted. */
  size(number: number): number;
  /** What tells a message from all others that this mailbox ever had (RFC 1939 section 7, UIDL). */
  uniqueId(number: number): string;
  isDeleted(number: number): boolean;
  /** Mark deleted. */
  delete(number: number): void;
  /** Unmark all. */
  reset(): void;
  /** The octets of a message. Throws a Refusal when another session has expunged it. */
  open(number: number): Promise<ContentReader>;
  /** It was sent whole. */
  sent(number: number): void;
  /** The UPDATE state (RFC 1939 section 6): what is marked deleted goes, what was sent is seen. */
  commit(): Promise<void>;
}

/** Rows read at once. */
const PAGE = 1000;

export async function openMaildrop(store: Store, accountId: number): Promise<Maildrop> {
  const inbox = await store.read.run('mailstore.mailbox', { accountId, name: 'INBOX' });
  if (inbox === undefined) throw new Refusal('no-such-mailbox', 'This account has no inbox');
  const mailboxId = inbox.id;
  const snapshot = await store.read.run('mailstore.snapshot', { mailboxId });
  if (snapshot === undefined) throw new Refusal('no-such-mailbox', 'This account has no inbox');
  const { uids, sizes } = await withSizes(store, mailboxId, snapshot.uids);
  const { uidvalidity } = snapshot.mailbox;
  const deleted = new Set<number>();
  const seen = new Set<number>();

  function uidOf(number: number): number {
    const uid = Number.isSafeInteger(number) && number >= 1 ? uids[number - 1] : undefined;
    if (uid === undefined) throw new Refusal('no-such-message', `There is no message ${number}`);
    if (deleted.has(number)) throw new Refusal('no-such-message', `Message ${number} is marked deleted`);
    return uid;
  }

  return {
    count: uids.length,
    get left() {
      let octets = 0;
      for (const [index, size] of sizes.entries()) if (!deleted.has(index + 1)) octets += size;
      return { count: uids.length - deleted.size, octets };
    },
    size(number) {
      uidOf(number);
      return sizes[number - 1] ?? 0;
    },
    uniqueId: (number) => `${uidvalidity.toString(16)}.${uidOf(number).toString(16)}`,
    isDeleted: (number) => deleted.has(number),
    delete(number) {
      uidOf(number);
      deleted.add(number);
    },
    reset: () => deleted.clear(),
    async open(number) {
      const uid = uidOf(number);
      const rows = await store.read.run('mailstore.fetch', {
        mailboxId,
        ranges: [{ from: uid, to: uid }],
        want: ['content'],
        limit: 1,
      });
      const content = rows[0]?.content;
      if (content === undefined)
        throw new Refusal('no-such-message', `Message ${number} was removed by another session`);
      return contentReader(store.blobs, content);
    },
    sent: (number) => void seen.add(number),
    commit: () => update(store, { accountId, mailboxId, uids }, seen, deleted),
  };
}

/** What was sent is seen, what was marked goes. */
async function update(
  store: Store,
  { accountId, mailboxId, uids }: { accountId: number; mailboxId: number; uids: Uint32Array },
  seen: ReadonlySet<number>,
  deleted: ReadonlySet<number>,
): Promise<void> {
  const set = { flags: Flag.Seen, keywords: [] };
  const read = new Set([...seen].filter((number) => !deleted.has(number)));
  for (const part of batches(ranges(uids, read)))
    await store.write.run('mailstore.storeFlags', { accountId, mailboxId, ranges: part, mode: 'add', set });
  for (const part of batches(ranges(uids, deleted)))
    await store.write.run('mailstore.expunge', { accountId, mailboxId, ranges: part, anyFlag: true });
}

async function withSizes(
  store: Store,
  mailboxId: number,
  all: Uint32Array,
): Promise<{ uids: Uint32Array; sizes: Float64Array }> {
  const uids = new Uint32Array(all.length);
  const sizes = new Float64Array(all.length);
  let count = 0;
  for (let at = 0; at < all.length; at += PAGE) {
    const page = all.subarray(at, at + PAGE);
    const rows = await store.read.run('mailstore.fetch', {
      mailboxId,
      ranges: [{ from: page[0] ?? 0, to: page.at(-1) ?? 0 }],
      want: [],
      limit: PAGE,
    });
    // A message may have gone since, and one may lie between two pages only if it came twice: neither counts.
    for (const row of rows) {
      if (count >= uids.length || row.uid <= (uids[count - 1] ?? 0)) continue;
      uids[count] = row.uid;
      sizes[count++] = row.size;
    }
  }
  return { uids: uids.subarray(0, count), sizes: sizes.subarray(0, count) };
}

/** UID ranges of message numbers; neighbours in the snapshot are one range. */
function ranges(uids: Uint32Array, numbers: ReadonlySet<number>): UidRange[] {
  const found: { from: number; to: number; last: number }[] = [];
  for (const number of [...numbers].toSorted((a, b) => a - b)) {
    const uid = uids[number - 1] ?? 0;
    const before = found.at(-1);
    if (before !== undefined && before.last === number - 1 && before.to === uid - 1) {
      before.to = uid;
      before.last = number;
    } else found.push({ from: uid, to: uid, last: number });
  }
  return found.map(({ from, to }) => ({ from, to }));
}

/** Ranges that are changed by one write: removing a large inbox must not keep other writers waiting. */
function* batches(all: readonly UidRange[]): Generator<UidRange[]> {
  const most = 1000;
  let part: UidRange[] = [];
  let count = 0;
  for (const range of all) {
    for (let from = range.from; from <= range.to; ) {
      const to = Math.min(range.to, from + (most - count) - 1);
      part.push({ from, to });
      count += to - from + 1;
      from = to + 1;
      if (count < most) continue;
      yield part;
      part = [];
      count = 0;
    }
  }
  if (part.length > 0) yield part;
}
