/** Facts of a message into features of the classifier. Pure, bounded, linear in what the facts hold. */
import type { MessageFacts } from '../facts/types.ts';
import { headerFeatures } from './header-features.ts';
import { classifierLimits } from './limits.ts';
import { readLinks } from './links.ts';
import { ownLinks } from './own-links.ts';
import { type Features, FeatureSink, type FeatureText } from './sink.ts';
import { styleFeatures } from './style-features.ts';
import { folded, neutral, ownSubject, withoutFooter, wordsOf } from './text.ts';

/** A content rule that applied. Rules over evidence from outside the message (its transport) are not for here. */
export interface RuleHit {
  readonly name: string;
  /** Nats towards spam. */
  readonly score: number;
}

/** Features of a message. `rules`: the content rules that applied. */
export function features(facts: MessageFacts, rules: readonly RuleHit[] = []): Features {
  const sink = new FeatureSink(false);
  return gather(facts, rules, sink);
}

/** The same with what each id stands for, for explanations: `texts` as the ids of each view. */
export function explainedFeatures(
  facts: MessageFacts,
  rules: readonly RuleHit[] = [],
): { features: Features; texts: readonly (readonly FeatureText[])[] } {
  const sink = new FeatureSink(true);
  return { features: gather(facts, rules, sink), texts: sink.texts ?? [] };
}

function sumOf(rules: readonly RuleHit[]): number {
  return rules.reduce((sum, { score }) => sum + score, 0);
}

function gather(facts: MessageFacts, rules: readonly RuleHit[], sink: FeatureSink): Features {
  const subject = ownSubject(facts.subject);
  const body = withoutFooter(facts.text);
  const links = readLinks(facts, body);
  const text = neutral(body.slice(0, classifierLimits.wordChars));
  styleFeatures({ facts, subject, body, links }, rules, sink);
  sink.grams(
    'gram',
    folded(`${subject}\n${text.slice(0, classifierLimits.gramChars)}`).slice(0, classifierLimits.gramChars),
  );
  endFeatures(text, sink);
  wordFeatures(subject, text, sink);
  headerFeatures(facts, links, sink);
  return sink.take(sumOf(rules), ownLinks(facts, links));
}

/** How a text begins and ends: greetings, and the lines that say why one gets it and what to do about it. */
function endFeatures(text: string, sink: FeatureSink): void {
  const { beginChars, endChars } = classifierLimits;
  const trimmed = text.trim();
  // White space is folded, so more than is wanted is looked at.
  sink.grams('end', `^${folded(trimmed.slice(0, 2 * beginChars)).slice(0, beginChars)}`);
  sink.grams('end', `${folded(trimmed.slice(-2 * endChars)).slice(-endChars)}$`);
}

function wordFeatures(subject: string, text: string, sink: FeatureSink): void {
  const inSubject = wordsOf(neutral(subject), 60);
  let before = '';
  for (const word of inSubject) {
    const lower = word.toLowerCase();
    sink.add('subject', word);
    sink.add('subject', lower);
    if (before !== '') sink.add('subject', `${before} ${lower}`);
    before = lower;
  }
  before = '';
  for (const word of wordsOf(text, classifierLimits.words)) {
    const lower = word.toLowerCase();
    sink.add('word', lower);
    if (lower !== word) sink.add('capital', word);
    if (before !== '') sink.add('pair', `${before} ${lower}`);
    before = lower;
  }
}
