import { z } from 'zod';
import { Refusal } from '../../../base/errors.ts';
import { DELIVERY_DELAY, isGauge, SERIES, type Series, SHARES } from '../../../data/stats/series.ts';
import {
  EMPTY,
  merge,
  percentile,
  type Resolution,
  RESOLUTIONS,
  type Sample,
  STEPS,
} from '../../../data/stats/types.ts';
import { type AdminContext, operation } from './operation.ts';

/** What was counted and measured, over a time. */

const DAY_MS = 86_400_000;
/** Points of one answer unless a step is given, and at most. */
const POINTS = 300;
const POINTS_MAX = 3000;

const time = z.coerce.number<number | string>().int().min(0);

const series = operation({
  method: 'GET',
  path: '/stats/series',
  summary: 'What the statistics tell of',
  access: 'administrator',
  input: z.strictObject({}),
  output: z.object({
    series: z.array(z.object({ name: z.string(), group: z.string(), unit: z.string(), title: z.string() })),
  }),
  run: async () => ({ series: [...SERIES] }),
});

const get = operation({
  method: 'GET',
  path: '/stats',
  summary:
    'Mail, spam, sessions, logins, the queue and the machine over a time; the last day unless told otherwise',
  access: 'administrator',
  input: z.strictObject({
    from: time.optional(),
    to: time.optional(),
    /** Milliseconds of a step; 0: as many as make a readable picture. */
    step: time.default(0),
    /** Names separated by commas; all unless named. */
    series: z.string().max(2000).optional(),
  }),
  output: z.object({
    from: z.number(),
    to: z.number(),
    step: z.number(),
    resolution: z.enum(RESOLUTIONS),
    times: z.array(z.number()),
    series: z.array(
      z.object({
        name: z.string(),
        unit: z.enum(['count', 'bytes', 'percent', 'ms']),
        /** A value for each time; null where nothing is known. */
        values: z.array(z.number().nullable()),
      }),
    ),
  }),
  async run(context, { from: begin, to: end, step: wanted, series: names }) {
    const now = context.clock.now();
    const to = Math.min(end ?? now, now);
    const from = begin ?? to - DAY_MS;
    if (from >= to)
      throw new Refusal('bad-input', 'The time must begin before it ends, and not in the future.');
    const chosen = chosenSeries(names);
    const { resolution, step } = stepsFor(from, to, now, wanted);
    const points = await pointsOf(context, { resolution, step, from, to });
    return {
      from,
      to,
      step,
      resolution,
      times: points.map(({ at }) => at),
      series: chosen.map((one) => ({
        name: one.name,
        unit: one.unit,
        values: points.map(({ sample }) => valueOf(one, sample)),
      })),
    };
  },
});

function chosenSeries(names: string | undefined): readonly Series[] {
  if (names === undefined) return SERIES;
  return names.split(',').map((name) => {
    const found = SERIES.find((one) => one.name === name.trim());
    if (found === undefined) throw new Refusal('bad-input', `There is no series "${name.slice(0, 60)}".`);
    return found;
  });
}

/** The finest rows that reach back so far and fit into the answer, and a step that is a multiple of theirs. */
function stepsFor(
  from: number,
  to: number,
  now: number,
  wanted: number,
): { resolution: Resolution; step: number } {
  const least = Math.max(wanted, (to - from) / (wanted > 0 ? POINTS_MAX : POINTS));
  const fits = RESOLUTIONS.filter((each) => {
    const { step, kept } = STEPS[each];
    return from >= now - kept * 1000 && (step * 1000 <= least || each === 'minute' || to - from < 2 * DAY_MS);
  });
  const resolution = fits.findLast((each) => STEPS[each].step * 1000 <= least) ?? fits[0] ?? 'day';
  const unit = STEPS[resolution].step * 1000;
  return { resolution, step: Math.max(unit, Math.ceil(least / unit) * unit) };
}

export interface Point {
  readonly at: number;
  /** Undefined: nothing is known of that time. */
  readonly sample: Sample | undefined;
}

export async function pointsOf(
  { store }: Pick<AdminContext, 'store'>,
  { resolution, step, from, to }: { resolution: Resolution; step: number; from: number; to: number },
): Promise<Point[]> {
  const first = Math.floor(from / step) * step;
  const rows = await store.read.run('stats.range', { resolution, from: first, to });
  const found = new Map<number, Sample>();
  for (const { at, sample } of rows) {
    const place = Math.floor(at / step) * step;
    found.set(place, merge(found.get(place) ?? EMPTY, sample));
  }
  const points: Point[] = [];
  for (let at = first; at < to; at += step) points.push({ at, sample: found.get(at) });
  return points;
}

export function valueOf(one: Series, sample: Sample | undefined): number | null {
  if (sample === undefined) return null;
  const share = SHARES[one.name as keyof typeof SHARES];
  if (share !== undefined) return percentile(sample.delays[DELIVERY_DELAY] ?? [], share) ?? null;
  if (!isGauge(one)) return sample.counts[one.name] ?? 0;
  const [sum, samples] = sample.gauges[one.name] ?? [0, 0];
  return samples === 0 ? null : Math.round((sum / samples) * 100) / 100;
}

export const stats = { series, get };
