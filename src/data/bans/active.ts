import { isIP } from 'node:net';
import { networkAround } from './networks.ts';
import { type Ban, BAN_MEMORY_MS, type BanKind } from './types.ts';

/** Bans remembered, those that are over and only make the next one longer among them. */
export const BANS_MAX = 50_000;
/** Entries looked at in one step of a sweep: well under a millisecond. */
export const SWEEP_STEP = 1000;

/** Bans of the last 30 days in memory: what holds now, and how many a subject had. */
export class BanMemory {
  /** By kind and subject, the one that ends last. */
  readonly #bans = new Map<string, Ban>();
  /** The most offences in a row of a subject, and when the last of them ended or ends. */
  readonly #rows = new Map<string, { readonly offences: number; readonly until: number }>();
  /** Prefix lengths that occur among the subjects, so that looking an address up costs a few maps. */
  readonly #bits = new Map<number, number>();

  get size(): number {
    return this.#bans.size;
  }

  put(ban: Ban): void {
    const key = keyOf(ban.kind, ban.subject);
    const before = this.#bans.get(key);
    if (before === undefined) this.#countBits(ban, 1);
    if (before === undefined || before.until <= ban.until) this.#bans.set(key, ban);
    const row = this.#rows.get(key);
    const forgotten = row === undefined || row.until <= ban.since - BAN_MEMORY_MS;
    if (ban.offences > 0 && (forgotten || row.offences <= ban.offences)) {
      this.#rows.set(key, { offences: ban.offences, until: ban.until });
    }
    if (this.#bans.size > BANS_MAX) this.#dropOldest();
  }

  remove(kind: BanKind, subject: string): void {
    const key = keyOf(kind, subject);
    const ban = this.#bans.get(key);
    if (ban !== undefined) this.#countBits(ban, -1);
    this.#bans.delete(key);
    this.#rows.delete(key);
  }

  /** The ban of exactly this subject, if it holds. */
  of(kind: BanKind, subject: string, now: number): Ban | undefined {
    const ban = this.#bans.get(keyOf(kind, subject));
    return ban !== undefined && ban.until > now ? ban : undefined;
  }

  /** All bans that hold and cover a canonical address. */
  covering(address: string, now: number): Ban[] {
    const family = isIP(address);
    if (family === 0 || this.#bits.size === 0) return [];
    const found: Ban[] = [];
    for (const key of this.#bits.keys()) {
      if (Math.floor(key / 1000) !== family) continue;
      const ban = this.of('network', networkAround(address, key % 1000), now);
      if (ban !== undefined) found.push(ban);
    }
    return found;
  }

  /** How many in a row the next ban of a subject would be. */
  nextOffence(kind: BanKind, subject: string, now: number): number {
    const row = this.#rows.get(keyOf(kind, subject));
    return row === undefined || row.until <= now - BAN_MEMORY_MS ? 1 : row.offences + 1;
  }

  active(now: number): number {
    let count = 0;
    for (const ban of this.#bans.values()) if (ban.until > now) count++;
    return count;
  }

  /** Forget what counts for nothing any more, a little at each step. */
  *sweep(now: number): Generator<void> {
    let seen = 0;
    for (const { kind, subject, until } of this.#bans.values()) {
      if (until <= now - BAN_MEMORY_MS) this.remove(kind, subject);
      if (++seen % SWEEP_STEP === 0) yield;
    }
  }

  #countBits({ kind, subject }: Ban, by: number): void {
    if (kind !== 'network') return;
    const [address = '', prefix] = subject.split('/');
    const family = isIP(address);
    const key = family * 1000 + (prefix === undefined ? (family === 6 ? 128 : 32) : Number(prefix));
    const count = (this.#bits.get(key) ?? 0) + by;
    if (count > 0) this.#bits.set(key, count);
    else this.#bits.delete(key);
  }

  /** The tenth that came first: rarely, so that it costs little each time. */
  #dropOldest(): void {
    let left = BANS_MAX / 10;
    for (const { kind, subject } of this.#bans.values()) {
      if (left-- <= 0) return;
      this.remove(kind, subject);
    }
  }
}

function keyOf(kind: BanKind, subject: string): string {
  return `${kind} ${subject}`;
}
