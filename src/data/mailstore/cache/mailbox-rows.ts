import { masksOf } from '../store-flags.ts';
import type {
  Mailbox,
  MailboxChanges,
  MessageRow,
  StoreFlagsRequest,
  StoreFlagsResult,
  UidRange,
} from '../types.ts';
import { type PackedRows, resized } from './packed.ts';

const NO_KEYWORDS: readonly string[] = [];
/** Octets of a row in the columns, about. */
const ROW_BYTES = 48;
/** Rows of which the highest modseq is kept together, as a power of two: what did not change is passed over so many at once. */
const BLOCK_BITS = 9;
/** UIDs that went which are remembered, for those who ask what changed. */
const GONE_MAX = 10_000;

/** Changed rows from which on an answer is kept for the others who ask for it. */
const SHARED_FROM = 50;

/** UIDs that went up to a modseq. */
interface Gone {
  readonly to: number;
  readonly uids: readonly number[];
}

/** The rows of one mailbox in memory, as of a modseq; brought up to date by what changed since. */
export class MailboxRows {
  mailbox: Mailbox;
  #rows: PackedRows;
  #length: number;
  /** By UID. */
  readonly #keywords = new Map<number, readonly string[]>();
  /** The highest modseq of each block. */
  #newest = new Float64Array(0);
  /** What went after `#knownFrom`, oldest first. */
  #gone: Gone[] = [];
  #knownFrom: number;
  /** What was answered last, for others who stand at the same change. */
  #answered: { readonly modseq: number; readonly changes: MailboxChanges } | undefined;

