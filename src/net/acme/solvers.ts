import { createHash } from 'node:crypto';
import type { Clock } from '../../base/clock.ts';
import type { Solver } from './order.ts';

/** Path under which authorities look for proofs (RFC 8555 section 8.3); a token follows. */
export const CHALLENGE_PATH = '/.well-known/acme-challenge/';

/** Proofs that are shown by HTTP at present. */
export interface HttpProofs {
  /** What is shown at `CHALLENGE_PATH` with this token behind it. */
  proof(token: string): string | undefined;
}

export interface HttpSolver extends Solver, HttpProofs {}

export function createHttpSolver(): HttpSolver {
  const proofs = new Map<string, string>();
  return {
    type: 'http-01',
    async present({ token, keyAuthorization }) {
      proofs.set(token, keyAuthorization);
    },
    async remove({ token }) {
      proofs.delete(token);
    },
    proof: (token) => proofs.get(token),
  };
}

/** Where TXT records of challenges are written: what a DNS provider has to be able to do for DNS-01. */
export interface DnsChallenge {
  /**
   * Add a TXT value to a name ("_acme-challenge.example.org", no final dot) beside those that are there; resolves when the
   * provider has taken it.
   */
  put(name: string, value: string): Promise<void>;
  /** Remove that value alone; none is there: nothing to do. */
  remove(name: string, value: string): Promise<void>;
}

export interface DnsSolverOptions {
  readonly dns: DnsChallenge;
  readonly clock: Clock;
  /** Milliseconds for all servers of the zone to have it. */
  readonly waitMs: number;
  readonly signal?: AbortSignal | undefined;
}

function place(name: string): string {
  return `_acme-challenge.${name}`;
}

function value(keyAuthorization: string): string {
  return createHash('sha256').update(keyAuthorization).digest('base64url');
}

/** RFC 8555 section 8.4. */
export function createDnsSolver({ dns, clock, waitMs, signal }: DnsSolverOptions): Solver {
  return {
    type: 'dns-01',
    present: ({ name, keyAuthorization }) => dns.put(place(name), value(keyAuthorization)),
    settle: () => clock.sleep(waitMs, signal),
    remove: ({ name, keyAuthorization }) => dns.remove(place(name), value(keyAuthorization)),
  };
}
