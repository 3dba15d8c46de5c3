import { hasBit } from './bits.ts';
import { fits, literalsOf, matchingTokens } from './dictionary.ts';
import { PART } from './format.ts';
import type { Names, Piece, PhraseOptions } from './phrase.ts';
import type { Section } from './segment.ts';

/** Codes of `spell`: tokens are their numbers, those of names come after them, literals are below these. */
const BREAK = -1;
const FIRST_LITERAL = -2;
const NO_LITERALS: readonly string[] = [];

/** A check whether the pieces stand in the text of an email, spelled out with all its spaces, names and literals. */
export function spellingCheck(
  section: Section,
  pieces: readonly Piece[],
  names: Names,
  options: PhraseOptions,
): (email: number) => boolean {
  let made: Speller | undefined;
  const [first] = pieces;
  const length = pieces.length;
  return (email) => {
    const speller = (made ??= createSpeller(section, names, options));
    const { dictionary, extra } = speller;
    const count = speller.run(email);
    const { codes } = speller;
    const literal = pieces.some((piece) => hasBit(piece.literals, email));
    const literals = literal ? literalsOf(section, email) : NO_LITERALS;
    const goes = (code: number, { text, fit, marks }: Piece): boolean => {
      if (code >= 0 && code < dictionary) return marks[code] === 1;
      if (code >= dictionary) return fits(extra[code - dictionary] ?? '', text, fit);
      return code <= FIRST_LITERAL && literal && fits(literals[FIRST_LITERAL - code] ?? '', text, fit);
    };
    if (first === undefined) return true;
    for (let at = 0; at + length <= count; at++) {
      if (!goes(codes[at] ?? BREAK, first)) continue;
      let next = 1;
      for (; next < length; next++) {
        const piece = pieces[next];
        if (piece === undefined || !goes(codes[at + next] ?? BREAK, piece)) break;
      }
      if (next === length) return true;
    }
    return false;
  };
}

interface Speller {
  /** Tokens of the dictionary, and those of names, which come after them. */
  readonly dictionary: number;
  readonly extra: readonly string[];
  /** What `run` found; replaced when it grows. */
  codes: Int32Array;
  /** Spell out the text of an email in `codes`; how many there are. */
  run(email: number): number;
}

function createSpeller(section: Section, names: Names, options: PhraseOptions): Speller {
  const forward = section.part('forward');
  const starts = section.numbers('forwardOffsets');
  const offsets = section.numbers('offsets');
  const dictionary = offsets.length - 1;
  const extra: string[] = [];
  const nameCodes = names.map((tokens) =>
    tokens.map((token) => {
      extra.push(token);
      return dictionary + extra.length - 1;
    }),
  );
  const [space = BREAK] = matchingTokens(section, ' ', 'is');
  const longestName = Math.max(0, ...nameCodes.map((each) => each.length));
  const { only } = options;

  const run = (email: number): number => {
    let at = starts[email] ?? 0;
    const end = starts[email + 1] ?? 0;
    let { codes } = speller;
    let count = 0;
    let afterWord = false;
    let skipping = false;
    while (at < end) {
      if (count + longestName + 3 > codes.length) {
        const larger = new Int32Array(2 * codes.length + longestName);
        larger.set(codes);
        speller.codes = codes = larger;
      }
      let octet = forward[at++] ?? 0;
      let code = octet & 0x7f;
      for (let shift = 7; octet >= 0x80; shift += 7) {
        octet = forward[at++] ?? 0;
        code |= (octet & 0x7f) << shift;
      }
      const isField = (code & 3) === 3;
      if (isField || code === PART) {
        skipping = only !== undefined && (!isField || code >>> 2 !== only);
        afterWord = false;
        codes[count++] = BREAK;
        if (isField) for (const each of nameCodes[code >>> 2] ?? []) codes[count++] = each;
      } else if (!skipping) {
        const literal = (code & 1) === 1;
        const token = (code >>> 1) - 1;
        const word = literal || (offsets[token] ?? 0) >>> 31 === 0;
        if (word && afterWord) codes[count++] = space;
        codes[count++] = literal ? FIRST_LITERAL - (code >>> 2) : token;
        afterWord = word;
      }
    }
    return count;
  };
  const speller: Speller = { dictionary, extra, codes: new Int32Array(4096), run };
  return speller;
}
