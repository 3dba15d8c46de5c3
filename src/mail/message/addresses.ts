/**
 * Address lists of header fields (RFC 5322 3.4 and 4.4, RFC 6854), read as mail has them: nothing is refused, every
 * entry yields what can be made out. One pass, linear time. Text is latin1; display names may hold encoded words.
 */
import { guessText } from '../charset.ts';
import { quotedString, skipComment } from './params.ts';
import { decodeWords } from './words.ts';

/** Addresses of one field that are read. */
export const MAX_ADDRESSES = 20_000;

/** One entry, raw. A group is three kinds of entries in a row: its name, its members, its end. */
export type AddressEntry =
  | Mailbox
  | { readonly kind: 'group'; readonly name: string }
  | { readonly kind: 'group-end' };

export interface Mailbox {
  readonly kind: 'mailbox';
  /** Display name, or the last comment where there is none; quotes removed, encoded words not decoded. */
  readonly name: string | undefined;
  /** Obsolete source route "@a,@b" (RFC 5322 4.4). */
  readonly route: string | undefined;
  /** Local part without quotes; undefined where there is none. */
  readonly local: string | undefined;
  readonly domain: string | undefined;
  /** The entry breaks the grammar, e.g. "<" is never closed. */
  readonly broken: boolean;
}

interface Token {
  readonly kind: 'word' | 'quoted' | 'at';
  readonly text: string;
  /** White space or a comment stands before it. */
  readonly spaced: boolean;
}

/** Characters of a domain literal; a longer one is a broken one. */
const MAX_LITERAL = 255;
const TAB = 9;
const LF = 10;
const CR = 13;
const SPACE = 32;
const QUOTE = 34;
const OPEN_PAREN = 40;
const CLOSE_PAREN = 41;
const COMMA = 44;
const COLON = 58;
const SEMICOLON = 59;
const LESS = 60;
const GREATER = 62;
const AT = 64;
const OPEN_BRACKET = 91;
const CLOSE_BRACKET = 93;

/** 1 for the octets that end a word. */
const endsWord = new Uint8Array(256);
for (const char of ' \t\r\n()<>:;@,"') endsWord[char.charCodeAt(0)] = 1;

class AddressReader {
  private readonly text: string;
  private readonly max: number;
  /** The text goes on behind what is read: an entry that reaches its end is not whole and is dropped. */
  private readonly cut: boolean;
  private pos = 0;
  private readonly entries: AddressEntry[] = [];
  private tokens: Token[] = [];
  private comment: string | undefined;
  private spaced = false;
  private inGroup = false;
  /** One of `tokens` is an "@". */
  private hasAt = false;
  /** From the last "[" up to here stand neither "]" nor ",". */
  private noLiteralUntil = 0;

  constructor(text: string, max: number, octets: number) {
    this.cut = text.length > octets;
    this.text = this.cut ? text.slice(0, octets) : text;
    this.max = max;
  }

  read(): AddressEntry[] {
    while (this.pos < this.text.length && this.entries.length < this.max) this.step();
    if (this.entries.length < this.max && !this.cut) this.finish();
    if (this.inGroup) this.entries.push({ kind: 'group-end' });
    return this.entries;
  }

  private step(): void {
    switch (this.text.charCodeAt(this.pos)) {
      case SPACE:
      case TAB:
      case CR:
      case LF:
        this.spaced = true;
        this.pos++;
        return;
      case OPEN_PAREN:
        this.takeComment();
        return;
      case QUOTE: {
        const { value, end } = quotedString(this.text, this.pos);
        this.add('quoted', value, end);
        return;
      }
      case LESS:
        this.angle();
        return;
      case AT:
        this.add('at', '@', this.pos + 1);
        return;
      case COLON:
        this.colon();
        return;
      case COMMA:
        this.finish();
        this.pos++;
        return;
      case SEMICOLON:
        this.semicolon();
        return;
      case GREATER:
      case CLOSE_PAREN:
        this.pos++; // nothing was opened
        return;
      default:
        this.takeWord();
    }
  }

