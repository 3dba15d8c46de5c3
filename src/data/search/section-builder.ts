import { Numbers, Octets, octetsOf } from './bytes.ts';
import { BREAK, fieldCode, literalCode, PART, type PartName, SINGLE_BIT, tokenCode } from './format.ts';

const NONE = 0xffff_ffff;
/** Bounds for numbers of occurrences and of tokens that share one exact number when they are sorted. */
const COUNT_MAX = 2 ** 26;
const TOKEN_MAX = 2 ** 26;

/** Emails that are written before others get a turn. */
const EMAILS_PER_TURN = 64;

/** Tokens that are written before others get a turn. */
const TOKENS_PER_TURN = 4096;

/** Lets others have a turn when it is time, and throws when the work is to end. */
export type Turn = () => Promise<void>;

/** What is gathered: these, each of the last two with a number after it, and tokens from `first` on. */
const Code = { part: 0, field: 1, literal: 2, first: 3 } as const;

/**
 * Gathers one section of a segment, email by email. What it takes is tokens in order; a word may come as octets that are
 * known to stand in no other email (`literal`).
 */
export class SectionBuilder {
  readonly #numbers = new Map<string, number>();
  readonly #texts: string[] = [];
  readonly #single: boolean[] = [];
  /** Of each token: emails, occurrences, and the last email. */
  #emails = new Uint32Array(1024);
  #counts = new Uint32Array(1024);
  #last = new Uint32Array(1024).fill(NONE);
  readonly #names = new Map<string, number>();
  readonly #namedBy: Numbers[] = [];
  /** The text, see Code, with numbers of tokens and literals of our own. */
  readonly #codes: Numbers;
  readonly #starts = new Numbers();
  /** Words that stand in one email, one after the other, and where each ends. */
  readonly #literals: Octets;
  readonly #literalEnds = new Numbers();
  /** Emails with a space between two words, and the space's own number. */
  readonly #spaced = new Numbers();
  #space = NONE;
  #email = -1;
  /** Whether the last token was a word, and whether a space after it is held back. */
  #afterWord = false;
  #heldSpace = false;

  /** `room`: how many tokens, and octets of words that stand in one email, are expected. */
  constructor(room: { readonly tokens: number; readonly literals: number } = { tokens: 256, literals: 256 }) {
    this.#codes = new Numbers(room.tokens);
    this.#literals = new Octets(room.literals);
  }

  get tokens(): number {
    return this.#codes.length;
  }

  get empty(): boolean {
    return this.#codes.length === 0;
  }

  beginEmail(): void {
    this.#email++;
    this.#starts.push(this.#codes.length);
    this.#afterWord = false;
  }

  part(): void {
    this.#endUnit();
    this.#codes.push(Code.part);
  }

  field(name: string): void {
    this.#endUnit();
    let number = this.#names.get(name);
    if (number === undefined) {
      number = this.#names.size;
      this.#names.set(name, number);
      this.#namedBy.push(new Numbers());
    }
    const by = this.#namedBy[number];
    if (by !== undefined && by.last !== this.#email) by.push(this.#email);
    this.#codes.push(Code.field);
    this.#codes.push(number);
  }

  /** The unit that was begun is complete. */
  endEmail(): void {
    this.#endUnit();
  }

  #endUnit(): void {
    this.#flushSpace();
    this.#afterWord = false;
  }

  #flushSpace(): void {
    if (!this.#heldSpace) return;
    this.#heldSpace = false;
    this.#codes.push(Code.first + this.#space);
  }

