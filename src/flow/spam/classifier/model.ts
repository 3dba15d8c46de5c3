/**
 * Online logistic regression over hashed features, one logit for each view of a message, with AdaGrad's step for each
 * weight. A message is learned only where the model errs or is not sure (thick threshold), so what it knows stays put.
 * A site's model also counts: one-sided.ts is its second opinion.
 */
import { calibrate, type Calibration, newSketch, note, type Sketch, UNTRAINED } from './calibration.ts';
import { count, type Counts, newCounts, oneSidedNats } from './one-sided.ts';
import { NEWSLETTER } from './own-links.ts';
import { type Features, VIEWS } from './sink.ts';

export type Label = 'ham' | 'spam';

/** 2^20 buckets of a weight and its step sum, and half as many of two counts: 10 MiB. */
export const SITE_BITS = 20;
/** 2^15 buckets without counts: 256 KiB. */
export const PERSONAL_BITS = 15;

export interface Model {
  /** A site's model judges alone; a personal one corrects a site's. */
  readonly kind: 'site' | 'personal';
  readonly bits: number;
  readonly weights: Float32Array;
  /** Sums of squared gradients. */
  readonly sums: Float32Array;
  /** Bias of each view, and its sums. */
  readonly bias: Float32Array;
  readonly biasSums: Float32Array;
  /** Messages that had what is in a bucket; empty in a personal model. */
  readonly counts: Counts;
  /** Messages learned. */
  ham: number;
  spam: number;
  /** Newsletters among the good ones, as `ownLinks` knows them. */
  newsletters: number;
  /** Scores that messages had before they were learned. */
  readonly sketch: Sketch;
  calibration: Calibration;
}

/** A model that knows nothing. */
export function createModel(
  kind: Model['kind'] = 'site',
  bits = kind === 'site' ? SITE_BITS : PERSONAL_BITS,
): Model {
  return {
    kind,
    bits,
    weights: new Float32Array(1 << bits),
    sums: new Float32Array(1 << bits),
    bias: new Float32Array(VIEWS.length),
    biasSums: new Float32Array(VIEWS.length),
    counts: newCounts(kind === 'site' ? 1 << (bits - 1) : 0),
    ham: 0,
    spam: 0,
    newsletters: 0,
    sketch: newSketch(),
    calibration: UNTRAINED,
  };
}

/** Learning stops for a view that is right by this many nats. */
const MARGIN = 4;
const RATE = 1;
const BIAS_RATE = 0.1;
/** Added to the root of a sum: small lets the first message of a feature decide, large makes it one voice of many. */
const SITE_DAMPING = 1e-3;
const PERSONAL_DAMPING = 0.03;
/** Longer views are damped more than by their length: one long message shall not outweigh ten short ones. */
const LENGTH_POWER = 0.65;
/** A personal model leaves the n-grams to the site's: they would fill its few buckets. */
const PERSONAL_VIEWS = [1, 2, 3];
/** Paths of links are only counted. */
const ALL_VIEWS = [0, 1, 2, 3, 4];
/** What a site's views count for. Words, and how a text begins and ends, say in part what the n-grams do. */
const VIEW_WEIGHTS = [0.6, 0.25, 1, 1, 0.6];
/** Weight of the rules' sum: all there is before anything is learned, less and less as examples speak for themselves. */
const RULE_WEIGHT = 0.3;
const RULE_WEIGHT_ALONE = 1 / UNTRAINED.scale;
/** Examples of each class with which the rules' sum counts for half. */
const RULES_FADE = 50;
/** Raw nats of one step of `ownLinks` where many newsletters have been learned, and what more it is where none was. */
const OWN_LINKS_WEIGHT = -0.75;
const OWN_LINKS_UNSEEN = -4;
/** Newsletters with which the latter counts for half. */
const NEWSLETTERS_FADE = 20;
/** Raw nats of a message of which nothing is known: it is taken for good, as most that one-sided.ts knows little of. */
const PRESUMED = -4;
/** Examples of each class with which the presumption counts for half. */
const PRESUMED_FADE = 10;

/** Views that this model looks at. */
export function viewsOf(model: Model): readonly number[] {
  return model.kind === 'personal' ? PERSONAL_VIEWS : ALL_VIEWS;
}

/** What a view's nats are multiplied with in the sum. */
function viewWeight(model: Model, view: number): number {
  return model.kind === 'site' ? (VIEW_WEIGHTS[view] ?? 1) : 1;
}

export function valueOf(ids: Uint32Array): number {
  return ids.length === 0 ? 0 : ids.length ** -LENGTH_POWER;
}

/** Nats of one view. */
export function viewLogit(model: Model, view: number, features: Features): number {
  const ids = features.views[view];
  if (!ids) return 0;
  const { weights } = model;
  const mask = weights.length - 1;
  let sum = 0;
  for (let i = 0; i < ids.length; i++) sum += weights[(ids[i] as number) & mask] as number;
  return sum * valueOf(ids) + (model.bias[view] ?? 0);
}

/** What the views, the counts and the rules say together, not calibrated. */
export function rawScore(model: Model, features: Features): number {
  let sum = model.kind === 'site' ? beforehand(model, features) : 0;
  for (const view of viewsOf(model)) sum += viewWeight(model, view) * viewLogit(model, view, features);
  return sum + oneSidedNats(model.counts, features);
}

