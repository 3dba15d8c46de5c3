/**
 * The `.env` file of Docker Compose: NAME=value lines with comments, quotes, defaults (${NAME:-default}) and values that
 * go over several lines in quotes. Nothing is ever run.
 */

/** Octets of such a file that are read. */
export const ENV_BYTES = 256 * 1024;
/** Characters of one ${...}. */
const EXPRESSION = 1024;
/** Defaults inside defaults. */
const DEPTH = 10;

export type Variables = ReadonlyMap<string, string>;

export interface EnvFile {
  readonly values: Variables;
  /** "line 7: what is wrong"; such lines are left out. */
  readonly problems: readonly string[];
}

/** `outer`: variables that win over those of the file, as those of the shell do for Compose. */
export function parseEnvFile(text: string, outer: Variables = new Map()): EnvFile {
  const values = new Map<string, string>();
  const problems: string[] = [];
  const lines = text.replace(/^\uFEFF/, '').split(/\r?\n/);
  const known = (name: string): string | undefined => outer.get(name) ?? values.get(name);
  for (let at = 0; at < lines.length; at++) {
    const line = (lines[at] ?? '').trim();
    if (line === '' || line.startsWith('#')) continue;
    const found = /^(?:export\s+)?([A-Za-z_][A-Za-z0-9_.-]*)\s*(?:[=:]\s*(.*))?$/s.exec(line);
    if (found === null || found[2] === undefined) {
      // A name alone takes its value from the shell.
      if (found === null) problems.push(`line ${at + 1}: neither NAME=value nor a comment`);
      continue;
    }
    let value = found[2];
    const quote = value.charAt(0);
    if (quote === '"' || quote === "'") {
      const quoted = quotedLines(lines, at, value);
      if (quoted === undefined) {
        // Nobody can tell what of the rest was meant to be inside.
        problems.push(`line ${at + 1}: the ${quote} has no end; what follows is not read`);
        break;
      }
      value = quoted.value;
      at = quoted.last;
    }
    values.set(found[1] ?? '', valueOf(value, known));
  }
  return { values, problems };
}

/** A quoted value with the lines it goes over; undefined when it has no end. */
function quotedLines(
  lines: readonly string[],
  first: number,
  begin: string,
): { value: string; last: number } | undefined {
  const quote = begin.charAt(0);
  if (closing(begin, quote) !== undefined) return { value: begin, last: first };
  for (let last = first + 1; last < lines.length; last++) {
    // Only the new line is looked at: a value of many lines stays cheap.
    if (closing(`${quote}${lines[last] ?? ''}`, quote) === undefined) continue;
    return { value: [begin, ...lines.slice(first + 1, last + 1)].join('\n'), last };
  }
  return undefined;
}

/** Index of the quote that ends a quoted value; a backslash hides one between double quotes. */
function closing(value: string, quote: string): number | undefined {
  for (let at = 1; at < value.length; at++) {
    if (value[at] === '\\' && quote === '"') at++;
    else if (value[at] === quote) return at;
  }
  return undefined;
}

function valueOf(value: string, known: (name: string) => string | undefined): string {
  const quote = value.charAt(0);
  const end = quote === '"' || quote === "'" ? closing(value, quote) : undefined;
  if (end === undefined) return substitute(value.replace(/(^|\s)#.*$/s, '').trim(), known);
  const inner = value.slice(1, end);
  if (quote === "'") return inner;
  return substitute(inner, known).replace(/\\([nrt"\\$])/g, (_, char: string) => ESCAPES[char] ?? char);
}

const ESCAPES: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t' };

/** $NAME, ${NAME}, ${NAME:-default}, ${NAME-default}, ${NAME:?message}, ${NAME:+other}; $$ is a dollar sign. */
export function substitute(text: string, known: (name: string) => string | undefined, depth = 0): string {
  let result = '';
  for (let at = 0; at < text.length; at++) {
    if (text[at] === '\\' && text[at + 1] === '$') {
      result += '$';
      at++;
      continue;
    }
    if (text[at] !== '$') {
      result += text.charAt(at);
      continue;
    }
    const name = /^[A-Za-z_][A-Za-z0-9_]*/.exec(text.slice(at + 1, at + 201))?.[0];
    const end = text[at + 1] === '{' ? braceEnd(text, at + 1) : undefined;
    if (text[at + 1] === '$') {
      result += '$';
      at++;
    } else if (name !== undefined) {
      result += known(name) ?? '';
      at += name.length;
    } else if (end !== undefined && depth < DEPTH) {
      result += expand(text.slice(at + 2, end), known, depth);
      at = end;
    } else result += '$';
  }
  return result;
}

function braceEnd(text: string, open: number): number | undefined {
  let depth = 0;
  for (let at = open; at < Math.min(text.length, open + EXPRESSION); at++) {
    if (text[at] === '{') depth++;
    else if (text[at] === '}' && --depth === 0) return at;
  }
  return undefined;
}

function expand(inner: string, known: (name: string) => string | undefined, depth: number): string {
  const found = /^([A-Za-z_][A-Za-z0-9_]*)(?:(:?[-+?])(.*))?$/s.exec(inner);
  if (found === null) return '';
  const [, name = '', operator = '', other = ''] = found;
  const value = known(name);
  const given = value !== undefined && (value !== '' || !operator.startsWith(':'));
  if (operator.endsWith('+')) return given ? substitute(other, known, depth + 1) : '';
  if (given) return value;
  return operator.endsWith('-') ? substitute(other, known, depth + 1) : '';
}
