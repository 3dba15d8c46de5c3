import type { Translated } from './pcre-syntax.ts';

/**
 * A POSIX regular expression (regex(7), regexp_table(5)) in the syntax of RE2: extended unless flag x says basic, with
 * the escapes \w \W \s \S \b \B of the GNU library. In brackets a backslash is itself.
 */
export function translatePosix(pattern: string, extended: boolean): Translated {
  let out = '';
  /** Whether a quantifier may not stand here: at the beginning of a branch, or after another quantifier. */
  let bare: 'begin' | 'quantifier' | undefined = 'begin';
  for (let at = 0; at < pattern.length; ) {
    const read: ReadOr =
      pattern[at] === '[' ? bracket(pattern, at) : token(pattern, at, extended, bare === 'begin');
    if ('problem' in read) return read;
    if (read.quantifier === true && bare !== undefined) {
      return bare === 'begin'
        ? { problem: `"${read.text}" repeats nothing`, remedy: `Write \\${read.text} for the character` }
        : {
            problem: `"${read.text}" follows another quantifier`,
            remedy: 'Put what comes before it in parentheses, or name the table pcre: for Perl syntax',
          };
    }
    out += read.text;
    bare = read.quantifier === true ? 'quantifier' : read.begins === true ? 'begin' : undefined;
    at = read.end;
  }
  return { pattern: out };
}

interface Read {
  readonly text: string;
  readonly end: number;
  readonly quantifier?: boolean;
  /** A branch begins after it. */
  readonly begins?: boolean;
}
type ReadOr = Read | { readonly problem: string; readonly remedy: string };

/** One character, escape or operator outside brackets. */
function token(pattern: string, at: number, extended: boolean, begins: boolean): ReadOr {
  const char = pattern.charAt(at);
  const escaped = char === '\\';
  const name = escaped ? pattern.charAt(at + 1) : char;
  const end = at + (escaped ? 2 : 1);
  if (name === '') return { problem: 'it ends in a backslash', remedy: 'Write \\\\ for a backslash' };
  // In a basic expression these are operators with a backslash, in an extended one without.
  if ('(){}|+?'.includes(name) && escaped !== extended) return operator(pattern, name, end, extended);
  if (escaped) return escapeOf(name, end);
  if (char === '.') return { text: '.', end };
  if (char === '*') {
    if (!extended && begins) return { text: '\\*', end };
    return { text: '*', end, quantifier: true };
  }
  if (char === '^') {
    return extended || begins ? { text: '^', end, begins: true } : { text: '\\^', end };
  }
  if (char === '$') {
    const last = end === pattern.length || pattern.startsWith('\\)', end) || pattern.startsWith('\\|', end);
    return { text: extended || last ? '$' : '\\$', end };
  }
  return { text: literal(char), end };
}

function operator(pattern: string, name: string, end: number, extended: boolean): ReadOr {
  switch (name) {
    case '(':
      if (extended && pattern[end] === '?')
        return { problem: '"(?" is Perl syntax', remedy: 'Name the table pcre: instead of regexp:' };
      return { text: '(', end, begins: true };
    case '|':
      return { text: '|', end, begins: true };
    case ')':
      return { text: ')', end };
    case '}':
      return { text: '\\}', end };
    case '{':
      return interval(pattern, end, extended);
    default:
      return { text: name, end, quantifier: true };
  }
}

/** What follows a { : {n}, {n,}, {,m}, {n,m}; RE2 repeats up to 1000 times. */
function interval(pattern: string, at: number, extended: boolean): ReadOr {
  const close = extended ? '}' : '\\}';
  const stop = pattern.indexOf(close, at);
  const found = /^(\d{0,5})(,?)(\d{0,5})$/.exec(stop < 0 ? '-' : pattern.slice(at, stop));
  if (found === null || found[0] === '') return { text: '\\{', end: at };
  const [, from = '', comma = '', to = ''] = found;
  return { text: `{${from === '' ? '0' : from}${comma}${to}}`, end: stop + close.length, quantifier: true };
}

function escapeOf(name: string, end: number): ReadOr {
  if (/[1-9]/.test(name)) {
    return {
      problem: `it has a backreference, "\\${name}"`,
      remedy: 'Write one rule for each text that may repeat',
    };
  }
  if (name === '<' || name === '>') {
    return { problem: `"\\${name}" cannot be matched here`, remedy: 'Write \\b for the edge of a word' };
  }
  if ('wWsSbB'.includes(name)) return { text: `\\${name}`, end };
  if (name === '`') return { text: '\\A', end };
  if (name === "'") return { text: '\\z', end };
  return { text: literal(name), end };
}

function literal(char: string): string {
  return /[\\^$.[\]|()*+?{}-]/.test(char) ? `\\${char}` : char;
}

/** A bracket expression. Case is the matcher's affair. */
function bracket(pattern: string, start: number): ReadOr {
  const unclosed = { problem: 'a [ has no ]', remedy: 'Write \\[ for the character' };
  let at = start + 1;
  let text = '[';
  if (pattern[at] === '^') {
    text += '^';
    at++;
  }
  for (let first = true; ; first = false) {
    const char = pattern[at];
    if (char === undefined) return unclosed;
    if (char === ']' && !first) return { text: `${text}]`, end: at + 1 };
    const named = /^\[([:.=])(.{1,12}?)\1\]/s.exec(pattern.slice(at, at + 20));
    if (named !== null && named[1] === ':') {
      if (!CLASSES.has(named[2] ?? ''))
        return { problem: `there is no class "${named[0]}"`, remedy: 'Write a class such as [:alnum:]' };
      text += named[0];
      at += named[0].length;
      continue;
    }
    const single = named === null ? char : (named[2] ?? '');
    if (single.length !== 1 && named !== null)
      return { problem: `"${named[0]}" cannot be matched here`, remedy: 'Write its characters' };
    at += named === null ? 1 : named[0].length;
    // A - that is not the last begins a range to the next character.
    if (pattern[at] === '-' && pattern[at + 1] !== ']' && pattern[at + 1] !== undefined) {
      const to = pattern.charAt(at + 1);
      if (to === '[' && /[:.=]/.test(pattern.charAt(at + 2)))
        return { problem: 'a range ends in a class', remedy: 'Write its characters' };
      if (to < single) return { problem: `the range ${single}-${to} is the wrong way round`, remedy: '' };
      text += `${classChar(single)}-${classChar(to)}`;
      at += 2;
    } else text += classChar(single);
  }
}

const CLASSES: ReadonlySet<string> = new Set([
  'alnum',
  'alpha',
  'blank',
  'cntrl',
  'digit',
  'graph',
  'lower',
  'print',
  'punct',
  'space',
  'upper',
  'xdigit',
]);

function classChar(char: string): string {
  return /[\\\]^[-]/.test(char) ? `\\${char}` : char;
}
