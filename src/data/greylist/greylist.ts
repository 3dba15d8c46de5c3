import { point, type WriteFunction } from '../catalogue.ts';
import type { ReadTx, WriteTx } from '../db/sql.ts';
import { entryOf, forgetBefore, forgetOld, type GreylistRow, lastSeenAt, putEntry } from './greylist.sql.ts';

/** Whom greylisting has made wait, and whom it lets through (flow/inbound/gate/greylist.ts says when). */

export const GREYLIST_KEPT = {
  /** Milliseconds a pair that waits is remembered after its last try: senders come back within hours. */
  waitingMs: 2 * 86_400_000,
  /** Milliseconds a pair that was let through is remembered after its last mail: a monthly newsletter and some. */
  passedMs: 36 * 86_400_000,
  /** Pairs kept at most, the newest; a flood of made-up domains must not fill the disk. */
  pairs: 500_000,
} as const;

/** What is remembered under. `network`: a network, or a word for a wider key; `domain`: the sender's, or a hash. */
export interface GreylistKey {
  readonly network: string;
  readonly domain: string;
}

/** Times in milliseconds since the epoch. */
export interface GreylistEntry extends GreylistKey {
  readonly firstAt: number;
  readonly lastAt: number;
  /** Tries that were told to wait, those in quick succession counted once. */
  readonly tries: number;
  /** When it was first let through; undefined while it waits. */
  readonly passedAt: number | undefined;
}

/** The entry of a key that is not too old to count; it may not have been forgotten yet. */
async function liveEntry(tx: ReadTx, key: GreylistKey, now: number): Promise<GreylistEntry | undefined> {
  const row: GreylistRow | undefined = await tx.get(entryOf, key.network, key.domain);
  if (row === undefined) return undefined;
  const keptMs = row.passed_at === null ? GREYLIST_KEPT.waitingMs : GREYLIST_KEPT.passedMs;
  if (row.last_at < now - keptMs) return undefined;
  return {
    network: row.network,
    domain: row.domain,
    firstAt: row.first_at,
    lastAt: row.last_at,
    tries: row.tries,
    passedAt: row.passed_at ?? undefined,
  };
}

/** A try that has to wait: begin its pairs, or count it. `apartMs`: tries closer to the last one are the same try. */
async function note(
  tx: WriteTx,
  args: { readonly keys: readonly GreylistKey[]; readonly apartMs: number },
): Promise<null> {
  for (const key of args.keys) {
    const known = await liveEntry(tx, key, tx.now);
    if (known === undefined) await tx.run(putEntry, key.network, key.domain, tx.now, tx.now, 1, null);
    else if (known.passedAt === undefined && tx.now - known.lastAt >= args.apartMs) {
      await tx.run(putEntry, key.network, key.domain, known.firstAt, tx.now, known.tries + 1, null);
    }
  }
  return null;
}

/** These pairs are let through from now on; those that are already are remembered for longer. */
async function pass(tx: WriteTx, args: { readonly keys: readonly GreylistKey[] }): Promise<null> {
  for (const key of args.keys) {
    const known = await liveEntry(tx, key, tx.now);
    const { firstAt = tx.now, tries = 0, passedAt = tx.now } = known ?? {};
    await tx.run(putEntry, key.network, key.domain, firstAt, tx.now, tries, passedAt);
  }
  return null;
}

/** Forget what is too old, and the oldest of what is too much. Number of pairs forgotten. */
async function forget(tx: WriteTx, args: { readonly keep?: number }): Promise<number> {
  const { waitingMs, passedMs, pairs } = GREYLIST_KEPT;
  let gone = await tx.run(forgetOld, tx.now - waitingMs, tx.now - passedMs);
  const last = await tx.get(lastSeenAt, Math.max(0, (args.keep ?? pairs) - 1));
  if (last !== undefined) gone += await tx.run(forgetBefore, last.last_at);
  return gone;
}

export const writes = {
  'greylist.note': note as WriteFunction<
    { readonly keys: readonly GreylistKey[]; readonly apartMs: number },
    null
  >,
  'greylist.pass': pass as WriteFunction<{ readonly keys: readonly GreylistKey[] }, null>,
  'greylist.forget': forget as WriteFunction<{ readonly keep?: number }, number>,
} as const;

export const reads = {
  /** What is known of some keys at a time; those that nothing is known of are left out. */
  'greylist.entries': point(
    async (
      tx: ReadTx,
      args: { readonly keys: readonly GreylistKey[]; readonly now: number },
    ): Promise<GreylistEntry[]> => {
      const found: GreylistEntry[] = [];
      for (const key of args.keys) {
        const entry = await liveEntry(tx, key, args.now);
        if (entry !== undefined) found.push(entry);
      }
      return found;
    },
  ),
} as const;
