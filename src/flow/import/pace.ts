import type { Clock } from '../../base/clock.ts';

/** Told of octets that were read; resolves when more may be. */
export type Pace = (octets: number) => Promise<void>;

/** At most so many octets a second, on average since now. Undefined: as fast as it goes. */
export function createPace(clock: Clock, bytesPerSecond: number | undefined): Pace {
  if (bytesPerSecond === undefined) return () => Promise.resolve();
  const begun = clock.monotonic();
  let sum = 0;
  return async (octets) => {
    sum += octets;
    const early = begun + (sum / bytesPerSecond) * 1000 - clock.monotonic();
    if (early > 0) await clock.sleep(early);
  };
}
