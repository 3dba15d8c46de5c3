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
  /** What may stand next: a value, a name or the end of an object, what follows a value. */
  #next: 'value' | 'value-or-end' | 'name' | 'name-or-end' | 'after' = 'value';

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

  #skipSpace(): void {
    for (; ; this.#at++) {
      const code = this.#text.charCodeAt(this.#at);
      if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) return;
    }
  }

  #step(): void {
    this.#skipSpace();
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
    inside.key = this.#readString();
    this.#skipSpace();
    if (this.#text[this.#at] !== ':') this.#fail('expected a colon');
    this.#at++;
    this.#next = 'value';
  }

  #readValue(char: string): void {
    if (char === '[' || char === '{') {
      if (this.#open.length >= MAX_DEPTH) this.#fail('values within too many values');
      this.#at++;
      this.#open.push(char === '[' ? { values: [] } : { members: {}, key: '', names: 0 });
      this.#next = char === '[' ? 'value-or-end' : 'name-or-end';
    } else if (char === '"') this.#put(this.#readString());
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

  /** The engine reads a string at the speed of copying it. */
  #readString(): string {
    const start = this.#at;
    let end = start + 1;
    for (;;) {
      end = this.#text.indexOf('"', end);
      if (end < 0) this.#fail('a string without its end');
      let escapes = 0;
      while (this.#text.charCodeAt(end - 1 - escapes) === 0x5c) escapes++;
      end++;
      if (escapes % 2 === 0) break;
    }
    this.#at = end;
    return JSON.parse(this.#text.slice(start, end)) as string;
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
