/** Comparators and match types (RFC 5228 2.7, RFC 4790, RFC 5051, RFC 5231). */
import { unicodeCasemap } from '../casemap.ts';
import { find, type Folded, matchGlob, parseGlob } from './glob.ts';
import { REGEX_CHARACTERS, STEP_SEARCHED } from './limits.ts';
import type { Node, Value } from './program.ts';
import { compilePattern, type Pattern } from './regex.ts';
import { fail, requires, type Run, spend, tagText, texts } from './run.ts';
import { cut } from './strings.ts';

export type MatchType = 'is' | 'contains' | 'matches' | 'regex' | 'list' | 'count' | 'value';
const TYPES: readonly MatchType[] = ['contains', 'matches', 'regex', 'list', 'count', 'value'];

function isAscii(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 127) return false;
  return true;
}

/** RFC 4790 9.2: only a to z change. */
function asciiUpper(text: string): string {
  return isAscii(text) ? text.toUpperCase() : text.replace(/[a-z]+/g, (run) => run.toUpperCase());
}

/** RFC 5051 2, character by character: what a match took is to be found again in the text as it came. */
function unicodeFold(char: string): string {
  const known = unicodeFolds.get(char);
  if (known !== undefined) return known;
  const folded = unicodeCasemap(char);
  if (unicodeFolds.size < MAX_FOLDS) unicodeFolds.set(char, folded);
  return folded;
}

/** Characters that were folded before: asking again and again takes microseconds each. */
const unicodeFolds = new Map<string, string>();
const MAX_FOLDS = 10_000;

function foldUnicode(text: string): Folded {
  if (isAscii(text)) return { text: text.toUpperCase(), origin: undefined };
  let out = '';
  const origin: number[] = [];
  let at = 0;
  for (const char of text) {
    const folded = unicodeFold(char);
    for (let i = 0; i < folded.length; i++) origin.push(at);
    out += folded;
    at += char.length;
  }
  origin.push(at);
  return { text: out, origin };
}

/** `text` as the comparator sees it. */
export function fold(comparator: string, text: string): Folded {
  switch (comparator) {
    case 'i;octet':
    case 'i;ascii-numeric':
      return { text, origin: undefined };
    case 'i;unicode-casemap':
      return foldUnicode(text);
    default:
      return { text: asciiUpper(text), origin: undefined };
  }
}

/** Values of this many characters are folded once for all keys and tests. */
const LONG = 512;
const KEPT_FOLDS = 4;

function foldValue(run: Run, comparator: string, value: string): Folded {
  if (value.length < LONG) return fold(comparator, value);
  const known = run.folded.find((one) => one.comparator === comparator && one.value === value);
  if (known !== undefined) return known.folded;
  spend(run, value.length * (comparator === 'i;unicode-casemap' ? 4 : 1));
  const folded = fold(comparator, value);
  run.folded.unshift({ comparator, value, folded });
  run.folded.length = Math.min(run.folded.length, KEPT_FOLDS);
  return folded;
}

/** RFC 4790 9.1.1: the digits at the beginning; undefined for infinity. */
function numeric(text: string): string | undefined {
  const digits = /^\d+/.exec(text)?.[0];
  return digits === undefined ? undefined : digits.replace(/^0+(?=\d)/, '');
}

function compareNumeric(a: string, b: string): number {
  const left = numeric(a);
  const right = numeric(b);
  if (left === undefined || right === undefined)
    return Number(left === undefined) - Number(right === undefined);
  if (left.length !== right.length) return left.length - right.length;
  return left < right ? -1 : Number(left > right);
}

/** Less than, equal to or greater than zero (RFC 4790 4.2.3). */
export function compare(comparator: string, a: string, b: string): number {
  if (comparator === 'i;ascii-numeric') return compareNumeric(a, b);
  return Buffer.compare(Buffer.from(fold(comparator, a).text), Buffer.from(fold(comparator, b).text));
}

/** Whether two texts are the same to the comparator; long ones that cannot be are told at once. */
function equal(comparator: string, value: string, key: string): boolean {
  if (comparator === 'i;octet') return value === key;
  if (comparator === 'i;ascii-casemap' && value.length !== key.length) return false;
  if (comparator === 'i;ascii-numeric') return compareNumeric(value, key) === 0;
  return fold(comparator, value).text === fold(comparator, key).text;
}

function related(order: number, relation: string): boolean {
  switch (relation) {
    case 'gt':
      return order > 0;
    case 'ge':
      return order >= 0;
    case 'lt':
      return order < 0;
    case 'le':
      return order <= 0;
    case 'ne':
      return order !== 0;
    default:
      return order === 0;
  }
}

export interface Match {
  readonly type: MatchType;
  readonly relation: string;
  readonly comparator: string;
}

