import type { Clock } from '../../base/clock.ts';
import { Refusal } from '../../base/errors.ts';
import { indexLines } from './index-lines.ts';
import type { Repository, Snapshot } from './repository.ts';

export interface KeepRules {
  readonly daily: number;
  readonly weekly: number;
  readonly monthly: number;
}

const DAY = 86_400_000;

/** The Monday of a day's week, as a day since the epoch, which was a Thursday. */
function week(at: number): string {
  const day = Math.floor(at / DAY);
  return String(day - ((day + 3) % 7));
}

const PERIODS: readonly (readonly [keyof KeepRules, (at: number) => string])[] = [
  ['daily', (at) => new Date(at).toISOString().slice(0, 10)],
  ['weekly', week],
  ['monthly', (at) => new Date(at).toISOString().slice(0, 7)],
];

/**
 * Which snapshots stay: the last one of each of the newest days, weeks (from Monday) and months (UTC) that have any. The
 * newest of all always stays.
 */
export function kept(snapshots: readonly Snapshot[], rules: KeepRules): Set<string> {
  const newestFirst = snapshots.toSorted((a, b) => b.at - a.at);
  const keep = new Set(newestFirst.slice(0, 1).map(({ id }) => id));
  for (const [rule, period] of PERIODS) {
    const seen = new Set<string>();
    for (const { id, at } of newestFirst) {
      const name = period(at);
      if (seen.has(name) || seen.size >= rules[rule]) continue;
      seen.add(name);
      keep.add(id);
    }
  }
  return keep;
}

export interface Pruned {
  readonly removed: readonly string[];
  readonly kept: readonly string[];
  /** Chunks that no snapshot needs any more, and their octets. */
  readonly chunks: number;
  readonly bytes: number;
}

/**
 * Remove old snapshots, and the chunks that none of the others needs; also what a killed backup has left. Refusal
 * 'bad-input' while a snapshot cannot be read: what it needs is not known. Holds the lock.
 */
export async function pruneBackups(
  repository: Repository,
  rules: KeepRules,
  clock: Clock,
  options: { readonly dryRun?: boolean } = {},
): Promise<Pruned> {
  const lock = await repository.lock('prune', clock);
  try {
    const { snapshots, damaged } = await repository.snapshots();
    if (damaged.length > 0)
      throw new Refusal(
        'bad-input',
        `Nothing is pruned: ${damaged.join(', ')} cannot be read. Remove it by hand if it is of no use.`,
      );
    const keep = kept(snapshots, rules);
    const [stay, go] = [
      snapshots.filter(({ id }) => keep.has(id)),
      snapshots.filter(({ id }) => !keep.has(id)),
    ];
    const needed = await chunksOf(repository, stay);
    const dry = options.dryRun === true;
    // Snapshots first: when this is cut short, what is left over is chunks, and the next run removes them.
    await lock.assertOurs();
    if (!dry) for (const { id } of go) await repository.removeSnapshot(id);
    const unneeded = { chunks: 0, bytes: 0 };
    for await (const { name, size } of repository.place.list('chunks/')) {
      const chunk = name.slice(name.lastIndexOf('/') + 1);
      if (needed.has(chunk)) continue;
      unneeded.chunks++;
      unneeded.bytes += size;
      if (!dry) await repository.removeChunk(chunk);
    }
    return { removed: go.map(({ id }) => id), kept: stay.map(({ id }) => id), ...unneeded };
  } finally {
    await lock.release();
  }
}

async function chunksOf(repository: Repository, snapshots: readonly Snapshot[]): Promise<Set<string>> {
  const needed = new Set<string>();
  for (const snapshot of snapshots) {
    for (const chunk of snapshot.index) needed.add(chunk);
    for await (const { chunks } of indexLines(repository, snapshot))
      for (const chunk of chunks) needed.add(chunk);
  }
  return needed;
}
