import { createHash } from 'node:crypto';
import { isIPv4 } from 'node:net';
import { clientNetwork } from '../../net/ip.ts';
import type { JournalEvent, JournalKind } from './types.ts';

/** Milliseconds within which repeats are one row, and after which the reasons of a network are told apart anew. */
export const FOLD_WINDOW_MS = 600_000;
/** Different reasons of one kind from one network that get rows of their own; further ones share a row. */
const REASONS = 8;
/** Pairs of kind and network whose reasons are remembered; beyond it all reasons of new ones share a row. */
const NETWORKS = 10_000;

/** Kinds that somebody can cause without limit and without sending a message. */
const FOLDED: ReadonlySet<JournalKind> = new Set([
  'connection.refused',
  'session.refused',
  'login.succeeded',
  'login.failed',
  'mail.refused',
  'recipient.refused',
]);

/**
 * Which events are repeats of each other: the same kind from the same network for the same reason. Whoever makes up
 * ever new reasons gets a bounded number of rows all the same. Returns the fold key, or undefined for an event that
 * stands alone.
 */
export function createFolder(): (event: JournalEvent) => string | undefined {
  let window = -1;
  const reasons = new Map<string, Set<string>>();

  return (event) => {
    const network = FOLDED.has(event.kind) ? networkOf(event) : undefined;
    if (network === undefined) return undefined;
    const now = Math.floor(event.at / FOLD_WINDOW_MS);
    if (now !== window) {
      window = now;
      reasons.clear();
    }
    const place = `${event.kind} ${network}`;
    let known = reasons.get(place);
    if (known === undefined) {
      known = new Set();
      if (reasons.size < NETWORKS) reasons.set(place, known);
      else return `${place} *`;
    }
    const reason = reasonOf(event);
    if (!known.has(reason) && known.size >= REASONS) return `${place} *`;
    known.add(reason);
    return `${place} ${reason}`;
  };
}

/** The /24 or /64 an event came from, by its network term; undefined when it has none. */
function networkOf(event: JournalEvent): string | undefined {
  const address = event.terms.find((term) => term.startsWith('i:'))?.slice(2);
  if (address === undefined) return undefined;
  return isIPv4(address) ? `${address.slice(0, address.lastIndexOf('.'))}.0/24` : clientNetwork(address);
}

/** Logins are told apart by who logged in, failed ones also by why; refusals by their reason. */
function reasonOf(event: JournalEvent): string {
  const { login, reason } = event.data;
  const fact =
    event.kind === 'login.succeeded' || event.kind === 'login.failed' ? `${reason} ${login}` : reason;
  if (typeof fact !== 'string') return '-';
  return createHash('sha256').update(fact).digest('base64url').slice(0, 16);
}
