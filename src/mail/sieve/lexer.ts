/** Words of a Sieve script (RFC 5228 8.1). One pass, linear time; what is wrong is reported and skipped. */
import type { Position } from './types.ts';

export type Token =
  | (Position & { readonly kind: 'identifier' | 'tag' | 'special'; readonly text: string })
  | (Position & { readonly kind: 'number'; readonly value: number })
  | (Position & { readonly kind: 'string'; readonly value: string })
  | (Position & { readonly kind: 'end' });

/** Takes what is wrong with a script. */
export type Report = (at: Position, message: string) => void;

const UNITS: Readonly<Record<string, number>> = { k: 2 ** 10, m: 2 ** 20, g: 2 ** 30 };
const SPECIALS = '()[]{},;';
/** Errors of this kind in one script before reading stops. */
const MAX_STRAY = 20;

function isLetter(code: number): boolean {
  const lower = code | 32;
  return (lower >= 97 && lower <= 122) || code === 95;
}

function isDigit(code: number): boolean {
  return code >= 48 && code <= 57;
}

function isBlank(code: number): boolean {
  return code === 32 || code === 9 || code === 13 || code === 10;
}

/** Lines and columns of rising offsets; each character is looked at once. */
function createPlace(text: string): (pos: number) => Position {
  let at = 0;
  let line = 1;
  let column = 1;
  return (pos) => {
    for (; at < pos; at++) {
      const code = text.charCodeAt(at);
      if (code === 10) {
        line++;
        column = 1;
      } else if (code < 0xdc00 || code > 0xdfff) column++; // the second half of a pair is no character
    }
    return { line, column };
  };
}

/** Line ends of strings are CRLF, however the script was stored (RFC 5228 2.4.2). */
function withCrlf(text: string): string {
  return text.includes('\n') ? text.replace(/\r?\n/g, '\r\n') : text;
}

/** The words of a script in order, `end` the last. After an unclosed string or comment nothing more is read. */
export function lex(text: string, report: Report): Token[] {
  const tokens: Token[] = [];
  const place = createPlace(text);
  let pos = text.charCodeAt(0) === 0xfeff ? 1 : 0;
  let stray = 0;
  while (pos < text.length && stray < MAX_STRAY) {
    const code = text.charCodeAt(pos);
    if (isBlank(code)) {
      pos++;
      continue;
    }
    const at = place(pos);
    const read = readComment(text, pos) ?? readWord(text, pos, at) ?? strayCharacter(text, pos);
    if (read.problem !== undefined) {
      report(at, read.problem);
      stray++;
    }
    if (read.token !== undefined) tokens.push(read.token);
    pos = read.end;
  }
  tokens.push({ kind: 'end', ...place(text.length) });
  return tokens;
}

interface Read {
  readonly end: number;
  readonly token?: Token;
  readonly problem?: string;
}

function strayCharacter(text: string, pos: number): Read {
  const char = String.fromCodePoint(text.codePointAt(pos) ?? 0);
  return {
    end: pos + char.length,
    problem: `found ${JSON.stringify(char)} where a command, test, tag, number or string was expected`,
  };
}

function readComment(text: string, pos: number): Read | undefined {
  const char = text[pos];
  if (char === '#') {
    const newline = text.indexOf('\n', pos);
    return { end: newline === -1 ? text.length : newline + 1 };
  }
  if (char !== '/' || text[pos + 1] !== '*') return undefined;
  const close = text.indexOf('*/', pos + 2);
  if (close === -1) return { end: text.length, problem: 'this comment is not closed: "*/" is missing' };
  return { end: close + 2 };
}

