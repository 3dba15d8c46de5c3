import type { Clock } from '../../base/clock.ts';
import { errorText, Refusal } from '../../base/errors.ts';
import { indexLines } from './index-lines.ts';
import type { Repository, Snapshot } from './repository.ts';

/** Chunks read at the same time. */
const AT_ONCE = 4;

export interface Verified {
  readonly snapshots: number;
  readonly chunks: number;
  /** Octets of contents that were read. */
  readonly bytes: number;
  /** Chunks that are there and are not what they should be. */
  readonly damaged: readonly string[];
  /** What is wrong, a sentence each; empty: everything can be restored. */
  readonly problems: readonly string[];
}

/** Read all chunks of snapshots back and compare each with its name. Damage is told of, not thrown. */
export async function verifySnapshots(
  repository: Repository,
  snapshots: readonly Snapshot[],
  progress?: (done: { readonly chunks: number }) => void,
): Promise<Verified> {
  const seen = new Set<string>();
  const problems: string[] = [];
  const damaged: string[] = [];
  const running = new Set<Promise<void>>();
  let bytes = 0;

  async function check(chunk: string, of: string): Promise<void> {
    try {
      bytes += (await repository.load(chunk)).length;
    } catch (error) {
      if (isOutage(error)) throw error;
      problems.push(`${of}: ${errorText(error)}`);
      if (!(error instanceof Refusal) || error.kind !== 'not-found') damaged.push(chunk);
    }
  }

  async function begin(chunk: string, of: string): Promise<void> {
    if (seen.has(chunk)) return;
    seen.add(chunk);
    const one: Promise<void> = check(chunk, of).finally(() => running.delete(one));
    // Thrown where it is waited for.
    one.catch(() => undefined);
    running.add(one);
    if (running.size >= AT_ONCE) await Promise.race(running);
    progress?.({ chunks: seen.size });
  }

  for (const snapshot of snapshots) {
    try {
      for (const chunk of snapshot.index) await begin(chunk, `${snapshot.id}, list of files`);
      for await (const line of indexLines(repository, snapshot)) {
        for (const chunk of line.chunks) await begin(chunk, `${snapshot.id}, ${line.path}`);
      }
    } catch (error) {
      if (isOutage(error)) throw error;
      problems.push(`${snapshot.id}: ${errorText(error)}`);
    }
  }
  await Promise.all(running);
  return { snapshots: snapshots.length, chunks: seen.size, bytes, damaged, problems: [...new Set(problems)] };
}

/**
 * Remove chunks that are damaged, so that the next backup writes those anew whose contents are still at hand; the older
 * backups that need them are whole again then. Holds the lock.
 */
export async function removeDamaged(
  repository: Repository,
  { damaged }: Pick<Verified, 'damaged'>,
  clock: Clock,
): Promise<void> {
  const lock = await repository.lock('repair', clock);
  try {
    for (const chunk of damaged) await repository.removeChunk(chunk);
  } finally {
    await lock.release();
  }
}

/** The place does not answer: nothing is known of what lies there. */
function isOutage(error: unknown): boolean {
  return error instanceof Refusal && error.kind === 'unavailable';
}
