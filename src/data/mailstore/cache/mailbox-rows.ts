import type { Mailbox, MailboxChanges, MessageRow, UidRange } from '../types.ts';
import { type PackedRows, resized } from './packed.ts';

const NO_KEYWORDS: readonly string[] = [];
/** Octets of a row in the columns, about. */
const ROW_BYTES = 48;

/** The rows of one mailbox in memory, as of a modseq; brought up to date by what changed since. */
export class MailboxRows {
  mailbox: Mailbox;
  #rows: PackedRows;
  #length: number;
  /** By UID. */
  readonly #keywords = new Map<number, readonly string[]>();

  constructor(mailbox: Mailbox, rows: PackedRows) {
    this.mailbox = mailbox;
    this.#rows = rows;
    this.#length = rows.uids.length;
    for (const [at, keywords] of rows.keywords) this.#keywords.set(rows.uids[at] ?? 0, keywords);
  }

  get length(): number {
    return this.#length;
  }

  /** Octets that this takes, about. */
  get bytes(): number {
    return 500 + this.#rows.uids.length * ROW_BYTES + this.#keywords.size * 100;
  }

  get lastUid(): number {
    return this.#length === 0 ? 0 : (this.#rows.uids[this.#length - 1] ?? 0);
  }

  /** Where the first UID stands that is at least this. */
  firstFrom(uid: number): number {
    const { uids } = this.#rows;
    let low = 0;
    let high = this.#length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((uids[middle] ?? 0) < uid) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  uids(): Uint32Array {
    return this.#rows.uids.slice(0, this.#length);
  }

  emailId(at: number): number {
    return this.#rows.emailIds[at] ?? 0;
  }

  row(at: number): MessageRow {
    const rows = this.#rows;
    const uid = rows.uids[at] ?? 0;
    return {
      uid,
      emailId: rows.emailIds[at] ?? 0,
      modseq: rows.modseqs[at] ?? 0,
      flags: rows.flags[at] ?? 0,
      keywords: this.#keywords.size === 0 ? NO_KEYWORDS : (this.#keywords.get(uid) ?? NO_KEYWORDS),
      size: rows.sizes[at] ?? 0,
      receivedAt: rows.receivedAt[at] ?? 0,
      savedAt: rows.savedAt[at] ?? 0,
    };
  }

  /** Where rows of these UIDs stand that changed after a modseq, ascending, at most `limit`. */
  find(ranges: readonly UidRange[], changedSince: number, limit: number): number[] {
    const { uids, modseqs } = this.#rows;
    const found: number[] = [];
    for (const { from, to } of ranges) {
      for (let at = this.firstFrom(from); at < this.#length && (uids[at] ?? 0) <= to; at++) {
        if (found.length >= limit) return found;
        if ((modseqs[at] ?? 0) > changedSince) found.push(at);
      }
    }
    return found;
  }

  firstUnseen(): number | undefined {
    const { uids, flags } = this.#rows;
    for (let at = 0; at < this.#length; at++) if (((flags[at] ?? 0) & 1) === 0) return uids[at];
    return undefined;
  }

  /** UIDs that have all bits of `all` and none of `none`, and whose keywords pass. */
  byFlags(
    all: number,
    none: number,
    passes: ((keywords: readonly string[]) => boolean) | undefined,
  ): Uint32Array {
    const { uids, flags } = this.#rows;
    const found = new Uint32Array(this.#length);
    let count = 0;
    for (let at = 0; at < this.#length; at++) {
      const bits = flags[at] ?? 0;
      if ((bits & all) !== all || (bits & none) !== 0) continue;
      const uid = uids[at] ?? 0;
      if (passes !== undefined && !passes(this.#keywords.get(uid) ?? NO_KEYWORDS)) continue;
      found[count++] = uid;
    }
    return found.slice(0, count);
  }

  /** Keywords in use, each as it is written somewhere, in the order of the alphabet. */
  keywordsInUse(): readonly string[] {
    const names = new Map<string, string>();
    for (const keywords of new Set(this.#keywords.values()))
      for (const keyword of keywords)
        if (!names.has(keyword.toLowerCase())) names.set(keyword.toLowerCase(), keyword);
    return [...names].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, keyword]) => keyword);
  }

  /** Take in what changed; `arrived` are the rows behind the last UID. All at once: nobody sees half of it. */
  apply(changes: MailboxChanges, arrived: readonly MessageRow[]): void {
    for (const change of changes.changed) this.#change(change);
    if (changes.expunged.length > 0) this.#expunge(new Set(changes.expunged));
    this.#append(arrived);
    this.mailbox = { ...this.mailbox, modseq: changes.modseq, uidnext: changes.uidnext };
  }

  #change({ uid, modseq, flags, keywords }: MailboxChanges['changed'][number]): void {
    const at = this.firstFrom(uid);
    if (at >= this.#length || this.#rows.uids[at] !== uid) return;
    this.#rows.modseqs[at] = modseq;
    this.#rows.flags[at] = flags;
    if (keywords.length > 0) this.#keywords.set(uid, keywords);
    else this.#keywords.delete(uid);
  }

  #expunge(gone: ReadonlySet<number>): void {
    const rows = this.#rows;
    let to = 0;
    for (let at = 0; at < this.#length; at++) {
      const uid = rows.uids[at] ?? 0;
      if (gone.has(uid)) this.#keywords.delete(uid);
      else this.#move(at, to++);
    }
    this.#length = to;
  }

  #move(at: number, to: number): void {
    if (at === to) return;
    const rows = this.#rows;
    rows.uids[to] = rows.uids[at] ?? 0;
    rows.emailIds[to] = rows.emailIds[at] ?? 0;
    rows.modseqs[to] = rows.modseqs[at] ?? 0;
    rows.flags[to] = rows.flags[at] ?? 0;
    rows.sizes[to] = rows.sizes[at] ?? 0;
    rows.receivedAt[to] = rows.receivedAt[at] ?? 0;
    rows.savedAt[to] = rows.savedAt[at] ?? 0;
  }

  #append(arrived: readonly MessageRow[]): void {
    const wanted = this.#length + arrived.length;
    if (wanted > this.#rows.uids.length) {
      const size = Math.max(wanted, Math.ceil(this.#rows.uids.length * 1.2) + 16);
      this.#rows = { ...resized({ ...this.#rows, keywords: [] }, this.#length, size) };
    }
    const rows = this.#rows;
    for (const row of arrived) {
      if (row.uid <= this.lastUid) continue;
      const at = this.#length++;
      rows.uids[at] = row.uid;
      rows.emailIds[at] = row.emailId;
      rows.modseqs[at] = row.modseq;
      rows.flags[at] = row.flags;
      rows.sizes[at] = row.size;
      rows.receivedAt[at] = row.receivedAt;
      rows.savedAt[at] = row.savedAt;
      if (row.keywords.length > 0) this.#keywords.set(row.uid, row.keywords);
    }
  }
}
