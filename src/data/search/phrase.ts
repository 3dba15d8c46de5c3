import { fieldPrefix } from '../../mail/search/text.ts';
import { type Token, tokensOf } from '../../mail/search/tokens.ts';
import { andBits, type Bits, isEmpty, members, noBits, orBits, orPostings, setBit } from './bits.ts';
import { type Fit, fits, matchingTokens, orLiterals, orTokens } from './dictionary.ts';
import { octetFinder } from './octet-finder.ts';
import type { Section } from './segment.ts';
import { spellingCheck } from './spelling.ts';

/** A token of what is looked for, and what a section has that goes with it. */
export interface Piece {
  readonly text: string;
  readonly word: boolean;
  readonly fit: Fit;
  /** Tokens of the dictionary that go with this piece, and the same as marks. */
  readonly tokens: readonly number[];
  readonly marks: Uint8Array;
  /** Emails of which a literal goes with it. */
  readonly literals: Bits;
}

/** Tokens that stand before the values of fields, by the number of the name. */
export type Names = readonly (readonly string[])[];

/** How `orPhrase` looks. */
export interface PhraseOptions {
  /** Fields are looked at with their names before them. */
  readonly withNames: boolean;
  /** Only fields of this name, without it. */
  readonly only?: number;
  /** Only these emails. */
  readonly within?: Bits;
}

/**
 * Add the emails of a section in which these tokens stand in a row: the first one at the end of a token of the text and
 * the last one at the start of one (a single one anywhere inside). What is in `found` already is not looked at.
 */
export function orPhrase(
  found: Bits,
  section: Section,
  emails: number,
  tokens: readonly Token[],
  options: PhraseOptions,
): void {
  const names = options.withNames ? namesOf(section) : [];
  const candidates = noBits(emails);
  for (let i = 0; i < candidates.length; i++) {
    candidates[i] = ~(found[i] ?? 0) & (options.within === undefined ? 0xff : (options.within[i] ?? 0));
  }
  const pieces: Piece[] = [];
  for (const [at, token] of tokens.entries()) {
    const piece = pieceOf(section, emails, token, fitOf(tokens, at));
    const having = Uint8Array.from(piece.literals);
    orTokens(having, section, emails, piece.tokens);
    orNames(having, section, names, piece);
    andBits(candidates, having);
    if (isEmpty(candidates)) return;
    pieces.push(piece);
  }
  // Most emails can be looked at as octets. Those with literals or field names in the match are spelled out.
  const spelled = toSpell(section, emails, pieces, names);
  const check = spellingCheck(section, pieces, names, options);
  const find = octetFinder(section, pieces, options);
  for (const email of members(candidates)) {
    if (email >= emails) break;
    const odd = ((spelled[email >>> 3] ?? 0) & (1 << (email & 7))) !== 0;
    if (find === undefined || odd ? check(email) : find(email)) setBit(found, email);
  }
}

function fitOf(tokens: readonly Token[], at: number): Fit {
  if (tokens[at]?.word !== true) return 'is';
  if (tokens.length === 1) return 'contains';
  if (at === 0) return 'ends';
  return at === tokens.length - 1 ? 'begins' : 'is';
}

function pieceOf(section: Section, emails: number, { text, word }: Token, fit: Fit): Piece {
  const tokens = matchingTokens(section, text, fit);
  const marks = new Uint8Array(section.numbers('offsets').length - 1);
  for (const each of tokens) marks[each] = 1;
  const literals = noBits(emails);
  if (word) orLiterals(literals, section, text, fit);
  return { text, word, fit, tokens, marks, literals };
}

/** Emails in which a match may have a literal in it, or begin in the name of a field. */
function toSpell(section: Section, emails: number, pieces: readonly Piece[], names: Names): Bits {
  const bits = noBits(emails);
  for (const piece of pieces) orBits(bits, piece.literals);
  for (const [number, tokens] of names.entries()) {
    if (tokens.some((_, from) => beginsAt(pieces, tokens, from))) orNamed(bits, section, number);
  }
  return bits;
}

/** Whether the pieces, as far as they reach, go with the tokens of a name from one on. */
function beginsAt(pieces: readonly Piece[], tokens: readonly string[], from: number): boolean {
  return tokens.slice(from, from + pieces.length).every((token, at) => {
    const piece = pieces[at];
    return piece !== undefined && fits(token, piece.text, piece.fit);
  });
}

function namesOf(section: Section): Names {
  return section.names().map((name) => tokensOf(fieldPrefix(name)).map((token) => token.text));
}

/** Add the emails with a field whose name goes with a piece. */
function orNames(
  into: Bits,
  section: Section,
  names: Names,
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
