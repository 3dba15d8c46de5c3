import { errorText } from '../../base/errors.ts';

/** How a pattern is matched. */
export interface MatchOptions {
  readonly ignoreCase: boolean;
  readonly multiline: boolean;
  readonly dotAll: boolean;
  /** POSIX: the longest match from the leftmost place on; else the first one, as Perl finds it. */
  readonly longest: boolean;
}

export interface Compiled {
  readonly groups: number;
  test(text: string): boolean;
  /** The whole match and its groups. */
  match(text: string): readonly (string | undefined)[] | undefined;
}

/** Compiles patterns; what it says of a pattern that it does not take stands in `problem`. */
export type Engine = (pattern: string, options: MatchOptions) => Compiled | { readonly problem: string };

let loaded: Promise<Engine> | undefined;

/**
 * The matcher, loaded when the first table needs it: in time linear to the text, whatever the pattern. Characters are
 * those of Unicode (Postfix matches octets).
 */
export function loadEngine(): Promise<Engine> {
  return (loaded ??= load());
}

async function load(): Promise<Engine> {
  const { RE2JS } = await import('re2js');
  return (pattern, { ignoreCase, multiline, dotAll, longest }) => {
    const flags =
      (ignoreCase ? RE2JS.CASE_INSENSITIVE : 0) |
      (multiline ? RE2JS.MULTILINE : 0) |
      (dotAll ? RE2JS.DOTALL : 0) |
      (longest ? RE2JS.LONGEST_MATCH : 0);
    try {
      const compiled = RE2JS.compile(pattern, flags);
      return {
        groups: compiled.groupCount(),
        test: (text) => compiled.test(text),
        match: (text) => (compiled.exec(text) as (string | undefined)[] | null) ?? undefined,
      };
    } catch (error) {
      return { problem: errorText(error).replace(/^error parsing regexp: /, '') };
    }
  };
}
