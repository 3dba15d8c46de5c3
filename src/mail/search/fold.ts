/** Text as SEARCH compares it (RFC 9051 section 6.4.4), and a search for it that takes the text piece by piece. */

/** Characters folded at once where all are ASCII, and where they are not: marks in a row are sorted in quadratic time. */
const ASCII_PIECE = 2048;
const OTHER_PIECE = 256;
/** Characters by which a piece is made shorter at most, so that a mark stays with its letter. */
const MAX_BACK = 32;
/** Steps (of a few nanoseconds, see servers/imap/turns.ts) for a character that is not ASCII; one that is costs one. */
const STEPS_PER_OTHER = 24;

const OTHER = /[^\0-\x7f]/;
const MARK = /^[\p{M}\uDC00-\uDFFF]/u;

/** A piece of folded text, and the steps that it took. */
export interface FoldedPiece {
  readonly text: string;
  readonly steps: number;
}

/** Text as it is compared, piece by piece: without case, and with composed and compatibility forms alike. */
export function* foldedPieces(text: string): Generator<FoldedPiece, void> {
  for (let at = 0; at < text.length; ) {
    const piece = text.slice(at, at + ASCII_PIECE);
    if (!OTHER.test(piece)) {
      yield { text: piece.toLowerCase(), steps: piece.length };
      at += piece.length;
      continue;
    }
    const end = pieceEnd(text, at);
    yield { text: foldOther(text.slice(at, end)), steps: (end - at) * STEPS_PER_OTHER };
    at = end;
  }
}

function pieceEnd(text: string, start: number): number {
  const most = start + OTHER_PIECE;
  if (most >= text.length) return text.length;
  for (let end = most; end > most - MAX_BACK; end--) {
    if (!MARK.test(text.charAt(end))) return end;
  }
  return most;
}

/** A final sigma is a sigma: whether one is final cannot be told from a piece. */
function foldOther(text: string): string {
  return text.normalize('NFKD').toLowerCase().replaceAll('ς', 'σ');
}

/** All of a text as it is compared, for texts known to be short. */
export function fold(text: string): string {
  let folded = '';
  for (const piece of foldedPieces(text)) folded += piece.text;
  return folded;
}

/** Something to search for. */
export interface Needle {
  /** Folded. */
  readonly text: string;
  /** How much of the needle's start stands at the end of its first n + 1 characters, all of them apart. */
  readonly borders: Uint32Array;
}

/** Make a text ready to be searched for. */
export function needleOf(wanted: string): Needle {
  const text = fold(wanted);
  const borders = new Uint32Array(text.length);
  let matched = 0;
  for (let at = 1; at < text.length; at++) {
    const code = text.charCodeAt(at);
    while (matched > 0 && text.charCodeAt(matched) !== code) matched = borders[matched - 1] ?? 0;
    if (text.charCodeAt(matched) === code) matched++;
    borders[at] = matched;
  }
  return { text, borders };
}

/**
 * A search for a needle in folded text that comes piece by piece: true from the piece on in which it ends. The time
 * for a piece is linear in it, whatever the needle is (Knuth, Morris and Pratt).
 */
export function finderOf({ text: needle, borders }: Needle): (piece: string) => boolean {
  const first = needle.charAt(0);
  let matched = 0;
  return (piece) => {
    let at = 0;
    while (matched < needle.length) {
      if (matched === 0) {
        at = piece.indexOf(first, at);
        if (at === -1) return false;
      } else if (at >= piece.length) return false;
      const code = piece.charCodeAt(at);
      while (matched > 0 && needle.charCodeAt(matched) !== code) matched = borders[matched - 1] ?? 0;
      if (needle.charCodeAt(matched) === code) matched++;
      at++;
    }
    return true;
  };
}
