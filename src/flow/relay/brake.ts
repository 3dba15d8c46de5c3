import type { Clock } from '../../base/clock.ts';
import { clientNetwork } from '../../net/ip.ts';

/** Milliseconds in which failures are counted, and for which logins then are refused. */
const WINDOW_MS = 10 * 60_000;
/** Different wrong logins of one client network in that time. A program with one wrong password counts once. */
const FAILURES = 10;
/** Networks remembered; the oldest are forgotten. */
const NETWORKS = 10_000;

interface Tally {
  /** Digests of what was tried. */
  readonly tried: Set<string>;
  until: number;
}

/** Slows down who guesses passwords. */
export interface Brake {
  /** Milliseconds until this client may try again; undefined: now. */
  waitMs(address: string): number | undefined;
  /** `what`: the same text for the same guess, or a different one each time. */
  failed(address: string, what: string): void;
}

export function createBrake(clock: Clock): Brake {
  const tallies = new Map<string, Tally>();
  const current = (network: string): Tally | undefined => {
    const tally = tallies.get(network);
    if (tally === undefined || tally.until > clock.monotonic()) return tally;
    tallies.delete(network);
    return undefined;
  };
  return {
    waitMs(address) {
      const tally = current(clientNetwork(address));
      return tally === undefined || tally.tried.size < FAILURES ? undefined : tally.until - clock.monotonic();
    },
    failed(address, what) {
      const network = clientNetwork(address);
      const tally = current(network) ?? { tried: new Set(), until: clock.monotonic() + WINDOW_MS };
      tally.tried.add(what);
      // The time runs from the guess that was one too many.
      if (tally.tried.size === FAILURES) tally.until = clock.monotonic() + WINDOW_MS;
      tallies.delete(network);
      tallies.set(network, tally);
      if (tallies.size > NETWORKS) {
        const [oldest] = tallies.keys();
        if (oldest !== undefined) tallies.delete(oldest);
      }
    },
  };
}
