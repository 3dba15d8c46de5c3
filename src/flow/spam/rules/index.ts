/** The table of rules and how it is read. */
import type { MessageFacts } from '../facts/types.ts';
import { attachmentRules } from './attachments.ts';
import { bodyRules } from './body.ts';
import { fromRules } from './from.ts';
import { headerRules } from './headers.ts';
import { htmlRules } from './html.ts';
import { structureRules } from './structure.ts';
import { subjectRules } from './subject.ts';
import { transportRules } from './transport.ts';
import type { Hit, Rule, RuleEvidence } from './types.ts';
import { unicodeRules } from './unicode.ts';
import { urlRules } from './urls.ts';

/** Every rule, by theme. */
export const rules: readonly Rule[] = [
  ...transportRules.map((rule): Rule => ({ ...rule, outside: true })),
  ...fromRules,
  ...headerRules,
  ...subjectRules,
  ...structureRules,
  ...htmlRules,
  ...unicodeRules,
  ...urlRules,
  ...bodyRules,
  ...attachmentRules,
];

/** Characters of a detail that stand behind an explanation. */
const MAX_DETAIL = 120;

/** Rules that ask for evidence; the others say the same with and without. */
const askingRules = rules.filter(({ test }) => test.length > 1);

/** What applies to a message, gravest first. Pure. */
export function evaluate(facts: MessageFacts, evidence: RuleEvidence = {}): Hit[] {
  return hitsOf(rules, facts, evidence);
}

/** The same of those rules alone that look at the evidence. */
export function evaluateWith(facts: MessageFacts, evidence: RuleEvidence): Hit[] {
  return hitsOf(askingRules, facts, evidence);
}

function hitsOf(asked: readonly Rule[], facts: MessageFacts, evidence: RuleEvidence): Hit[] {
  const hits: Hit[] = [];
  for (const { name, score, explain, lever, outside = false, test } of asked) {
    const result = test(facts, evidence);
    if (result === false || result === '') continue;
    hits.push({
      name,
      score,
      text: result === true ? explain : `${explain}: ${detail(result)}`,
      lever,
      outside,
    });
  }
  return hits.toSorted((a, b) => Math.abs(b.score) - Math.abs(a.score));
}

/** A stranger's words in one line of ours: no controls, no marks that turn text around. */
function detail(text: string): string {
  const clean = text.replace(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, '').trim();
  return clean.length > MAX_DETAIL ? `${clean.slice(0, MAX_DETAIL - 1)}…` : clean;
}

/** Sum of the scores, in nats of log-odds. */
export function totalScore(hits: readonly Hit[]): number {
  return hits.reduce((sum, { score }) => sum + score, 0);
}
