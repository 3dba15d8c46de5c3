import type { Response, Value } from './parse.ts';
import { must, type World } from './world.ts';

export interface Entry {
  /** 0: not told yet. */
  uid: number;
  /** Without \Recent, in order; undefined: not told yet. */
  flags: string | undefined;
  /** 0: not told with these flags. */
  modseq: number;
  /** The modseq was told without the flags that it stands for. */
  doubt?: boolean;
}

/** What a client may remember of a mailbox for QRESYNC. */
export interface Remembered {
  readonly name: string;
  readonly box: string;
  readonly uidvalidity: number;
  readonly modseq: number;
  readonly entries: readonly Entry[];
}

/** Flags as a text that is the same for the same flags. */
export function flagText(value: Value): string {
  must(Array.isArray(value), () => `FLAGS is no list: ${JSON.stringify(value)}`);
  const flags = (value as readonly Value[]).map(String).filter((flag) => flag !== '\\Recent');
  must(new Set(flags).size === flags.length, () => `a flag twice: ${flags.join(' ')}`);
  return flags.toSorted().join(' ');
}

/** One session's selected mailbox as the client knows it by what it was told. */
export class View {
  readonly name: string;
  readonly box: string;
  readonly uidvalidity: number;
  readonly readOnly: boolean;
  entries: Entry[] = [];
  /** The highest change that the client was told of. */
  modseq: number;
  /** All changes up to this one were told: none may turn up later that was not. */
  synced = 0;
  /** The server showed that these are no longer there: the next NOOP must say so. */
  readonly mustGo = new Set<number>();
  /** The same of at least one message of each of these. */
  readonly someMustGo: (readonly Entry[])[] = [];
  readonly #world: World;
  readonly #gone = new Set<number>();

  constructor(
    world: World,
    made: {
      name: string;
      box: string;
      uidvalidity: number;
      readOnly: boolean;
      modseq: number;
      count: number;
    },
  ) {
    this.#world = world;
    this.name = made.name;
    this.box = made.box;
    this.uidvalidity = made.uidvalidity;
    this.readOnly = made.readOnly;
    this.modseq = made.modseq;
    this.exists(made.count);
  }

  get uids(): number[] {
    return this.entries.filter(({ uid }) => uid > 0).map(({ uid }) => uid);
  }

  /** Whether there is a message of which the UID or the flags were not told. */
  get unknown(): boolean {
    return this.entries.some(({ uid, flags }) => uid === 0 || flags === undefined);
  }

  /** The UID from which on something is not known. */
  get unknownFrom(): number {
    const first = this.entries.findIndex(({ uid, flags }) => uid === 0 || flags === undefined);
    return (this.entries.slice(0, first).findLast(({ uid }) => uid > 0)?.uid ?? 0) + 1;
  }

  get lastKnown(): number {
    return this.entries.findLast(({ uid }) => uid > 0)?.uid ?? 0;
  }

  byUid(uid: number): Entry | undefined {
    return this.entries.find((entry) => entry.uid === uid);
  }

  exists(count: number): void {
    must(count >= this.entries.length, () => `${count} EXISTS where there are ${this.entries.length}`);
    while (this.entries.length < count) this.entries.push({ uid: 0, flags: undefined, modseq: 0 });
  }

  expunge(number: number): void {
    must(number >= 1 && number <= this.entries.length, () => `${number} EXPUNGE of ${this.entries.length}`);
    const [entry] = this.entries.splice(number - 1, 1);
    if (entry !== undefined) this.#forget(entry.uid);
  }

  vanished(uids: readonly number[]): void {
    for (const uid of uids) {
      let at = this.entries.findIndex((entry) => entry.uid === uid);
      if (at === -1) at = this.#unknownAround(uid);
      must(at >= 0, () => `VANISHED ${uid}, which was not there`);
      this.entries.splice(at, 1);
      this.#forget(uid);
    }
  }

