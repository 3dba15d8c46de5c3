import type { ObjectFacts } from '../../net/aws/types.ts';
import { isSetupNotification } from './notice.ts';
import { failureText } from './problems.ts';
import { type Driver, type DriverParts, InFlight, supervise, Wake } from './supervise.ts';
import { takeIn } from './take.ts';
import type { IntakeParts, OpenSource } from './types.ts';

const MINUTE = 60_000;
/** Objects that are worked on at once: they wait for their turn among all. */
const IN_FLIGHT = 20;
/** Milliseconds at most between two looks for what is due, and objects looked at together. */
const LOOK_MS = 30_000;
const DUE = 50;
/** Milliseconds until an object of a source that is no longer there is looked at again. */
const NO_SOURCE_MS = 60 * MINUTE;

export interface SweepResult {
  /** Objects below the prefix. */
  readonly objects: number;
  /** Of these, that nobody had told of. */
  readonly untold: number;
  /** The oldest that was left alone as too new: its notice may be on the way. */
  readonly left: ObjectFacts | undefined;
}

/**
 * Look through the bucket for what nobody told of for `sweep_after_minutes` (`all`: for what nobody told of at all), and
 * take that in. What is known already is tried again at its own time.
 */
export async function sweepOnce(
  parts: IntakeParts,
  source: OpenSource,
  options: { readonly all?: boolean; readonly signal?: AbortSignal } = {},
): Promise<SweepResult> {
  const { bucket, prefix, sweep_after_minutes: minutes } = source.settings;
  const inFlight = new InFlight(IN_FLIGHT);
  let after: string | undefined;
  let [objects, untold] = [0, 0];
  let left: ObjectFacts | undefined;
  try {
    for (;;) {
      const page = await source.objects.list(bucket, prefix, after);
      objects += page.objects.length;
      const fresh = await unknownOf(parts, bucket, page.objects);
      for (const each of fresh) {
        if (options.signal?.aborted === true) return { objects, untold, left };
        const setup = isSetupNotification(each.key);
        const age = parts.deps().clock.now() - each.modifiedAt;
        if (!setup && options.all !== true && age < minutes * MINUTE) {
          if (left === undefined || each.modifiedAt < left.modifiedAt) left = each;
          continue;
        }
        if (!setup) untold++;
        await inFlight.add(takeFound(parts, source, each));
      }
      after = page.objects.at(-1)?.key;
      if (!page.more || after === undefined) return { objects, untold, left };
    }
  } finally {
    await inFlight.idle();
  }
}

async function unknownOf(
  { deps }: IntakeParts,
  bucket: string,
  objects: readonly ObjectFacts[],
): Promise<readonly ObjectFacts[]> {
  if (objects.length === 0) return [];
  const keys = objects.map(({ key }) => key);
  const known = await deps().store.read.run('intake.known', { bucket, keys });
  const names = new Set(known.map(({ key }) => key));
  // A "folder" that a console has made is no mail.
  return objects.filter(({ key, size }) => !names.has(key) && !(size === 0 && key.endsWith('/')));
}

/** Never rejects: one object that cannot be taken keeps no other waiting. */
async function takeFound(parts: IntakeParts, source: OpenSource, object: ObjectFacts): Promise<void> {
  try {
    await takeIn(parts, source, { key: object.key, by: 'sweep', modifiedAt: object.modifiedAt });
  } catch (error) {
    const { logger } = parts.deps();
    logger.warn(
      { source: source.settings.name, key: object.key, error: failureText(error) },
      'intake: has to wait',
    );
  }
}

export interface Sweeper extends Driver {
  readonly last: { result: SweepResult | undefined };
}

/** Look through the bucket now, and at every interval. */
export function sweepBucket(
  parts: IntakeParts & DriverParts,
  source: OpenSource,
  recovered: () => void,
): Sweeper {
  const { name, sweep_minutes: minutes } = source.settings;
  const last: Sweeper['last'] = { result: undefined };
  const driver = supervise(
    parts,
    `sweep ${name}`,
    async (signal, ok) => {
      while (!signal.aborted) {
        const result = await sweepOnce(parts, source, { signal });
        last.result = result;
        ok();
        if (result.untold > 0)
          parts.logger.warn(
            { source: name, untold: result.untold },
            'intake: found mail that nobody told of',
          );
        await parts.clock.sleep(minutes * MINUTE, signal);
      }
    },
    recovered,
  );
  return { ...driver, state: driver.state, last };
}

export interface Retrier extends Driver {
  poke(): void;
}

/** Try again what waits, and remove what is done, when its time has come. One for all sources. */
export function retryDue(
  parts: IntakeParts & DriverParts,
  sourceOf: (name: string) => OpenSource | undefined,
): Retrier {
  const wake = new Wake();
  const driver = supervise(parts, 'retry', async (signal, ok) => {
    while (!signal.aborted) {
      const { store, clock } = parts.deps();
      const due = await store.read.run('intake.due', { now: clock.now(), limit: DUE });
      const inFlight = new InFlight(IN_FLIGHT);
      for (const { source: name, bucket, key } of due) {
        const source = sourceOf(name);
        if (source?.settings.bucket === bucket) await inFlight.add(tryAgain(parts, source, key));
        else {
          const nextAt = clock.now() + NO_SOURCE_MS;
          await store.write.run('intake.later', {
            bucket,
            key,
            nextAt,
            reason: `there is no source "${name}"`,
          });
        }
      }
      await inFlight.idle();
      ok();
      const next = await store.read.run('intake.next', null);
      const wait = Math.min(LOOK_MS, Math.max(0, (next ?? Number.POSITIVE_INFINITY) - clock.now()));
      // What could not even be put off is still due: not in a circle.
      await wake.sleep(clock, due.length > 0 ? Math.max(wait, 100) : wait, signal);
    }
  });
  return { ...driver, state: driver.state, poke: () => wake.now() };
}

async function tryAgain(parts: IntakeParts, source: OpenSource, key: string): Promise<void> {
  try {
    await takeIn(parts, source, { key, by: 'retry' });
  } catch (error) {
    parts.deps().logger.warn({ key, error: failureText(error) }, 'intake: has to wait');
  }
}
