import { fieldPrefix } from '../../mail/search/text.ts';
import { type Token, tokensOf } from '../../mail/search/tokens.ts';
import { andBits, type Bits, hasBit, isEmpty, members, noBits, orPostings, setBit } from './bits.ts';
import { type Fit, fits, literalsOf, matchingTokens, orLiterals, orTokens } from './dictionary.ts';
import { Code } from './format.ts';
import type { Section } from './segment.ts';

/** A token of what is looked for, and what a section has that goes with it. */
interface Piece {
  readonly text: string;
  readonly fit: Fit;
  /** Of each token of the dictionary, whether it goes with this piece. */
  readonly marks: Uint8Array;
  /** Emails of which a literal goes with it. */
  readonly literals: Bits;
}

/** How `phrase` looks. */
export interface PhraseOptions {
  /** Fields are looked at with their names before them. */
  readonly withNames: boolean;
  /** Only fields of this name, without it. */
  readonly only?: number;
}

/**
 * Add the emails of a section in which these tokens stand in a row, the first one at the end of a token of the text and the last
 * one at the start of one (a single one inside of one), among those in `within`. What is in `found` already is not looked at.
 */
export function orPhrase(
  found: Bits,
  section: Section,
  emails: number,
  tokens: readonly Token[],
  options: PhraseOptions & { readonly within?: Bits },
): void {
  const names = options.withNames ? namesOf(section) : [];
  const candidates = noBits(emails).fill(0xff);
  for (let i = 0; i < candidates.length; i++) {
    candidates[i] = ~(found[i] ?? 0) & (options.within === undefined ? 0xff : (options.within[i] ?? 0));
  }
  const pieces: Piece[] = [];
  for (const [at, token] of tokens.entries()) {
    const piece = pieceOf(section, emails, token, fitOf(tokens, at));
    const having = Uint8Array.from(piece.literals);
    orTokens(having, section, marked(piece.marks));
    orNames(having, section, names, piece);
    andBits(candidates, having);
    if (isEmpty(candidates)) return;
    pieces.push(piece);
  }
  const check = checker(section, pieces, names, options);
  for (const email of members(candidates)) {
    if (email < emails && check(email)) setBit(found, email);
  }
}

function fitOf(tokens: readonly Token[], at: number): Fit {
  if (tokens[at]?.word !== true) return 'is';
  if (tokens.length === 1) return 'contains';
  if (at === 0) return 'ends';
  return at === tokens.length - 1 ? 'begins' : 'is';
}

function pieceOf(section: Section, emails: number, token: Token, fit: Fit): Piece {
  const marks = new Uint8Array(section.numbers('offsets').length - 1);
  for (const each of matchingTokens(section, token.text, fit)) marks[each] = 1;
  const literals = noBits(emails);
  if (token.word) orLiterals(literals, section, token.text, fit);
  return { text: token.text, fit, marks, literals };
}

function marked(marks: Uint8Array): number[] {
  const tokens: number[] = [];
  for (let at = marks.indexOf(1); at !== -1; at = marks.indexOf(1, at + 1)) tokens.push(at);
  return tokens;
}

/** Tokens that stand before the values of fields, by the number of the name. */
function namesOf(section: Section): readonly (readonly string[])[] {
  return section.names().map((name) => tokensOf(fieldPrefix(name)).map((token) => token.text));
}

/** Add the emails with a field whose name goes with a piece. */
function orNames(
  into: Bits,
  section: Section,
  names: readonly (readonly string[])[],
  { text, fit }: Pick<Piece, 'text' | 'fit'>,
): void {
  for (const [number, tokens] of names.entries()) {
    if (tokens.some((token) => fits(token, text, fit))) orNamed(into, section, number);
  }
}

/** Add the emails with a field of this name. */
export function orNamed(into: Bits, section: Section, number: number): void {
  const offsets = section.numbers('namePostingOffsets');
  orPostings(into, section.part('namePostings'), offsets[number] ?? 0, offsets[number + 1] ?? 0);
}

