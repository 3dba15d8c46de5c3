/** What a server says, taken apart. */

/** An atom or a string; NIL is null. */
export type Value = string | null | readonly Value[];

export type Response =
  | { readonly kind: 'tagged'; readonly tag: string; readonly status: string; readonly code: string }
  | {
      readonly kind: 'fetch';
      readonly number: number;
      readonly uidFirst: boolean;
      readonly items: ReadonlyMap<string, Value>;
    }
  | { readonly kind: 'exists'; readonly number: number }
  | { readonly kind: 'recent'; readonly number: number }
  | { readonly kind: 'expunge'; readonly number: number }
  | { readonly kind: 'vanished'; readonly earlier: boolean; readonly uids: readonly number[] }
  | { readonly kind: 'search' | 'sort'; readonly numbers: readonly number[] }
  | { readonly kind: 'esearch'; readonly results: ReadonlyMap<string, string> }
  | { readonly kind: 'thread'; readonly numbers: readonly number[] }
  | { readonly kind: 'status'; readonly name: string; readonly items: ReadonlyMap<string, Value> }
  | { readonly kind: 'state'; readonly status: string; readonly code: string }
  | { readonly kind: 'bye'; readonly text: string }
  | { readonly kind: 'go' }
  | { readonly kind: 'other'; readonly word: string };

class Reader {
  readonly #text: string;
  #at: number;

  constructor(text: string, at: number) {
    this.#text = text;
    this.#at = at;
  }

  get rest(): string {
    return this.#text.slice(this.#at);
  }

  get over(): boolean {
    return this.#at >= this.#text.length;
  }

  skip(what: string): boolean {
    if (!this.#text.startsWith(what, this.#at)) return false;
    this.#at += what.length;
    return true;
  }

  need(what: string): void {
    if (!this.skip(what))
      throw new Error(`expected ${JSON.stringify(what)} before ${this.rest.slice(0, 60)}`);
  }

  value(): Value {
    if (this.skip('(')) {
      const values: Value[] = [];
      while (!this.skip(')')) {
        if (this.over) throw new Error('a list without end');
        values.push(this.value());
        this.skip(' ');
      }
      return values;
    }
    if (this.skip('"')) return this.#quoted();
    const literal = /^~?\{(\d+)\}\r\n/.exec(this.#text.slice(this.#at, this.#at + 24));
    if (literal !== null) {
      const from = this.#at + literal[0].length;
      this.#at = from + Number(literal[1]);
      return this.#text.slice(from, this.#at);
    }
    const atom = this.atom();
    return atom === 'NIL' ? null : atom;
  }

  #quoted(): string {
    let text = '';
    for (;;) {
      const char = this.#text[this.#at++];
      if (char === undefined) throw new Error('a string without end');
      if (char === '"') return text;
      text += char === '\\' ? (this.#text[this.#at++] ?? '') : char;
    }
  }

  /** Brackets and what is between them belong to it: BODY[HEADER.FIELDS (From)]<0>. */
  atom(): string {
    const from = this.#at;
    let depth = 0;
    for (; !this.over; this.#at++) {
      const char = this.#text[this.#at];
      if (char === '[') depth++;
      else if (char === ']') depth--;
      else if (depth === 0 && (char === ' ' || char === ')' || char === '(')) break;
    }
    if (this.#at === from) throw new Error(`expected a word before ${this.rest.slice(0, 60)}`);
    return this.#text.slice(from, this.#at);
  }
}

function pairs(reader: Reader): ReadonlyMap<string, Value> {
  const items = new Map<string, Value>();
  reader.need('(');
  while (!reader.skip(')')) {
    const name = reader.atom();
    reader.need(' ');
    if (items.has(name)) throw new Error(`${name} twice in one response`);
    items.set(name, reader.value());
    reader.skip(' ');
  }
  if (!reader.over) throw new Error(`something behind the list: ${reader.rest.slice(0, 60)}`);
  return items;
}

/** The numbers of a set like "1:3,7". */
export function expandSet(set: string): number[] {
  const numbers: number[] = [];
  for (const part of set.split(',')) {
    const [from = 0, to = from] = part.split(':').map(Number);
    for (let number = Math.min(from, to); number <= Math.max(from, to); number++) numbers.push(number);
  }
  return numbers;
}

/** Numbers as a set, ascending. */
export function toSet(numbers: readonly number[]): string {
  const ranges: [number, number][] = [];
  for (const number of numbers.toSorted((a, b) => a - b)) {
    const last = ranges.at(-1);
    if (last !== undefined && number <= last[1] + 1) last[1] = number;
    else ranges.push([number, number]);
  }
  return ranges.map(([from, to]) => (from === to ? `${from}` : `${from}:${to}`)).join(',');
}

/** "[CODE arguments] text" */
function codeOf(text: string): string {
  return /^\[([^\]]*)\]/.exec(text)?.[1] ?? '';
}

function numbered(number: number, rest: string): Response | undefined {
  const [word = ''] = rest.split(' ', 1);
  if (word === 'EXISTS' || word === 'RECENT' || word === 'EXPUNGE')
    return { kind: word.toLowerCase() as 'exists', number };
  if (word === 'FETCH' || word === 'UIDFETCH')
    return {
      kind: 'fetch',
      number,
      uidFirst: word === 'UIDFETCH',
      items: pairs(new Reader(rest, word.length + 1)),
    };
  return undefined;
}

/** Throws for what is no response. */
export function parseResponse(line: string): Response {
  if (line.startsWith('+')) return { kind: 'go' };
  if (!line.startsWith('* ')) {
    const match = /^(\S+) (OK|NO|BAD) (.*)$/s.exec(line);
    if (match === null) throw new Error(`not a response: ${line.slice(0, 200)}`);
    return { kind: 'tagged', tag: match[1] ?? '', status: match[2] ?? '', code: codeOf(match[3] ?? '') };
  }
  const body = line.slice(2);
  const number = /^(\d+) /.exec(body);
  if (number !== null) {
    const found = numbered(Number(number[1]), body.slice(number[0].length));
    if (found !== undefined) return found;
    throw new Error(`not a response: ${line.slice(0, 200)}`);
  }
  const [word = ''] = body.split(' ', 1);
  return worded(word, body.slice(word.length + 1));
}

function worded(word: string, rest: string): Response {
  const numbers = (): number[] => (rest.match(/\d+/g) ?? []).map(Number);
  switch (word) {
    case 'OK':
    case 'NO':
    case 'BAD':
      return { kind: 'state', status: word, code: codeOf(rest) };
    case 'BYE':
      return { kind: 'bye', text: rest };
    case 'SEARCH':
    case 'SORT':
      return { kind: word === 'SEARCH' ? 'search' : 'sort', numbers: numbers() };
    case 'THREAD':
      return { kind: 'thread', numbers: numbers() };
    case 'VANISHED': {
      const earlier = rest.startsWith('(EARLIER) ');
      return { kind: 'vanished', earlier, uids: expandSet(earlier ? rest.slice(10) : rest) };
    }
    case 'ESEARCH': {
      const results = new Map<string, string>();
      for (const [, name = '', value = ''] of rest.matchAll(/\b(ALL|COUNT|MIN|MAX|MODSEQ) (\S+)/g))
        results.set(name, value);
      return { kind: 'esearch', results };
    }
    case 'STATUS': {
      const reader = new Reader(rest, 0);
      const name = String(reader.value());
      reader.need(' ');
      return { kind: 'status', name, items: pairs(reader) };
    }
    default:
      return { kind: 'other', word };
  }
}
