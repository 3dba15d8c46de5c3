/**
 * What was counted and measured, by minute, hour and day. Counts are sums; gauges keep sum and number of samples, so
 * that a mean can be made of any span; histograms are counts by bucket.
 */
export interface Sample {
  /** What happened, how often. */
  readonly counts: { readonly [series: string]: number };
  /** What was measured: sum, number of samples. */
  readonly gauges: { readonly [series: string]: readonly [sum: number, samples: number] };
  /** By name, how many fell into each bucket of `DELAY_BUCKETS`, the last for all above. */
  readonly delays: { readonly [series: string]: readonly number[] };
}

/** Upper bounds of the buckets of delays, milliseconds. */
export const DELAY_BUCKETS: readonly number[] = [
  1_000, 2_000, 5_000, 10_000, 30_000, 60_000, 120_000, 300_000, 900_000, 3_600_000, 14_400_000, 43_200_000,
  86_400_000, 259_200_000,
];

export const RESOLUTIONS = ['minute', 'hour', 'day'] as const;
export type Resolution = (typeof RESOLUTIONS)[number];

/** Seconds of each step, and how many seconds rows of it are kept: some 2,900, 1,500 and 1,900 rows. */
export const STEPS: Readonly<Record<Resolution, { readonly step: number; readonly kept: number }>> = {
  minute: { step: 60, kept: 48 * 3600 },
  hour: { step: 3600, kept: 62 * 86_400 },
  day: { step: 86_400, kept: 5 * 366 * 86_400 },
};

export const EMPTY: Sample = { counts: {}, gauges: {}, delays: {} };

/** Both together. */
export function merge(a: Sample, b: Sample): Sample {
  const counts: Record<string, number> = { ...a.counts };
  for (const [name, value] of Object.entries(b.counts)) counts[name] = (counts[name] ?? 0) + value;
  const gauges: Record<string, readonly [number, number]> = { ...a.gauges };
  for (const [name, [sum, samples]] of Object.entries(b.gauges)) {
    const [before, had] = gauges[name] ?? [0, 0];
    gauges[name] = [before + sum, had + samples];
  }
  const delays: Record<string, readonly number[]> = { ...a.delays };
  for (const [name, buckets] of Object.entries(b.delays)) {
    const before = delays[name] ?? [];
    delays[name] = DELAY_BUCKETS.concat(0).map((_, i) => (before[i] ?? 0) + (buckets[i] ?? 0));
  }
  return { counts, gauges, delays };
}

/** The place of a delay among the buckets. */
export function bucketOf(ms: number): number {
  const found = DELAY_BUCKETS.findIndex((bound) => ms <= bound);
  return found === -1 ? DELAY_BUCKETS.length : found;
}

/** The delay that a share (0..1) of all stayed under, milliseconds, within its bucket by proportion; undefined: none. */
export function percentile(buckets: readonly number[], share: number): number | undefined {
  const total = buckets.reduce((sum, count) => sum + count, 0);
  if (total === 0) return undefined;
  let left = share * total;
  for (const [i, count] of buckets.entries()) {
    const low = DELAY_BUCKETS[i - 1] ?? 0;
    const high = DELAY_BUCKETS[i] ?? low * 2;
    if (count > 0 && left <= count) return Math.round(low + (high - low) * (left / count));
    left -= count;
  }
  return DELAY_BUCKETS.at(-1);
}
