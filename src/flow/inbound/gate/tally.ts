import type { Clock } from '../../../base/clock.ts';

const HOUR_MS = 3_600_000;
/** The hour is counted in slots, so a network costs a few numbers, not one for each message. */
const SLOTS = 12;
const SLOT_MS = HOUR_MS / SLOTS;
/** Networks remembered at most; those not heard of for longest go first. */
const NETWORKS_MAX = 50_000;

interface Slot {
  readonly start: number;
  count: number;
}

/**
 * What each network did within the last hour, in memory: a restart forgives. By the monotonic clock, so that setting the
 * machine's time neither forgives nor punishes.
 */
export class HourTally {
  readonly #clock: Clock;
  readonly #max: number;
  readonly #networks = new Map<string, Slot[]>();

  constructor(clock: Clock, max = NETWORKS_MAX) {
    this.#clock = clock;
    this.#max = max;
  }

  /** Networks remembered now. */
  get size(): number {
    return this.#networks.size;
  }

  /** How often within the last hour. */
  count(network: string): number {
    return this.#live(network).reduce((sum, slot) => sum + slot.count, 0);
  }

  /** Whole minutes until the oldest of what is counted leaves the hour; at least 1. */
  minutesToWait(network: string): number {
    const first = this.#live(network)[0];
    if (first === undefined) return 1;
    return Math.max(1, Math.ceil((first.start + HOUR_MS - this.#clock.monotonic()) / 60_000));
  }

  /** Count once; returns how to take that back. */
  add(network: string): () => void {
    const slots = this.#live(network);
    const start = Math.floor(this.#clock.monotonic() / SLOT_MS) * SLOT_MS;
    const last = slots.at(-1);
    const slot = last?.start === start ? last : { start, count: 0 };
    if (slot !== last) slots.push(slot);
    slot.count++;
    // Re-inserted at the end: the map's order is that of last use.
    this.#networks.delete(network);
    this.#networks.set(network, slots);
    if (this.#networks.size > this.#max) {
      const oldest = this.#networks.keys().next();
      if (oldest.done !== true) this.#networks.delete(oldest.value);
    }
    let counted = true;
    return () => {
      if (counted) slot.count--;
      counted = false;
    };
  }

  #live(network: string): Slot[] {
    const horizon = this.#clock.monotonic() - HOUR_MS;
    return (this.#networks.get(network) ?? []).filter(({ start }) => start > horizon);
  }
}
