import { logicalLines } from './lines.ts';

/** Characters of a pattern after its @ that are looked at. */
const DOMAIN_PATTERN = 500;

/**
 * The domains that the text of a table names literally: of keys `user@domain`, and of patterns what follows an @ as far
 * as it is plain text or a group of plain alternatives. For a person to look at; patterns may mean more.
 */
export function literalDomains(type: string, text: string): readonly string[] {
  const found = new Set<string>();
  for (const { text: line } of logicalLines(text).lines) {
    const at = line.indexOf('@');
    if (at < 0) continue;
    const key = type === 'pcre' || type === 'regexp' ? patternPart(line) : (/^\S+/.exec(line)?.[0] ?? '');
    for (const domain of domainsIn(key)) found.add(domain.toLowerCase());
  }
  return [...found].filter(isDomain);
}

/** Without delimiter, flags and result. */
function patternPart(line: string): string {
  const from = line.replace(/^if(?![A-Za-z0-9])\s*/i, '').replace(/^!\s*/, '');
  const delimiter = from.charAt(0);
  for (let at = 1; at < from.length; at++) {
    if (from[at] === '\\') at++;
    else if (from[at] === delimiter) return from.slice(1, at);
  }
  return '';
}

function* domainsIn(pattern: string): Generator<string> {
  let at = pattern.indexOf('@');
  for (; at >= 0; at = pattern.indexOf('@', at + 1)) {
    let prefixes = [''];
    let end = at + 1;
    for (; end < pattern.length && end - at <= DOMAIN_PATTERN; ) {
      const read = alternatives(pattern, end) ?? character(pattern, end);
      if (read === undefined) break;
      prefixes = prefixes.flatMap((prefix) => read.texts.map((text) => prefix + text)).slice(0, 1000);
      end = read.end;
    }
    // What goes on as a pattern is only the beginning of a name.
    if (end === pattern.length || /^[$)|]/.test(pattern.slice(end))) yield* prefixes;
  }
}

interface Part {
  readonly texts: readonly string[];
  readonly end: number;
}

function character(pattern: string, at: number): Part | undefined {
  const escaped = /^(?:\\\.|\[\.\])/.exec(pattern.slice(at, at + 3));
  if (escaped !== null) return quantified(pattern, { texts: ['.'], end: at + escaped[0].length });
  const char = pattern.charAt(at);
  if (char === '.') return quantified(pattern, { texts: ['.'], end: at + 1 });
  if (/^[A-Za-z0-9_-]$/.test(char)) return quantified(pattern, { texts: [char], end: at + 1 });
  return undefined;
}

/** `(a|b)` or `(?:a|b)` of plain texts. */
function alternatives(pattern: string, at: number): Part | undefined {
  const found = /^\((?:\?:)?((?:[A-Za-z0-9_-]|\\\.|\[\.\]|\.|\|)+)\)/.exec(pattern.slice(at, at + 1000));
  if (found === null) return undefined;
  const texts = (found[1] ?? '').split('|').map((text) => text.replace(/\\\.|\[\.\]/g, '.'));
  return quantified(pattern, { texts, end: at + found[0].length });
}

/** Something that is repeated is not literal. */
function quantified(pattern: string, part: Part): Part | undefined {
  return /[*+?{]/.test(pattern.charAt(part.end)) ? undefined : part;
}

function isDomain(text: string): boolean {
  return (
    text.length <= 253 &&
    text.includes('.') &&
    text.split('.').every((label) => /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/.test(label))
  );
}
