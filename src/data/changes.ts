import type { Changes } from './store.ts';

/** Tells sessions of this process what commits touched. Listeners are woken, never called with data: they pull. */
export class ChangeHub implements Changes {
  readonly #accounts = new Map<number, Set<() => void>>();
  readonly #any = new Set<(accountId: number) => void>();
  readonly #queue = new Set<() => void>();
  readonly #revocations = new Map<number, AbortController>();

  onAccount(accountId: number, fn: () => void): () => void {
    let listeners = this.#accounts.get(accountId);
    if (listeners === undefined) this.#accounts.set(accountId, (listeners = new Set()));
    const mine = listeners;
    mine.add(fn);
    return () => {
      mine.delete(fn);
      if (mine.size === 0 && this.#accounts.get(accountId) === mine) this.#accounts.delete(accountId);
    };
  }

  onAnyAccount(fn: (accountId: number) => void): () => void {
    this.#any.add(fn);
    return () => this.#any.delete(fn);
  }

  onQueue(fn: () => void): () => void {
    this.#queue.add(fn);
    return () => this.#queue.delete(fn);
  }

  revocation(accountId: number): AbortSignal {
    let controller = this.#revocations.get(accountId);
    if (controller === undefined) this.#revocations.set(accountId, (controller = new AbortController()));
    return controller.signal;
  }

  /** A group was committed. */
  publish(after: { accounts: readonly number[]; revoked: readonly number[]; queue: boolean }): void {
    for (const account of after.accounts) {
      for (const fn of this.#accounts.get(account) ?? []) fn();
      for (const fn of this.#any) fn(account);
    }
    for (const account of after.revoked) {
      this.#revocations.get(account)?.abort();
      this.#revocations.delete(account);
    }
    if (after.queue) for (const fn of this.#queue) fn();
  }
}
