import type { Clock } from '../../base/clock.ts';
import type { Repository } from './repository.ts';

/** Chunks that are written at the same time. */
const AT_ONCE = 4;

export interface Saver {
  /** Resolves when there is room for the next; the octets are not to be changed. */
  add(octets: Buffer): Promise<void>;
  /** The names of all, in their order. */
  finish(): Promise<string[]>;
}

/** Stores chunks a few at a time. The first failure is thrown by the next call. */
export function saver({
  repository,
  pace: wait,
}: {
  readonly repository: Pick<Repository, 'save'>;
  readonly pace: Pace;
}): Saver {
  const names: string[] = [];
  const running = new Set<Promise<void>>();
  let failure: { readonly error: unknown } | undefined;
  const check = (): void => {
    if (failure !== undefined) throw failure.error;
  };
  return {
    async add(octets) {
      const place = names.push('') - 1;
      const one: Promise<void> = repository
        .save(octets)
        .then((name) => void (names[place] = name))
        .catch((error: unknown) => void (failure ??= { error }))
        .finally(() => running.delete(one));
      running.add(one);
      await wait(octets.length);
      if (running.size >= AT_ONCE) await Promise.race(running);
      check();
    },
    async finish() {
      await Promise.all(running);
      check();
      return names;
    },
  };
}

/** Waits as long as so many octets should have taken; resolves at once while there is no limit. */
export type Pace = (bytes: number) => Promise<void>;

export function pace(clock: Clock, bytesPerSecond: number): Pace {
  const begun = clock.monotonic();
  let bytes = 0;
  return async (more) => {
    bytes += more;
    if (bytesPerSecond <= 0) return;
    const early = (bytes / bytesPerSecond) * 1000 - (clock.monotonic() - begun);
    if (early > 0) await clock.sleep(early);
  };
}
