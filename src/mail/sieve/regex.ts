/** Patterns of :regex (draft-ietf-sieve-regex): POSIX extended regular expressions, matched in linear time. */
import { RE2JS } from 're2js';
import { errorText } from '../../base/errors.ts';
import { translatePosix } from '../lookup/posix-syntax.ts';

export interface Pattern {
  test(text: string): boolean;
  /** The match and its groups, or undefined. */
  exec(text: string): readonly (string | undefined)[] | undefined;
  /** Instructions of the compiled pattern: what a character of text costs grows with it. */
  readonly size: number;
}

const FOLDING = ['i;ascii-casemap', 'i;unicode-casemap'];

/** Patterns that repeat repeats may compile to huge programs. */
const MAX_SIZE = 2000;

/** Read a pattern; `maxLength` in characters. */
export function compilePattern(
  pattern: string,
  comparator: string,
  maxLength: number,
): Pattern | { readonly problem: string } {
  if (pattern.length > maxLength) return { problem: `it is longer than ${maxLength} characters` };
  const translated = translatePosix(pattern, true);
  if ('problem' in translated) return { problem: translated.problem.replace(/ table/g, '') };
  const flags =
    RE2JS.DOTALL | RE2JS.LONGEST_MATCH | (FOLDING.includes(comparator) ? RE2JS.CASE_INSENSITIVE : 0);
  try {
    const compiled = RE2JS.compile(translated.pattern, flags);
    const size = compiled.programSize();
    if (size > MAX_SIZE) return { problem: 'its repetitions make it too large' };
    return {
      size,
      test: (text) => compiled.test(text),
      exec: (text) => (compiled.exec(text) as (string | undefined)[] | null) ?? undefined,
    };
  } catch (error) {
    return { problem: errorText(error).replace(/^error parsing regexp: /, '') };
  }
}
