import type { Clock } from '../../base/clock.ts';

const HOUR_MS = 3_600_000;
/**
 * The hour is counted in twelve slots of five minutes, so an account costs a few numbers, not one for each
 * message. A slot counts until an hour after its beginning: nobody waits longer than an hour, some five minutes less.
 */
const SLOT_MS = HOUR_MS / 12;
/** Accounts remembered at most; the longest silent go first. */
const ACCOUNTS_MAX = 50_000;

interface Slot {
  readonly start: number;
  messages: number;
  recipients: number;
}

/** What each account has sent within the last hour, in memory: a restart forgives, a stolen password gains little by it. */
export class HourlyCounts {
  readonly #clock: Clock;
  readonly #accounts = new Map<number, Slot[]>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Sums over the last hour, and minutes until the oldest counted slot leaves it. */
  used(accountId: number): { messages: number; recipients: number; minutesToWait: number } {
    const slots = this.#live(accountId);
    const now = this.#clock.now();
    const first = slots[0];
    return {
      messages: slots.reduce((sum, slot) => sum + slot.messages, 0),
      recipients: slots.reduce((sum, slot) => sum + slot.recipients, 0),
      minutesToWait: first === undefined ? 0 : Math.max(1, Math.ceil((first.start + HOUR_MS - now) / 60_000)),
    };
  }

  /** Count a message; returns how to take that back. */
  add(accountId: number, recipients: number): () => void {
    const slots = this.#live(accountId);
    const start = Math.floor(this.#clock.now() / SLOT_MS) * SLOT_MS;
    const last = slots.at(-1);
    const slot = last?.start === start ? last : { start, messages: 0, recipients: 0 };
    if (slot !== last) slots.push(slot);
    slot.messages++;
    slot.recipients += recipients;
    // Re-inserted at the end: the map's order is that of last use.
    this.#accounts.delete(accountId);
    this.#accounts.set(accountId, slots);
    if (this.#accounts.size > ACCOUNTS_MAX) {
      const oldest = this.#accounts.keys().next();
      if (oldest.done !== true) this.#accounts.delete(oldest.value);
    }
    return () => {
      slot.messages--;
      slot.recipients -= recipients;
    };
  }

  /** Begin anew with an account. */
  forget(accountId: number): void {
    this.#accounts.delete(accountId);
  }

  #live(accountId: number): Slot[] {
    const horizon = this.#clock.now() - HOUR_MS;
    return (this.#accounts.get(accountId) ?? []).filter(({ start }) => start > horizon);
  }
}
