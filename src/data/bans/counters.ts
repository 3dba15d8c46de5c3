/** A window is counted in so many slots: a subject costs a few numbers, not one for each failure. */
const SLOTS = 10;

interface Slot {
  readonly start: number;
  count: number;
}

/**
 * How often something happened within a moving window, by subject, with bounded memory: the subjects silent for
 * longest are forgotten first. A count leaves the window when its slot does: after nine to ten tenths of it.
 */
export class WindowCounts {
  readonly #most: number;
  readonly #subjects = new Map<string, Slot[]>();

  /** `most`: subjects remembered. */
  constructor(most: number) {
    this.#most = most;
  }

  get size(): number {
    return this.#subjects.size;
  }

  /** Count one more; returns the sum within the window. Times are milliseconds. */
  add(subject: string, now: number, windowMs: number): number {
    const slots = this.#live(subject, now, windowMs);
    const start = now - (now % Math.max(1, windowMs / SLOTS));
    const last = slots.at(-1);
    if (last?.start === start) last.count++;
    else slots.push({ start, count: 1 });
    // Re-inserted at the end: the map's order is that of the last failure.
    this.#subjects.delete(subject);
    this.#subjects.set(subject, slots);
    if (this.#subjects.size > this.#most) {
      const oldest = this.#subjects.keys().next();
      if (oldest.done !== true) this.#subjects.delete(oldest.value);
    }
    return sum(slots);
  }

  count(subject: string, now: number, windowMs: number): number {
    return sum(this.#live(subject, now, windowMs));
  }

  reset(subject: string): void {
    this.#subjects.delete(subject);
  }

  #live(subject: string, now: number, windowMs: number): Slot[] {
    // A slot from the future is of a clock that was set back since.
    return (this.#subjects.get(subject) ?? []).filter(({ start }) => start > now - windowMs && start <= now);
  }
}

function sum(slots: readonly Slot[]): number {
  return slots.reduce((total, { count }) => total + count, 0);
}
