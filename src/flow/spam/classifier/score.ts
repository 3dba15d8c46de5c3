/** Scores and what speaks for them. */
import { thresholdNats } from './calibration.ts';
import { type Model, ownLinksNats, personalNats, rawScore, valueOf, viewsOf } from './model.ts';
import { type Features, type FeatureText, type Group } from './sink.ts';

export interface Score {
  /** Calibrated log-odds in nats, the personal model's part included. */
  readonly logit: number;
  readonly probability: number;
  /** Nats of `logit` that the account's own lessons add. */
  readonly personal: number;
}

export interface Strength {
  readonly group: Group;
  /** What it is, in words: 'the word "viagra"'. */
  readonly text: string;
  /** Nats towards spam. */
  readonly weight: number;
}

export function score(model: Model, features: Features, personal?: Model): Score {
  const { scale, shift } = model.calibration;
  const own = personal ? personalNats(personal, features) : 0;
  const logit = scale * rawScore(model, features) + shift + own;
  return { logit, probability: 1 / (1 + Math.exp(-logit)), personal: own };
}

/** Nats of a site's `logit` that its links add, as own-links.ts sees them: 0 or less, for good mail. */
export function linksPart(model: Model, features: Features): number {
  return model.calibration.scale * ownLinksNats(model, features);
}

/** Probability from which mail is junk, that at most one good message in `goodPerJunked` be among it. */
export function threshold(model: Model, goodPerJunked: number): number {
  return 1 / (1 + Math.exp(-thresholdNats(model.sketch, model.calibration, goodPerJunked)));
}

/** Runs of letters that say nothing to a reader. */
const MIN_TEXT = 3;

/** Features looked at for each that is named, as several may be the same in words. */
const LOOKED_AT = 6;

/**
 * The strongest features of a message in words, strongest first. `texts` of `explainedFeatures`; `said`: which of them
 * are worth saying.
 */
export function strongest(
  model: Model,
  features: Features,
  texts: readonly (readonly FeatureText[])[],
  max = 8,
  said: (feature: FeatureText) => boolean = () => true,
): Strength[] {
  const named = new Map<string, Strength>();
  const candidates = weighed(model, features, texts, said);
  // The strongest is looked for again and again: cheaper than putting all of them in order.
  for (let looks = max * LOOKED_AT; looks > 0 && named.size < max; looks--) {
    let best: Candidate | undefined;
    for (const one of candidates)
      if (one.weight !== 0 && (best === undefined || Math.abs(one.weight) > Math.abs(best.weight)))
        best = one;
    if (best === undefined) break;
    const { known, weight } = best;
    best.weight = 0;
    const text = inWords(known);
    if (!named.has(text)) named.set(text, { group: known.group, text, weight });
  }
  return [...named.values()];
}

interface Candidate {
  readonly known: FeatureText;
  /** Nats towards spam; 0 once it is used up. */
  weight: number;
}

/** What a reader would recognise, with its weight. */
function weighed(
  model: Model,
  features: Features,
  texts: readonly (readonly FeatureText[])[],
  said: (feature: FeatureText) => boolean,
): Candidate[] {
  const { scale } = model.calibration;
  const { weights } = model;
  const candidates: Candidate[] = [];
  for (const view of viewsOf(model)) {
    const ids = features.views[view] ?? new Uint32Array(0);
    const value = valueOf(ids) * scale;
    for (const [i, known] of (texts[view] ?? []).entries()) {
      const weight = (weights[(ids[i] ?? 0) & (weights.length - 1)] ?? 0) * value;
      if (weight === 0 || known.text.length < MIN_TEXT || isGram(known) || !said(known)) continue;
      candidates.push({ known, weight });
    }
  }
  return candidates;
}

/** Runs of four characters of From and of the mailer's name. */
function isGram({ group, text }: FeatureText): boolean {
  return (group === 'from' || group === 'mailer') && text.length === 4 && !text.startsWith('@');
}

const PHRASES: Readonly<Record<Group, (text: string) => string>> = {
  gram: (text) => `the letters "${text}"`,
  word: (text) => `the word "${text}"`,
  capital: (text) => `the word "${text}"`,
  pair: (text) => `the words "${text}"`,
  subject: (text) => `"${text}" in the subject`,
  host: (text) => `a link to ${text}`,
  from: (text) => (text.startsWith('@') ? `mail from ${text.slice(1)}` : `"${text}" in the sender's name`),
  mailer: (text) => `the program that sent it: ${text.replace(/^\* /, '')}`,
  field: (text) => `the header says: ${text}`,
  shape: (text) => `how it is addressed: ${text}`,
  mime: (text) => `how it is built: ${text}`,
  link: (text) => `links: ${text}`,
  markup: (text) => `markup: ${text}`,
  style: (text) => `its look: ${text}`,
  layout: (text) => `its lines: ${text}`,
  end: (text) => `the letters "${text}" at its beginning or end`,
  path: (text) => `the letters "${text}" in a link`,
};

function inWords({ group, text }: FeatureText): string {
  // A stranger's text: no controls, no marks that turn text around.
  return PHRASES[group](text.replace(/[\p{Cc}\p{Cf}]/gu, '').slice(0, 60));
}
