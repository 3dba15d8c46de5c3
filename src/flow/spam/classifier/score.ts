/** Scores and what speaks for them. */
import { thresholdNats } from './calibration.ts';
import { type Model, personalNats, rawScore, valueOf, viewsOf } from './model.ts';
import { type Features, type FeatureText, GROUPS, type Group } from './sink.ts';

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

/** Probability from which mail is junk, that at most one good message in `goodPerJunked` be among it. */
export function threshold(model: Model, goodPerJunked: number): number {
  return 1 / (1 + Math.exp(-thresholdNats(model.sketch, model.calibration, goodPerJunked)));
}

/** Several n-grams of one word say the same: only what a reader recognises is named. */
const NAMED: readonly Group[] = [
  'word',
  'capital',
  'pair',
  'subject',
  'host',
  'from',
  'mailer',
  'field',
  'shape',
  'mime',
  'link',
  'markup',
  'style',
]; // prettier-ignore
/** Runs of letters that say nothing to a reader. */
const MIN_TEXT = 3;

/** The strongest features of a message in words, strongest first. `texts` of `explainedFeatures`. */
export function strongest(
  model: Model,
  features: Features,
  texts: ReadonlyMap<number, FeatureText>,
  max = 8,
): Strength[] {
  const { scale } = model.calibration;
  const found = new Map<string, Strength>();
  for (const view of viewsOf(model)) {
    const ids = features.views[view] ?? new Uint32Array(0);
    const value = valueOf(ids) * scale;
    for (const id of ids) {
      const known = texts.get(id);
      if (!known || !NAMED.includes(known.group) || GROUPS[known.group].view !== view) continue;
      if (known.text.length < MIN_TEXT || isGram(known)) continue;
      const weight = (model.weights[id & (model.weights.length - 1)] ?? 0) * value;
      const text = inWords(known);
      const before = found.get(text);
      if (!before || Math.abs(before.weight) < Math.abs(weight))
        found.set(text, { group: known.group, text, weight });
    }
  }
  return [...found.values()].toSorted((a, b) => Math.abs(b.weight) - Math.abs(a.weight)).slice(0, max);
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
};

function inWords({ group, text }: FeatureText): string {
  // A stranger's text: no controls, no marks that turn text around.
  return PHRASES[group](text.replace(/[\p{Cc}\p{Cf}]/gu, '').slice(0, 60));
}
