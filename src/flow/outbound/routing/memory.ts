import type { Clock } from '../../../base/clock.ts';
import type { WayRefusal } from '../../../data/routing/types.ts';
import type { FlowDeps } from '../../deps.ts';
import type { Cause, Outcome } from '../transport.ts';
import { causeOf } from './classify.ts';
import { isWays } from './cure.ts';

/**
 * What is remembered of ways: which destinations refuse them for their own sake (kept, so that a restart does not probe
 * everybody anew), and whether they work at all (in memory: it is learned again in minutes).
 */

/** Milliseconds that a success of a way says something. */
const FRESH_MS = 3_600_000;
/** Destinations that a way must fail to reach, one after the other, before it is taken to be cut off. */
const CUT_OFF_AFTER = 3;
/** Milliseconds between two probes at most. */
const PROBE_MAX_MS = 86_400_000;
const EVERYWHERE = '*';

export interface WayMemory {
  /** What stands against ways at a destination, by way: refusals whose time has not come. */
  against(destination: string): Promise<ReadonlyMap<string, WayRefusal>>;
  /** Learn from an attempt. */
  learn(way: string, destination: string, outcomes: Iterable<Outcome>, probeMs: number): Promise<void>;
  worksElsewhere(way: string, destination: string): boolean;
}

export function createMemory(deps: () => FlowDeps, clock: Clock): WayMemory {
  return new Memory(deps, clock);
}

/** An attempt's outcome, and the milliseconds until the next probe where it is the first refusal. */
interface Lesson {
  readonly way: string;
  readonly destination: string;
  readonly outcome: Outcome;
  readonly probeMs: number;
}

class Memory implements WayMemory {
  readonly #deps: () => FlowDeps;
  readonly #clock: Clock;
  readonly #successes = new Map<string, { destination: string; at: number }>();
  readonly #unreachable = new Map<string, Set<string>>();

  constructor(deps: () => FlowDeps, clock: Clock) {
    this.#deps = deps;
    this.#clock = clock;
  }

  async against(destination: string): Promise<ReadonlyMap<string, WayRefusal>> {
    const now = this.#clock.now();
    const found = new Map<string, WayRefusal>();
    for (const one of await this.#deps().store.read.run('routing.refusals', { destination }))
      if (one.until > now) found.set(one.way, one);
    return found;
  }

  async learn(way: string, destination: string, outcomes: Iterable<Outcome>, probeMs: number): Promise<void> {
    for (const outcome of outcomes) {
      if (outcome.outcome === 'delivered') return this.#accepted(way, destination);
      const lesson: Lesson = { way, destination, outcome, probeMs };
      const cause = causeOf(outcome);
      if (cause === 'network') return this.#notReached(lesson);
      if (!isWays(cause)) continue;
      return this.#refused(lesson, cause === 'reputation' ? destination : EVERYWHERE, cause);
    }
  }

  worksElsewhere(way: string, destination: string): boolean {
    const last = this.#successes.get(way);
    return (
      last !== undefined && last.destination !== destination && this.#clock.monotonic() - last.at < FRESH_MS
    );
  }

  async #refused({ way, outcome, probeMs }: Lesson, destination: string, cause: Cause): Promise<void> {
    const { store, logger } = this.#deps();
    const now = this.#clock.now();
    const known = (await store.read.run('routing.refusals', { destination })).find(
      (one) => one.way === way && one.destination === destination,
    );
    // Several messages are refused at once: that is one refusal, until the probe.
    if (known !== undefined && known.until > now) return;
    const failures = (known?.failures ?? 0) + 1;
    const doubled = Math.min(probeMs * 2 ** Math.min(failures - 1, 10), PROBE_MAX_MS);
    const until = now + Math.max(doubled, outcome.pauseMs ?? 0);
    const { reply } = outcome;
    await store.write.run('routing.refuse', { way, destination, cause, reply, until, failures });
    logger.warn({ way, destination, cause, reply, until }, 'route: a way is refused, others are taken');
  }

  async #accepted(way: string, destination: string): Promise<void> {
    this.#successes.set(way, { destination, at: this.#clock.monotonic() });
    this.#unreachable.delete(way);
    const { store } = this.#deps();
    for (const one of await store.read.run('routing.refusals', { destination })) {
      if (one.way === way) await store.write.run('routing.accept', { way, destination: one.destination });
    }
  }

  /** A port that is blocked shows in that nobody can be reached. */
  async #notReached(lesson: Lesson): Promise<void> {
    const { way, destination } = lesson;
    const failed = this.#unreachable.get(way) ?? new Set();
    if (this.worksElsewhere(way, destination) || failed.size > CUT_OFF_AFTER) failed.clear();
    failed.add(destination);
    this.#unreachable.set(way, failed);
    if (failed.size >= CUT_OFF_AFTER) await this.#refused(lesson, EVERYWHERE, 'network');
  }
}