  private add(kind: Token['kind'], text: string, end: number): void {
    this.tokens.push({ kind, text, spaced: this.spaced });
    if (kind === 'at') this.hasAt = true;
    this.spaced = false;
    this.pos = end;
  }

  /** An atom with its dots, or a domain literal behind "@". */
  private takeWord(): void {
    const { text } = this;
    let end = -1;
    if (text.charCodeAt(this.pos) === OPEN_BRACKET && this.tokens.at(-1)?.kind === 'at')
      end = this.literalEnd();
    if (end === -1) {
      end = this.pos;
      while (end < text.length && endsWord[text.charCodeAt(end)] !== 1) end++;
    }
    this.add('word', text.slice(this.pos, end), end);
  }

  /** The end of the domain literal that opens here, or -1 where it is none. No octet is looked at twice. */
  private literalEnd(): number {
    const last = Math.min(this.text.length, this.pos + MAX_LITERAL);
    let end = Math.max(this.pos, this.noLiteralUntil);
    for (; end < last; end++) {
      const char = this.text.charCodeAt(end);
      if (char === CLOSE_BRACKET) return end + 1;
      if (char === COMMA) break;
    }
    this.noLiteralUntil = end;
    return -1;
  }

  private takeComment(): void {
    const end = skipComment(this.text, this.pos);
    const closed = this.text[end - 1] === ')' ? end - 1 : end;
    const comment = this.text.slice(this.pos + 1, closed);
    this.comment = comment.includes('\\') ? comment.replace(/\\(.)/gs, '$1') : comment;
    this.spaced = true;
    this.pos = end;
  }

  private colon(): void {
    this.pos++;
    if (this.inGroup || this.tokens.length === 0 || this.hasAt) return;
    this.entries.push({ kind: 'group', name: phrase(this.tokens) });
    this.inGroup = true;
    this.reset();
  }

  private semicolon(): void {
    this.finish();
    this.pos++;
    if (this.inGroup) this.entries.push({ kind: 'group-end' });
    this.inGroup = false;
  }

  /** `[phrase] "<" [route ":"] addr-spec ">"` with the phrase already read. */
  private angle(): void {
    const name = this.tokens.length > 0 ? phrase(this.tokens) : undefined;
    this.tokens = [];
    this.spaced = false;
    this.pos++;
    let route: string | undefined;
    let closed = false;
    while (this.pos < this.text.length) {
      const char = this.text.charCodeAt(this.pos);
      if (char === GREATER) {
        closed = true;
        this.pos++;
        break;
      }
      const isRoute = this.tokens[0]?.kind === 'at' && route === undefined;
      if (char === COLON && isRoute) {
        route = this.tokens.map((t) => t.text).join('');
        this.tokens = [];
        this.pos++;
      } else if (char === COMMA && isRoute) this.add('word', ',', this.pos + 1);
      else if (char === COMMA || char === LESS) break;
      else if (char === SEMICOLON && this.text.charCodeAt(this.pos + 1) !== GREATER) break;
      else if (char === COLON || char === SEMICOLON)
        this.add('word', char === COLON ? ':' : ';', this.pos + 1);
      else this.step();
    }
    if (!closed && this.cut && this.pos >= this.text.length) {
      this.reset();
      return;
    }
    const { local, domain } = angleSpec(this.tokens);
    this.entries.push({ kind: 'mailbox', name: name ?? this.comment, route, local, domain, broken: !closed });
    this.skipToSeparator();
    this.reset();
  }

  /** After "<...>" only comments may come: the rest up to the next separator is dropped. */
  private skipToSeparator(): void {
    while (this.pos < this.text.length) {
      const char = this.text.charCodeAt(this.pos);
      if (char === COMMA) {
        this.pos++;
        return;
      }
      // "<a@b> <c@d>": a missing comma
      if (char === SEMICOLON || char === LESS) return;
      if (char === OPEN_PAREN) this.takeComment();
      else if (char === QUOTE) this.pos = quotedString(this.text, this.pos).end;
      else this.pos++;
    }
  }

