import { getDomain } from 'tldts';
import type { Clock } from '../../../base/clock.ts';
import { askedPauseMs } from './rate-replies.ts';

/**
 * How fast a group of hosts is sent to. A group is what one operator runs: the registrable domain of an MX host's name,
 * so that all domains at a large provider share its limits. Fewer sessions at once after it complains (halved), more
 * after each success (one more for each round of them); and after a complaint that nobody else there would hear us, a
 * pause, twice as long each time.
 */

export const SHAPING = {
  /** Milliseconds of the first pause; doubled at each that follows without a success between. */
  firstPauseMs: 60_000,
  /** Milliseconds of a pause at most, also of one that a reply asks for. */
  maxPauseMs: 3_600_000,
  /** Milliseconds of the shortest pause a reply may ask for. */
  minPauseMs: 10_000,
  /** Groups that are remembered; those with nothing under way are forgotten first. */
  groups: 10_000,
  /** Milliseconds without a complaint after which a group is as new. */
  forgetMs: 6 * 3_600_000,
} as const;

/** How a turn went. `pause`: nobody there takes more now; `reply`: what was said. */
export type TurnEnd =
  | { readonly kind: 'success' }
  | { readonly kind: 'neutral' }
  | { readonly kind: 'trouble'; readonly reply: string };

export type Turn =
  | { readonly status: 'go'; end(how: TurnEnd): void }
  | { readonly status: 'paused'; readonly leftMs: number; readonly reply: string }
  | { readonly status: 'stopped' };

/** What is to be seen of a group. Times in milliseconds; `pausedMs`: what is left of its pause. */
export interface GroupState {
  readonly group: string;
  readonly sessions: number;
  readonly limit: number;
  readonly pausedMs: number;
  /** Last words that made it slower. */
  readonly reply: string | undefined;
}

export interface Shaper {
  /** Wait for a turn. Answered at once while the group pauses, and when `stopping` comes first. */
  enter(group: string, stopping: AbortSignal): Promise<Turn>;
  /** Leave the group alone; answers for how long, milliseconds. Those who wait for a turn are told. */
  pause(group: string, reply: string): number;
  /** Groups that are slowed down or paused. */
  states(): readonly GroupState[];
}

interface Group {
  limit: number;
  active: number;
  pausedUntil: number;
  /** Pauses since the last success. */
  pauses: number;
  troubleAt: number;
  reply: string | undefined;
  /** Turns so far, and how many there had been when the limit was halved last. */
  turns: number;
  halvedAt: number;
  readonly waiting: (() => void)[];
}

/** `sessions`: at once with one group, at most. */
export function createShaper(options: { readonly clock: Clock; readonly sessions: number }): Shaper {
  return new GroupShaper(options);
}

class GroupShaper implements Shaper {
  readonly #clock: Clock;
  readonly #sessions: number;
  readonly #groups = new Map<string, Group>();

  constructor(options: { readonly clock: Clock; readonly sessions: number }) {
    this.#clock = options.clock;
    this.#sessions = options.sessions;
  }

  async enter(name: string, stopping: AbortSignal): Promise<Turn> {
    const group = this.#group(name);
    for (;;) {
      if (stopping.aborted) return { status: 'stopped' };
      const leftMs = group.pausedUntil - this.#clock.monotonic();
      if (leftMs > 0) return { status: 'paused', leftMs, reply: group.reply ?? '' };
      if (group.active < Math.floor(group.limit)) return this.#turn(name, group);
      await place(group, stopping);
    }
  }

  pause(name: string, reply: string): number {
    const group = this.#group(name);
    const now = this.#clock.monotonic();
    // What several sessions hear at the same time is one complaint.
    if (group.pausedUntil > now) return group.pausedUntil - now;
    const asked = askedPauseMs(reply);
    const usual = SHAPING.firstPauseMs * 2 ** Math.min(group.pauses, 10);
    const ms = Math.min(Math.max(asked ?? usual, SHAPING.minPauseMs), SHAPING.maxPauseMs);
    group.pauses++;
    group.pausedUntil = now + ms;
    group.troubleAt = now;
    group.reply = reply;
    this.#wake(group);
    return ms;
  }

