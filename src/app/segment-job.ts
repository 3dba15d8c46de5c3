import type { Clock } from '../base/clock.ts';
import type { Logger } from '../base/log.ts';
import type { Segment } from '../data/blobs/file.ts';
import type { OpenStore } from '../data/open.ts';

/**
 * Give back the room of deleted mail in segments: one in which less than half is in use has the rest moved out of it,
 * one that no row names is deleted.
 */

/** Share of a segment's octets in use below which the rest is moved: at most half of the disk's segments is dead space. */
const WORTH_KEEPING = 0.5;
/**
 * Milliseconds an empty segment stays: who copies the database first and the bodies then finds in the copy what the
 * database named.
 */
const EMPTY_KEPT_MS = 24 * 3600 * 1000;

export interface SegmentParts {
  readonly store: OpenStore;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Look at each segment once. Never more to do at once: the answer is false. */
export async function tidySegments({ store, clock, logger }: SegmentParts): Promise<boolean> {
  let moved = 0;
  let removed = 0;
  for (const segment of await store.bodies.segments()) {
    const { bodies, bytes } = await store.read.run('blobs.segmentUse', { segment: segment.name });
    if (bodies > 0 && bytes < segment.size * WORTH_KEEPING) {
      if (!(await moveOut(store, segment))) continue;
      await store.bodies.retireSegment(segment.name, clock.now());
      moved++;
    } else if (bodies === 0 && segment.writtenAt < clock.now() - EMPTY_KEPT_MS) {
      if (!(await store.write.run('blobs.mayRemoveSegment', { segment: segment.name }))) continue;
      await store.bodies.removeSegment(segment.name);
      removed++;
    }
  }
  if (moved + removed > 0) logger.info({ moved, removed }, 'job: gave back room of deleted mail');
  return false;
}

/** False: it is still written to. */
async function moveOut(store: OpenStore, { name }: Segment): Promise<boolean> {
  for (;;) {
    const state = await store.write.run('blobs.moveOut', { segment: name });
    if (state !== 'more') return state === 'done';
  }
}
