/**
 * A second opinion beside the regression: which runs of letters has only good mail, or only unwanted mail, had so far?
 * The regression learns what tells most mail apart and has little to say of rare things; a newsletter that was never
 * seen before still shares rare runs with good mail. Counting is exact, one message at a time.
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

/** The view that is counted: runs of letters. Counting words or the header as well gained nothing. */
const VIEW = 0;
/** Messages of a class at which its counts are halved: they stay within 16 bits, and what is old fades. */
const FULL = 50_000;

/** Count one message. */
export function count(counts: Counts, features: Features, label: 'ham' | 'spam'): void {
  const { of } = counts;
  const ids = features.views[VIEW];
  if (of.length === 0 || !ids) return;
  const mask = of.length / 2 - 1;
  const side = label === 'spam' ? 1 : 0;
  for (let i = 0; i < ids.length; i++) {
    const at = 2 * ((ids[i] as number) & mask) + side;
    // Buckets are shared: two runs of one message may fall into the same.
    if (of[at] !== 0xffff) of[at] = (of[at] as number) + 1;
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

/** Share of a class's messages beside the other's from which a run counts as that class's own. */
const OWN_SHARE = 0.97;
/** Runs that are added to those found: a few say little. */
const FEW_RUNS = 5;
/** Messages of the smaller class at which the opinion counts for half. */
const FEW_MESSAGES = 10;
/** Raw nats where every one-sided run is on the same side. */
const WEIGHT = 8;

/** Nats towards spam, not calibrated: of the runs that belong to one class, how many more are spam's than ham's. */
export function oneSidedNats(counts: Counts, features: Features): number {
  const { of, ham, spam } = counts;
  const ids = features.views[VIEW];
  if (of.length === 0 || !ids || ham === 0 || spam === 0) return 0;
  const mask = of.length / 2 - 1;
  const odds = OWN_SHARE / (1 - OWN_SHARE);
  let [hams, spams] = [0, 0];
  for (let i = 0; i < ids.length; i++) {
    const at = 2 * ((ids[i] as number) & mask);
    // Shares of each class, both multiplied by ham * spam.
    const good = (of[at] as number) * spam;
    const bad = (of[at + 1] as number) * ham;
    if (bad > odds * good) spams++;
    else if (good > odds * bad) hams++;
  }
  const fewer = Math.min(ham, spam);
  return (WEIGHT * (fewer / (fewer + FEW_MESSAGES)) * (spams - hams)) / (spams + hams + FEW_RUNS);
}
