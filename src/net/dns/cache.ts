import type { Clock } from '../../base/clock.ts';

interface Entry<V> {
  readonly value: V;
  readonly expires: number;
  readonly cost: number;
}

/**
 * A cache with a time to live per entry, bounded in entries and octets; the entry unused for longest goes first.
 * Uses the monotonic clock: setting the machine's time must not revive or drop answers.
 */
export class TtlCache<V> {
  readonly #entries = new Map<string, Entry<V>>();
  readonly #clock: Clock;
  readonly #maxEntries: number;
  readonly #maxCost: number;
  #cost = 0;

  constructor(clock: Clock, maxEntries: number, maxCost: number) {
    this.#clock = clock;
    this.#maxEntries = maxEntries;
    this.#maxCost = maxCost;
  }

  /** The value and the milliseconds it has left. */
  get(key: string): { value: V; leftMs: number } | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    const leftMs = entry.expires - this.#clock.monotonic();
    this.#remove(key, entry);
    if (leftMs <= 0) return undefined;
    this.#insert(key, entry); // moves it to the young end
    return { value: entry.value, leftMs };
  }

  /** Keep `value` for `ttlMs` milliseconds; `cost` is its size in octets. Nothing is kept for 0. */
  set(key: string, value: V, ttlMs: number, cost: number): void {
    const old = this.#entries.get(key);
    if (old !== undefined) this.#remove(key, old);
    if (ttlMs <= 0 || cost > this.#maxCost / 16) return;
    this.#insert(key, { value, expires: this.#clock.monotonic() + ttlMs, cost });
    for (const [oldest, entry] of this.#entries) {
      if (this.#entries.size <= this.#maxEntries && this.#cost <= this.#maxCost) break;
      this.#remove(oldest, entry);
    }
  }

  get size(): number {
    return this.#entries.size;
  }

  clear(): void {
    this.#entries.clear();
    this.#cost = 0;
  }

  #insert(key: string, entry: Entry<V>): void {
    this.#entries.set(key, entry);
    this.#cost += entry.cost;
  }

  #remove(key: string, entry: Entry<V>): void {
    this.#entries.delete(key);
    this.#cost -= entry.cost;
  }
}
