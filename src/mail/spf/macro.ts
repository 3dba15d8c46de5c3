/** Macros (RFC 7208 section 7): parsed once with the record, so that a wrong one is found wherever it stands. */

/** Letters for which a value is asked; c, r and t only in explanations. */
export type MacroLetter = 's' | 'l' | 'o' | 'd' | 'i' | 'p' | 'h' | 'c' | 'r' | 't' | 'v';

interface Expansion {
  readonly letter: MacroLetter;
  /** An upper-case letter: the result is URL-escaped. */
  readonly escape: boolean;
  /** Right-hand parts kept; 0 keeps all. */
  readonly parts: number;
  readonly reverse: boolean;
  readonly delimiters: string;
}

/** Text and expansions in turn. */
export type MacroString = readonly (string | Expansion)[];

/** Why a text is not a macro-string. */
export class MacroError extends Error {}

const DELIMITERS = '.-+,/_=';

/** `{letter digits r delimiters}` behind a '%'; returns the offset behind the '}'. */
function parseExpansion(text: string, brace: number, explanation: boolean): [Expansion, number] {
  const close = text.indexOf('}', brace);
  if (close < 0) throw new MacroError('a macro without "}"');
  // A macro cannot be long: letter, number, r, delimiters.
  const match = /^([a-z])([0-9]{0,6})(r?)([.\-+,/_=]{0,20})$/i.exec(
    text.slice(brace + 1, Math.min(close, brace + 32)),
  );
  if (match === null || close >= brace + 32) throw new MacroError('a malformed macro');
  const [, named = '', digits = '', reverse, delimiters = ''] = match;
  const letter = named.toLowerCase();
  if (!('slodiphv'.includes(letter) || (explanation && 'crt'.includes(letter)))) {
    throw new MacroError(`the macro %{${named}} is unknown here`);
  }
  // Section 7.1: a DIGIT of zero is an error.
  if (digits !== '' && Number(digits) === 0) throw new MacroError('a macro that keeps no part');
  const expansion: Expansion = {
    letter: letter as MacroLetter,
    escape: letter !== named,
    parts: Number(digits),
    reverse: reverse !== '',
    delimiters: delimiters || '.',
  };
  return [expansion, close + 1];
}

/** Read a macro-string; with `explanation` an explain-string, which may hold spaces and c, r, t. Throws MacroError. */
export function parseMacroString(text: string, explanation = false): MacroString {
  const out: (string | Expansion)[] = [];
  let literal = '';
  for (let at = 0; at < text.length; ) {
    const code = text.charCodeAt(at);
    if (code < (explanation ? 0x20 : 0x21) || code > 0x7e) throw new MacroError('a character outside ASCII');
    if (text[at] !== '%') {
      literal += text[at];
      at++;
      continue;
    }
    const next = text[at + 1];
    at += 2;
    if (next === '%') literal += '%';
    else if (next === '_') literal += ' ';
    else if (next === '-') literal += '%20';
    else if (next === '{') {
      const [expansion, end] = parseExpansion(text, at - 1, explanation);
      if (literal !== '') out.push(literal);
      literal = '';
      out.push(expansion);
      at = end;
    } else throw new MacroError('a "%" that starts no macro');
  }
  if (literal !== '') out.push(literal);
  return out;
}

/** toplabel of section 7.1: not all digits, no hyphen at an end. */
const TOP_LABEL = /^(?:[a-z0-9]*[a-z][a-z0-9]*|[a-z0-9]+-[a-z0-9-]*[a-z0-9])$/i;

/** domain-spec: a macro-string that ends in a macro or in "." toplabel ["."]. Throws MacroError. */
export function parseDomainSpec(text: string): MacroString {
  if (text === '') throw new MacroError('an empty domain');
  const parsed = parseMacroString(text);
  const last = parsed.at(-1);
  if (typeof last === 'string') {
    // A literal "%%", "%_" or "%-" at the end is a macro-expand too, and allowed by the grammar.
    if (text.endsWith('%%') || text.endsWith('%_') || text.endsWith('%-')) return parsed;
    const name = last.endsWith('.') ? last.slice(0, -1) : last;
    const dot = name.lastIndexOf('.');
    if (dot < 0 || name.length - dot > 64 || !TOP_LABEL.test(name.slice(dot + 1))) {
      throw new MacroError('a domain that ends in no top-level label');
    }
  }
  return parsed;
}

/** Does the string ask for one of these letters? */
export function mentions(macro: MacroString, letters: string): boolean {
  return macro.some((part) => typeof part !== 'string' && letters.includes(part.letter));
}

/** Split at each character of `delimiters`. */
function splitAt(value: string, delimiters: string): string[] {
  const parts: string[] = [];
  let start = 0;
  for (let i = 0; i < value.length; i++) {
    if (DELIMITERS.includes(value.charAt(i)) && delimiters.includes(value.charAt(i))) {
      parts.push(value.slice(start, i));
      start = i + 1;
    }
  }
  parts.push(value.slice(start));
  return parts;
}

/** Section 7.3: all outside the unreserved set of RFC 3986, octet by octet. */
function urlEscape(value: string): string {
  return [...Buffer.from(value, 'utf8')]
    .map((octet) => {
      const char = String.fromCharCode(octet);
      return /[A-Za-z0-9\-._~]/.test(char) ? char : `%${octet.toString(16).toUpperCase().padStart(2, '0')}`;
    })
    .join('');
}

/** Octets an expansion may grow to; far above any name (253) or reply line. */
const MAX_EXPANDED = 4096;

/** Expand with the value of each letter. Longer results are cut at 4,096 characters. */
export async function expand(
  macro: MacroString,
  valueOf: (letter: MacroLetter) => string | Promise<string>,
): Promise<string> {
  let out = '';
  for (const part of macro) {
    if (out.length > MAX_EXPANDED) break;
    if (typeof part === 'string') {
      out += part;
      continue;
    }
    let pieces = splitAt(await valueOf(part.letter), part.delimiters);
    if (part.reverse) pieces.reverse();
    if (part.parts > 0) pieces = pieces.slice(-part.parts);
    const value = pieces.join('.');
    out += part.escape ? urlEscape(value) : value;
  }
  return out.slice(0, MAX_EXPANDED);
}

/** Section 7.3: labels leave from the left until the name fits 253 octets; the final dot is left out. */
export function fitName(name: string): string {
  let fitting = name.endsWith('.') ? name.slice(0, -1) : name;
  while (fitting.length > 253) {
    const dot = fitting.indexOf('.');
    if (dot < 0) return fitting;
    fitting = fitting.slice(dot + 1);
  }
  return fitting;
}
