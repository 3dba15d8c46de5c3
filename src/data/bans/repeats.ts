import { createHmac, randomBytes } from 'node:crypto';

/** Milliseconds in which the same wrong password of the same client counts once. */
const ONCE_MS = 3_600_000;
/** Wrong passwords remembered; beyond it the oldest are forgotten. */
const MOST = 20_000;

/**
 * Wrong passwords that were tried a short while ago, so that a device with an old password is no guesser. Only in
 * memory, and only as HMAC-SHA-256 under a key made at start.
 */
export class RepeatedPasswords {
  readonly #key = randomBytes(32);
  /** Digest to when it counted, in that order. */
  readonly #seen = new Map<string, number>();

  /** Whether this is the same as one that counted within the hour; if not it counts now. */
  isRepeat(own: string, account: string, password: string, now: number): boolean {
    const digest = createHmac('sha256', this.#key).update(`${own}\0${account}\0${password}`).digest('base64');
    const at = this.#seen.get(digest);
    if (at !== undefined && now - at < ONCE_MS && now >= at) return true;
    this.#seen.delete(digest);
    this.#seen.set(digest, now);
    for (const [old, since] of this.#seen) {
      if (now - since < ONCE_MS && this.#seen.size <= MOST) break;
      this.#seen.delete(old);
    }
    return false;
  }
}
