import type { LoginKey, Revoked } from './db/sql.ts';
import type { Changes } from './store.ts';

/** Tells sessions of this process what commits touched. Listeners are woken, never called with data: they pull. */
export class ChangeHub implements Changes {
  readonly #accounts = new Map<number, Set<() => void>>();
  readonly #any = new Set<(accountId: number) => void>();
  readonly #queue = new Set<() => void>();
  readonly #revocations = new Map<number, AbortController>();
  readonly #logins = new Map<
    LoginKey,
    { readonly accountId: number; readonly controller: AbortController }
  >();
  readonly #loginsOf = new Map<number, Set<LoginKey>>();

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

  revocation(accountId: number, login?: LoginKey): AbortSignal {
    if (login !== undefined) return this.#login(accountId, login);
    let controller = this.#revocations.get(accountId);
    if (controller === undefined) this.#revocations.set(accountId, (controller = new AbortController()));
    return controller.signal;
  }

  #login(accountId: number, login: LoginKey): AbortSignal {
    const known = this.#logins.get(login);
    if (known !== undefined) return known.controller.signal;
    const controller = new AbortController();
    this.#logins.set(login, { accountId, controller });
    const all = this.#loginsOf.get(accountId) ?? new Set();
    this.#loginsOf.set(accountId, all.add(login));
    return controller.signal;
  }

  #endLogin(login: LoginKey): void {
    const known = this.#logins.get(login);
    if (known === undefined) return;
    this.#logins.delete(login);
    const all = this.#loginsOf.get(known.accountId);
    all?.delete(login);
    if (all?.size === 0) this.#loginsOf.delete(known.accountId);
    known.controller.abort();
  }

  #endAccount(accountId: number): void {
    const controller = this.#revocations.get(accountId);
    this.#revocations.delete(accountId);
    controller?.abort();
    for (const login of this.#loginsOf.get(accountId) ?? []) this.#endLogin(login);
  }

  /** A group was committed. */
  publish(after: { accounts: readonly number[]; revoked: readonly Revoked[]; queue: boolean }): void {
    for (const account of after.accounts) {
      for (const fn of this.#accounts.get(account) ?? []) fn();
      for (const fn of this.#any) fn(account);
    }
    for (const whose of after.revoked) {
      if (typeof whose === 'number') this.#endAccount(whose);
      else this.#endLogin(whose);
    }
    if (after.queue) for (const fn of this.#queue) fn();
  }
}
