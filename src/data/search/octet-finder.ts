import { PART, tokenCode } from './format.ts';
import { Octets } from './bytes.ts';
import type { Piece, PhraseOptions } from './phrase.ts';
import type { Section } from './segment.ts';

/** Tokens that the rarest piece may have so that each is looked for by itself. */
const MAX_ANCHORS = 8;

/**
 * A look for pieces in the forward part of one email, as octets. It takes no notice of literals and of names of fields.
 * Undefined when it cannot be done that way: a space at an end beside a word may or may not be written.
 */
export function octetFinder(
  section: Section,
  given: readonly Piece[],
  options: PhraseOptions,
): ((email: number) => boolean) | undefined {
  const pieces = withoutSpaces(given);
  if (pieces === undefined) return undefined;
  if (pieces.some((piece) => piece.tokens.length === 0)) return () => false;
  const forward = section.part('forward');
  const starts = section.numbers('forwardOffsets');
  const inside = (start: number, at: number): boolean =>
    options.only === undefined || fieldAt(forward, start, at) === options.only;
  const anchor = anchorOf(pieces);
  if (anchor === undefined) return (email) => passes(forward, starts, email, pieces, options.only);
  const { patterns, before, after } = anchor;
  return (email) => {
    const start = starts[email] ?? 0;
    const end = starts[email + 1] ?? 0;
    const text = forward.subarray(start, end);
    for (const wanted of patterns) {
      for (let at = text.indexOf(wanted); at !== -1; at = text.indexOf(wanted, at + 1)) {
        // The octet before is the last one of its number.
        if (at > 0 && (text[at - 1] ?? 0) >= 0x80) continue;
        if (goBack(text, at, before) && goOn(text, at + wanted.length, after) && inside(start, start + at))
          return true;
      }
    }
    return false;
  };
}

/** The pieces as the forward part has them: without the space between two words. */
function withoutSpaces(pieces: readonly Piece[]): readonly Piece[] | undefined {
  const kept: Piece[] = [];
  for (const [at, piece] of pieces.entries()) {
    if (piece.text === ' ') {
      const before = pieces[at - 1];
      const after = pieces[at + 1];
      if (before?.word === true && after?.word === true) continue;
      if (before === undefined && after?.word !== false) return undefined;
      if (after === undefined && before?.word === true) return undefined;
    }
    kept.push(piece);
  }
  return kept;
}

interface Anchor {
  /** Octets of which one has to be there. */
  readonly patterns: readonly Buffer[];
  /** What has to stand before (the nearest first) and after it. */
  readonly before: readonly Piece[];
  readonly after: readonly Piece[];
}

/** The longest run of pieces that are one token each, or else the piece with the fewest tokens. */
function anchorOf(pieces: readonly Piece[]): Anchor | undefined {
  let from = 0;
  let to = 0;
  for (let at = 0; at < pieces.length; at++) {
    let end = at;
    while (pieces[end]?.tokens.length === 1) end++;
    if (end - at > to - from) [from, to] = [at, end];
  }
  let patterns: Buffer[];
  if (to > from) patterns = [octets(pieces.slice(from, to).map((piece) => piece.tokens[0] ?? 0))];
  else {
    const fewest = Math.min(...pieces.map((piece) => piece.tokens.length));
    if (fewest > MAX_ANCHORS) return undefined;
    from = pieces.findIndex((piece) => piece.tokens.length === fewest);
    to = from + 1;
    patterns = (pieces[from]?.tokens ?? []).map((token) => octets([token]));
  }
  return { patterns, before: pieces.slice(0, from).toReversed(), after: pieces.slice(to) };
}

function octets(tokens: readonly number[]): Buffer {
  const out = new Octets();
  for (const token of tokens) out.varint(tokenCode(token));
  return out.take();
}

/** The number that begins at a place. */
function numberAt(text: Buffer, place: number): number {
  let at = place;
  let octet = text[at++] ?? 0;
  let number = octet & 0x7f;
  for (let shift = 7; octet >= 0x80; shift += 7) {
    octet = text[at++] ?? 0;
    number |= (octet & 0x7f) << shift;
  }
  return number;
}

/** Whether a number is a token that goes with a piece. */
function goes(code: number, { marks }: Piece): boolean {
  return code !== PART && (code & 1) === 0 && marks[(code >>> 1) - 1] === 1;
}

function goBack(text: Buffer, place: number, pieces: readonly Piece[]): boolean {
  let at = place;
  for (const piece of pieces) {
    if (at === 0) return false;
    at--;
    while (at > 0 && (text[at - 1] ?? 0) >= 0x80) at--;
    if (!goes(numberAt(text, at), piece)) return false;
  }
  return true;
}

function goOn(text: Buffer, place: number, pieces: readonly Piece[]): boolean {
  let at = place;
  for (const piece of pieces) {
    if (at >= text.length || !goes(numberAt(text, at), piece)) return false;
    while ((text[at] ?? 0) >= 0x80) at++;
    at++;
  }
  return true;
}

/** The name of the field in which a place stands; undefined in a part's text. */
function fieldAt(forward: Buffer, start: number, place: number): number | undefined {
  let field: number | undefined;
  for (let at = start; at <= place; ) {
    const code = numberAt(forward, at);
    if (code === PART) field = undefined;
    else if ((code & 3) === 3) field = code >>> 2;
    while ((forward[at] ?? 0) >= 0x80) at++;
    at++;
  }
  return field;
}

/** The same, number by number, where the pieces may be many tokens. */
function passes(
  forward: Buffer,
  starts: Uint32Array,
  email: number,
  pieces: readonly Piece[],
  only: number | undefined,
): boolean {
  const end = starts[email + 1] ?? 0;
  const [first] = pieces;
  if (first === undefined) return true;
  const rest = pieces.slice(1);
  const { marks } = first;
  const text = forward.subarray(0, end);
  let inside = only === undefined;
  for (let at = starts[email] ?? 0; at < end; ) {
    // Nearly all numbers have one or two octets.
    let code = forward[at++] ?? 0;
    if (code >= 0x80) {
      let octet = forward[at++] ?? 0;
      code = (code & 0x7f) | ((octet & 0x7f) << 7);
      for (let shift = 14; octet >= 0x80; shift += 7) {
        octet = forward[at++] ?? 0;
        code |= (octet & 0x7f) << shift;
      }
    }
    if ((code & 1) === 0) {
      // 0 is PART: there is no mark before the first.
      if (marks[(code >>> 1) - 1] === 1) {
        if (inside && goOn(text, at, rest)) return true;
      } else if (code === PART) inside = only === undefined;
    } else if ((code & 2) !== 0) inside = only === undefined || code >>> 2 === only;
  }
  return false;
}
