import type { Mailbox, MailboxChanges, UidRange } from '../../data/mailstore/types.ts';
import { refuse } from './replies.ts';
import { SyntaxFault } from './wire/decoder.ts';
import { formatSet, type SequenceSet, tidy } from './wire/sequence-set.ts';

const NONE: readonly number[] = [];
const NO_UIDS: ReadonlySet<number> = new Set();

type FlagRow = MailboxChanges['changed'][number];

/**
 * A session's view of its selected mailbox: which message has which number. It changes only when the client is told
 * (RFC 9051 section 7.5.1): what other sessions expunged keeps its number until EXPUNGE is sent, what arrived gets
 * one with EXISTS. Four octets a message, so that a thousand idle sessions are cheap.
 */
export class MailboxView {
  /** Whose it is: not always the account that has logged in. */
  readonly accountId: number;
  readonly own: boolean;
  readonly mailboxId: number;
  readonly name: string;
  readonly uidvalidity: number;
  /** EXAMINE, or without any right to change something. */
  readonly readOnly: boolean;
  /** Bits of `Right` (data/sharing/rights.ts) of this session's account. */
  rights: number;
  /** Something in the owner's account changed since the rights were read. */
  rightsStale = false;
  /** The highest change this view has taken in. */
  modseq: number;
  /** Messages from this UID on are \Recent in this session; Infinity when it knows no \Recent. */
  recentUid: number;
  /** UIDs that arrived since SELECT and were shown as \Recent: claimed when the mailbox is left. */
  arrivals = false;
  /** Something in the account changed since we looked. */
  dirty = false;
  /** Searches are kept up to date: what changes has to be known, by whomever it was changed. */
  watched = false;
  /** The client was told how far it has heard of everything, for expunges wait (RFC 7162 section 3.2). */
  toldOfHeld = false;
  #touched: Set<number> | undefined;
  /** Keywords, in small letters, that FLAGS has told the client of. */
  readonly announced: Map<string, string>;
  #uids: Uint32Array;
  #length: number;
  /** Expunged elsewhere, not told yet; ascending. */
  #expunged: readonly number[] = NONE;
  /** The highest change before the first of them. */
  #beforeExpunged: number | undefined;
  /** Changed elsewhere, not told yet. */
  #changed: FlagRow[] = [];
  #grown = false;
  /** Messages of which the client was told by EXISTS: what lies behind them has no number for it yet. */
  #announced: number;
  /** Changes of our own, which the client has been told of by the command that made them. */
  #own: Set<number> | undefined;
  #stop: () => void;

  constructor(options: {
    mailbox: Mailbox;
    own: boolean;
    rights: number;
    uids: Uint32Array;
    readOnly: boolean;
    recentUid: number;
    keywords: readonly string[];
    stop: () => void;
  }) {
    const { mailbox, uids } = options;
    this.accountId = mailbox.accountId;
    this.own = options.own;
    this.rights = options.rights;
    this.mailboxId = mailbox.id;
    this.name = mailbox.name;
    this.uidvalidity = mailbox.uidvalidity;
    this.modseq = mailbox.modseq;
    this.readOnly = options.readOnly;
    this.recentUid = options.recentUid;
    this.announced = new Map(options.keywords.map((keyword) => [keyword.toLowerCase(), keyword]));
    this.#uids = uids;
    this.#length = uids.length;
    this.#announced = uids.length;
    this.#stop = options.stop;
  }

  /** Stop listening to changes. */
  close(): void {
    this.#stop();
    this.#stop = () => undefined;
  }

  /** Messages that have numbers. */
  get count(): number {
    return this.#length;
  }

