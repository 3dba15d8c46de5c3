import { type Compiled, type Engine, loadEngine } from './engine.ts';
import { logicalLines } from './lines.ts';
import { translatePcre } from './pcre-syntax.ts';
import { translatePosix } from './posix-syntax.ts';
import { fill, parseTemplate, type Template } from './substitute.ts';
import {
  BREATH,
  breathe,
  IF_DEPTH,
  KEY_LENGTH,
  PATTERN_LENGTH,
  PATTERN_RULES,
  type TableProblem,
  type TableResult,
} from './types.ts';

export type PatternType = 'regexp' | 'pcre';

interface Rule {
  readonly kind: 'rule';
  readonly pattern: Compiled;
  readonly negated: boolean;
  readonly result: Template;
}

/** `if`: when the key does not match, go on at `skipTo`, the index after its endif. */
interface If {
  readonly kind: 'if';
  readonly pattern: Compiled;
  readonly negated: boolean;
  skipTo: number;
}

/**
 * Read a table of patterns (regexp_table(5), pcre_table(5)). Rules that Postfix leaves out with a warning are left out;
 * a pattern that Postfix would match and that cannot be matched here makes the table unusable, because mail would take
 * the way of a later rule.
 */
export async function parsePatterns(type: PatternType, name: string, text: string): Promise<TableResult> {
  const reader = new PatternReader(type, sourceOf(name), await loadEngine());
  const { lines, stray } = logicalLines(text);
  for (const line of stray) reader.ignored(line, 'a line that begins with white space continues nothing');
  for (const [index, line] of lines.entries()) {
    if (index % BREATH === BREATH - 1) await breathe();
    if (!reader.read(line.line, line.text)) break;
  }
  return reader.end(name);
}

/** What errors call a table: the path without the type. */
export function sourceOf(name: string): string {
  const colon = name.indexOf(':');
  return colon < 0 || name.charAt(colon + 1) === '{' ? name : name.slice(colon + 1);
}

class PatternReader {
  readonly #type: PatternType;
  readonly #source: string;
  readonly #engine: Engine;
  readonly #steps: (Rule | If)[] = [];
  readonly #open: { step: If; line: number }[] = [];
  readonly #problems: TableProblem[] = [];

  constructor(type: PatternType, source: string, engine: Engine) {
    this.#type = type;
    this.#source = source;
    this.#engine = engine;
  }

  ignored(line: number, message: string, remedy = ''): undefined {
    this.#problems.push({ source: this.#source, line, kind: 'ignored', message, remedy });
  }

