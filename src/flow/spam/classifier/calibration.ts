/**
 * From raw scores to probabilities, and from "at most one good message in N" to a threshold. Both rest on the scores
 * that messages had before they were learned: those are scores of mail that the model had not seen.
 */

/** Histogram of raw scores by class, bounded: old counts fade as new ones come. */
export interface Sketch {
  readonly ham: Float32Array;
  readonly spam: Float32Array;
}

/** Nats = scale * raw + shift. */
export interface Calibration {
  readonly scale: number;
  readonly shift: number;
}

export const BINS = 160;
const BIN_WIDTH = 0.4;
const LOWEST = (-BINS / 2) * BIN_WIDTH;
/** Counts of a class above which all of them are halved. */
const SKETCH_FULL = 4_000;

/** Before anything is known; also what fits are drawn towards while examples are few, so that scores do not jump. */
export const UNTRAINED: Calibration = { scale: 0.4, shift: -0.5 };

export function newSketch(): Sketch {
  return { ham: new Float32Array(BINS), spam: new Float32Array(BINS) };
}

export function note(sketch: Sketch, label: 'ham' | 'spam', raw: number): void {
  const bins = sketch[label];
  const at = Math.min(BINS - 1, Math.max(0, Math.floor((raw - LOWEST) / BIN_WIDTH)));
  bins[at] = (bins[at] ?? 0) + 1;
  if (total(bins) > SKETCH_FULL) for (let i = 0; i < BINS; i++) bins[i] = (bins[i] ?? 0) / 2;
}

export function total(bins: Float32Array): number {
  let sum = 0;
  for (const count of bins) sum += count;
  return sum;
}

/** Raw score at the middle of a bin. */
function middle(bin: number): number {
  return LOWEST + (bin + 0.5) * BIN_WIDTH;
}

/** Examples of each class with which a fit counts for half. */
const FEW = 100;
const FIT_ROUNDS = 40;
/** Bounds of the scale: three views that agree say little more than one. */
const MIN_SCALE = 0.1;
const MAX_SCALE = 1.5;

/**
 * Platt's sigmoid over the sketch, by Newton steps. Both classes count alike whatever their numbers, for how much of
 * the mail is spam differs from site to site; targets are Platt's, so that a few examples never make certainty.
 */
export function calibrate(sketch: Sketch): Calibration {
  const hams = total(sketch.ham);
  const spams = total(sketch.spam);
  const fit = fitted(sketch, hams, spams);
  const trust = Math.min(hams, spams) / (Math.min(hams, spams) + FEW);
  return {
    scale: UNTRAINED.scale + trust * (fit.scale - UNTRAINED.scale),
    shift: UNTRAINED.shift + trust * (fit.shift - UNTRAINED.shift),
  };
}

function fitted(sketch: Sketch, hams: number, spams: number): Calibration {
  if (hams === 0 || spams === 0) return UNTRAINED;
  const targets = { ham: 1 / (hams + 2), spam: (spams + 1) / (spams + 2) };
  let [scale, shift] = [0.4, 0];
  for (let round = 0; round < FIT_ROUNDS; round++) {
    let [gs, gb, hss, hsb, hbb] = [0, 0, 1e-4, 0, 1e-4];
    for (const label of ['ham', 'spam'] as const) {
      const share = 1 / (label === 'ham' ? hams : spams);
      for (let i = 0; i < BINS; i++) {
        const count = (sketch[label][i] ?? 0) * share;
        if (count === 0) continue;
        const x = middle(i);
        const p = 1 / (1 + Math.exp(-(scale * x + shift)));
        const slope = count * (p - targets[label]);
        const curve = count * Math.max(1e-6, p * (1 - p));
        gs += slope * x;
        gb += slope;
        hss += curve * x * x;
        hsb += curve * x;
        hbb += curve;
      }
    }
    const det = hss * hbb - hsb * hsb;
    if (!(det > 1e-12)) break;
    const ds = (hbb * gs - hsb * gb) / det;
    const db = (hss * gb - hsb * gs) / det;
    scale = Math.min(MAX_SCALE, Math.max(MIN_SCALE, scale - Math.max(-0.5, Math.min(0.5, ds))));
    shift = Math.min(8, Math.max(-8, shift - Math.max(-2, Math.min(2, db))));
    if (Math.abs(ds) + Math.abs(db) < 1e-6) break;
  }
  return { scale, shift };
}

/** Ham in the tail that the threshold is reckoned from. */
const TAIL_SHARE = 0.02;
const TAIL_LEAST = 15;
/** Standard errors of the tail's length that are added to it: "at most" is a promise, the tail only an estimate. */
const CAUTION = 1.2;
/** Examples of ham below which the threshold stays at its highest. */
const HAM_FEW = 60;
/** Nats: an even chance is never junk, and beyond this everything is. */
const LOWEST_THRESHOLD = 0;
const HIGHEST_THRESHOLD = 9;
const WITHOUT_EXAMPLES = 3;

/**
 * Nats from which mail goes to Junk, that at most one good message in `goodPerJunked` be among it. The worst ham that
 * has been seen is taken for a tail that falls off exponentially: few examples make a long tail, a higher threshold.
 */
export function thresholdNats(sketch: Sketch, calibration: Calibration, goodPerJunked: number): number {
  const hams = total(sketch.ham);
  const careful = Math.max(0, Math.log(goodPerJunked / 1000));
  if (hams < HAM_FEW) return WITHOUT_EXAMPLES + careful;
  const wanted = Math.max(TAIL_LEAST, hams * TAIL_SHARE);
  let tail = 0;
  let excess = 0;
  let from = BINS;
  while (from > 0 && tail < wanted) {
    from--;
    tail += sketch.ham[from] ?? 0;
  }
  const start = middle(from) - BIN_WIDTH / 2;
  for (let i = from; i < BINS; i++) excess += (sketch.ham[i] ?? 0) * (middle(i) - start);
  const mean = (excess / tail) * (1 + CAUTION / Math.sqrt(tail));
  const raw = start + mean * Math.max(0, Math.log((tail / hams) * goodPerJunked));
  const nats = calibration.scale * raw + calibration.shift;
  return Math.min(HIGHEST_THRESHOLD, Math.max(LOWEST_THRESHOLD, nats));
}
