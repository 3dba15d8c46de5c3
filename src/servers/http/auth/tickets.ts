import { randomBytes } from 'node:crypto';
import type { Clock } from '../../../base/clock.ts';
import type { GrantScope } from '../../../data/access/types.ts';

/** What is under way between two requests. In memory: after a restart people begin anew. */

const MINUTE = 60_000;
/** Milliseconds for a second factor, for a passkey, and to agree to a client. */
const TICKET_MS = 5 * MINUTE;
const CHALLENGE_MS = 5 * MINUTE;
const CONSENT_MS = 15 * MINUTE;
/** Codes that may be tried with one ticket. */
export const TICKET_TRIES = 5;
/** Of each kind at a time; beyond it the oldest go. */
const MOST = 10_000;

/** Somebody knew the password; the second factor is missing. */
export interface Ticket {
  readonly accountId: number;
  readonly address: string;
  readonly remember: boolean;
  /** Aborted when the account is suspended or its password changes meanwhile. */
  readonly revoked: AbortSignal;
  tries: number;
}

/** What a passkey is to sign. */
export interface Challenge {
  readonly challenge: string;
  readonly purpose: 'sign-in' | 'register';
  /** Who registers, or whose ticket it is for; undefined: the passkey tells who comes. */
  readonly accountId: number | undefined;
  readonly rpId: string;
  readonly origin: string;
}

/** What a client asks an account for (RFC 6749 section 4.1.1). */
export interface Consent {
  readonly clientId: string;
  readonly redirectUri: string;
  readonly scopes: readonly GrantScope[];
  readonly state: string | undefined;
  readonly challenge: string;
  readonly issuer: string;
}

export interface Shelf<T> {
  /** Returns the id by which it is asked for. */
  put(what: T): string;
  get(id: string): T | undefined;
  /** And it is gone: each is taken once. */
  take(id: string): T | undefined;
}

export interface Tickets {
  readonly signIns: Shelf<Ticket>;
  readonly challenges: Shelf<Challenge>;
  readonly consents: Shelf<Consent>;
}

export function createTickets(clock: Clock): Tickets {
  return {
    signIns: createShelf(clock, TICKET_MS),
    challenges: createShelf(clock, CHALLENGE_MS),
    consents: createShelf(clock, CONSENT_MS),
  };
}

function createShelf<T>(clock: Clock, keepMs: number): Shelf<T> {
  /** In the order they came. */
  const kept = new Map<string, { readonly what: T; readonly until: number }>();
  const get = (id: string): T | undefined => {
    const found = kept.get(id);
    return found !== undefined && found.until > clock.monotonic() ? found.what : undefined;
  };
  return {
    put(what) {
      const now = clock.monotonic();
      for (const [id, { until }] of kept) {
        if (until > now && kept.size < MOST) break;
        kept.delete(id);
      }
      const id = randomBytes(32).toString('base64url');
      kept.set(id, { what, until: now + keepMs });
      return id;
    },
    get,
    take(id) {
      const what = get(id);
      kept.delete(id);
      return what;
    },
  };
}
