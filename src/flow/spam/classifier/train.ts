/** Learning from folders: everything is there at once, so it is read several times in a shuffled order. */
import { calibrate, note } from './calibration.ts';
import { countIn, createModel, type Label, type Model, rawScore, stepAll } from './model.ts';
import type { Features } from './sink.ts';

export interface Example {
  readonly features: Features;
  readonly label: Label;
}

export interface TrainOptions {
  /** Times that each message is read. */
  readonly passes?: number;
  /** Parts that are judged by what learned the others, for calibration. */
  readonly folds?: number;
  readonly seed?: number;
}

const PASSES = 12;
const FOLDS = 4;
const SEED = 7;
/** Examples of one batch; more are learned in batches. About 5 KiB each in memory. */
export const BATCH_EXAMPLES = 20_000;

/** Learn these examples. Deterministic: the same examples in the same order make the same model. */
export function train(model: Model, examples: readonly Example[], options: TrainOptions = {}): void {
  const { passes = PASSES, folds = FOLDS, seed = SEED } = options;
  for (let at = 0; at < examples.length; at += BATCH_EXAMPLES) {
    const batch = examples.slice(at, at + BATCH_EXAMPLES);
    if (folds > 1 && batch.length >= folds * 2) notePredictions(model, batch, { passes, folds, seed });
    learnPasses(model, batch, passes, seed);
    for (const { features, label } of batch) countIn(model, features, label);
  }
  model.calibration = calibrate(model.sketch);
}

function learnPasses(model: Model, examples: readonly Example[], passes: number, seed: number): void {
  const random = randomFrom(seed);
  const order = examples.map((_, i) => i);
  for (let pass = 0; pass < passes; pass++) {
    for (let i = order.length - 1; i > 0; i--) {
      const j = Math.floor(random() * (i + 1));
      const held = order[i] ?? 0;
      order[i] = order[j] ?? 0;
      order[j] = held;
    }
    for (const i of order) {
      const example = examples[i];
      if (example) stepAll(model, example.features, example.label, 1);
    }
  }
}

/** Scores of messages by models that did not see them, into the model's sketch. */
function notePredictions(model: Model, examples: readonly Example[], options: Required<TrainOptions>): void {
  const { passes, folds, seed } = options;
  for (let fold = 0; fold < folds; fold++) {
    const blind = copyOf(model);
    const seen = examples.filter((_, i) => i % folds !== fold);
    learnPasses(blind, seen, passes, seed + fold + 1);
    for (const { features, label } of seen) countIn(blind, features, label);
    for (const [i, { features, label }] of examples.entries()) {
      if (i % folds === fold) note(model.sketch, label, rawScore(blind, features));
    }
  }
}

function copyOf(model: Model): Model {
  const copy = createModel(model.kind, model.bits);
  copy.weights.set(model.weights);
  copy.sums.set(model.sums);
  copy.bias.set(model.bias);
  copy.biasSums.set(model.biasSums);
  copy.counts.of.set(model.counts.of);
  copy.counts.ham = model.counts.ham;
  copy.counts.spam = model.counts.spam;
  copy.ham = model.ham;
  copy.spam = model.spam;
  copy.newsletters = model.newsletters;
  return copy;
}

/** A small generator with a seed: training must not depend on chance. */
function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x9e3779b9) >>> 0;
    let t = state ^ (state >>> 16);
    t = Math.imul(t, 0x21f0aaad);
    t ^= t >>> 15;
    t = Math.imul(t, 0x735a2d97);
    return ((t ^ (t >>> 15)) >>> 0) / 4_294_967_296;
  };
}
