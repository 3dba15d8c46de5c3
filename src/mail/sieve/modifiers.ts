/** Modifiers of `set` and `extracttext` (RFC 5229 4.1, RFC 5435 7). */
import type { Node } from './program.ts';
import { type Run, spend } from './run.ts';
import { cut } from './strings.ts';

function first(text: string, change: (char: string) => string): string {
  const char = String.fromCodePoint(text.codePointAt(0) ?? 0);
  return text === '' ? '' : change(char) + text.slice(char.length);
}

/** RFC 5435 7: all but RFC 3986 unreserved characters, as octets of UTF-8. */
function encodeUrl(text: string): string {
  return encodeURIComponent(text.toWellFormed()).replace(
    /[!'()*]/g,
    (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

/** In the order in which they work: higher precedence first. */
const ORDER: readonly (readonly [string, (text: string) => string])[] = [
  ['lower', (text) => text.toLowerCase()],
  ['upper', (text) => text.toUpperCase()],
  ['lowerfirst', (text) => first(text, (char) => char.toLowerCase())],
  ['upperfirst', (text) => first(text, (char) => char.toUpperCase())],
  ['quotewildcard', (text) => text.replace(/[*?\\]/g, '\\$&')],
  ['quoteregex', (text) => text.replace(/[.^$*+?()[\]{}|\\]/g, '\\$&')],
  ['encodeurl', encodeUrl],
  ['length', (text) => String([...text].length)],
];

/** The value that modifiers make of `value`. */
export function setValue(run: Run, node: Node, value: string): string {
  let text = value;
  for (const [name, change] of ORDER) {
    if (!node.tags.has(name)) continue;
    spend(run, text.length, 16);
    // Each makes a text at most three times as long; what would be cut in the end is cut before.
    text = change(cut(text, run.limits.variableLength * 3));
  }
  return text;
}
