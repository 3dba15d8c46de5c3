import { SWEEP_STEP } from './active.ts';
import { wideOf } from './networks.ts';
import { KNOWN_MS, type KnownPlace } from './types.ts';

/** Milliseconds until a login from a place that is known already is written down again. */
const REWRITE_MS = 3_600_000;
/** Places remembered of one account; the one unused for longest goes first. */
const PLACES_MAX = 256;

/** When something was last used, in the order of use. */
type LastUse = Map<string, number>;

/** Where one account logged in from. */
interface Account {
  readonly own: LastUse;
  readonly wide: LastUse;
}

/**
 * Where accounts logged in from within the last 30 days. All in memory, because it is asked at every connection of a
 * banned neighbourhood; written down at most once an hour for each place.
 */
export class KnownPlaces {
  readonly #accounts = new Map<number, Account>();
  /** Place to when anybody last used it. */
  readonly #places: LastUse = new Map();

  load(places: readonly KnownPlace[]): void {
    for (const { accountId, network, lastAt } of places) this.#put(accountId, network, lastAt);
  }

  /** Note a login; true when it is to be written down. */
  note(accountId: number, own: string, now: number): boolean {
    const before = this.#accounts.get(accountId)?.own.get(own);
    if (before !== undefined && now - before < REWRITE_MS && now >= before) return false;
    this.#put(accountId, own, now);
    return true;
  }

  /** Whether anybody logged in from this very place. */
  anybody(own: string, now: number): boolean {
    return isFresh(this.#places.get(own), now);
  }

  /** Whether this account logged in from this neighbourhood. */
  near(accountId: number, wide: string, now: number): boolean {
    return isFresh(this.#accounts.get(accountId)?.wide.get(wide), now);
  }

  /** Forget what is no longer known, a little at each step. */
  *sweep(now: number): Generator<void> {
    let seen = 0;
    for (const [place, at] of this.#places) {
      if (!isFresh(at, now)) this.#places.delete(place);
      if (++seen % SWEEP_STEP === 0) yield;
    }
    for (const [accountId, { own, wide }] of this.#accounts) {
      for (const uses of [own, wide]) {
        for (const [place, at] of uses) if (!isFresh(at, now)) uses.delete(place);
      }
      if (own.size === 0) this.#accounts.delete(accountId);
      seen += own.size + wide.size + 1;
      if (seen < SWEEP_STEP) continue;
      seen = 0;
      yield;
    }
  }

  #put(accountId: number, own: string, at: number): void {
    let account = this.#accounts.get(accountId);
    if (account === undefined) this.#accounts.set(accountId, (account = { own: new Map(), wide: new Map() }));
    use(account.own, own, at);
    use(account.wide, wideOf(own), at);
    this.#places.set(own, Math.max(at, this.#places.get(own) ?? 0));
  }
}

/** Put a use at the end of the order, and forget the first one when there are too many. */
function use(uses: LastUse, place: string, at: number): void {
  const latest = Math.max(at, uses.get(place) ?? 0);
  uses.delete(place);
  uses.set(place, latest);
  if (uses.size <= PLACES_MAX) return;
  const oldest = uses.keys().next();
  if (oldest.done !== true) uses.delete(oldest.value);
}

/** The hour by which what is written down may be older than what happened is not held against anybody. */
function isFresh(at: number | undefined, now: number): boolean {
  return at !== undefined && at > now - KNOWN_MS - REWRITE_MS;
}