  constructor(mailbox: Mailbox, rows: PackedRows) {
    this.mailbox = mailbox;
    this.#rows = rows;
    this.#length = rows.uids.length;
    this.#knownFrom = mailbox.modseq;
    this.#findNewest();
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

  /**
   * What changed after a modseq; undefined where that lies before what is known here. `expunged` may name what had
   * gone before, too.
   */
  changesSince(modseq: number): MailboxChanges | undefined {
    if (modseq < this.#knownFrom) return undefined;
    if (this.#answered?.modseq === modseq) return this.#answered.changes;
    const { uidnext, uidvalidity } = this.mailbox;
    const same = modseq >= this.mailbox.modseq;
    const gone = same ? [] : this.#gone.filter(({ to }) => to > modseq).flatMap(({ uids }) => uids);
    const changes: MailboxChanges = {
      exists: true,
      modseq: this.mailbox.modseq,
      uidnext,
      uidvalidity,
      expunged: gone.toSorted((a, b) => a - b),
      changed: same ? [] : this.#changedSince(modseq),
      complete: true,
    };
    if (changes.changed.length > SHARED_FROM) {
      this.#answered = { modseq, changes };
      // Those who were woken by the same commit ask at once.
      setImmediate(() => (this.#answered = undefined));
    }
    return changes;
  }

  #changedSince(modseq: number): MailboxChanges['changed'] {
    const { uids, modseqs, flags } = this.#rows;
    const changed: MailboxChanges['changed'][number][] = [];
    for (let block = 0; block << BLOCK_BITS < this.#length; block++) {
      if ((this.#newest[block] ?? 0) <= modseq) continue;
      const end = Math.min(this.#length, (block + 1) << BLOCK_BITS);
      for (let at = block << BLOCK_BITS; at < end; at++) {
        const its = modseqs[at] ?? 0;
        if (its <= modseq) continue;
        const uid = uids[at] ?? 0;
        const keywords = this.#keywords.get(uid) ?? NO_KEYWORDS;
        changed.push({ uid, modseq: its, flags: flags[at] ?? 0, keywords });
      }
    }
    return changed;
  }

  #findNewest(): void {
    const { uids, modseqs } = this.#rows;
    this.#newest = new Float64Array((uids.length >>> BLOCK_BITS) + 1);
    for (let at = 0; at < this.#length; at++) this.#raise(at, modseqs[at] ?? 0);
  }

  #raise(at: number, modseq: number): void {
    const block = at >>> BLOCK_BITS;
    if ((this.#newest[block] ?? 0) < modseq) this.#newest[block] = modseq;
  }

  /** Take in a STORE that the store has done, where it was the very next change; false where it was not. */
  stored(request: StoreFlagsRequest, result: StoreFlagsResult): boolean {
    if (result.modseqBefore !== this.mailbox.modseq) return false;
    if (result.changed === 0) return true;
    this.#answered = undefined;
    if (result.rows.length > 0) for (const row of result.rows) this.#change(row);
    else this.#mask(request, result.modseq);
    this.mailbox = { ...this.mailbox, modseq: result.modseq };
    return true;
  }

  #mask(request: StoreFlagsRequest, modseq: number): void {
    const { keep, add } = masksOf(request);
    const { uids, modseqs, flags } = this.#rows;
    for (const { from, to } of request.ranges) {
      for (let at = this.firstFrom(from); at < this.#length && (uids[at] ?? 0) <= to; at++) {
        const before = flags[at] ?? 0;
        const after = (before & keep) | add;
        if (after === before) continue;
        flags[at] = after;
        modseqs[at] = modseq;
        this.#raise(at, modseq);
      }
    }
  }

  /**
   * Rows in columns that stand between these UIDs, at most `limit`. They are views of what is kept here: flags may change
   * later, to what they are then, but which rows there are does not (`#expunge` and `#append` leave the memory as it is).
   */
  columns(from: number, to: number, limit: number): PackedRows {
    const rows = this.#rows;
    const start = this.firstFrom(from);
    const end = Math.min(this.firstFrom(to + 1), start + limit);
    const keywords: [number, readonly string[]][] = [];
    if (this.#keywords.size > 0)
      for (let at = start; at < end; at++) {
        const its = this.#keywords.get(rows.uids[at] ?? 0);
        if (its !== undefined) keywords.push([at - start, its]);
      }
    return {
      uids: rows.uids.subarray(start, end),
      emailIds: rows.emailIds.subarray(start, end),
      modseqs: rows.modseqs.subarray(start, end),
      flags: rows.flags.subarray(start, end),
      sizes: rows.sizes.subarray(start, end),
      receivedAt: rows.receivedAt.subarray(start, end),
      savedAt: rows.savedAt.subarray(start, end),
      keywords,
    };
  }

  /** Take in what changed; `arrived` are the rows behind the last UID. All at once: nobody sees half of it. */
  apply(changes: MailboxChanges, arrived: readonly MessageRow[]): void {
    this.#answered = undefined;
    for (const change of changes.changed) this.#change(change);
    if (changes.expunged.length > 0) {
      this.#expunge(new Set(changes.expunged));
      this.#remember({ to: changes.modseq, uids: changes.expunged });
    }
    this.#append(arrived);
    this.mailbox = { ...this.mailbox, modseq: changes.modseq, uidnext: changes.uidnext };
  }

  #change({ uid, modseq, flags, keywords }: MailboxChanges['changed'][number]): void {
    const at = this.firstFrom(uid);
    if (at >= this.#length || this.#rows.uids[at] !== uid) return;
    this.#rows.modseqs[at] = modseq;
    this.#rows.flags[at] = flags;
    this.#raise(at, modseq);
    if (keywords.length > 0) this.#keywords.set(uid, keywords);
    else this.#keywords.delete(uid);
  }

  #expunge(gone: ReadonlySet<number>): void {
    // Others may look at the rows as they are.
    this.#rows = { ...resized({ ...this.#rows, keywords: [] }, this.#length, this.#rows.uids.length) };
    const rows = this.#rows;
    let to = 0;
    for (let at = 0; at < this.#length; at++) {
      const uid = rows.uids[at] ?? 0;
      if (gone.has(uid)) this.#keywords.delete(uid);
      else this.#move(at, to++);
    }
    this.#length = to;
    this.#findNewest();
  }

  #remember(gone: Gone): void {
    this.#gone.push(gone);
    let count = this.#gone.reduce((sum, { uids }) => sum + uids.length, 0);
    while (count > GONE_MAX) {
      const oldest = this.#gone.shift();
      if (oldest === undefined) return;
      count -= oldest.uids.length;
      this.#knownFrom = oldest.to;
    }
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
      this.#findNewest();
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
      this.#raise(at, row.modseq);
      if (row.keywords.length > 0) this.#keywords.set(row.uid, row.keywords);
    }
  }
}
