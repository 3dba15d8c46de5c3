/** Authentication-Results and the payload of ARC-Authentication-Results as others wrote them (RFC 8601 section 2.2). */
import type { MethodResult, Property } from './build.ts';

/** Octets of a value that are read, results, and properties of one. */
const MAX_OCTETS = 16 * 1024;
const MAX_RESULTS = 100;
const MAX_PROPERTIES = 50;

export interface ParsedResults {
  /** Lower case, without quotes. */
  readonly authservId: string;
  readonly results: readonly MethodResult[];
}

/** Tokens of a value: words, quoted strings (`quoted`), and one of ";=./". Comments go to the result they stand in. */
interface Token {
  readonly text: string;
  readonly kind: 'word' | 'quoted' | 'sign' | 'comment';
}

function isSpace(code: number): boolean {
  return code === 32 || code === 9 || code === 13 || code === 10;
}

/** The end of a quoted string or a comment, and its text without escapes. */
function enclosed(text: string, start: number): { end: number; inner: string } {
  const quoted = text.charAt(start) === '"';
  let inner = '';
  let depth = 1;
  let at = start + 1;
  for (; at < text.length; at++) {
    const char = text.charAt(at);
    if (char === '\\') inner += text.charAt(++at);
    else if (quoted && char === '"') break;
    else {
      if (!quoted && char === '(') depth++;
      if (!quoted && char === ')' && --depth === 0) break;
      inner += char;
    }
  }
  return { end: at + 1, inner };
}

function tokenize(text: string): Token[] {
  const tokens: Token[] = [];
  for (let at = 0; at < text.length; ) {
    const char = text.charAt(at);
    if (isSpace(char.charCodeAt(0))) {
      at++;
    } else if (char === '"' || char === '(') {
      const { end, inner } = enclosed(text, at);
      tokens.push({ kind: char === '"' ? 'quoted' : 'comment', text: inner });
      at = end;
    } else if (char === ';' || char === '=') {
      tokens.push({ kind: 'sign', text: char });
      at++;
    } else {
      let end = at;
      while (end < text.length && !isSpace(text.charCodeAt(end)) && !';="('.includes(text.charAt(end))) end++;
      tokens.push({ kind: 'word', text: text.slice(at, end) });
      at = end;
    }
  }
  return tokens;
}

/** Cut at the semicolons. */
function statements(tokens: readonly Token[]): Token[][] {
  const parts: Token[][] = [[]];
  for (const token of tokens) {
    if (token.kind === 'sign' && token.text === ';') parts.push([]);
    else parts.at(-1)?.push(token);
    if (parts.length > MAX_RESULTS + 1) break;
  }
  return parts;
}

function isValue(token: Token | undefined): token is Token {
  return token?.kind === 'word' || token?.kind === 'quoted';
}

/** name "=" value, of "reason" and of the properties; base64 may end in "=", which is part of the value. */
function pairAt(
  tokens: readonly Token[],
  at: number,
): { name: string; value: string; next: number } | undefined {
  const [name, sign, value] = [tokens[at], tokens[at + 1], tokens[at + 2]];
  if (name?.kind !== 'word' || sign?.kind !== 'sign' || !isValue(value)) return undefined;
  let next = at + 3;
  while (tokens[next]?.kind === 'sign') next++;
  // A local part in quotes has its "@" and domain behind it (section 2.2, pvalue).
  const rest = tokens[next];
  const joined = value.kind === 'quoted' && rest?.kind === 'word' && rest.text.startsWith('@');
  return {
    name: name.text.toLowerCase(),
    value: joined ? value.text + rest.text : value.text,
    next: joined ? next + 1 : next,
  };
}

function readResult(tokens: readonly Token[]): MethodResult | undefined {
  const plain = tokens.filter(({ kind }) => kind !== 'comment');
  const first = pairAt(plain, 0);
  if (first === undefined) return undefined; // "none" too
  const comment = tokens.find(({ kind }) => kind === 'comment')?.text;
  const properties: Property[] = [];
  let reason: string | undefined;
  for (let at = first.next; at < plain.length && properties.length < MAX_PROPERTIES; ) {
    const pair = pairAt(plain, at);
    if (pair === undefined) {
      at++; // what is no pair is passed over
      continue;
    }
    if (pair.name === 'reason') reason ??= pair.value;
    else properties.push([pair.name, pair.value]);
    at = pair.next;
  }
  return {
    method: first.name.split('/', 1)[0] ?? '', // a version may follow
    result: first.value.toLowerCase(),
    properties,
    ...(comment !== undefined && { comment }),
    ...(reason !== undefined && { reason }),
  };
}

/**
 * Read a value (latin1, folded or not). Undefined when it has no authserv-id. What a stranger wrote: believe it only in a chain
 * that passes and from a domain you trust. At most 100 results of the first 16 KiB; linear, never throws.
 */
export function parseAuthenticationResults(value: string): ParsedResults | undefined {
  const [head, ...rest] = statements(tokenize(value.slice(0, MAX_OCTETS)));
  const id = head?.find(isValue)?.text;
  if (id === undefined || id === '') return undefined;
  return {
    authservId: id.toLowerCase(),
    results: rest.slice(0, MAX_RESULTS).flatMap((tokens) => readResult(tokens) ?? []),
  };
}

/** The first value of a property, e.g. "header.d". */
export function propertyOf(result: MethodResult, name: string): string | undefined {
  return result.properties?.find(([each]) => each === name)?.[1];
}