  states(): readonly GroupState[] {
    const now = this.#clock.monotonic();
    return [...this.#groups]
      .filter(([, group]) => !isNew(group, this.#sessions, now))
      .map(([group, { active, limit, pausedUntil, reply }]) => ({
        group,
        sessions: active,
        limit: Math.floor(limit),
        pausedMs: Math.max(0, pausedUntil - now),
        reply,
      }));
  }

  #group(name: string): Group {
    const now = this.#clock.monotonic();
    const known = this.#groups.get(name);
    const group = known === undefined || isStale(known, now) ? newGroup(this.#sessions) : known;
    if (known === undefined && this.#groups.size >= SHAPING.groups) forgetSome(this.#groups, now);
    this.#groups.delete(name);
    this.#groups.set(name, group); // last in order: used last
    return group;
  }

  #turn(name: string, group: Group): Turn {
    group.active++;
    const serial = ++group.turns;
    let over = false;
    return {
      status: 'go',
      end: (how) => {
        if (over) return;
        over = true;
        this.#judge(group, serial, how);
        group.active--;
        this.#wake(group);
        const idle = group.active === 0 && group.waiting.length === 0;
        if (idle && isNew(group, this.#sessions, this.#clock.monotonic())) this.#groups.delete(name);
      },
    };
  }

  #judge(group: Group, serial: number, how: TurnEnd): void {
    if (how.kind === 'success') {
      group.limit = Math.min(this.#sessions, group.limit + 1 / Math.max(1, Math.floor(group.limit)));
      group.pauses = 0;
    }
    if (how.kind !== 'trouble') return;
    group.troubleAt = this.#clock.monotonic();
    group.reply = how.reply;
    // Turns that had begun before say no more than what was heeded already.
    if (serial <= group.halvedAt) return;
    group.limit = Math.max(1, Math.floor(Math.min(group.limit, group.active) / 2));
    group.halvedAt = group.turns;
  }

  #wake(group: Group): void {
    const paused = group.pausedUntil > this.#clock.monotonic();
    const room = paused ? group.waiting.length : Math.max(0, Math.floor(group.limit) - group.active);
    for (const wake of group.waiting.splice(0, room)) wake();
  }
}

function newGroup(limit: number): Group {
  return {
    limit,
    active: 0,
    pausedUntil: 0,
    pauses: 0,
    troubleAt: 0,
    reply: undefined,
    turns: 0,
    halvedAt: 0,
    waiting: [],
  };
}

/** What one operator runs: "google.com" for aspmx.l.google.com. Addresses stand for themselves. */
export function hostGroup(host: string): string {
  const name = host.toLowerCase();
  return getDomain(name, { allowPrivateDomains: false }) ?? name;
}

function isStale(group: Group, now: number): boolean {
  const idle = group.active === 0 && group.waiting.length === 0 && group.pausedUntil <= now;
  return idle && group.troubleAt > 0 && now - group.troubleAt > SHAPING.forgetMs;
}

/** Nothing would be lost by forgetting it. */
function isNew(group: Group, sessions: number, now: number): boolean {
  return group.limit >= sessions && group.pausedUntil <= now && group.pauses === 0;
}

function forgetSome(groups: Map<string, Group>, now: number): void {
  let left = groups.size - SHAPING.groups * 0.9;
  for (const [name, group] of groups) {
    if (left <= 0) return;
    if (group.active > 0 || group.waiting.length > 0 || group.pausedUntil > now) continue;
    groups.delete(name);
    left--;
  }
}

/** Until there may be a place, or `stopping`. */
function place(group: Group, stopping: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const wake = (): void => {
      stopping.removeEventListener('abort', stop);
      resolve();
    };
    const stop = (): void => {
      const at = group.waiting.indexOf(wake);
      if (at >= 0) group.waiting.splice(at, 1);
      resolve();
    };
    group.waiting.push(wake);
    stopping.addEventListener('abort', stop, { once: true });
  });
}
