import { flagArg, intArg, optionalText } from '../args.ts';
import { invalidArguments, MethodError } from '../errors.ts';
import { isObject, type Json, type JsonObject, member } from '../json.ts';
import { JMAP_LIMITS } from '../limits.ts';

/** Filters, sorts and windows of a /query whose objects are few and at hand (RFC 8620 section 5.5). */

export type Test<T> = (object: T) => boolean;

/** The test of one property of a FilterCondition. @throws MethodError 'unsupportedFilter', 'invalidArguments' */
export type ConditionOf<T> = (name: string, value: Json | undefined) => Test<T>;

export function unsupportedCondition(name: string): MethodError {
  return new MethodError('unsupportedFilter', `There is no condition "${name.slice(0, 100)}".`);
}

/** @throws MethodError 'unsupportedFilter', 'invalidArguments' */
export function compileFilter<T>(filter: Json | undefined, of: ConditionOf<T>): Test<T> {
  if (filter === undefined || filter === null) return () => true;
  return compileNode(filter, of, { left: JMAP_LIMITS.filterConditions }, 0);
}

function compileNode<T>(filter: Json, of: ConditionOf<T>, budget: { left: number }, depth: number): Test<T> {
  if (!isObject(filter)) throw invalidArguments('filter must be an object');
  if (--budget.left < 0 || depth > JMAP_LIMITS.filterDepth)
    throw new MethodError('unsupportedFilter', 'The filter is too large.');
  const operator = member(filter, 'operator');
  if (operator === undefined) {
    const tests = Object.entries(filter).map(([name, value]) => of(name, value));
    return (object) => tests.every((test) => test(object));
  }
  const conditions = member(filter, 'conditions');
  if (!Array.isArray(conditions)) throw invalidArguments('conditions must be a list');
  const tests = (conditions as readonly Json[]).map((each) => compileNode(each, of, budget, depth + 1));
  if (operator === 'AND') return (object) => tests.every((test) => test(object));
  if (operator === 'OR') return (object) => tests.some((test) => test(object));
  if (operator === 'NOT') return (object) => !tests.some((test) => test(object));
  throw invalidArguments('operator must be AND, OR or NOT');
}

export function textCondition(name: string, value: Json | undefined): string {
  if (typeof value !== 'string') throw invalidArguments(`${name} must be a string`);
  return value;
}

export function flagCondition(name: string, value: Json | undefined): boolean {
  if (typeof value !== 'boolean') throw invalidArguments(`${name} must be true or false`);
  return value;
}

export function textOrNullCondition(name: string, value: Json | undefined): string | null {
  return value === null ? null : textCondition(name, value);
}

export interface Comparator<P extends string> {
  readonly property: P;
  readonly ascending: boolean;
}

/** @throws MethodError 'unsupportedSort', 'invalidArguments' */
export function readComparators<P extends string>(
  sort: Json | undefined,
  known: readonly P[],
): Comparator<P>[] {
  if (sort === undefined || sort === null) return [];
  if (!Array.isArray(sort)) throw invalidArguments('sort must be a list');
  if (sort.length > JMAP_LIMITS.sortComparators) throw new MethodError('unsupportedSort');
  return (sort as readonly Json[]).map((each) => {
    if (!isObject(each) || typeof each['property'] !== 'string')
      throw invalidArguments('sort must be a list of comparators');
    const { isAscending = true, collation = null } = each;
    if (typeof isAscending !== 'boolean') throw invalidArguments('isAscending must be true or false');
    if (collation !== null && typeof collation !== 'string')
      throw invalidArguments('collation must be a string');
    const property = known.find((name) => name === each['property']);
    if (property === undefined || (collation !== null && collation !== 'i;unicode-casemap'))
      throw new MethodError('unsupportedSort');
    return { property, ascending: isAscending };
  });
}

/** What compares by several comparators, the first of them first. */
export function comparison<T, P extends string>(
  sort: readonly Comparator<P>[],
  keyOf: (object: T, property: P) => string | number,
): (a: T, b: T) => number {
  return (a, b) => {
    for (const { property, ascending } of sort) {
      const [x, y] = [keyOf(a, property), keyOf(b, property)];
      const by =
        typeof x === 'string' && typeof y === 'string'
          ? x.localeCompare(y, 'en', { sensitivity: 'base' })
          : Number(x) - Number(y);
      if (by !== 0) return ascending ? by : -by;
    }
    return 0;
  };
}

/** What is asked for of the results of a /query, of which all are known, and how it is told. @throws MethodError */
export function windowed(args: JsonObject, ids: readonly string[]): JsonObject {
  const anchor = optionalText(args, 'anchor');
  const limit = intArg(args, 'limit', 0);
  const asked = intArg(args, 'position', Number.MIN_SAFE_INTEGER) ?? 0;
  const offset = intArg(args, 'anchorOffset', Number.MIN_SAFE_INTEGER) ?? 0;
  const at = anchor === undefined ? -1 : ids.indexOf(anchor);
  if (anchor !== undefined && at < 0) throw new MethodError('anchorNotFound');
  const from = anchor === undefined ? (asked < 0 ? ids.length + asked : asked) : at + offset;
  const position = Math.max(0, from);
  const most = Math.min(limit ?? JMAP_LIMITS.queryLimit, JMAP_LIMITS.queryLimit);
  return {
    position,
    ids: ids.slice(position, position + most),
    ...(flagArg(args, 'calculateTotal') && { total: ids.length }),
    // Section 5.5: told where it is not the one that was asked for.
    ...((limit ?? ids.length) > most && { limit: most }),
  };
}
