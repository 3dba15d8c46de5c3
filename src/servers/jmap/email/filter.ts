import type { EmailFilter, EmailSort } from '../../../data/jmap/query.ts';
import type { SearchQuery } from '../../../data/search/types.ts';
import { fold } from '../../../mail/search/fold.ts';
import { parseUtc } from '../args.ts';
import { invalidArguments, MethodError } from '../errors.ts';
import { parseId } from '../ids.ts';
import { isObject, type Json, type JsonObject } from '../json.ts';
import { JMAP_LIMITS } from '../limits.ts';

/** FilterCondition and Comparator of Email/query (RFC 8621 sections 4.4.1 and 4.4.2). */

/** A filter whose texts are still to be looked up. */
export type AskedFilter =
  | { readonly is: 'and' | 'or' | 'not'; readonly of: readonly AskedFilter[] }
  | { readonly is: 'text'; readonly query: SearchQuery }
  | Exclude<EmailFilter, { readonly is: 'and' | 'or' | 'not' } | { readonly is: 'among' }>;

/** Conditions that may still be read. */
interface Budget {
  left: number;
}

/** @throws MethodError 'unsupportedFilter', 'invalidArguments' */
export function readFilter(filter: Json | undefined): AskedFilter {
  return filter === undefined || filter === null
    ? { is: 'and', of: [] }
    : readNode(filter, { left: JMAP_LIMITS.filterConditions }, 0);
}

function readNode(filter: Json, budget: Budget, depth: number): AskedFilter {
  if (!isObject(filter)) throw invalidArguments('filter must be an object');
  if (--budget.left < 0 || depth > JMAP_LIMITS.filterDepth)
    throw new MethodError('unsupportedFilter', 'The filter is too large.');
  const { operator, conditions } = filter;
  if (operator === undefined)
    return { is: 'and', of: Object.entries(filter).map(([name, value]) => condition(name, value)) };
  if (!Array.isArray(conditions)) throw invalidArguments('conditions must be a list');
  const of = (conditions as readonly Json[]).map((each) => readNode(each, budget, depth + 1));
  if (operator === 'AND') return { is: 'and', of };
  if (operator === 'OR') return { is: 'or', of };
  if (operator === 'NOT') return { is: 'not', of };
  throw invalidArguments('operator must be AND, OR or NOT');
}

function mailboxId(value: Json | undefined): number {
  if (typeof value !== 'string') throw invalidArguments('a mailbox is named by its id');
  // One that is not there has no messages.
  return parseId('mailbox', value) ?? -1;
}

function text(name: string, value: Json | undefined): string {
  if (typeof value !== 'string') throw invalidArguments(`${name} must be a string`);
  if (value.length > JMAP_LIMITS.searchedText)
    throw new MethodError('unsupportedFilter', `The text of ${name} is too long.`);
  return value;
}

function octets(name: string, value: Json | undefined): number {
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0)
    throw invalidArguments(`${name} must be a number of octets`);
  return value;
}

function time(name: string, value: Json | undefined): number {
  const ms = parseUtc(value);
  if (ms === undefined) throw invalidArguments(`${name} must be a UTC date`);
  return ms;
}

function keyword(name: string, value: Json | undefined): string {
  return text(name, value).toLowerCase();
}

function condition(name: string, value: Json | undefined): AskedFilter {
  switch (name) {
    case 'inMailbox':
      return { is: 'inMailbox', mailboxId: mailboxId(value) };
    case 'inMailboxOtherThan':
      if (!Array.isArray(value)) throw invalidArguments('inMailboxOtherThan must be a list');
      return { is: 'inMailboxOtherThan', mailboxIds: (value as readonly Json[]).map(mailboxId) };
    case 'before':
    case 'after':
      return { is: name, time: time(name, value) };
    case 'minSize':
    case 'maxSize':
      return { is: name, octets: octets(name, value) };
    case 'allInThreadHaveKeyword':
      return { is: 'allInThread', keyword: keyword(name, value) };
    case 'someInThreadHaveKeyword':
      return { is: 'someInThread', keyword: keyword(name, value) };
    case 'noneInThreadHaveKeyword':
      return { is: 'not', of: [{ is: 'someInThread', keyword: keyword(name, value) }] };
    case 'hasKeyword':
      return { is: 'hasKeyword', keyword: keyword(name, value) };
    case 'notKeyword':
      return { is: 'not', of: [{ is: 'hasKeyword', keyword: keyword(name, value) }] };
    case 'hasAttachment':
      if (typeof value !== 'boolean') throw invalidArguments('hasAttachment must be true or false');
      return value ? { is: 'hasAttachment' } : { is: 'not', of: [{ is: 'hasAttachment' }] };
    case 'text':
    case 'body':
      return words(text(name, value), name);
    case 'from':
    case 'to':
    case 'cc':
    case 'bcc':
    case 'subject':
      return words(text(name, value), { header: name });
    case 'header':
      return headerCondition(value);
    default:
      throw new MethodError('unsupportedFilter', `There is no condition "${name.slice(0, 100)}".`);
  }
}

