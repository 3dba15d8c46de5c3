/** Counts what matching costs: a step is one operation on 32 states. */
export interface Work {
  steps: number;
}

/** A compiled pattern of LIST (RFC 9051 section 6.3.9): `%` stands for anything within a level, `*` for anything. */
export type ListPattern = (name: string, work: Work) => boolean;

const SEPARATOR = '/';
const SEPARATOR_CODE = 0x2f;

/**
 * Compile a pattern. All positions in it are followed at once, 32 to a machine word, so that a name costs at most
 * its length times an 32nd of the pattern's, however many wildcards there are. INBOX as a whole level at the start
 * matches in any case.
 */
export function listPattern(pattern: string): ListPattern {
  // A run of wildcards is as good as its strongest; two never stand side by side then.
  const text = foldInbox(
    pattern.normalize('NFC').replace(/[%*]+/g, (run) => (run.includes('*') ? '*' : '%')),
  );
  const first = text.search(/[%*]/);
  const prefix = first === -1 ? text : text.slice(0, first);
  const prefixSteps = 1 + (prefix.length >>> 4);
  if (first === -1) {
    return (name, work) => {
      work.steps += prefixSteps;
      return name === text;
    };
  }
  const rest = globMatcher(text.slice(first));
  return (name, work) => {
    work.steps += prefixSteps;
    return name.startsWith(prefix) && rest(name, prefix.length, work);
  };
}

function foldInbox(text: string): string {
  const level = text.slice(0, 5);
  const next = text.charAt(5);
  return level.toUpperCase() === 'INBOX' &&
    (next === '' || next === SEPARATOR || next === '*' || next === '%')
    ? `INBOX${text.slice(5)}`
    : text;
}

/** Sets of places in a pattern, a bit each. */
interface Places {
  readonly words: number;
  /** Where a wildcard stands, and where one that takes a separator too. */
  readonly wild: Uint32Array;
  readonly star: Uint32Array;
  /** Where a character stands, by its code. */
  readonly literal: ReadonlyMap<number, Uint32Array>;
}

function placesOf(glob: string): Places {
  const words = (glob.length >>> 5) + 1;
  const wild = new Uint32Array(words);
  const star = new Uint32Array(words);
  const literal = new Map<number, Uint32Array>();
  for (let at = 0; at < glob.length; at++) {
    const char = glob.charAt(at);
    if (char === '*') setBit(star, at);
    if (char === '*' || char === '%') setBit(wild, at);
    else {
      const code = glob.charCodeAt(at);
      const places = literal.get(code) ?? new Uint32Array(words);
      literal.set(code, places);
      setBit(places, at);
    }
  }
  return { words, wild, star, literal };
}

function setBit(set: Uint32Array, at: number): void {
  set[at >>> 5] = (set[at >>> 5] ?? 0) | (1 << (at & 31));
}

function hasBit(set: Uint32Array, at: number): boolean {
  return (((set[at >>> 5] ?? 0) >>> (at & 31)) & 1) === 1;
}

/** What a character costs besides a step for each word. */
const STEPS_PER_CHAR = 3;

/** A matcher of names from `from` on, for a pattern that begins with a wildcard. */
function globMatcher(glob: string): (name: string, from: number, work: Work) => boolean {
  const places = placesOf(glob);
  const nothing = new Uint32Array(places.words);
  // Bit i: what has been read of the name is matched by the first i characters of the pattern.
  const states = new Uint32Array(places.words);
  return (name, from, work) => {
    states.fill(0);
    setBit(states, 0);
    setBit(states, 1);
    for (let at = from; at < name.length; at++) {
      work.steps += STEPS_PER_CHAR + places.words;
      const code = name.charCodeAt(at);
      const stay = code === SEPARATOR_CODE ? places.star : places.wild;
      if (!advance(states, places.literal.get(code) ?? nothing, stay, places.wild)) return false;
    }
    return hasBit(states, glob.length);
  };
}

/** Go on by one character of the name, in place. False when nothing matches any more. */
function advance(states: Uint32Array, literal: Uint32Array, stay: Uint32Array, wild: Uint32Array): boolean {
  let any = 0;
  let movedOver = 0;
  let skippedOver = 0;
  for (let word = 0; word < states.length; word++) {
    const here = states[word] ?? 0;
    const moved = here & (literal[word] ?? 0);
    const reached = (here & (stay[word] ?? 0)) | (moved << 1) | movedOver;
    movedOver = moved >>> 31;
    // A wildcard may stand for nothing.
    const skipped = reached & (wild[word] ?? 0);
    const next = reached | (skipped << 1) | skippedOver;
    skippedOver = skipped >>> 31;
    states[word] = next;
    any |= next;
  }
  return any !== 0;
}