  /** Ends an entry that has no angle brackets; empty ones (RFC 5322 4.4 obs-addr-list) are dropped. */
  private finish(): void {
    if (this.tokens.length > 0) {
      const { local, domain, name } = addrSpec(this.tokens);
      const broken = local === undefined || domain === undefined;
      this.entries.push({
        kind: 'mailbox',
        name: this.comment ?? name,
        route: undefined,
        local,
        domain,
        broken,
      });
    }
    this.reset();
  }

  private reset(): void {
    if (this.tokens.length > 0) this.tokens = [];
    this.hasAt = false;
    this.comment = undefined;
    this.spaced = false;
  }
}

/** Words of a display name joined by one space; pieces that touched in the source stay together only if "@" is between. */
function phrase(tokens: readonly Token[]): string {
  let text = '';
  let glue = true;
  for (const token of tokens) {
    const at = token.kind === 'at';
    text += (glue || (at && !token.spaced) ? '' : ' ') + token.text;
    glue = at;
  }
  return text;
}

/** Splits at the last "@"; words before the local part that stand apart from it are a display name. */
function addrSpec(tokens: readonly Token[]): { local?: string; domain?: string; name?: string } {
  const at = tokens.findLastIndex((token) => token.kind === 'at');
  if (at === -1) {
    if (tokens.length > 1) return { name: phrase(tokens) };
    const only = tokens[0]?.text;
    return only === undefined || only === '' ? {} : { local: only };
  }
  let first = at;
  while (first > 0 && (first === at || touches(tokens[first - 1], tokens[first]))) first--;
  const local = tokens
    .slice(first, at)
    .map(({ text }) => text)
    .join('');
  const domain = tokens
    .slice(at + 1)
    .map(({ text }) => text)
    .join('');
  return {
    ...(local !== '' && { local }),
    ...(domain !== '' && { domain }),
    ...(first > 0 && { name: phrase(tokens.slice(0, first)) }),
  };
}

/** Words of a local part are joined by dots (RFC 5322 4.4 obs-local-part), white space around them or not. */
function touches(left: Token | undefined, right: Token | undefined): boolean {
  if (left === undefined || right === undefined) return false;
  if (left.kind === 'at' || right.kind === 'at') return !right.spaced; // "a@b@c"
  return right.text.startsWith('.') || left.text.endsWith('.');
}

/** What stands in angle brackets: all before the last "@" is local part, whatever it is. */
function angleSpec(tokens: readonly Token[]): { local?: string; domain?: string } {
  const at = tokens.findLastIndex((token) => token.kind === 'at');
  const join = (some: readonly Token[]): string =>
    some.map((t, i) => (t.spaced && i > 0 ? ' ' : '') + t.text).join('');
  const local = join(at === -1 ? tokens : tokens.slice(0, at));
  const domain = at === -1 ? '' : join(tokens.slice(at + 1));
  return { ...(local !== '' && { local }), ...(domain !== '' && { domain }) };
}

/**
 * Reads an address list; at most `max` entries (and the end of the group they stop in) of its first `octets` octets. An
 * entry that does not end before that is left out. `text` is a latin1 field value, folded or not.
 */
export function parseAddressList(
  text: string,
  max = MAX_ADDRESSES,
  octets = Number.POSITIVE_INFINITY,
): AddressEntry[] {
  return new AddressReader(text, max, octets).read();
}

/** A mailbox for display or comparison: text decoded, groups dissolved. */
export interface DisplayAddress {
  readonly name: string;
  /** "local@domain" as Unicode text; without "@" when the field had none. Empty when only a name was given. */
  readonly address: string;
}

function toDisplay(entry: Mailbox): DisplayAddress {
  const address = entry.domain === undefined ? (entry.local ?? '') : `${entry.local ?? ''}@${entry.domain}`;
  return {
    name: entry.name === undefined ? '' : decodeWords(entry.name),
    address: guessText(Buffer.from(address, 'latin1')),
  };
}

/** The mailboxes of an address list, decoded, members of groups among them. */
export function displayAddresses(text: string, max = MAX_ADDRESSES): DisplayAddress[] {
  return parseAddressList(text, max)
    .filter((entry) => entry.kind === 'mailbox')
    .map(toDisplay);
}
