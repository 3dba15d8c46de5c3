import type { EmailCondition, EmailFilter, Id, Mailbox } from '../../jmap/types.ts';

/** The language of the search box: words, "several words", -not, and operators like from:ann. */

export interface SearchContext {
  readonly mailboxes: ReadonlyMap<Id, Mailbox>;
  readonly labels: readonly { readonly keyword: string; readonly name: string }[];
  /** Milliseconds since the epoch: "today" and the like. */
  readonly now: number;
}

export interface ParsedSearch {
  /** Undefined: nothing is asked. */
  readonly filter: EmailFilter | undefined;
  /** It names the mailbox by itself (in:), so that the open one does not count. */
  readonly everywhere: boolean;
  /** The mailboxes that it names; what lies in them is meant, rubbish or not. */
  readonly named: readonly Id[];
  /** Operators whose value means nothing, as they were written. */
  readonly unknown: readonly string[];
}

export const OPERATORS = [
  'from',
  'to',
  'cc',
  'subject',
  'body',
  'has',
  'is',
  'in',
  'before',
  'after',
  'on',
  'older',
  'newer',
  'larger',
  'smaller',
  'label',
  'filename',
  'list',
] as const;
type Operator = (typeof OPERATORS)[number];

interface Token {
  readonly not: boolean;
  readonly operator: Operator | undefined;
  readonly value: string;
  readonly quoted: boolean;
  readonly or: boolean;
  readonly text: string;
}

/** Characters of a search that are looked at. */
const MOST_CHARACTERS = 1000;
const MOST_TOKENS = 50;

/** Tokens of a search, one pass. */
export function tokens(text: string): Token[] {
  const found: Token[] = [];
  const all = text.slice(0, MOST_CHARACTERS);
  let at = 0;
  while (at < all.length && found.length < MOST_TOKENS) {
    if (/\s/.test(all[at] ?? '')) {
      at++;
      continue;
    }
    const start = at;
    const not = all[at] === '-' && at + 1 < all.length && !/\s/.test(all[at + 1] ?? '');
    if (not) at++;
    let operator: Operator | undefined;
    const colon = all.indexOf(':', at);
    if (colon > at) {
      const name = all.slice(at, colon).toLowerCase();
      if ((OPERATORS as readonly string[]).includes(name)) {
        operator = name as Operator;
        at = colon + 1;
      }
    }
    const quoted = all[at] === '"';
    let value: string;
    if (quoted) {
      const end = all.indexOf('"', at + 1);
      value = all.slice(at + 1, end === -1 ? all.length : end);
      at = end === -1 ? all.length : end + 1;
    } else {
      let end = at;
      while (end < all.length && !/\s/.test(all[end] ?? '')) end++;
      value = all.slice(at, end);
      at = end;
    }
    const or = !quoted && !not && operator === undefined && value === 'OR';
    found.push({ not, operator, value, quoted, or, text: all.slice(start, at) });
  }
  return found;
}

const UNITS: Readonly<Record<string, number>> = { k: 1e3, m: 1e6, g: 1e9 };
const DAY_MS = 86_400_000;
const AGES: Readonly<Record<string, number>> = { d: 1, w: 7, m: 30, y: 365 };

/** "5M", "200k", "1,000": octets. */
export function sizeOf(text: string): number | undefined {
  const match = /^(\d{1,9}(?:\.\d{1,3})?)\s*([kmg])?b?$/i.exec(text.replaceAll(',', ''));
  if (match === null) return undefined;
  return Math.round(Number(match[1]) * (UNITS[match[2]?.toLowerCase() ?? ''] ?? 1));
}

/** The local day of "2026-05-03", "3.5.2026", "5/3/2026", "2026-05", "2026", "today", "yesterday": begin and end. */
export function dayOf(text: string, now: number): { from: number; to: number } | undefined {
  const today = new Date(now);
  today.setHours(0, 0, 0, 0);
  const day = (y: number, m: number, d: number, end: readonly [number, number, number]) => {
    const from = new Date(y, m, d);
    if (from.getFullYear() !== y || from.getMonth() !== m || from.getDate() !== d) return undefined;
    return { from: from.getTime(), to: new Date(...end).getTime() };
  };
  const one = (y: number, m: number, d: number) => day(y, m - 1, d, [y, m - 1, d + 1]);
  const word = text.toLowerCase();
  if (word === 'today') return one(today.getFullYear(), today.getMonth() + 1, today.getDate());
  if (word === 'yesterday') {
    const before = new Date(today.getFullYear(), today.getMonth(), today.getDate() - 1);
    return one(before.getFullYear(), before.getMonth() + 1, before.getDate());
  }
  const iso = /^(\d{4})[-/](\d{1,2})[-/](\d{1,2})$/.exec(text);
  if (iso) return one(Number(iso[1]), Number(iso[2]), Number(iso[3]));
  const dotted = /^(\d{1,2})\.(\d{1,2})\.(\d{4})$/.exec(text);
  if (dotted) return one(Number(dotted[3]), Number(dotted[2]), Number(dotted[1]));
  const slashed = /^(\d{1,2})\/(\d{1,2})\/(\d{4})$/.exec(text);
  if (slashed) return one(Number(slashed[3]), Number(slashed[1]), Number(slashed[2]));
  const month = /^(\d{4})-(\d{1,2})$/.exec(text);
  if (month) {
    const [y, m] = [Number(month[1]), Number(month[2])];
    return day(y, m - 1, 1, [y, m, 1]);
  }
  const year = /^(\d{4})$/.exec(text);
  return year ? day(Number(year[1]), 0, 1, [Number(year[1]) + 1, 0, 1]) : undefined;
}

