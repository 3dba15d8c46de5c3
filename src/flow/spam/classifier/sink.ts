/** Where features are gathered: hashed, once each, bounded, by view. */
import { classifierLimits } from './limits.ts';

/**
 * The classifier looks at a message in separate ways, each with a logit of its own, and adds them: what is missing
 * or odd in one (a stripped header, a text in a picture) then cannot outvote the others.
 */
export const VIEWS = ['grams', 'words', 'header', 'make', 'ends', 'paths'] as const;
export type View = (typeof VIEWS)[number];

/** Features of a message: the ids of each view, in the order of `VIEWS`, each id once. */
export interface Features {
  readonly views: readonly Uint32Array[];
  /** Sum of the content rules that applied, nats towards spam. */
  readonly rules: number;
  /** How much its links look like a table of contents of few sites, its author's above all; see own-links.ts. */
  readonly ownLinks: number;
}

/** What a feature is, in words: for explanations only. A view of n-grams has none. */
export interface FeatureText {
  readonly group: Group;
  readonly text: string;
}

/** Kinds of features, their view and a salt, so that the same text of two kinds is two features. */
export const GROUPS = {
  gram: { view: 0, salt: 0x1f123bb5 },
  style: { view: 3, salt: 0x2545f491 },
  link: { view: 3, salt: 0x3c6ef372 },
  markup: { view: 3, salt: 0x41c64e6d },
  word: { view: 1, salt: 0x5851f42d },
  capital: { view: 1, salt: 0x6a09e667 },
  pair: { view: 1, salt: 0x7ed55d16 },
  subject: { view: 1, salt: 0x85ebca6b },
  host: { view: 1, salt: 0x9e3779b9 },
  from: { view: 2, salt: 0xa54ff53a },
  mailer: { view: 2, salt: 0xb7e15163 },
  field: { view: 2, salt: 0xc2b2ae35 },
  shape: { view: 2, salt: 0xd1b54a33 },
  mime: { view: 2, salt: 0xe6546b64 },
  layout: { view: 3, salt: 0xf58d4c37 },
  end: { view: 4, salt: 0x0b4711d9 },
  path: { view: 5, salt: 0x1a85ec53 },
} as const;
export type Group = keyof typeof GROUPS;

/** Runs of letters of a text or a link: nothing that one could show a person. */
const UNSPOKEN: ReadonlySet<Group> = new Set(['gram', 'end', 'path']);

const SET_SIZE = 16_384;
const GOLDEN = 0x9e3779b1;

/** Avalanche of 32 bits, so that the low bits, which choose the bucket, depend on all of them. */
function mix(hash: number): number {
  let h = hash ^ (hash >>> 16);
  h = Math.imul(h, 0x7feb352d);
  h ^= h >>> 15;
  h = Math.imul(h, 0x846ca68b);
  return (h ^ (h >>> 16)) >>> 0;
}

/** Id of a feature. Never 0, which marks free places. */
export function featureId(group: Group, text: string): number {
  let h: number = GROUPS[group].salt;
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193);
  return mix(h) || 1;
}

/** A set of ids that keeps their order and takes at most `classifierLimits.perView`. */
class IdSet {
  private readonly table = new Uint32Array(SET_SIZE);
  private readonly list = new Uint32Array(classifierLimits.perView);
  /** Places of the table that are taken, so that emptying it costs what was put in. */
  private readonly places = new Uint16Array(classifierLimits.perView);
  private count = 0;

  /** False when it is there already, or full. */
  add(id: number): boolean {
    if (this.count === classifierLimits.perView) return false;
    let at = Math.imul(id, GOLDEN) >>> 18;
    for (;;) {
      const held = this.table[at];
      if (held === id) return false;
      if (held === 0) break;
      at = (at + 1) & (SET_SIZE - 1);
    }
    this.table[at] = id;
    this.places[this.count] = at;
    this.list[this.count++] = id;
    return true;
  }

  take(): Uint32Array {
    const out = this.list.slice(0, this.count);
    for (let i = 0; i < this.count; i++) this.table[this.places[i] as number] = 0;
    this.count = 0;
    return out;
  }
}

/** Sets are large and emptied by `take`: one for each view serves all messages of a thread. */
const sets = VIEWS.map(() => new IdSet());

export class FeatureSink {
  /** What the ids of each view stand for, in their order; only filled when asked for, and never for n-grams. */
  readonly texts: readonly FeatureText[][] | undefined;

  constructor(keepTexts: boolean) {
    this.texts = keepTexts ? VIEWS.map(() => []) : undefined;
  }

  add(group: Group, text: string): void {
    const { view } = GROUPS[group];
    if (sets[view]?.add(featureId(group, text)) === true) this.texts?.[view]?.push({ group, text });
  }

  /** All runs of four characters. The id is that of `featureId(group, run)`, computed without cutting strings. */
  grams(group: Group, text: string): void {
    const { view, salt } = GROUPS[group];
    const set = sets[view];
    const texts = UNSPOKEN.has(group) ? undefined : this.texts?.[view];
    for (let i = 0; i + 4 <= text.length; i++) {
      let h: number = salt;
      h = Math.imul(h ^ text.charCodeAt(i), 0x01000193);
      h = Math.imul(h ^ text.charCodeAt(i + 1), 0x01000193);
      h = Math.imul(h ^ text.charCodeAt(i + 2), 0x01000193);
      h = Math.imul(h ^ text.charCodeAt(i + 3), 0x01000193);
      if (set?.add(mix(h) || 1) === true) texts?.push({ group, text: text.slice(i, i + 4) });
    }
  }

  /** The features; the sink is used up. */
  take(rules: number, ownLinks: number): Features {
    return { views: sets.map((set) => set.take()), rules, ownLinks };
  }
}
