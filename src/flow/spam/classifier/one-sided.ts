/**
 * A second opinion beside the regression: which runs of letters, and which features of the header, has only good mail, or
 * only unwanted mail, had so far? The regression learns what tells most mail apart and has little to say of rare things; a
 * newsletter that was never seen before still shares rare runs with good mail. Counting is exact, one message at a time.
 */
import type { Features } from './sink.ts';

/** How many messages of each class had what falls into each bucket. */
export interface Counts {
  /** Of bucket i the good messages at 2i, the others at 2i + 1. Empty: does not count. */
  readonly of: Uint16Array;
  /** Messages counted. */
  ham: number;
  spam: number;
}

/** `buckets`: a power of two, or 0 for counts that stay empty. */
export function newCounts(buckets: number): Counts {
  return { of: new Uint16Array(2 * buckets), ham: 0, spam: 0 };
}

/** A view that is counted. */
interface Counted {
  /** Its place in `VIEWS`. */
  readonly view: number;
  /** Messages that must have had a feature before it says something. */
  readonly least: number;
  /** Raw nats where every one-sided feature is on the same side. */
  readonly weight: number;
}

/**
 * Runs of letters, the header, and runs of letters in the paths of links, which show the program that made them. A header
 * is short and names its sender: what one message had would only say that this sender was there before. Words and make
 * are not counted: it gained nothing.
 */
const COUNTED: readonly Counted[] = [
  { view: 0, least: 1, weight: 6 },
  { view: 2, least: 3, weight: 4 },
  { view: 5, least: 1, weight: 5 },
];
/** Messages of a class at which its counts are halved: they stay within 16 bits, and what is old fades. */
const FULL = 50_000;

/** Count one message. */
export function count(counts: Counts, features: Features, label: 'ham' | 'spam'): void {
  const { of } = counts;
  if (of.length === 0) return;
  const mask = of.length / 2 - 1;
  const side = label === 'spam' ? 1 : 0;
  for (const { view } of COUNTED) {
    const ids = features.views[view] ?? new Uint32Array(0);
    for (let i = 0; i < ids.length; i++) {
      const at = 2 * ((ids[i] as number) & mask) + side;
      // Buckets are shared: two runs of one message may fall into the same.
      if (of[at] !== 0xffff) of[at] = (of[at] as number) + 1;
    }
  }
  counts[label]++;
  if (counts[label] >= FULL) halve(counts, label);
}

function halve(counts: Counts, label: 'ham' | 'spam'): void {
  for (let at = label === 'spam' ? 1 : 0; at < counts.of.length; at += 2) {
    counts.of[at] = (counts.of[at] as number) >> 1;
  }
  counts[label] >>= 1;
}

/** Share of a class's messages beside the other's from which a feature counts as that class's own. */
const OWN_SHARE = 0.97;
/** Features that are added to those found: a few say little. */
const FEW_FOUND = 5;
/** Messages of the smaller class at which the opinion counts for half. */
const FEW_MESSAGES = 10;

/** Nats towards spam, not calibrated: of the features that belong to one class, how many more are spam's than ham's. */
export function oneSidedNats(counts: Counts, features: Features): number {
  const { of, ham, spam } = counts;
  if (of.length === 0 || ham === 0 || spam === 0) return 0;
  const fewer = Math.min(ham, spam);
  const nats = COUNTED.reduce((sum, view) => sum + view.weight * balanceOf(counts, features, view), 0);
  return (fewer / (fewer + FEW_MESSAGES)) * nats;
}

/** From -1, all that is one-sided is ham's, to 1. */
function balanceOf({ of, ham, spam }: Counts, features: Features, { view, least }: Counted): number {
  const ids = features.views[view] ?? new Uint32Array(0);
  const mask = of.length / 2 - 1;
  const odds = OWN_SHARE / (1 - OWN_SHARE);
  let [hams, spams] = [0, 0];
  for (let i = 0; i < ids.length; i++) {
    const at = 2 * ((ids[i] as number) & mask);
    const [hadHam, hadSpam] = [of[at] as number, of[at + 1] as number];
    if (hadHam + hadSpam < least) continue;
    // Shares of each class, both multiplied by ham * spam.
    const good = hadHam * spam;
    const bad = hadSpam * ham;
    if (bad > odds * good) spams++;
    else if (good > odds * bad) hams++;
  }
  return (spams - hams) / (spams + hams + FEW_FOUND);
}
