import type { Clock } from '../../base/clock.ts';

interface Waiter {
  readonly until: number;
  done(): void;
}

/** Searches that wait until their account's index has what is new. */
export class Waiters {
  readonly #clock: Clock;
  readonly #byAccount = new Map<number, Waiter[]>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Accounts somebody waits for. */
  get size(): number {
    return this.#byAccount.size;
  }

  /** The account that somebody has waited for the longest. */
  get first(): number | undefined {
    const [account] = this.#byAccount.keys();
    return account;
  }

  /** Resolves when the account is released, soon after `ms` milliseconds if the work then in hand allows, after twice that always. */
  wait(accountId: number, ms: number): Promise<void> {
    return new Promise<void>((resolve) => {
      const timer = this.#clock.setTimer(2 * ms, resolve);
      const done = (): void => {
        timer.cancel();
        resolve();
      };
      const list = this.#byAccount.get(accountId) ?? [];
      list.push({ until: this.#clock.monotonic() + ms, done });
      this.#byAccount.set(accountId, list);
    });
  }

  /** Whether someone waits for another account, or has waited long enough for this one. */
  now(accountId: number): 'no' | 'this' | 'other' {
    if (this.#byAccount.size === 0) return 'no';
    const list = this.#byAccount.get(accountId) ?? [];
    if (list.length === 0) return 'other';
    const now = this.#clock.monotonic();
    return list.every(({ until }) => until > now) ? 'no' : 'this';
  }

  /** Tell those who wait for an account. */
  release(accountId: number): void {
    const list = this.#byAccount.get(accountId) ?? [];
    this.#byAccount.delete(accountId);
    for (const { done } of list) done();
  }

  releaseAll(): void {
    for (const accountId of this.#byAccount.keys()) this.release(accountId);
  }
}