export function matchOf(run: Run, node: Node): Match {
  const type = TYPES.find((one) => node.tags.has(one)) ?? 'is';
  const relation = (type === 'count' || type === 'value' ? tagText(run, node, type) : undefined) ?? 'eq';
  return {
    type,
    relation: relation.toLowerCase(),
    comparator: tagText(run, node, 'comparator') ?? 'i;ascii-casemap',
  };
}

type Key = (value: string) => string[] | undefined | Promise<string[] | undefined>;

/** What one key asks of a value; it gives the match variables. */
function keyOf(run: Run, match: Match, key: string): Key {
  const { comparator } = match;
  switch (match.type) {
    case 'contains': {
      const wanted = fold(comparator, key).text;
      return (value) => {
        spend(run, value.length, STEP_SEARCHED);
        return find(foldValue(run, comparator, value).text, wanted, 0) === -1 ? undefined : [];
      };
    }
    case 'matches':
      return globKey(run, comparator, key);
    case 'regex':
      return regexKey(run, comparator, key);
    case 'value':
      return (value) => {
        spend(run, value.length);
        return related(compare(comparator, value, key), match.relation) ? [] : undefined;
      };
    case 'list':
      return async (value) => ((await run.world.listHas(key, value)) ? [] : undefined);
    default:
      return (value) => {
        spend(run, Math.min(value.length, 4 * key.length));
        return equal(comparator, value, key) ? [] : undefined;
      };
  }
}

function octets(text: string): string {
  return Buffer.from(text).toString('latin1');
}

/** RFC 5228 2.7.1: the comparator says what the character is that "?" takes; to i;unicode-casemap alone it is no octet. */
function globKey(run: Run, comparator: string, key: string): Key {
  const folded = (text: string): string => fold(comparator, text).text;
  const meter = (count: number): void => spend(run, count, 32);
  const segments = parseGlob(key, folded);
  const byOctet = comparator !== 'i;unicode-casemap' && segments.some((one) => one.hasAny);
  const ofOctets = byOctet ? parseGlob(octets(key), folded) : segments;
  return (value) => {
    if (!byOctet || isAscii(value))
      return matchGlob(segments, foldValue(run, comparator, value), value, meter);
    const raw = octets(value);
    const matched = matchGlob(ofOctets, fold(comparator, raw), raw, meter);
    return matched?.map((part) => Buffer.from(part, 'latin1').toString());
  };
}

function patternOf(run: Run, comparator: string, key: string): Pattern {
  const id = `${comparator} ${key}`;
  const known = run.patterns.get(id);
  if (known !== undefined) return known;
  const pattern = compilePattern(key, comparator, run.limits.regexLength);
  if ('problem' in pattern) return fail(run, `this regular expression is wrong: ${pattern.problem}`);
  spend(run, 4 * pattern.size);
  run.patterns.set(id, pattern);
  return pattern;
}

function regexKey(run: Run, comparator: string, key: string): Key {
  const pattern = patternOf(run, comparator, key);
  // Whether it matches a table of states tells, built as it goes; what its groups took is slow to find out.
  const wantsGroups = requires(run, 'variables');
  return (value) => {
    const looked = cut(value, REGEX_CHARACTERS);
    spend(run, looked.length * (1 + pattern.size / 16));
    if (!pattern.test(looked)) return undefined;
    if (!wantsGroups) return [];
    spend(run, looked.length * pattern.size, 32);
    return pattern.exec(looked)?.map((group) => group ?? '');
  };
}

/** How many groups count as match variables. */
const MAX_MATCHED = 100;

export interface MatchOptions {
  /** Match variables stay as they are (RFC 5173 5). */
  readonly keepVariables?: boolean;
  /** What :count counts, where it is not the values. */
  readonly count?: number;
}

/** Whether one of the values matches one of the keys of `node` (RFC 5228 2.7.1). */
export async function matchValues(
  run: Run,
  node: Node,
  values: readonly string[],
  keys: Value | undefined,
  options: MatchOptions = {},
): Promise<boolean> {
  const match = matchOf(run, node);
  const wanted = texts(run, keys);
  if (match.type === 'count') {
    const count = String(options.count ?? values.length);
    return wanted.some((key) => related(compare(match.comparator, count, key), match.relation));
  }
  return matchTexts(run, match, values, wanted, options.keepVariables === true);
}

export async function matchTexts(
  run: Run,
  match: Match,
  values: readonly string[],
  wanted: readonly string[],
  keepVariables: boolean,
): Promise<boolean> {
  if (values.length === 0) return false;
  for (const key of wanted) {
    const matches = keyOf(run, match, key);
    for (const value of values) {
      spend(run);
      const found = matches(value);
      const matched = found instanceof Promise ? await found : found;
      if (matched === undefined) continue;
      const sets = match.type === 'matches' || match.type === 'regex';
      if (sets && !keepVariables) run.scope.matched = matched.slice(0, MAX_MATCHED);
      return true;
    }
  }
  return false;
}