  /** A message that may have this UID, of which the client has not heard. */
  #unknownAround(uid: number): number {
    const next = this.entries.findIndex((entry) => entry.uid > uid);
    const at = (next === -1 ? this.entries.length : next) - 1;
    return this.entries[at]?.uid === 0 ? at : -1;
  }

  #forget(uid: number): void {
    if (uid === 0) {
      this.#world.blurred.add(this.box);
      return;
    }
    this.#gone.add(uid);
    this.mustGo.delete(uid);
    this.#world.gone(this.box, uid);
  }

  /** Take in a FETCH response. `begun`: when the command in hand was sent, undefined without one. */
  fetched(response: Extract<Response, { kind: 'fetch' }>, begun: number | undefined): Entry {
    const { number, items, uidFirst } = response;
    const at = uidFirst ? this.entries.findIndex(({ uid }) => uid === number) : number - 1;
    const entry = this.entries[at];
    must(entry !== undefined, () => `FETCH of message ${number} where there are ${this.entries.length}`);
    if (items.has('UID')) this.#number(at, entry, Number(items.get('UID')));
    const modseq = Number((items.get('MODSEQ') as readonly Value[] | undefined)?.[0] ?? 0);
    const flags = items.has('FLAGS') ? flagText(items.get('FLAGS') ?? null) : undefined;
    this.#change(entry, modseq, flags);
    if (flags !== undefined && entry.uid > 0 && begun !== undefined)
      this.#world.checkOwned(this.box, entry.uid, new Set(flags.split(' ')), begun);
    if (entry.uid > 0)
      for (const [name, value] of items)
        if (name !== 'UID' && name !== 'FLAGS' && name !== 'MODSEQ')
          this.#world.fact(this.box, entry.uid, name, value);
    return entry;
  }

  #number(at: number, entry: Entry, uid: number): void {
    must(entry.uid === 0 || entry.uid === uid, () => `message ${at + 1} was UID ${entry.uid} and is ${uid}`);
    if (entry.uid === uid) return;
    must(!this.#gone.has(uid), () => `UID ${uid} is back after it went`);
    const before = this.entries.slice(0, at).findLast((other) => other.uid > 0)?.uid ?? 0;
    const after = this.entries.slice(at + 1).find((other) => other.uid > 0)?.uid ?? Number.POSITIVE_INFINITY;
    must(
      uid > before && uid < after,
      () => `message ${at + 1} has UID ${uid}, between ${before} and ${after}`,
    );
    entry.uid = uid;
  }

  #change(entry: Entry, modseq: number, flags: string | undefined): void {
    const who = (): string =>
      `UID ${entry.uid}: MODSEQ ${entry.modseq} (${entry.flags}) then ${modseq} (${flags})`;
    if (modseq > 0) {
      must(modseq >= entry.modseq, () => `${who()}: it went back`);
      const same =
        !entry.doubt && modseq === entry.modseq && flags !== undefined && entry.flags !== undefined;
      must(!same || flags === entry.flags, () => `${who()}: other flags`);
      // Told by .SILENT with MODSEQ alone, it is our own change: larger than all others.
      const late = modseq > entry.modseq && entry.modseq > 0 && modseq <= this.synced;
      must(!late, () => `${who()}: a change before ${this.synced} that NOOP did not tell`);
      this.modseq = Math.max(this.modseq, modseq);
      if (modseq > entry.modseq) entry.doubt = true;
      entry.modseq = modseq;
    } else if (flags !== undefined && flags !== entry.flags) entry.modseq = 0;
    if (flags === undefined) return;
    entry.flags = flags;
    entry.doubt = false;
  }

  /** NOOP was answered: everything was told. */
  sync(): void {
    const left = [...this.mustGo].filter((uid) => this.byUid(uid) !== undefined);
    must(left.length === 0, () => `UIDs ${left.join(',')} have gone, which NOOP did not tell`);
    this.mustGo.clear();
    const there = new Set(this.entries);
    for (const some of this.someMustGo.splice(0))
      must(
        some.some((entry) => !there.has(entry)),
        () => `one of UIDs ${some.map(({ uid }) => uid).join(',')} has gone, which NOOP did not tell`,
      );
    this.synced = this.modseq;
  }

  /** What to come back with; undefined while something is not known. */
  remember(): Remembered | undefined {
    if (this.unknown || this.synced === 0) return undefined;
    if (this.entries.some(({ modseq, doubt }) => modseq === 0 || doubt === true)) return undefined;
    const entries = this.entries.map((entry) => ({ ...entry }));
    return { name: this.name, box: this.box, uidvalidity: this.uidvalidity, modseq: this.synced, entries };
  }
}