function headerCondition(value: Json | undefined): AskedFilter {
  const [name, wanted, ...more] = Array.isArray(value) ? (value as readonly Json[]) : [];
  if (typeof name !== 'string' || (wanted !== undefined && typeof wanted !== 'string') || more.length > 0)
    throw invalidArguments('header must be a list of a name and perhaps a text');
  const field = { header: text('header', name).toLowerCase() };
  return { is: 'text', query: { kind: 'has', field, text: fold(text('header', wanted ?? '')) } };
}

/** Texts of one condition that are looked for. */
const MAX_WORDS = 20;

/** A phrase in quotes, where a backslash makes a quote or a backslash part of it, or a word. */
const PHRASE = /"((?:[^"\\]|\\[^])*)"|'((?:[^'\\]|\\[^])*)'|(\S+)/g;

/** Words and phrases of a condition (RFC 8621 section 4.4.1), the first of them. */
export function phrases(value: string): string[] {
  const found = value.matchAll(PHRASE).map(([, double, single, word]) => {
    return (double ?? single)?.replace(/\\(["'\\])/g, '$1') ?? word ?? '';
  });
  return [...found.filter((each) => each.trim() !== '').take(MAX_WORDS)];
}

/** Words apart from each other must all be there, what stands in quotes as it is. */
export function searchWords(value: string): string[] {
  return phrases(value)
    .map(fold)
    .filter((each) => each.trim() !== '');
}

function words(value: string, field: Extract<SearchQuery, { kind: 'has' }>['field']): AskedFilter {
  const of = searchWords(value).map((each): SearchQuery => ({ kind: 'has', field, text: each }));
  return { is: 'text', query: of.length === 1 && of[0] !== undefined ? of[0] : { kind: 'and', of } };
}

const PROPERTIES = ['receivedAt', 'sentAt', 'size', 'subject', 'from', 'to', 'hasKeyword'] as const;

/** @throws MethodError 'unsupportedSort', 'invalidArguments' */
export function readSort(sort: Json | undefined): EmailSort[] {
  if (sort === undefined || sort === null) return [];
  if (!Array.isArray(sort)) throw invalidArguments('sort must be a list');
  if (sort.length > JMAP_LIMITS.sortComparators) throw new MethodError('unsupportedSort');
  return (sort as readonly Json[]).map(comparator);
}

function comparator(value: Json): EmailSort {
  if (!isObject(value)) throw invalidArguments('sort must be a list of comparators');
  const { property, isAscending = true, collation }: JsonObject = value;
  if (collation !== undefined && collation !== null && collation !== 'i;unicode-casemap')
    throw new MethodError('unsupportedSort', 'The collation is i;unicode-casemap.');
  if (typeof isAscending !== 'boolean') throw invalidArguments('isAscending must be true or false');
  const inThread = {
    allInThreadHaveKeyword: 'allInThread',
    someInThreadHaveKeyword: 'someInThread',
  } as const;
  const by =
    property === 'allInThreadHaveKeyword' || property === 'someInThreadHaveKeyword'
      ? inThread[property]
      : PROPERTIES.find((each) => each === property);
  if (by === undefined) throw new MethodError('unsupportedSort');
  if (by !== 'hasKeyword' && by !== 'allInThread' && by !== 'someInThread')
    return { by, ascending: isAscending };
  return { by, ascending: isAscending, keyword: keyword('keyword', value['keyword']) };
}
