/** Measures of a ranking, as the TREC spam track uses them, with bootstrap intervals. */
import type { Label } from './corpus.ts';

export interface Judged {
  readonly label: Label;
  /** Higher is more like spam; any monotone scale. */
  readonly score: number;
}

export interface Interval {
  readonly value: number;
  /** 2.5 and 97.5 percentiles of the bootstrap. */
  readonly low: number;
  readonly high: number;
}

export const RESAMPLES = 1_000;
const SEED = 20_260;

/** Area above the ROC curve in per cent: how often, of a ham and a spam at random, the ham looks spammier. */
export function roca(judged: readonly Judged[]): number {
  const { ham, spam } = parted(judged);
  return rocaOf(ham, spam);
}

/** Per cent of ham that scores at least what the best `caught` share of the spam scores. */
export function hamLoss(judged: readonly Judged[], caught: number): number {
  const { ham, spam } = parted(judged);
  return lossOf(ham, spam, caught);
}

/** Both arrays ascending. Ties count one half. */
function rocaOf(ham: Float64Array, spam: Float64Array): number {
  if (ham.length === 0 || spam.length === 0) return Number.NaN;
  let below = 0;
  let upTo = 0;
  let wrong = 0;
  for (const score of ham) {
    while (below < spam.length && (spam[below] ?? 0) < score) below++;
    if (upTo < below) upTo = below;
    while (upTo < spam.length && (spam[upTo] ?? 0) <= score) upTo++;
    wrong += below + (upTo - below) / 2;
  }
  return (100 * wrong) / (ham.length * spam.length);
}

function lossOf(ham: Float64Array, spam: Float64Array, caught: number): number {
  if (ham.length === 0 || spam.length === 0) return Number.NaN;
  const missed = spam.length - Math.ceil(caught * spam.length);
  const threshold = spam[missed] ?? 0;
  let low = 0;
  let high = ham.length;
  while (low < high) {
    const mid = (low + high) >> 1;
    if ((ham[mid] ?? 0) < threshold) low = mid + 1;
    else high = mid;
  }
  return (100 * (ham.length - low)) / ham.length;
}

function parted(judged: readonly Judged[]): { ham: Float64Array; spam: Float64Array } {
  const of = (label: Label): Float64Array =>
    Float64Array.from(judged.filter((one) => one.label === label).map((one) => one.score)).toSorted();
  return { ham: of('ham'), spam: of('spam') };
}

export interface Measures {
  readonly roca: Interval;
  readonly loss98: Interval;
  readonly loss99: Interval;
}

type Part = { readonly ham: Float64Array; readonly spam: Float64Array };
type Measure = (part: Part) => number;

const MEASURES = {
  roca: ({ ham, spam }: Part) => rocaOf(ham, spam),
  loss98: ({ ham, spam }: Part) => lossOf(ham, spam, 0.98),
  loss99: ({ ham, spam }: Part) => lossOf(ham, spam, 0.99),
};

/**
 * All measures, the mean over the runs (scores of different runs are not on one scale), with intervals: messages of each
 * class and run drawn anew `RESAMPLES` times, the same draws for every filter.
 */
export function measure(runs: readonly (readonly Judged[])[]): Measures {
  const whole = runs.map(parted);
  const draws = resamples(runs);
  const of = (one: Measure): Interval =>
    interval(
      mean(whole, one),
      draws.map((parts) => mean(parts, one)),
    );
  return { roca: of(MEASURES.roca), loss98: of(MEASURES.loss98), loss99: of(MEASURES.loss99) };
}

function mean(parts: readonly Part[], of: Measure): number {
  return parts.reduce((sum, part) => sum + of(part), 0) / parts.length;
}

/** Ours divided by theirs over the same draws: below 0.5 at the upper end is "at most half" with 97.5 % confidence. */
export function ratio(
  ours: readonly (readonly Judged[])[],
  theirs: readonly (readonly Judged[])[],
  of: 'roca' | 'loss98',
): Interval {
  const one = MEASURES[of];
  const a = resamples(ours).map((parts) => mean(parts, one));
  const b = resamples(theirs).map((parts) => mean(parts, one));
  return interval(
    over(mean(ours.map(parted), one), mean(theirs.map(parted), one)),
    a.map((x, i) => over(x, b[i] ?? 0)),
  );
}

/** x / y, where nothing of nothing is as much. */
function over(x: number, y: number): number {
  if (y === 0) return x === 0 ? 1 : Number.POSITIVE_INFINITY;
  return x / y;
}

/** For each draw its runs. The generator begins alike for every filter, so the same messages are drawn. */
function resamples(runs: readonly (readonly Judged[])[]): Part[][] {
  const scores = runs.map((judged) => ({
    ham: judged.filter((one) => one.label === 'ham').map((one) => one.score),
    spam: judged.filter((one) => one.label === 'spam').map((one) => one.score),
  }));
  const random = mulberry(SEED);
  const draw = (from: readonly number[]): Float64Array => {
    const out = new Float64Array(from.length);
    for (let i = 0; i < out.length; i++) out[i] = from[Math.floor(random() * from.length)] ?? 0;
    return out.toSorted();
  };
  return Array.from({ length: RESAMPLES }, () =>
    scores.map(({ ham, spam }) => ({ ham: draw(ham), spam: draw(spam) })),
  );
}

function interval(value: number, draws: readonly number[]): Interval {
  const sorted = Float64Array.from(draws).toSorted();
  const at = (share: number): number =>
    sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? value;
  return { value, low: at(0.025), high: at(0.975) };
}

/** A small seeded generator, so that every run draws alike. */
export function mulberry(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}
