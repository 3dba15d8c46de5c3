import type { Value } from './parse.ts';

/** What the sessions know together: each fact is first seen by one, and must be so for all. */

/** Something that a server must not do. */
export class Violation extends Error {}

export function must(holds: boolean, text: () => string): asserts holds {
  if (!holds) throw new Violation(text());
}

/** A keyword that only one session changes. */
interface Owned {
  present: boolean;
  /** When it was so; a command begun later must see it. */
  since: number;
  /** Whether a change is under way. */
  open: boolean;
}

/** Facts that do not go along with a copy. */
const OF_THE_PLACE = new Set(['SAVEDATE']);

export class World {
  /** Rises with everything that happens. */
  now = 0;
  readonly #statics = new Map<string, Map<string, string>>();
  readonly #places = new Map<string, Map<string, string>>();
  readonly #owned = new Map<string, Map<string, Owned>>();
  /** Messages that were given a UID, and those that somebody saw go. */
  readonly #given = new Map<string, Set<number>>();
  readonly #gone = new Map<string, Set<number>>();
  /** Mailboxes in which somebody hung up while messages were on their way out, since they were looked at last. */
  readonly blurred = new Set<string>();
  readonly counts = new Map<string, number>();
  /** Lines of a session that are kept to be shown. */
  readonly keptLines: number;
  /** Others than the sessions take messages away, unseen by them. */
  others = false;
  #uidnext = new Map<string, number>();

  constructor(keptLines = 60) {
    this.keptLines = keptLines;
  }

  tick(): number {
    return ++this.now;
  }

  count(what: string): void {
    this.counts.set(what, (this.counts.get(what) ?? 0) + 1);
  }

  /** A fact of a message that never changes. */
  fact(box: string, uid: number, name: string, value: Value): void {
    const all = OF_THE_PLACE.has(name) ? this.#places : this.#statics;
    const facts = at(all, `${box} ${uid}`, () => new Map<string, string>());
    const text = JSON.stringify(value);
    const known = facts.get(name);
    if (known === undefined) facts.set(name, text);
    else must(known === text, () => `${box}: ${name} of UID ${uid} was ${clip(known)} and is ${clip(text)}`);
  }

  /** A copy has the facts of what it was copied from. */
  copied(box: string, uid: number, target: string, copy: number): void {
    const from = at(this.#statics, `${box} ${uid}`, () => new Map<string, string>());
    for (const [name, value] of this.#statics.get(`${target} ${copy}`) ?? []) {
      const known = from.get(name);
      must(
        known === undefined || known === value,
        () =>
          `${target}: UID ${copy} is no copy of ${box} ${uid}: ${name} is ${clip(value)}, not ${clip(known ?? '')}`,
      );
      from.set(name, value);
    }
    this.#statics.set(`${target} ${copy}`, from);
  }

  factOf(box: string, uid: number, name: string): string | undefined {
    return this.#statics.get(`${box} ${uid}`)?.get(name);
  }

  /** APPENDUID and COPYUID: nobody had this UID before. */
  given(box: string, uid: number): void {
    const uids = at(this.#given, box, () => new Set<number>());
    must(!uids.has(uid), () => `${box}: UID ${uid} was given twice`);
    uids.add(uid);
  }

  gone(box: string, uid: number): void {
    at(this.#gone, box, () => new Set<number>()).add(uid);
  }

  /** UIDNEXT never goes back. */
  uidnext(box: string, uidnext: number, begun: number): void {
    const key = `${box} ${begun}`;
    must(uidnext >= (this.#uidnext.get(key) ?? 0), () => `${box}: UIDNEXT went back to ${uidnext}`);
    this.#uidnext.set(key, uidnext);
  }

  /** All that a mailbox has while everybody is quiet: nothing was lost, nothing came back. */
  census(box: string, uids: ReadonlySet<number>): void {
    const given = at(this.#given, box, () => new Set<number>());
    const gone = at(this.#gone, box, () => new Set<number>());
    for (const uid of uids) must(!gone.has(uid), () => `${box}: UID ${uid} had gone and is back`);
    for (const uid of given) {
      if (uids.has(uid) || gone.has(uid)) continue;
      must(this.others || this.blurred.has(box), () => `${box}: UID ${uid} is lost; nobody saw it go`);
      gone.add(uid);
    }
    for (const uid of uids) given.add(uid);
    this.blurred.delete(box);
  }

  /** The owner of a keyword begins to change it. */
  open(box: string, uid: number, keyword: string): void {
    const owned = at(this.#owned, `${box} ${uid}`, () => new Map<string, Owned>());
    owned.set(keyword, { present: false, since: this.tick(), open: true });
  }

  settle(box: string, uid: number, keyword: string, present: boolean | undefined): void {
    const owned = this.#owned.get(`${box} ${uid}`);
    if (present === undefined) owned?.delete(keyword);
    else owned?.set(keyword, { present, since: this.tick(), open: false });
  }

  /** Flags that a command begun at `begun` was told. */
  checkOwned(box: string, uid: number, flags: ReadonlySet<string>, begun: number): void {
    for (const [keyword, { present, since, open }] of this.#owned.get(`${box} ${uid}`) ?? []) {
      if (open || since >= begun) continue;
      must(
        flags.has(keyword) === present,
        () =>
          `${box}: UID ${uid} ${present ? 'lost' : 'has'} ${keyword}, which only its owner changes: ${[...flags].join(' ')}`,
      );
    }
  }
}

function at<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  const found = map.get(key) ?? make();
  map.set(key, found);
  return found;
}

function clip(text: string): string {
  return text.length > 150 ? `${text.slice(0, 150)}...` : text;
}