  /** The number of a token, for `token`. */
  intern(text: string, single: boolean): number {
    const known = this.#numbers.get(text);
    if (known !== undefined) return known;
    const number = this.#texts.length;
    this.#numbers.set(text, number);
    this.#texts.push(text);
    this.#single.push(single);
    if (single && text === ' ') this.#space = number;
    if (number === this.#counts.length) {
      this.#counts = grown(this.#counts);
      this.#emails = grown(this.#emails);
      const last = new Uint32Array(2 * number).fill(NONE);
      last.set(this.#last);
      this.#last = last;
    }
    return number;
  }

  #count(number: number): void {
    this.#counts[number] = (this.#counts[number] ?? 0) + 1;
    if (this.#last[number] === this.#email) return;
    this.#last[number] = this.#email;
    this.#emails[number] = (this.#emails[number] ?? 0) + 1;
  }

  /** The next token of the unit. */
  token(number: number): void {
    this.#count(number);
    if (this.#single[number] === true) {
      this.#flushSpace();
      if (number === this.#space && this.#afterWord) this.#heldSpace = true;
      else this.#codes.push(Code.first + number);
      this.#afterWord = false;
      return;
    }
    this.#beforeWord();
    this.#codes.push(Code.first + number);
  }

  /** Keep a word that stands in this email only, as UTF-8: its number for `literal`. */
  keep(octets: Buffer): number {
    this.#literals.bytes(octets);
    this.#literalEnds.push(this.#literals.length);
    return this.#literalEnds.length - 1;
  }

  /** The next token, a word that was kept for this email. */
  literal(number: number): void {
    this.#beforeWord();
    this.#codes.push(Code.literal);
    this.#codes.push(number);
  }

  /** Two words in a row have a space between them that need not be written. */
  #beforeWord(): void {
    if (this.#heldSpace) {
      this.#heldSpace = false;
      if (this.#spaced.last !== this.#email) this.#spaced.push(this.#email);
    }
    this.#afterWord = true;
  }

  /** All parts of the section for the file. The builder is used up. `turn`: lets others have a turn. */
  async finish(turn: Turn): Promise<Record<PartName, Buffer>> {
    // Only for adding tokens.
    this.#numbers.clear();
    await turn();
    const { order, numberOf } = this.#dictionaryOrder();
    const dictionary = new Octets();
    const offsets = new Numbers(order.length + 1);
    dictionary.byte(BREAK);
    for (const [at, token] of order.entries()) {
      if (at % TOKENS_PER_TURN === 0) await turn();
      offsets.push((dictionary.length | (this.#single[token] === true ? SINGLE_BIT : 0)) >>> 0);
      dictionary.text(this.#texts[token] ?? '');
      dictionary.byte(BREAK);
    }
    offsets.push(dictionary.length);
    const postings = await this.#postings(order, numberOf, turn);
    const names = await this.#finishNames(turn);
    const text = await this.#finishText(numberOf, turn);
    return {
      dictionary: dictionary.take(),
      offsets: octetsOf(offsets.view),
      ...postings,
      ...text,
      ...names,
    };
  }

  /** Tokens of the dictionary, the most frequent first: those of several emails, and single characters. */
  #dictionaryOrder(): { order: Uint32Array; numberOf: Uint32Array } {
    const emails = this.#emails.subarray(0, this.#texts.length);
    const chosen = new Numbers();
    for (let token = 0; token < emails.length; token++) {
      if ((emails[token] ?? 0) >= 2 || (this.#single[token] === true && emails[token] === 1))
        chosen.push(token);
    }
    // Numbers are sorted many times faster without a function that compares.
    const keys = new Float64Array(chosen.length);
    for (const [at, token] of chosen.view.entries())
      keys[at] = (COUNT_MAX - Math.min(COUNT_MAX, this.#counts[token] ?? 0)) * TOKEN_MAX + token;
    keys.sort();
    const order = Uint32Array.from(keys, (key) => key % TOKEN_MAX);
    const numberOf = new Uint32Array(emails.length).fill(NONE);
    for (const [number, token] of order.entries()) numberOf[token] = number;
    return { order, numberOf };
  }

  async #postings(
    order: Uint32Array,
    numberOf: Uint32Array,
    turn: Turn,
  ): Promise<Pick<Record<PartName, Buffer>, 'postings' | 'postingOffsets'>> {
    const emails = this.#emails.subarray(0, this.#texts.length);
    const at = new Uint32Array(order.length + 1);
    for (let n = 0; n < order.length; n++) at[n + 1] = (at[n] ?? 0) + (emails[order[n] ?? 0] ?? 0);
    const lists = new Uint32Array(at[order.length] ?? 0);
    const used = new Uint32Array(order.length);
    const last = new Uint32Array(order.length).fill(NONE);
    const add = (token: number, email: number): void => {
      const number = numberOf[token] ?? NONE;
      if (number === NONE || last[number] === email) return;
      last[number] = email;
      lists[(at[number] ?? 0) + (used[number] ?? 0)] = email;
      used[number] = (used[number] ?? 0) + 1;
    };
    let spaced = 0;
    const spacedBy = this.#spaced.view;
    const codes = this.#codes.view;
    await this.#eachEmail(turn, (email, start, end) => {
      if (spacedBy[spaced] === email) {
        spaced++;
        add(this.#space, email);
      }
      for (let i = start; i < end; i++) {
        const code = codes[i] ?? 0;
        if (code >= Code.first) add(code - Code.first, email);
        else if (code !== Code.part) i++;
      }
    });
    const row = (n: number): Uint32Array => lists.subarray(at[n] ?? 0, (at[n] ?? 0) + (used[n] ?? 0));
    const { data, offsets } = await writePostings(order.length, row, this.#email + 1, turn);
    return { postings: data, postingOffsets: offsets };
  }

  async #eachEmail(turn: Turn, visit: (email: number, start: number, end: number) => void): Promise<void> {
    const starts = this.#starts.view;
    for (let email = 0; email < starts.length; email++) {
      if (email % EMAILS_PER_TURN === 0) await turn();
      visit(email, starts[email] ?? 0, starts[email + 1] ?? this.#codes.length);
    }
  }

  async #finishNames(
    turn: Turn,
  ): Promise<Pick<Record<PartName, Buffer>, 'names' | 'namePostings' | 'namePostingOffsets'>> {
    const row = (name: number): Uint32Array => this.#namedBy[name]?.view ?? new Uint32Array();
    const { data, offsets } = await writePostings(this.#namedBy.length, row, this.#email + 1, turn);
    return {
      names: Buffer.from(JSON.stringify([...this.#names.keys()])),
      namePostings: data,
      namePostingOffsets: offsets,
    };
  }

  async #finishText(
    numberOf: Uint32Array,
    turn: Turn,
  ): Promise<Pick<Record<PartName, Buffer>, 'literals' | 'literalOffsets' | 'forward' | 'forwardOffsets'>> {
    const literals = new Octets(this.#literals.length + this.#literalEnds.length + 4096);
    const literalOffsets = new Numbers(this.#email + 2);
    // Frequent tokens have small numbers: most take one octet.
    const forward = new Octets(Math.ceil(1.3 * this.#codes.length));
    const forwardOffsets = new Numbers(this.#email + 2);
    const codes = this.#codes.view;
    await this.#eachEmail(turn, (_, start, end) => {
      literalOffsets.push(literals.length);
      forwardOffsets.push(forward.length);
      /** Numbers that literals, and tokens that have become ones, have in this email. */
      const own = new Map<number, number>();
      for (let i = start; i < end; i++) {
        const code = codes[i] ?? 0;
        if (code === Code.part) forward.varint(PART);
        else if (code === Code.field) forward.varint(fieldCode(codes[++i] ?? 0));
        else {
          const number = code === Code.literal ? NONE : (numberOf[code - Code.first] ?? NONE);
          if (number !== NONE) {
            forward.varint(tokenCode(number));
            continue;
          }
          const key = code === Code.literal ? -1 - (codes[++i] ?? 0) : code;
          let place = own.get(key);
          if (place === undefined) {
            place = own.size;
            own.set(key, place);
            if (place === 0) literals.byte(BREAK);
            if (key < 0) literals.bytes(this.#kept(-1 - key));
            else literals.text(this.#texts[key - Code.first] ?? '');
            literals.byte(BREAK);
          }
          forward.varint(literalCode(place));
        }
      }
    });
    literalOffsets.push(literals.length);
    forwardOffsets.push(forward.length);
    return {
      literals: literals.take(),
      literalOffsets: octetsOf(literalOffsets.view),
      forward: forward.take(),
      forwardOffsets: octetsOf(forwardOffsets.view),
    };
  }

  /** A word that was kept. */
  #kept(number: number): Buffer {
    const ends = this.#literalEnds.view;
    return this.#literals.slice(number === 0 ? 0 : (ends[number - 1] ?? 0), ends[number] ?? 0);
  }
}

function grown(numbers: Uint32Array<ArrayBuffer>): Uint32Array<ArrayBuffer> {
  const larger = new Uint32Array(2 * numbers.length);
  larger.set(numbers);
  return larger;
}

/** Lists of ascending numbers below `emails`: each as differences, or as a bitmap where that is shorter. */
async function writePostings(
  count: number,
  rowOf: (n: number) => Uint32Array,
  emails: number,
  turn: Turn,
): Promise<{ readonly data: Buffer; readonly offsets: Buffer }> {
  const data = new Octets();
  const offsets = new Numbers(count + 1);
  const bitmap = Buffer.alloc((emails + 7) >>> 3);
  for (let n = 0; n < count; n++) {
    if (n % TOKENS_PER_TURN === 0) await turn();
    const row = rowOf(n);
    offsets.push(data.length);
    if (row.length > bitmap.length) {
      bitmap.fill(0);
      for (const email of row) bitmap[email >>> 3] = (bitmap[email >>> 3] ?? 0) | (1 << (email & 7));
      data.byte(1);
      data.bytes(bitmap);
      continue;
    }
    data.byte(0);
    let before = 0;
    for (const email of row) {
      data.varint(email - before);
      before = email;
    }
  }
  offsets.push(data.length);
  return { data: data.take(), offsets: octetsOf(offsets.view) };
}
