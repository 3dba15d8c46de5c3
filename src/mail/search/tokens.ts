/**
 * Folded text cut into tokens: words (runs of letters, digits and marks) and single characters (all else, and the
 * letters of scripts that put no space between words). A text is exactly its tokens one after the other, so that where a
 * needle stands can be told from tokens alone.
 */

const WORD = 1;
const SINGLE = 0;
const HIGH = 2;
const LOW = 3;

/** Scripts whose words no space ends: each of their letters is a token. */
const UNSPACED =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}\p{Script=Tibetan}\p{Script=Yi}\p{Script=Bopomofo}\u3040-\u30ff]/u;
const LETTER = /[\p{L}\p{N}\p{M}]/u;

const REPLACEMENT = '\ufffd';

let table: Uint8Array | undefined;

function classes(): Uint8Array {
  if (table !== undefined) return table;
  table = new Uint8Array(0x1_0000);
  for (let code = 0; code < 0x1_0000; code++) {
    if (code >= 0xd800 && code < 0xdc00) table[code] = HIGH;
    else if (code >= 0xdc00 && code < 0xe000) table[code] = LOW;
    else {
      const character = String.fromCharCode(code);
      table[code] = LETTER.test(character) && !UNSPACED.test(character) ? WORD : SINGLE;
    }
  }
  return table;
}

/** What `createTokenizer` calls. */
export interface TokenSink {
  word(text: string): void;
  single(text: string): void;
}

export interface Tokenizer {
  /** The next piece of a unit. */
  push(piece: string): void;
  /** The unit ends. */
  end(): void;
}

/** Half a surrogate pair becomes U+FFFD. Time is linear, memory that of the longest word. */
export function createTokenizer(
  sink: TokenSink,
  longestWord: number,
): Tokenizer & { readonly tooLong: boolean } {
  const kinds = classes();
  let word = '';
  let high = '';
  let tooLong = false;

  const closeWord = (): void => {
    if (word === '') return;
    sink.word(word);
    word = '';
  };
  const grow = (text: string): void => {
    if (word.length + text.length > longestWord) tooLong = true;
    else word += text;
  };
  return {
    get tooLong() {
      return tooLong;
    },
    push(piece) {
      let start = 0;
      for (let at = 0; at < piece.length; at++) {
        const kind = kinds[piece.charCodeAt(at)];
        if (kind === WORD && high === '') continue;
        if (at > start) grow(piece.slice(start, at));
        closeWord();
        start = at + 1;
        if (high !== '') {
          sink.single(kind === LOW ? high + piece.charAt(at) : REPLACEMENT);
          high = '';
          if (kind === LOW) continue;
          if (kind === WORD) {
            start = at;
            continue;
          }
        }
        if (kind === HIGH) high = piece.charAt(at);
        else sink.single(kind === LOW ? REPLACEMENT : piece.charAt(at));
      }
      if (piece.length > start) grow(piece.slice(start));
    },
    end() {
      closeWord();
      if (high !== '') sink.single(REPLACEMENT);
      high = '';
    },
  };
}

export interface Token {
  readonly text: string;
  readonly word: boolean;
}

/** The tokens of a short text. */
export function tokensOf(text: string): Token[] {
  const tokens: Token[] = [];
  const tokenizer = createTokenizer(
    {
      word: (each) => tokens.push({ text: each, word: true }),
      single: (each) => tokens.push({ text: each, word: false }),
    },
    Number.POSITIVE_INFINITY,
  );
  tokenizer.push(text);
  tokenizer.end();
  return tokens;
}
