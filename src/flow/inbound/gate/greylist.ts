import { createHash } from 'node:crypto';
import type { GreylistEntry, GreylistKey } from '../../../data/greylist/greylist.ts';
import type { Store } from '../../../data/store.ts';
import type { SpfStatus } from '../../../mail/spf/check.ts';

/** Milliseconds between tries that count as two. */
const APART_MS = 20_000;
/** Tries, told to wait, after which a domain that changes networks and addresses with each one is let through. */
const TRIES_MAX = 8;
/** Milliseconds after which a pair that passed is written down again. */
const RENEW_MS = 86_400_000;

export interface GreylistInput {
  /** The client's network (`senderNetwork`). */
  readonly network: string;
  /** Registrable domain of the reverse-path, or of the HELO name for the null one. */
  readonly senderDomain: string;
  /** What stays the same from one try of a message to the next: reverse-path and first recipient. */
  readonly envelope: string;
  readonly spf: SpfStatus | undefined;
  /** DKIM or SPF aligned, and the domain has a good name here. */
  readonly authenticatedGood: boolean;
  /** A correspondent, or a reply to mail of ours. */
  readonly known: boolean;
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** Milliseconds a stranger waits. */
  readonly delayMs: number;
}

/** Let it through, or have it come back after so many whole seconds. */
export type GreylistDecision = 'pass' | { readonly defer: number };

/** What one message is remembered under. Passing is remembered for the keys of `passes`. */
interface Keys {
  readonly all: readonly GreylistKey[];
  readonly passes: readonly GreylistKey[];
}

/**
 * Big senders come back from another address each time, so the pair of network and domain alone would keep them waiting
 * for ever. The same mail also counts
 *   - by domain alone when SPF says that the pool is the domain's own;
 *   - by its envelope, whoever brings it: the pool of a domain without SPF retries that, who forges many does not;
 *   - by the number of tries for its domain, unless SPF says it is forged: whatever else changes, an end is in sight.
 */
function keysOf({ network, senderDomain: domain, envelope, spf }: GreylistInput): Keys {
  const pair: GreylistKey = { network, domain };
  const pool: GreylistKey = { network: 'spf', domain };
  const hash = createHash('sha256').update(envelope).digest('base64url').slice(0, 22);
  const same: GreylistKey = { network: 'envelope', domain: hash };
  if (spf === 'pass') return { all: [pair, pool, same], passes: [pair, pool] };
  if (spf === 'fail' || spf === 'softfail') return { all: [pair, same], passes: [pair] };
  return { all: [pair, same, { network: 'any', domain }], passes: [pair] };
}

/** Whether what is known of a key lets a message through. */
function lets(entry: GreylistEntry, { now, delayMs }: GreylistInput): boolean {
  if (entry.passedAt !== undefined) return true;
  // Of a whole domain from anywhere only the tries count: its first one is often another message's.
  return entry.network === 'any' ? entry.tries >= TRIES_MAX : now - entry.firstAt >= delayMs;
}

/** Decide about one message (or, at RCPT, one transaction), and remember it. Never for LMTP and submission. */
export async function greylist(
  store: Pick<Store, 'read' | 'write'>,
  input: GreylistInput,
): Promise<GreylistDecision> {
  if (input.known || input.authenticatedGood) return 'pass';
  const { all, passes } = keysOf(input);
  const entries = await store.read.run('greylist.entries', { keys: all, now: input.now });
  const letting = entries.filter((entry) => lets(entry, input));
  if (letting.length > 0) {
    const fresh = letting.some(
      ({ passedAt, lastAt }) => passedAt !== undefined && input.now - lastAt < RENEW_MS,
    );
    if (!fresh) await store.write.run('greylist.pass', { keys: passes });
    return 'pass';
  }
  await store.write.run('greylist.note', { keys: all, apartMs: APART_MS });
  const begun = entries.filter(({ network }) => network !== 'any').map(({ firstAt }) => firstAt);
  const first = Math.min(input.now, ...begun);
  return { defer: Math.max(1, Math.ceil((first + input.delayMs - input.now) / 1000)) };
}
