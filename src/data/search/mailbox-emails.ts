import type { Reader } from '../store.ts';
import type { EmailUids } from './reads.ts';

/** Messages of mailboxes that are remembered, all mailboxes together: 12 octets each. */
const KEPT_MESSAGES = 2_000_000;

/** Which emails lie in a mailbox under which UIDs. */
export interface MailboxEmails {
  /**
   * Of the emails in `ids` (ascending), the UIDs up to `lastUid` under which they lie, or lay, in a mailbox, ascending:
   * what was expunged may be among them. UIDVALIDITY tells a mailbox from another that had its id.
   */
  uidsOf(mailbox: MailboxPlace, ids: Float64Array): Promise<number[]>;
  /** The UIDs up to `lastUid` of emails above an id. */
  uidsAbove(mailbox: MailboxPlace, id: number): Promise<number[]>;
}

export interface MailboxPlace {
  readonly mailboxId: number;
  readonly uidvalidity: number;
  readonly lastUid: number;
}

/** Ids between the lowest and the highest for which a bit each is cheaper than a set. */
const MAX_BITS = 1 << 27;

function membership(ids: Float64Array): (id: number) => boolean {
  const low = ids[0] ?? 0;
  const range = (ids.at(-1) ?? 0) - low + 1;
  if (range > MAX_BITS || range > ids.length * 1000) {
    const set = new Set(ids);
    return (id) => set.has(id);
  }
  const bits = new Uint8Array((range + 7) >>> 3);
  for (const id of ids) {
    const at = id - low;
    bits[at >>> 3] = (bits[at >>> 3] ?? 0) | (1 << (at & 7));
  }
  return (id) => {
    const at = id - low;
    return at >= 0 && at < range && ((bits[at >>> 3] ?? 0) & (1 << (at & 7))) !== 0;
  };
}

/**
 * A UID means the same email for ever, so what was read once is good; only what came since is read again. `read` is
 * asked at most once at a time for a mailbox.
 */
export function mailboxEmails(read: Reader): MailboxEmails {
  const kept = new Map<string, Promise<EmailUids>>();
  const sizes = new Map<string, number>();
  let total = 0;

  const remember = (key: string, size: number): void => {
    total += size - (sizes.get(key) ?? 0);
    sizes.delete(key);
    sizes.set(key, size);
    for (const [old, count] of sizes) {
      if (total <= KEPT_MESSAGES || old === key) break;
      kept.delete(old);
      sizes.delete(old);
      total -= count;
    }
  };

  const grow = async (known: Promise<EmailUids> | undefined, place: MailboxPlace): Promise<EmailUids> => {
    // What failed before is read anew.
    const old = await known?.catch(() => undefined);
    const after = old?.uids.at(-1) ?? 0;
    if (old !== undefined && after >= place.lastUid) return old;
    const { mailboxId } = place;
    const more = await read.run('mailstore.emailUids', { mailboxId, after });
    if (old === undefined) return more;
    return {
      uids: Uint32Array.from([...old.uids, ...more.uids]),
      emails: Float64Array.from([...old.emails, ...more.emails]),
    };
  };

  const load = async (place: MailboxPlace): Promise<EmailUids> => {
    const key = `${place.mailboxId} ${place.uidvalidity}`;
    const next = grow(kept.get(key), place);
    kept.set(key, next);
    const all = await next;
    if (kept.get(key) === next) remember(key, all.uids.length);
    return all;
  };

  return {
    async uidsOf(place, ids) {
      if (ids.length === 0) return [];
      const { uids, emails } = await load(place);
      const found: number[] = [];
      const wanted = membership(ids);
      for (let at = 0; at < uids.length; at++) {
        if (wanted(emails[at] ?? 0)) found.push(uids[at] ?? 0);
      }
      return found;
    },
    async uidsAbove(place, id) {
      const { uids, emails } = await load(place);
      const found: number[] = [];
      for (let at = 0; at < uids.length; at++) if ((emails[at] ?? 0) > id) found.push(uids[at] ?? 0);
      return found;
    },
  };
}