/** Add the emails with a field whose name, or what follows it, holds a single token. */
export function orNamesWith(into: Bits, section: Section, token: Token): void {
  orNames(into, section, namesOf(section), { text: token.text, fit: token.word ? 'contains' : 'is' });
}

/** Codes of `spell`: tokens are their numbers, these, and below them literals. */
const BREAK = -1;
const FIRST_LITERAL = -2;

/** A check whether the pieces stand in the text of an email. */
function checker(
  section: Section,
  pieces: readonly Piece[],
  names: readonly (readonly string[])[],
  options: PhraseOptions,
): (email: number) => boolean {
  const spell = speller(section, names, options);
  const { dictionary, extra } = spell;
  const last = pieces.length;
  const none: readonly string[] = [];
  return (email) => {
    const count = spell.run(email);
    const { codes } = spell;
    const literal = pieces.some((piece) => hasBit(piece.literals, email));
    const literals = literal ? literalsOf(section, email) : none;
    const goes = (code: number, { text, fit, marks }: Piece): boolean => {
      if (code >= 0 && code < dictionary) return marks[code] === 1;
      if (code >= dictionary) return fits(extra[code - dictionary] ?? '', text, fit);
      return code <= FIRST_LITERAL && literal && fits(literals[FIRST_LITERAL - code] ?? '', text, fit);
    };
    const [first] = pieces;
    if (first === undefined) return true;
    for (let at = 0; at + last <= count; at++) {
      if (!goes(codes[at] ?? BREAK, first)) continue;
      let next = 1;
      for (; next < last; next++) {
        const piece = pieces[next];
        if (piece === undefined || !goes(codes[at + next] ?? BREAK, piece)) break;
      }
      if (next === last) return true;
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

function speller(section: Section, names: readonly (readonly string[])[], options: PhraseOptions): Speller {
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
  const single = new Uint8Array(dictionary);
  for (let token = 0; token < dictionary; token++) single[token] = (offsets[token] ?? 0) >>> 31;
  let longestName = 2;
  for (const each of nameCodes) longestName = Math.max(longestName, each.length + 1);

  const run = (email: number): number => {
    let at = starts[email] ?? 0;
    const end = starts[email + 1] ?? 0;
    let { codes } = spelled;
    let count = 0;
    let afterWord = false;
    let skipping = false;
    while (at < end) {
      if (count + longestName + 2 > codes.length) {
        const larger = new Int32Array(2 * codes.length + longestName);
        larger.set(codes);
        spelled.codes = codes = larger;
      }
      let octet = forward[at++] ?? 0;
      let code = octet & 0x7f;
      for (let shift = 7; octet >= 0x80; shift += 7) {
        octet = forward[at++] ?? 0;
        code |= (octet & 0x7f) << shift;
      }
      let number = 0;
      if (code === Code.field || code === Code.literal) {
        octet = forward[at++] ?? 0;
        number = octet & 0x7f;
        for (let shift = 7; octet >= 0x80; shift += 7) {
          octet = forward[at++] ?? 0;
          number |= (octet & 0x7f) << shift;
        }
      }
      if (code === Code.part || code === Code.field) {
        skipping = options.only !== undefined && (code === Code.part || number !== options.only);
        afterWord = false;
        codes[count++] = BREAK;
        if (code === Code.field && options.withNames) {
          for (const each of nameCodes[number] ?? []) codes[count++] = each;
        }
      } else if (!skipping) {
        const word = code === Code.literal || single[code - Code.first] === 0;
        if (word && afterWord) codes[count++] = space;
        codes[count++] = code === Code.literal ? FIRST_LITERAL - number : code - Code.first;
        afterWord = word;
      }
    }
    return count;
  };
  const spelled: Speller = { dictionary, extra, codes: new Int32Array(4096), run };
  return spelled;
}
