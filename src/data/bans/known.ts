import { SWEEP_STEP } from './active.ts';
import { wideOf } from './networks.ts';
import { KNOWN_MS, type KnownPlace } from './types.ts';

/** Milliseconds until a login from a place that is known already is written down again. */
const REWRITE_MS = 3_600_000;
/** Places remembered of one account; the one unused for longest goes first. */
const PLACES_MAX = 256;

/**
 * Where accounts logged in from within the last 30 days. All in memory, because it is asked at every connection of a
 * banned neighbourhood; written down at most once an hour for each place.
 */
export class KnownPlaces {
  /** Account to place to when it was last used; each in the order of use. */
  readonly #accounts = new Map<number, Map<string, number>>();
  /** Place to when anybody last used it. */
  readonly #places = new Map<string, number>();

  load(places: readonly KnownPlace[]): void {
    for (const { accountId, network, lastAt } of places) this.#put(accountId, network, lastAt);
  }

  /** Note a login; true when it is to be written down. */
  note(accountId: number, own: string, now: number): boolean {
    const before = this.#accounts.get(accountId)?.get(own);
    if (before !== undefined && now - before < REWRITE_MS && now >= before) return false;
    this.#put(accountId, own, now);
    return true;
  }

  /** Whether anybody logged in from this very place. */
  anybody(own: string, now: number): boolean {
    return isFresh(this.#places.get(own), now);
  }

  /** Whether this account logged in from this place or its neighbourhood. */
  near(accountId: number, own: string, now: number): boolean {
    const places = this.#accounts.get(accountId);
    if (places === undefined) return false;
    if (isFresh(places.get(own), now)) return true;
    const wide = wideOf(own);
    for (const [place, at] of places) if (isFresh(at, now) && wideOf(place) === wide) return true;
    return false;
  }

  /** Forget what is no longer known, a little at each step. */
  *sweep(now: number): Generator<void> {
    let seen = 0;
    for (const [place, at] of this.#places) {
      if (!isFresh(at, now)) this.#places.delete(place);
      if (++seen % SWEEP_STEP === 0) yield;
    }
    for (const [accountId, places] of this.#accounts) {
      for (const [place, at] of places) if (!isFresh(at, now)) places.delete(place);
      if (places.size === 0) this.#accounts.delete(accountId);
      seen += places.size + 1;
      if (seen < SWEEP_STEP) continue;
      seen = 0;
      yield;
    }
  }

  #put(accountId: number, own: string, at: number): void {
    let places = this.#accounts.get(accountId);
    if (places === undefined) this.#accounts.set(accountId, (places = new Map()));
    places.delete(own);
    places.set(own, at);
    if (places.size > PLACES_MAX) {
      const oldest = places.keys().next();
      if (oldest.done !== true) places.delete(oldest.value);
    }
    this.#places.set(own, Math.max(at, this.#places.get(own) ?? 0));
  }
}

/** The hour by which what is written down may be older than what happened is not held against anybody. */
function isFresh(at: number | undefined, now: number): boolean {
  return at !== undefined && at > now - KNOWN_MS - REWRITE_MS;
}