/** What is known of a message without any example. */
function beforehand(model: Model, features: Features): number {
  const taught = Math.min(model.ham, model.spam);
  const rules = Math.max(RULE_WEIGHT, (RULE_WEIGHT_ALONE * RULES_FADE) / (RULES_FADE + taught));
  const presumed = (PRESUMED * PRESUMED_FADE) / (PRESUMED_FADE + taught);
  return presumed + rules * features.rules + ownLinksNats(model, features);
}

/** What a site's model makes of `ownLinks`, not calibrated: 0 or less. */
export function ownLinksNats(model: Model, features: Features): number {
  const unseen = (OWN_LINKS_UNSEEN * NEWSLETTERS_FADE) / (NEWSLETTERS_FADE + model.newsletters);
  return (OWN_LINKS_WEIGHT + unseen) * features.ownLinks;
}

/** One step of one view towards the label, from `logit`, where the view (with what stands beside it) is now. */
export function step(
  model: Model,
  view: number,
  features: Features,
  label: Label,
  logit: number,
  weight: number,
): void {
  const ids = features.views[view];
  if (!ids) return;
  const target = label === 'spam' ? 1 : 0;
  const slope = (1 / (1 + Math.exp(-logit)) - target) * weight;
  const gradient = slope * valueOf(ids);
  const { weights, sums } = model;
  const mask = weights.length - 1;
  const square = gradient * gradient;
  const damping = model.kind === 'personal' ? PERSONAL_DAMPING : SITE_DAMPING;
  for (let i = 0; i < ids.length; i++) {
    const at = (ids[i] as number) & mask;
    const sum = (sums[at] as number) + square;
    sums[at] = sum;
    weights[at] = (weights[at] as number) - (RATE * gradient) / (damping + Math.sqrt(sum));
  }
  const biasSum = (model.biasSums[view] ?? 0) + slope * slope;
  model.biasSums[view] = biasSum;
  model.bias[view] = (model.bias[view] ?? 0) - (BIAS_RATE * RATE * slope) / (damping + Math.sqrt(biasSum));
}

/** Every view of a site's model one step towards the label, where it is not already right by the margin. */
export function stepAll(model: Model, features: Features, label: Label, weight: number): void {
  for (const view of viewsOf(model)) {
    const logit = viewLogit(model, view, features);
    if (label === 'spam' ? logit > MARGIN : logit < -MARGIN) continue;
    step(model, view, features, label, logit, weight);
  }
}

/** A message has been learned. */
export function countIn(model: Model, features: Features, label: Label): void {
  count(model.counts, features, label);
  model[label]++;
  if (label === 'ham' && features.ownLinks >= NEWSLETTER) model.newsletters++;
}

/** Steps that one message may make: few come twice. */
const LESSON_STEPS = 3;
const CALIBRATE_EVERY = 25;

/**
 * Learn one message. The score it had before goes into the sketch that the calibration comes from. There is no
 * "unlearn": learning the message again with the other label moves it across, and the wrong lesson fades with it.
 */
export function learn(model: Model, features: Features, label: Label, weight = 1): void {
  if (model.kind !== 'site') throw new TypeError('a personal model is taught by learnPersonal');
  if (model.ham + model.spam > 0) note(model.sketch, label, rawScore(model, features));
  for (let i = 0; i < LESSON_STEPS; i++) stepAll(model, features, label, weight);
  countIn(model, features, label);
  if ((model.ham + model.spam) % CALIBRATE_EVERY === 0) model.calibration = calibrate(model.sketch);
}

/** Steps a correction may take until the message is on its side. */
const CORRECTION_STEPS = 8;
/** Nats beyond an even chance that a correction aims at. */
const CORRECTION_MARGIN = 3;

/**
 * Learn one message for one account: `personal` learns what the site's model, whose `nats` these are, got wrong.
 * `threshold`: nats from which the account's mail is junk, so that a correction reaches across it.
 */
export function learnPersonal(
  personal: Model,
  features: Features,
  label: Label,
  nats: number,
  threshold = 0,
  weight = 1,
): void {
  if (personal.kind !== 'personal') throw new TypeError("a site's model is taught by learn");
  const goal = label === 'spam' ? threshold + CORRECTION_MARGIN : Math.min(0, threshold) - CORRECTION_MARGIN;
  personal[label]++;
  for (let i = 0; i < CORRECTION_STEPS; i++) {
    const now = nats + personalNats(personal, features);
    if (label === 'spam' ? now >= goal : now <= goal) return;
    // Relative to the goal, so that the last steps are as firm as the first.
    for (const view of viewsOf(personal)) step(personal, view, features, label, now - goal, weight);
  }
}

/** Says of an account's examples from which its own model has its whole say. */
const FULL_TRUST = 8;

/** Nats that a personal model adds to the site's: the more it has been taught, the more. */
export function personalNats(personal: Model, features: Features): number {
  const taught = personal.ham + personal.spam;
  if (taught === 0) return 0;
  return rawScore(personal, features) * Math.min(1, (taught + FULL_TRUST / 2) / FULL_TRUST);
}