function readWord(text: string, pos: number, at: Position): Read | undefined {
  const code = text.charCodeAt(pos);
  if (code === 34) return readQuoted(text, pos, at);
  if (isLetter(code)) return readIdentifier(text, pos, at);
  if (isDigit(code)) return readNumber(text, pos, at);
  const char = text[pos] ?? '';
  if (char === ':' && isLetter(text.charCodeAt(pos + 1))) {
    const end = wordEnd(text, pos + 1);
    return { end, token: { kind: 'tag', text: text.slice(pos + 1, end).toLowerCase(), ...at } };
  }
  if (SPECIALS.includes(char)) return { end: pos + 1, token: { kind: 'special', text: char, ...at } };
  return undefined;
}

function wordEnd(text: string, start: number): number {
  let end = start;
  while (end < text.length && (isLetter(text.charCodeAt(end)) || isDigit(text.charCodeAt(end)))) end++;
  return end;
}

function readIdentifier(text: string, pos: number, at: Position): Read {
  const end = wordEnd(text, pos);
  const name = text.slice(pos, end).toLowerCase();
  if (name === 'text' && text[end] === ':') return readMultiLine(text, end + 1, at);
  return { end, token: { kind: 'identifier', text: name, ...at } };
}

/** RFC 5228 2.4.1: digits and perhaps one of K, M, G (powers of 1024). */
function readNumber(text: string, pos: number, at: Position): Read {
  let end = pos;
  while (isDigit(text.charCodeAt(end))) end++;
  const digits = text.slice(pos, end);
  const unit = UNITS[text[end]?.toLowerCase() ?? ''];
  if (unit !== undefined) end++;
  const stop = wordEnd(text, end);
  if (stop > end) {
    return { end: stop, problem: `found "${text.slice(pos, stop)}": a number may end in K, M or G only` };
  }
  const value = digits.length > 16 ? Number.POSITIVE_INFINITY : Number(digits) * (unit ?? 1);
  if (value > Number.MAX_SAFE_INTEGER) return { end, problem: 'this number is too large' };
  return { end, token: { kind: 'number', value, ...at } };
}

function readQuoted(text: string, pos: number, at: Position): Read {
  let value = '';
  let from = pos + 1;
  for (let i = from; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === 34) {
      value += text.slice(from, i);
      if (value.includes('\0')) return { end: i + 1, problem: 'this string has a NUL character' };
      return { end: i + 1, token: { kind: 'string', value: withCrlf(value), ...at } };
    }
    if (code === 92) {
      // RFC 5228 2.4.2: a backslash before any other character means that character.
      value += text.slice(from, i);
      from = i + 1;
      i++;
    }
  }
  return { end: text.length, problem: 'this string is not closed: a " is missing' };
}

/** `text:` (RFC 5228 2.4.2, 8.1): lines up to one that is a lone dot; only a dot before another dot is dropped. */
function readMultiLine(text: string, start: number, at: Position): Read {
  let pos = start;
  while (text[pos] === ' ' || text[pos] === '\t') pos++;
  const newline = text.indexOf('\n', pos);
  const rest = text.slice(pos, newline === -1 ? text.length : newline).replace(/\r$/, '');
  if (rest !== '' && !rest.startsWith('#')) {
    return {
      end: pos,
      problem: `found ${JSON.stringify(rest.slice(0, 20))} where the line's end was expected after "text:"`,
    };
  }
  const lines: string[] = [];
  let from = newline === -1 ? text.length : newline + 1;
  while (from < text.length) {
    const next = text.indexOf('\n', from);
    const end = next === -1 ? text.length : next;
    const line = text[end - 1] === '\r' && end > from ? text.slice(from, end - 1) : text.slice(from, end);
    from = next === -1 ? text.length : next + 1;
    if (line === '.') {
      const value = lines.map((one) => `${one}\r\n`).join('');
      if (value.includes('\0')) return { end: from, problem: 'this string has a NUL character' };
      return { end: from, token: { kind: 'string', value, ...at } };
    }
    lines.push(line.startsWith('..') ? line.slice(1) : line);
  }
  return { end: text.length, problem: 'this text is not closed: a line with a lone "." is missing' };
}