  /** The highest UID in view, 0 in an empty mailbox. */
  get lastUid(): number {
    return this.uidAt(this.#length);
  }

  /** The UID of a message number, 0 when there is none. */
  uidAt(seq: number): number {
    return seq >= 1 && seq <= this.#length ? (this.#uids[seq - 1] ?? 0) : 0;
  }

  /** The message number of a UID, 0 when it is not in view. */
  seqOf(uid: number): number {
    const at = this.#firstFrom(uid);
    return at < this.#length && this.#uids[at] === uid ? at + 1 : 0;
  }

  /** The message number of a UID when that of one before it is known: they mostly follow each other. */
  seqAfter(seq: number, uid: number): number {
    return this.uidAt(seq + 1) === uid ? seq + 1 : this.seqOf(uid);
  }

  /** Those of ascending UIDs that are in view. */
  among(uids: ArrayLike<number>): number[] {
    const found: number[] = [];
    let seq = 0;
    for (let at = 0; at < uids.length; at++) {
      const uid = uids[at] ?? 0;
      const its = this.seqAfter(seq, uid);
      if (its === 0) continue;
      found.push(uid);
      seq = its;
    }
    return found;
  }

  /** Index of the first UID that is at least this. */
  #firstFrom(uid: number): number {
    let low = 0;
    let high = this.#length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#uids[middle] ?? 0) < uid) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** The number of the first message whose UID is at least this; one more than there are when none is. */
  firstSeqFrom(uid: number): number {
    return this.#firstFrom(uid) + 1;
  }

  isRecent(uid: number): boolean {
    return uid >= this.recentUid;
  }

  /** How many messages in view are \Recent. */
  get recent(): number {
    return this.#length - this.#firstFrom(Math.min(this.recentUid, 0xffff_ffff + 1));
  }

  /** How many messages in view lie in these UID ranges. */
  countIn(ranges: readonly UidRange[]): number {
    let count = 0;
    for (const { from, to } of ranges) count += this.#firstFrom(to + 1) - this.#firstFrom(from);
    return count;
  }

  /** The UIDs in view that lie in these ranges, ascending. */
  uidsIn(ranges: readonly UidRange[]): number[] {
    const uids: number[] = [];
    for (const { from, to } of ranges) {
      const end = this.#firstFrom(to + 1);
      for (let at = this.#firstFrom(from); at < end; at++) uids.push(this.#uids[at] ?? 0);
    }
    return uids;
  }

  /**
   * The UID ranges that a set of a command means, each between UIDs in view. Message numbers that do not exist are
   * the client's fault (RFC 9051 section 9 seq-number) unless `lenient`, UIDs that do not exist are passed over.
   */
  ranges(set: SequenceSet, byUid: boolean, saved: readonly number[], lenient = false): UidRange[] {
    if (set === '$') return this.rangesOf(saved.filter((uid) => this.seqOf(uid) > 0));
    if (byUid) return this.#uidRanges(set);
    if (this.#length === 0) {
      if (lenient) return [];
      throw new SyntaxFault('expected no message number: the mailbox is empty');
    }
    const numbers = tidy(set, this.#length);
    if (lenient) return this.#clipped(numbers);
    if ((numbers.at(-1)?.to ?? 0) > this.#length)
      throw new SyntaxFault(`expected message numbers up to ${this.#length}`);
    return numbers.map(({ from, to }) => ({ from: this.uidAt(from), to: this.uidAt(to) }));
  }

  #clipped(numbers: readonly UidRange[]): UidRange[] {
    return numbers
      .filter(({ from }) => from <= this.#length)
      .map(({ from, to }) => ({ from: this.uidAt(from), to: this.uidAt(Math.min(to, this.#length)) }));
  }

  #uidRanges(set: Exclude<SequenceSet, '$'>): UidRange[] {
    const last = this.lastUid;
    if (last === 0) return [];
    const ranges: UidRange[] = [];
    // What arrived but has no number yet is not there for this client.
    for (const { from, to } of tidy(set, last)) {
      if (from <= last) ranges.push({ from, to: Math.min(to, last) });
    }
    return ranges.filter((range) => this.countIn([range]) > 0);
  }

  /** Ranges that hold exactly these of the UIDs in view; `uids` ascending, all in view. */
  rangesOf(uids: readonly number[]): UidRange[] {
    const ranges: { from: number; to: number }[] = [];
    let nextAt = -1;
    for (const uid of uids) {
      const at = this.#firstFrom(uid);
      const last = ranges.at(-1);
      if (last !== undefined && at === nextAt) last.to = uid;
      else ranges.push({ from: uid, to: uid });
      nextAt = at + 1;
    }
    return ranges;
  }

  /** Ranges cut so that none covers more than `size` messages in view. */
  *chunks(ranges: readonly UidRange[], size: number): Generator<UidRange> {
    for (const { from, to } of ranges) {
      const end = this.#firstFrom(to + 1);
      for (let at = this.#firstFrom(from); at < end; at += size) {
        yield { from: this.#uids[at] ?? 0, to: this.#uids[Math.min(at + size, end) - 1] ?? 0 };
      }
    }
  }

  /**
   * A change this session made and has told its client of itself. `next`: nothing else changed after what this view has
   * taken in.
   */
  madeChange(modseq: number, next = false): void {
    if (next && !this.watched) {
      this.modseq = modseq;
      return;
    }
    this.#own ??= new Set();
    this.#own.add(modseq);
    this.dirty = true;
  }

  /** Changes of these messages wait to be told: forget them, newer flags are told at once. The UIDs that had some. */
  supersede(rows: readonly { readonly uid: number }[]): ReadonlySet<number> {
    if (this.#changed.length === 0) return NO_UIDS;
    const uids = new Set(rows.map(({ uid }) => uid));
    const superseded = new Set<number>();
    this.#changed = this.#changed.filter(({ uid }) => {
      if (uids.has(uid)) superseded.add(uid);
      return !uids.has(uid);
    });
    return superseded;
  }

  /** Take in what changed; it is told by `tell`. */
  absorb(changes: MailboxChanges): void {
    if (changes.expunged.length > 0) {
      const gone = changes.expunged.filter((uid) => this.seqOf(uid) > 0);
      if (gone.length > 0) this.#beforeExpunged ??= this.modseq;
      this.#expunged = merge(this.#expunged, gone);
    }
    const last = this.lastUid;
    const arrived: number[] = [];
    if (this.watched && changes.changed.length > 0) {
      this.#touched ??= new Set();
      for (const { uid } of changes.changed) this.#touched.add(uid);
    }
    for (const row of changes.changed) {
      if (row.uid > last) arrived.push(row.uid);
      else if (!this.#own?.has(row.modseq)) this.#changed.push(row);
    }
    if (arrived.length > 0) this.#append(arrived);
    this.#own = undefined;
    this.modseq = Math.max(this.modseq, changes.modseq);
  }

  #append(uids: readonly number[]): void {
    const length = this.#length + uids.length;
    if (length > this.#uids.length) {
      const larger = new Uint32Array(Math.max(length, Math.ceil(this.#uids.length * 1.1) + 8));
      larger.set(this.#uids.subarray(0, this.#length));
      this.#uids = larger;
    }
    this.#uids.set(uids, this.#length);
    this.#length = length;
    this.#grown = true;
    this.arrivals = true;
  }

  /** All that is in view but not in `uids`, for when the store has forgotten what went. */
  missing(uids: Uint32Array): number[] {
    const there = new Set(uids);
    const gone: number[] = [];
    for (let at = 0; at < this.#length; at++) {
      const uid = this.#uids[at] ?? 0;
      if (!there.has(uid)) gone.push(uid);
    }
    return gone;
  }

  /** What changed or arrived since the last call, ascending, and what has gone but is not told yet. */
  takeTouched(): { touched: readonly number[]; gone: readonly number[] } {
    const touched = this.#touched === undefined ? NONE : [...this.#touched].toSorted((a, b) => a - b);
    this.#touched = undefined;
    return { touched, gone: this.#expunged };
  }

  /** Messages have gone of which the client has yet to be told. */
  get holdsExpunges(): boolean {
    return this.#expunged.length > 0;
  }

  /** Up to here the client has been told of everything (RFC 7162 section 3.2), of what has gone too. */
  get safeModseq(): number {
    return this.#beforeExpunged ?? this.modseq;
  }

  /** Changes of flags wait to be told. */
  get hasChanges(): boolean {
    return this.#changed.length > 0;
  }

  get hasNews(): boolean {
    return this.#grown || this.#changed.length > 0 || this.#expunged.length > 0;
  }

  /**
   * What to tell now. Message numbers of `expunged` are such that each is right when those before it have been told
   * (highest first, so none moves another); rows of `changed` are to be numbered after that.
   */
  tell(withExpunges: boolean): {
    expunged: number[];
    /** Their UIDs, ascending. */
    gone: readonly number[];
    grown: boolean;
    changed: readonly FlagRow[];
  } {
    const expunged: number[] = [];
    let gone = NONE;
    if (withExpunges && this.#expunged.length > 0) {
      // What came and went before it was told is no loss to the client.
      gone = this.#expunged.filter((uid) => {
        const seq = this.seqOf(uid);
        return seq > 0 && seq <= this.#announced;
      });
      for (const uid of gone.toReversed()) expunged.push(this.seqOf(uid));
      this.#remove(new Set(this.#expunged));
      this.#announced -= gone.length;
      this.#expunged = NONE;
      this.#beforeExpunged = undefined;
    }
    const grown = this.#grown && this.#length > this.#announced;
    this.#grown = false;
    this.#announced = this.#length;
    const changed = this.#changed;
    this.#changed = [];
    return { expunged, gone, grown, changed };
  }

  #remove(gone: ReadonlySet<number>): void {
    let to = 0;
    for (let at = 0; at < this.#length; at++) {
      const uid = this.#uids[at] ?? 0;
      if (!gone.has(uid)) this.#uids[to++] = uid;
    }
    this.#length = to;
  }

  /** Message numbers or UIDs of these UIDs, as a set for a response; what is not in view is left out. */
  formatSet(uids: readonly number[], byUid: boolean): string {
    if (byUid) return formatSet(uids);
    return formatSet(uids.map((uid) => this.seqOf(uid)).filter((seq) => seq > 0));
  }

  /** Throws when the mailbox is selected read-only. */
  needWritable(): void {
    if (this.readOnly) throw refuse('not-permitted', 'READ-ONLY', 'The mailbox is selected read-only');
  }
}

/** Two ascending lists as one, each number once. */
function merge(a: readonly number[], b: readonly number[]): readonly number[] {
  if (a.length === 0) return b;
  if (b.length === 0) return a;
  return [...new Set([...a, ...b])].toSorted((x, y) => x - y);
}
