import { createHmac, randomBytes } from 'node:crypto';
import type { Clock } from '../../base/clock.ts';
import type { StoredCredential } from './types.ts';

/** Logins remembered at a time; beyond it the oldest are forgotten. */
const MAX_LOGINS = 20_000;

/**
 * Logins verified a short while ago, so that a client that connects every minute does not cost a slow hash each time.
 * Only in memory, and only as HMAC-SHA-256 under a key made at start. The stored hash is part of what is remembered,
 * so a changed password never matches.
 */
export interface LoginMemory {
  knows(credential: StoredCredential, password: string): boolean;
  /** Until `revoked` is aborted, or the time is over. */
  remember(credential: StoredCredential, password: string, revoked: AbortSignal): void;
}

export function createLoginMemory(clock: Clock, keepMs: number): LoginMemory {
  const key = randomBytes(32);
  /** Digest to when it is forgotten (monotonic ms), in the order they came. */
  const logins = new Map<string, number>();
  const byAccount = new Map<number, Set<string>>();

  function digest({ accountId, hash }: StoredCredential, password: string): string {
    return createHmac('sha256', key).update(`${accountId}\0${hash}\0${password}`).digest('base64');
  }

  function forgetAccount(accountId: number): void {
    for (const known of byAccount.get(accountId) ?? []) logins.delete(known);
    byAccount.delete(accountId);
  }

  function makeRoom(): void {
    const now = clock.monotonic();
    for (const [known, until] of logins) {
      if (until > now && logins.size <= MAX_LOGINS) return;
      logins.delete(known);
    }
  }

  function ofAccount(accountId: number, revoked: AbortSignal): Set<string> {
    const known = byAccount.get(accountId);
    if (known !== undefined) return known;
    const made = new Set<string>();
    byAccount.set(accountId, made);
    revoked.addEventListener('abort', () => forgetAccount(accountId), { once: true });
    return made;
  }

  return {
    knows(credential, password) {
      const until = logins.get(digest(credential, password));
      return until !== undefined && until > clock.monotonic();
    },
    remember(credential, password, revoked) {
      if (revoked.aborted) return;
      const made = digest(credential, password);
      const account = ofAccount(credential.accountId, revoked);
      for (const known of account) if (!logins.has(known)) account.delete(known);
      account.add(made);
      logins.delete(made);
      logins.set(made, clock.monotonic() + keepMs);
      makeRoom();
    },
  };
}
