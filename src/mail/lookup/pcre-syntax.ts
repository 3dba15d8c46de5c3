/** A pattern in the syntax that is matched in linear time, or why it cannot be had. */
export type Translated = { readonly pattern: string } | { readonly problem: string; readonly remedy: string };

const LOOKAROUND =
  'Put the rule between "if !/.../" and "endif" (or "if /.../"), or list what is to match in a rule above it';

/** Groups that begin with "(?" and what they are, longest first. */
const GROUPS: readonly (readonly [start: string, what: string, remedy: string])[] = [
  ['(?<=', 'a lookbehind', LOOKAROUND],
  ['(?<!', 'a negative lookbehind', LOOKAROUND],
  ['(?=', 'a lookahead', LOOKAROUND],
  ['(?!', 'a negative lookahead', LOOKAROUND],
  ['(?>', 'an atomic group', 'Write (?:...) instead: matching here never runs away'],
  ['(?|', 'a branch reset', 'Write one rule for each alternative'],
  ['(?(', 'a condition', 'Write it with "if /.../" and "endif"'],
  ['(?&', 'a call of a group', 'Write the group out'],
  ['(?P>', 'a call of a group', 'Write the group out'],
  ['(?P=', 'a backreference', 'Write one rule for each text that may repeat'],
  ['(?R', 'a recursion', 'Write the pattern out'],
  ['(?C', 'a callout', 'Leave it out'],
  ['(*', 'a verb such as (*FAIL)', 'Leave it out'],
];

/** Escapes that need another spelling. */
const ESCAPES: Readonly<Record<string, string>> = { Z: '\\z', h: '[\\t ]', e: '\\x1b' };

/**
 * A Perl-compatible pattern (pcre_table(5)) in the syntax of RE2. What a matcher without backtracking cannot do is named;
 * `extended` is flag x: white space outside classes means nothing and # begins a comment.
 */
export function translatePcre(pattern: string, extended: boolean): Translated {
  let out = '';
  for (let at = 0; at < pattern.length; ) {
    const char = pattern.charAt(at);
    if (char === '\\') {
      const escape = translateEscape(pattern, at);
      if ('problem' in escape) return escape;
      out += escape.pattern;
      at = escape.end;
    } else if (char === '[') {
      const end = classEnd(pattern, at);
      out += pattern.slice(at, end);
      at = end;
    } else if (char === '(') {
      if (pattern.startsWith('(?#', at)) {
        const end = pattern.indexOf(')', at);
        if (end < 0) return { problem: 'a comment (?#... has no end', remedy: 'Close it with )' };
        at = end + 1;
        continue;
      }
      const refused = refusedGroup(pattern, at);
      if (refused !== undefined) return refused;
      out += char;
      at++;
    } else if (extended && /\s/.test(char)) at++;
    else if (extended && char === '#') {
      const end = pattern.indexOf('\n', at);
      at = end < 0 ? pattern.length : end;
    } else if (char === '+' && /[*+?}]$/.test(out) && !out.endsWith(`\\${out.at(-1)}`)) {
      return {
        problem: 'it has a possessive quantifier (such as a++)',
        remedy: 'Leave the second + out: matching here never runs away',
      };
    } else {
      out += char;
      at++;
    }
  }
  return { pattern: out };
}

function refusedGroup(pattern: string, at: number): Translated | undefined {
  const found = GROUPS.find(([start]) => pattern.startsWith(start, at));
  if (found !== undefined) return { problem: `it has ${found[1]}, "${found[0]}"`, remedy: found[2] };
  if (/^\(\?[+-]?\d/.test(pattern.slice(at, at + 5))) {
    return { problem: 'it has a recursion', remedy: 'Write the pattern out' };
  }
  if (/^\(\?[a-zA-Z-]{0,8}x/.test(pattern.slice(at, at + 12))) {
    return { problem: 'it sets (?x) inside the pattern', remedy: 'Put the flag x after the pattern' };
  }
  return undefined;
}

function translateEscape(
  pattern: string,
  at: number,
): { pattern: string; end: number } | { problem: string; remedy: string } {
  const next = pattern.charAt(at + 1);
  if (next === '') return { problem: 'it ends in a backslash', remedy: 'Write \\\\ for a backslash' };
  if (/[1-9gk]/.test(next)) {
    return {
      problem: `it has a backreference, "\\${next}"`,
      remedy: 'Write one rule for each text that may repeat',
    };
  }
  if (/[KGXRCN]/.test(next))
    return { problem: `"\\${next}" cannot be matched here`, remedy: 'Write the pattern without it' };
  if (next === 'Q') {
    const end = pattern.indexOf('\\E', at);
    const stop = end < 0 ? pattern.length : end + 2;
    return { pattern: pattern.slice(at, stop), end: stop };
  }
  return { pattern: Object.hasOwn(ESCAPES, next) ? (ESCAPES[next] ?? '') : `\\${next}`, end: at + 2 };
}

/** Index after the ] of a class. */
function classEnd(pattern: string, start: number): number {
  let at = start + 1;
  if (pattern[at] === '^') at++;
  if (pattern[at] === ']') at++;
  while (at < pattern.length && pattern[at] !== ']') {
    if (pattern[at] === '\\') at += 2;
    else if (pattern.startsWith('[:', at) && pattern.indexOf(':]', at) > 0)
      at = pattern.indexOf(':]', at) + 2;
    else at++;
  }
  return Math.min(at + 1, pattern.length);
}
