import { RequestError } from './errors.ts';
import type { Json } from './json.ts';
import { JMAP_LIMITS } from './limits.ts';

/**
 * JSON (RFC 8259) for requests that may be large: read by hand, with turns for others in between, not nested deeper than
 * anything of ours goes, and no name twice in an object (I-JSON, RFC 7493 section 2.3): what we take and what somebody
 * before us took would not be the same.
 */

/** Characters read between two turns of others. */
const STRETCH = 32 * 1024;
/** Characters of a string that are read in one go. */
const PIECE = 128 * 1024;
/** Values within values: filters have some 20 levels, bodies of messages some more. */
const MAX_DEPTH = 200;

type Container =
  | { readonly values: Json[] }
  | { readonly members: Record<string, Json>; key: string; names: number };

/** @throws SyntaxError; RequestError 'limit' where there are more values than anybody asks for in one request */
export async function parseJson(text: string): Promise<Json> {
  const reader = new JsonReader(text);
  while (!reader.advance(STRETCH)) await new Promise<void>((resolve) => setImmediate(resolve));
  return reader.value;
}

function tooMany(most: number, what: string): RequestError {
  return new RequestError('limit', `A request may have at most ${most} ${what}.`, 'maxSizeRequest');
}

/** Reads one value, some of it at a time. */
class JsonReader {
  readonly #text: string;
  readonly #open: Container[] = [];
  #at = 0;
  #values = 0;
  #done = false;
  #value: Json = null;
  /** What was read of a string whose end has not been found yet. */
  #begun: string | undefined;
  /** What may stand next: a value, a name or the end of an object, what follows a value. */
  #next: 'value' | 'value-or-end' | 'name' | 'name-or-end' | 'colon' | 'after' = 'value';

  constructor(text: string) {
    this.#text = text;
  }

  get value(): Json {
    return this.#value;
  }

  /** Read on over about so many characters; true when all is read. */
  advance(characters: number): boolean {
    const until = this.#at + characters;
    while (this.#at < until && !this.#done) this.#step();
    return this.#done;
  }

  #fail(what: string): never {
    throw new SyntaxError(`${what} at character ${this.#at}`);
  }

  /** False: there is more of it than is passed over in one go. */
  #skipSpace(): boolean {
    for (const until = this.#at + STRETCH; this.#at < until; this.#at++) {
      const code = this.#text.charCodeAt(this.#at);
      if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) return true;
    }
    return false;
  }

  #step(): void {
    if (this.#begun !== undefined) return this.#readOn();
    if (!this.#skipSpace()) return;
    const char = this.#text[this.#at];
    if (char === undefined) {
      if (this.#open.length > 0 || this.#next !== 'after') this.#fail('unexpected end');
      this.#done = true;
      return;
    }
    switch (this.#next) {
      case 'value-or-end':
        if (char === ']') return this.#close();
        return this.#readValue(char);
      case 'value':
        return this.#readValue(char);
      case 'name-or-end':
        if (char === '}') return this.#close();
        return this.#readName(char);
      case 'name':
        return this.#readName(char);
      case 'colon':
        return this.#readColon(char);
      default:
        return this.#readAfter(char);
    }
  }

  #readAfter(char: string): void {
    const inside = this.#open.at(-1);
    if (inside === undefined) this.#fail('unexpected text');
    const list = 'values' in inside;
    if (char === (list ? ']' : '}')) return this.#close();
    if (char !== ',') this.#fail('expected a comma or the end');
    this.#at++;
    this.#next = list ? 'value' : 'name';
  }

  #readName(char: string): void {
    const inside = this.#open.at(-1);
    if (char !== '"' || inside === undefined || 'values' in inside) this.#fail('expected a name');
    this.#begin();
  }

  #named(name: string): void {
    const inside = this.#open.at(-1);
    if (inside !== undefined && 'members' in inside) inside.key = name;
    this.#next = 'colon';
  }

  #readColon(char: string): void {
    if (char !== ':') this.#fail('expected a colon');
    this.#at++;
    this.#next = 'value';
  }

  #begin(): void {
    this.#at++;
    this.#begun = '';
    this.#readOn();
  }

  #readValue(char: string): void {
    if (char === '[' || char === '{') {
      if (this.#open.length >= MAX_DEPTH) this.#fail('values within too many values');
      this.#at++;
      this.#open.push(char === '[' ? { values: [] } : { members: {}, key: '', names: 0 });
      this.#next = char === '[' ? 'value-or-end' : 'name-or-end';
    } else if (char === '"') this.#begin();
    else this.#put(this.#readWord());
  }

  #close(): void {
    const ended = this.#open.pop();
    if (ended === undefined) this.#fail('unexpected end');
    this.#at++;
    this.#put('values' in ended ? ended.values : ended.members);
  }

  #put(value: Json): void {
    const inside = this.#open.at(-1);
    this.#next = 'after';
    if (++this.#values > JMAP_LIMITS.valuesInRequest) throw tooMany(JMAP_LIMITS.valuesInRequest, 'values');
    if (inside !== undefined && 'members' in inside && ++inside.names > JMAP_LIMITS.namesInObject)
      throw tooMany(JMAP_LIMITS.namesInObject, 'names in one object');
    if (inside === undefined) this.#value = value;
    else if ('values' in inside) inside.values.push(value);
    else if (Object.hasOwn(inside.members, inside.key)) this.#fail('a name is there twice');
    else if (inside.key === '__proto__')
      Object.defineProperty(inside.members, inside.key, {
        value,
        enumerable: true,
        writable: true,
        configurable: true,
      });
    else inside.members[inside.key] = value;
  }

  /** Read on in a string, whose end may be far: others have their turn before all of a long one is read. */
  #readOn(): void {
    const start = this.#at;
    const piece = this.#text.slice(start, start + PIECE);
    const end = closingQuote(piece);
    if (end < 0 && piece.length < PIECE) this.#fail('a string without its end');
    const length = end < 0 ? wholeEscapes(piece) : end;
    // The engine reads a string at the speed of copying it.
    this.#begun += JSON.parse(`"${piece.slice(0, length)}"`) as string;
    this.#at += length;
    if (end < 0) return;
    this.#at++;
    const read = this.#begun ?? '';
    this.#begun = undefined;
    if (this.#next === 'name' || this.#next === 'name-or-end') this.#named(read);
    else this.#put(read);
  }

  #readWord(): Json {
    const word = /[-+.0-9A-Za-z]{1,400}/y;
    word.lastIndex = this.#at;
    const found = word.exec(this.#text)?.[0];
    if (found === undefined) this.#fail('expected a value');
    const value = JSON.parse(found) as Json;
    this.#at += found.length;
    return value;
  }
}

/** Where a string ends that begins before `piece`; -1: not in it. */
function closingQuote(piece: string): number {
  let at = piece.indexOf('"');
  while (at >= 0 && escapesBefore(piece, at) % 2 === 1) at = piece.indexOf('"', at + 1);
  return at;
}

/** Backslashes right before a character. */
function escapesBefore(piece: string, at: number): number {
  let count = 0;
  while (piece.charCodeAt(at - 1 - count) === 0x5c) count++;
  return count;
}

/** Characters of a piece without an escape that goes on behind it, of which the longest is \u and four digits. */
function wholeEscapes(piece: string): number {
  const last = piece.lastIndexOf('\\');
  const cut = last >= piece.length - 5 && escapesBefore(piece, last) % 2 === 0;
  return cut ? last : piece.length;
}
