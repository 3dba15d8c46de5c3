import { isUtf8 } from 'node:buffer';
import { STAR, type SequenceSet } from './sequence-set.ts';
import { decodeUtf7 } from './utf7.ts';

/** The client broke the grammar: answered BAD with what was expected and where. */
export class SyntaxFault extends Error {
  override readonly name = 'SyntaxFault';
  /** Response code of the BAD, without brackets. */
  readonly code: string | undefined;

  constructor(expected: string, code?: string) {
    super(expected);
    this.code = code;
  }
}

/** A line of a command and, when it ended in one, the literal behind it. */
export interface Segment {
  readonly line: Buffer;
  readonly literal: Literal | undefined;
}

export interface Literal {
  readonly octets: Buffer;
  /** literal8 (RFC 3516), which may hold NUL. */
  readonly binary: boolean;
}

/** The head of a literal at the end of a line: "{n}", "{n+}", "~{n}". */
export interface LiteralHead {
  readonly size: number;
  readonly nonSync: boolean;
  readonly binary: boolean;
  /** Where it begins in the line. */
  readonly at: number;
}

const SPACE = 0x20;
const QUOTE = 0x22;
const OPEN = 0x28;
const CLOSE = 0x29;
const BACKSLASH = 0x5c;
const OPEN_BRACE = 0x7b;
const TILDE = 0x7e;

const ATOM = 1;
const ASTRING = 2;
const LIST_CHAR = 4;
const TAG = 8;

/** Classes of octets (RFC 9051 section 9). */
const classes = new Uint8Array(256);
for (let code = 0x21; code < 0x7f; code++) {
  const char = String.fromCharCode(code);
  if (!'(){%*"\\]'.includes(char)) classes[code] = ATOM | ASTRING | LIST_CHAR | (char === '+' ? 0 : TAG);
  else if (char === ']') classes[code] = ASTRING | LIST_CHAR | TAG;
  else if (char === '%' || char === '*') classes[code] = LIST_CHAR;
}

const MAX_HEAD = 40;

/** The literal head at the end of a line, if there is one. Sizes too large to be exact come out too large, not wrong. */
export function literalHead(line: Buffer): LiteralHead | undefined {
  if (line[line.length - 1] !== 0x7d) return undefined;
  const tail = line.toString('latin1', Math.max(0, line.length - MAX_HEAD), line.length);
  const match = /(~?)\{(\d{1,20})(\+?)\}$/.exec(tail);
  if (match === null) return undefined;
  const [all, tilde, digits = '', plus] = match;
  return {
    size: Number(digits),
    nonSync: plus === '+',
    binary: tilde === '~',
    at: line.length - all.length,
  };
}

/**
 * Reads the arguments of one command; methods are named by the grammar of RFC 9051 section 9. It works on octets:
 * strings come out as latin1 text unless the name says otherwise.
 */
export class Decoder {
  #segments: Segment[];
  #index = 0;
  #line: Buffer;
  #pos = 0;
  #depth = 0;
  readonly #maxDepth: number;
  /** Octets of the lines and literals before this one, for positions in messages. */
  #before = 0;
  /** Whether mailbox names come as UTF-8 (RFC 9051 section 5.1, RFC 6855). */
  readonly utf8: boolean;

  constructor(segments: Segment[], options: { maxDepth: number; utf8: boolean }) {
    this.#segments = segments;
    this.#line = segments[0]?.line ?? Buffer.alloc(0);
    this.#maxDepth = options.maxDepth;
    this.utf8 = options.utf8;
  }

  fail(expected: string): never {
    throw new SyntaxFault(`expected ${expected} at octet ${this.#before + this.#pos + 1}`);
  }

  /** The whole command, whose first line was at hand already; reading goes on where it was. */
  begin(segments: Segment[]): void {
    this.#segments = segments;
  }

  /** The literal that the line at hand ends with, and the line behind it. */
  putLiteral(literal: Literal, line: Buffer): void {
    this.#segments = [
      { line: this.#line, literal },
      { line, literal: undefined },
    ];
    this.#index = 0;
  }

  /** The rest of the line at hand, not used up. */
  rest(): Buffer {
    return this.#line.subarray(this.#pos);
  }

  /** Go on behind a literal that somebody else has read, on the next line. */
  nextLine(line: Buffer): void {
    this.#segments = [{ line, literal: undefined }];
    this.#index = 0;
    this.#before += this.#line.length + 2;
    this.#line = line;
    this.#pos = 0;
  }