  #error(line: number, message: string, remedy: string): undefined {
    this.#problems.push({ source: this.#source, line, kind: 'error', message, remedy });
  }

  /** False when there is no sense in reading on. */
  read(line: number, text: string): boolean {
    if (this.#steps.length >= PATTERN_RULES) {
      this.#error(
        line,
        `the table has more than ${PATTERN_RULES} rules`,
        'Use texthash: for plain addresses',
      );
      return false;
    }
    const word = /^(if|endif)(?![A-Za-z0-9])\s*/i.exec(text);
    if (word === null) this.#rule(line, text);
    else if (word[1]?.toLowerCase() === 'if') this.#if(line, text.slice(word[0].length));
    else this.#endif(line, text.slice(word[0].length));
    return true;
  }

  #rule(line: number, text: string): undefined {
    if (/^[A-Za-z0-9]/.test(text)) {
      return this.ignored(
        line,
        'neither a pattern such as /.../ nor if or endif',
        'A pattern stands between delimiters: /^ann@/',
      );
    }
    const read = this.#pattern(line, text);
    if (read === undefined) return undefined;
    const { pattern, negated, rest } = read;
    if (rest === '') this.ignored(line, 'the rule has no result; an empty one counts as none');
    const result = parseTemplate(rest, pattern.groups);
    if ('problem' in result)
      return this.ignored(line, result.problem, 'The rule is left out, as Postfix does');
    if (negated && result.some((part) => typeof part === 'number')) {
      return this.ignored(line, 'a rule that begins with ! has no groups to put into its result');
    }
    this.#steps.push({ kind: 'rule', pattern, negated, result });
    return undefined;
  }

  #if(line: number, text: string): undefined {
    const read = /^[A-Za-z0-9]/.test(text) || text === '' ? undefined : this.#pattern(line, text);
    if (read === undefined) {
      // What would have been inside must not hold for everybody.
      if (!this.#problems.some((problem) => problem.line === line && problem.kind === 'error'))
        this.#error(line, 'the if has no pattern that can be used', 'Write if /.../');
      return undefined;
    }
    if (read.rest !== '') this.ignored(line, `extra text after the if: "${read.rest.slice(0, 40)}"`);
    if (this.#open.length >= IF_DEPTH)
      return this.#error(line, `more than ${IF_DEPTH} ifs inside each other`, '');
    const step: If = { kind: 'if', pattern: read.pattern, negated: read.negated, skipTo: 0 };
    this.#steps.push(step);
    this.#open.push({ step, line });
    return undefined;
  }

  #endif(line: number, rest: string): undefined {
    const open = this.#open.pop();
    if (open === undefined) return this.ignored(line, 'an endif without an if');
    if (rest !== '') this.ignored(line, 'extra text after the endif');
    open.step.skipTo = this.#steps.length;
    return undefined;
  }

  /** `!/pattern/flags rest`, the delimiter being any character that is neither letter nor digit. */
  #pattern(line: number, text: string): { pattern: Compiled; negated: boolean; rest: string } | undefined {
    const negated = text.startsWith('!');
    const from = negated ? text.slice(1).trimStart() : text;
    const delimiter = from.charAt(0);
    const end = patternEnd(from);
    if (end === undefined)
      return this.ignored(line, `the delimiter ${delimiter} that ends the pattern is missing`);
    const [, flags = '', rest = ''] = /^(\S*)\s*(.*)$/s.exec(from.slice(end + 1)) ?? [];
    const compiled = this.#compile(line, from.slice(1, end), flags);
    return compiled && { pattern: compiled, negated, rest: rest.trimEnd() };
  }

  #compile(line: number, pattern: string, flags: string): Compiled | undefined {
    if (pattern.length > PATTERN_LENGTH) {
      return this.#error(
        line,
        `the pattern has more than ${PATTERN_LENGTH} characters`,
        'Split it into several rules',
      );
    }
    const on = (flag: string): boolean => [...flags].filter((each) => each === flag).length % 2 === 1;
    const known = this.#type === 'pcre' ? 'imsxAEUX' : 'imx';
    const unknown = [...flags].find((flag) => !known.includes(flag));
    if (unknown !== undefined) {
      return this.ignored(
        line,
        `there is no flag "${unknown}" (flags are ${[...known].join(' ')})`,
        'The rule is left out, as Postfix does',
      );
    }
    const pcre = this.#type === 'pcre';
    const translated = pcre ? translatePcre(pattern, on('x')) : translatePosix(pattern, !on('x'));
    if ('problem' in translated)
      return this.#error(line, `this pattern cannot be used: ${translated.problem}`, translated.remedy);
    let made = translated.pattern;
    if (on('A')) made = `\\A(?:${made})`;
    if (on('U')) made = `(?U)${made}`;
    const multiline = on('m');
    // Without m a newline ends nothing; POSIX with m keeps "." from matching one.
    const dotAll = pcre ? !on('s') : !multiline;
    const compiled = this.#engine(made, { ignoreCase: !on('i'), multiline, dotAll, longest: !pcre });
    if ('problem' in compiled)
      return this.#error(line, `this pattern cannot be used: ${compiled.problem}`, 'Write it without that');
    return compiled;
  }

  end(name: string): TableResult {
    for (const { step, line } of this.#open) {
      this.ignored(line, 'the if has no endif; it lasts to the end');
      step.skipTo = this.#steps.length;
    }
    const problems = this.#problems.toSorted((a, b) => a.line - b.line);
    if (problems.some(({ kind }) => kind === 'error')) return { table: undefined, problems };
    const steps = this.#steps;
    const size = steps.filter(({ kind }) => kind === 'rule').length;
    return { table: { name, patterns: true, size, query: (key) => firstMatch(steps, key) }, problems };
  }
}

/** Index of the delimiter that ends a pattern; one behind a backslash belongs to the pattern. */
function patternEnd(text: string): number | undefined {
  const delimiter = text.charAt(0);
  if (delimiter === '' || delimiter === '\\') return undefined;
  for (let at = 1; at < text.length; at++) {
    if (text[at] === '\\') at++;
    else if (text[at] === delimiter) return at;
  }
  return undefined;
}

/** The result of the first rule that fits; the key is matched as it is, letter case and all. */
async function firstMatch(steps: readonly (Rule | If)[], key: string): Promise<string | undefined> {
  if (key.length > KEY_LENGTH) return undefined;
  for (let at = 0, tried = 0; at < steps.length; tried++) {
    if (tried % BREATH === BREATH - 1) await breathe();
    const step = steps[at];
    if (step === undefined) break;
    const holds = step.pattern.test(key) !== step.negated;
    if (step.kind === 'if') at = holds ? at + 1 : step.skipTo;
    else if (!holds) at++;
    else return fill(step.result, step.negated ? [] : (step.pattern.match(key) ?? []));
  }
  return undefined;
}
