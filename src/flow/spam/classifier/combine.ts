/** What the content of a message says all in all: the classifier with the content rules in it. */
import type { MessageFacts } from '../facts/types.ts';
import { explainedFeatures, features, type RuleHit } from './features.ts';
import type { Model } from './model.ts';
import { type Score, score, type Strength, strongest, threshold } from './score.ts';

export interface ContentJudgement extends Score {
  /** Probability from which it is junk, by the knob. */
  readonly threshold: number;
  readonly junk: boolean;
}

/** At most one good message in so many goes to Junk, where nothing else is asked for. */
export const GOOD_PER_JUNKED = 1000;

/**
 * Judge a message by its content alone, as `postern spam score` does and as the pipeline does before it adds what is
 * known from outside (authentication, lists, greylisting). Content rules are features of the model, so what a rule is
 * worth is learned; the sum of their scores counts by itself while little has been learned. `hits`: content rules only.
 */
export function offlineScore(
  facts: MessageFacts,
  hits: readonly RuleHit[],
  model: Model,
  options: { readonly personal?: Model; readonly goodPerJunked?: number } = {},
): ContentJudgement {
  const judged = score(model, features(facts, hits), options.personal);
  const line = threshold(model, options.goodPerJunked ?? GOOD_PER_JUNKED);
  return { ...judged, threshold: line, junk: judged.probability >= line };
}

/** The same with the strongest features in words. */
export function explainedScore(
  facts: MessageFacts,
  hits: readonly RuleHit[],
  model: Model,
  options: {
    readonly personal?: Model;
    readonly goodPerJunked?: number;
    readonly strongest?: number;
  } = {},
): ContentJudgement & { readonly strongest: readonly Strength[] } {
  const explained = explainedFeatures(facts, hits);
  const judged = score(model, explained.features, options.personal);
  const line = threshold(model, options.goodPerJunked ?? GOOD_PER_JUNKED);
  return {
    ...judged,
    threshold: line,
    junk: judged.probability >= line,
    strongest: strongest(model, explained.features, explained.texts, options.strongest),
  };
}