  /** The octet at hand as a character; '' at the end of the line. */
  peek(): string {
    const code = this.#line[this.#pos];
    return code === undefined ? '' : String.fromCharCode(code);
  }

  /**
   * True and past it, when the line goes on with these characters (letters in any case). A space is as many as there
   * are, and none before ")" or at the end of the command: clients put them there (K-9 two before NOT, others one
   * behind the last flag).
   */
  skip(text: string): boolean {
    if (text === ' ') return this.#skipSpaces() && !this.atListEnd && !this.atEnd;
    const end = this.#pos + text.length;
    if (end > this.#line.length) return false;
    if (this.#line.toString('latin1', this.#pos, end).toUpperCase() !== text) return false;
    this.#pos = end;
    return true;
  }

  need(text: string): void {
    if (!this.skip(text)) this.fail(`"${text}"`);
  }

  /** One space, or more. */
  sp(): void {
    if (!this.#skipSpaces()) this.fail('a space');
  }

  #skipSpaces(): boolean {
    const start = this.#pos;
    while (this.#line[this.#pos] === SPACE) this.#pos++;
    return this.#pos > start;
  }

  /** The command must be over, but for spaces. */
  end(): void {
    this.#skipSpaces();
    if (this.#pos < this.#line.length || this.#index < this.#segments.length - 1)
      this.fail('the end of the command');
  }

  /** Nothing but spaces is left. */
  get atEnd(): boolean {
    let pos = this.#pos;
    while (this.#line[pos] === SPACE) pos++;
    return pos === this.#line.length && this.#index === this.#segments.length - 1;
  }

  #run(mask: number): string {
    const start = this.#pos;
    let pos = start;
    while (pos < this.#line.length && ((classes[this.#line[pos] ?? 0] ?? 0) & mask) !== 0) pos++;
    this.#pos = pos;
    return this.#line.toString('latin1', start, pos);
  }

  atom(what = 'an atom'): string {
    return this.#run(ATOM) || this.fail(what);
  }

  /** An atom in capitals. */
  keyword(what: string): string {
    return this.atom(what).toUpperCase();
  }

  tag(): string {
    return this.#run(TAG) || this.fail('a tag');
  }

  /** Base64, or "=" for an empty initial response (RFC 4959). */
  base64(): string {
    const start = this.#pos;
    while (/[A-Za-z0-9+/=]/.test(this.peek())) this.#pos++;
    return start === this.#pos ? this.fail('base64') : this.#line.toString('latin1', start, this.#pos);
  }

  number(what = 'a number'): number {
    return this.#number(0xffff_ffff, what);
  }

  /** number64, as far as integers are exact. RFC 9051 allows 63 bits: larger ones are refused. */
  number64(what = 'a number'): number {
    return this.#number(Number.MAX_SAFE_INTEGER, what);
  }

  nzNumber(what = 'a number above 0'): number {
    const start = this.#pos;
    const n = this.number(what);
    if (n > 0) return n;
    this.#pos = start;
    return this.fail(what);
  }

  #number(max: number, what: string): number {
    const start = this.#pos;
    let n = 0;
    let pos = start;
    for (; pos < this.#line.length; pos++) {
      const digit = (this.#line[pos] ?? 0) - 0x30;
      if (digit < 0 || digit > 9) break;
      n = n * 10 + digit;
      if (n > max) this.fail(`${what} up to ${max}`);
    }
    if (pos === start) this.fail(what);
    this.#pos = pos;
    return n;
  }

  /** A quoted string or literal, as octets. */
  string(what = 'a string'): Buffer {
    const code = this.#line[this.#pos];
    if (code === QUOTE) return this.#quoted();
    if (code === OPEN_BRACE || code === TILDE) return this.#literal(what);
    return this.fail(what);
  }

  astring(what = 'an atom or a string'): Buffer {
    const text = this.#run(ASTRING);
    return text === '' ? this.string(what) : Buffer.from(text, 'latin1');
  }

  /** astring of text: UTF-8. */
  astringText(what?: string): string {
    return this.#utf8Text(this.astring(what));
  }

  nstringText(what = 'a string or NIL'): string | undefined {
    return this.skip('NIL') ? undefined : this.#utf8Text(this.string(what));
  }

  #utf8Text(octets: Buffer): string {
    if (!isUtf8(octets)) this.fail('UTF-8');
    return octets.toString('utf8');
  }

  #quoted(): Buffer {
    const line = this.#line;
    let escaped = false;
    let pos = this.#pos + 1;
    for (; pos < line.length; pos++) {
      const code = line[pos] ?? 0;
      if (code === QUOTE) break;
      if (code === 0 || code === 0x0d || code === 0x0a)
        this.#failAt(pos, 'no NUL, CR or LF in a quoted string');
      if (code === BACKSLASH) {
        escaped = true;
        const next = line[++pos];
        if (next !== QUOTE && next !== BACKSLASH) this.#failAt(pos, '" or \\ behind \\');
      }
    }
    if (pos >= line.length) this.#failAt(pos, 'the end of the quoted string');
    const raw = line.subarray(this.#pos + 1, pos);
    // RFC 6855 section 3: what a client of UTF-8 puts in quotes must be that.
    if (this.utf8 && !isUtf8(raw)) this.fail('UTF-8 in the quoted string');
    this.#pos = pos + 1;
    return escaped ? Buffer.from(raw.toString('latin1').replace(/\\(.)/g, '$1'), 'latin1') : raw;
  }

  #failAt(pos: number, expected: string): never {
    this.#pos = pos;
    return this.fail(expected);
  }

  #literal(what: string): Buffer {
    const head = literalHead(this.#line);
    const { literal } = this.#segments[this.#index] ?? {};
    const next = this.#segments[this.#index + 1];
    if (head?.at !== this.#pos || literal === undefined || next === undefined) return this.fail(what);
    this.#before += this.#line.length + 2 + literal.octets.length;
    this.#index++;
    this.#line = next.line;
    this.#pos = 0;
    return literal.octets;
  }

  /** A mailbox name as text. INBOX in any case is INBOX; the store checks the rest. */
  mailbox(): string {
    const octets = this.astring('a mailbox name');
    return this.#mailboxText(octets);
  }

  #mailboxText(octets: Buffer): string {
    const name = this.utf8
      ? isUtf8(octets)
        ? octets.toString('utf8')
        : undefined
      : decodeUtf7(octets.toString('latin1'));
    if (name === undefined) this.fail(`a mailbox name in ${this.utf8 ? 'UTF-8' : 'modified UTF-7'}`);
    if (name.includes('\0')) this.fail('a mailbox name without NUL');
    return name.length === 5 && name.toUpperCase() === 'INBOX' ? 'INBOX' : name;
  }

  /** list-mailbox: as `mailbox`, with wildcards. */
  listMailbox(): string {
    const text = this.#run(LIST_CHAR);
    return this.#mailboxText(text === '' ? this.string('a mailbox pattern') : Buffer.from(text, 'latin1'));
  }

  /** "(" item *(SP item) ")", or with `empty` "()". Bounded depth. */
  list<T>(item: () => T, options: { empty?: boolean } = {}): T[] {
    this.need('(');
    this.enter();
    this.#skipSpaces();
    const items: T[] = [];
    if (!(options.empty && this.skip(')'))) {
      do items.push(item());
      while (this.skip(' '));
      this.need(')');
    }
    this.leave();
    return items;
  }

  get atList(): boolean {
    return this.#line[this.#pos] === OPEN;
  }

  get atListEnd(): boolean {
    return this.#line[this.#pos] === CLOSE;
  }

  /** Go one level deeper; too deep is a fault. */
  enter(): void {
    if (++this.#depth > this.#maxDepth) this.fail(`at most ${this.#maxDepth} levels of nesting`);
  }

  leave(): void {
    this.#depth--;
  }

  /** sequence-set, or "$" (RFC 9051 section 6.4.4.1). */
  sequenceSet(): SequenceSet {
    if (this.skip('$')) return '$';
    const set: { from: number; to: number }[] = [];
    do {
      const from = this.#seqNumber();
      set.push({ from, to: this.skip(':') ? this.#seqNumber() : from });
    } while (this.skip(','));
    return set;
  }

  #seqNumber(): number {
    return this.skip('*') ? STAR : this.nzNumber('a message number or *');
  }

  /** Whether a sequence-set begins here. */
  get atSequenceSet(): boolean {
    const code = this.#line[this.#pos] ?? 0;
    return (code >= 0x30 && code <= 0x39) || code === 0x2a || code === 0x24;
  }
}