const utc = (ms: number): string => new Date(ms).toISOString().replace(/\.\d{3}Z$/, 'Z');

function dateCondition(operator: Operator, value: string, now: number): EmailFilter | undefined {
  if (operator === 'older' || operator === 'newer') {
    const match = /^(\d{1,4})([dwmy])$/i.exec(value);
    if (match === null) return undefined;
    const at = utc(now - Number(match[1]) * (AGES[match[2]?.toLowerCase() ?? 'd'] ?? 1) * DAY_MS);
    return operator === 'older' ? { before: at } : { after: at };
  }
  const day = dayOf(value, now);
  if (day === undefined) return undefined;
  if (operator === 'before') return { before: utc(day.from) };
  if (operator === 'after') return { after: utc(day.from) };
  return { after: utc(day.from), before: utc(day.to) };
}

const IS: Readonly<Record<string, EmailCondition>> = {
  unread: { notKeyword: '$seen' },
  read: { hasKeyword: '$seen' },
  starred: { hasKeyword: '$flagged' },
  flagged: { hasKeyword: '$flagged' },
  unstarred: { notKeyword: '$flagged' },
  answered: { hasKeyword: '$answered' },
  replied: { hasKeyword: '$answered' },
  forwarded: { hasKeyword: '$forwarded' },
  draft: { hasKeyword: '$draft' },
};

function mailboxNamed(value: string, { mailboxes }: SearchContext): Id | undefined {
  const wanted = value.toLowerCase();
  const all = [...mailboxes.values()];
  const path = (mailbox: Mailbox): string => {
    const parent = mailbox.parentId === null ? undefined : mailboxes.get(mailbox.parentId);
    return `${parent === undefined ? '' : `${path(parent)}/`}${mailbox.name.toLowerCase()}`;
  };
  const aliases: Readonly<Record<string, string>> = { spam: 'junk', bin: 'trash' };
  return (
    all.find(({ role }) => role === (aliases[wanted] ?? wanted)) ??
    all.find((each) => path(each) === wanted) ??
    all.find(({ name }) => name.toLowerCase() === wanted)
  )?.id;
}

function condition({ operator, value, quoted }: Token, context: SearchContext): EmailFilter | undefined {
  const text = quoted ? `"${value}"` : value;
  if (value === '') return undefined;
  switch (operator) {
    case undefined:
      return { text };
    case 'from':
    case 'to':
    case 'cc':
    case 'subject':
    case 'body':
      return { [operator]: text };
    case 'has': {
      const wanted = value.toLowerCase();
      if (/^(?:attachments?|files?)$/.test(wanted)) return { hasAttachment: true };
      return wanted === 'star' ? { hasKeyword: '$flagged' } : undefined;
    }
    case 'is':
      return IS[value.toLowerCase()];
    case 'in': {
      if (/^(?:all|anywhere|everywhere)$/i.test(value)) return {};
      const id = mailboxNamed(value, context);
      return id === undefined ? undefined : { inMailbox: id };
    }
    case 'larger':
    case 'smaller': {
      const octets = sizeOf(value);
      if (octets === undefined) return undefined;
      return operator === 'larger' ? { minSize: octets } : { maxSize: octets };
    }
    case 'label': {
      const wanted = value.toLowerCase();
      const label = context.labels.find(({ name }) => name.toLowerCase() === wanted);
      return { hasKeyword: (label?.keyword ?? wanted).toLowerCase() };
    }
    case 'filename':
      return { operator: 'AND', conditions: [{ hasAttachment: true }, { text }] };
    case 'list':
      return { header: ['List-Id', value] };
    default:
      return dateCondition(operator, value, context.now);
  }
}

/** A search as a filter of Email/query. All conditions must hold; OR between two makes either enough. */
export function parseSearch(search: string, context: SearchContext): ParsedSearch {
  const groups: EmailFilter[][] = [];
  const unknown: string[] = [];
  const named = new Set<Id>();
  let everywhere = false;
  let joining = false;
  for (const token of tokens(search)) {
    if (token.or) {
      joining = groups.length > 0;
      continue;
    }
    const found = condition(token, context);
    if (found === undefined) {
      if (token.value !== '' || token.operator !== undefined) unknown.push(token.text);
      continue;
    }
    if (token.operator === 'in') everywhere = true;
    if (!token.not && 'inMailbox' in found && found.inMailbox !== undefined) named.add(found.inMailbox);
    if (Object.keys(found).length === 0) continue;
    const made: EmailFilter = token.not ? { operator: 'NOT', conditions: [found] } : found;
    if (joining) groups.at(-1)?.push(made);
    else groups.push([made]);
    joining = false;
  }
  const all = groups.map(
    (group): EmailFilter =>
      group.length === 1 && group[0] ? group[0] : { operator: 'OR', conditions: group },
  );
  const [only] = all;
  const filter: EmailFilter | undefined = all.length > 1 ? { operator: 'AND', conditions: all } : only;
  return { filter, everywhere, named: [...named], unknown };
}
