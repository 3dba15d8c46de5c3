import { Flag, type MessageRow, type UidRange } from '../../../data/mailstore/types.ts';
import { decodeCharset } from '../../../mail/charset.ts';
import { parseDate } from '../../../mail/message/dates.ts';
import type { MailboxView } from '../mailbox-view.ts';
import type { SearchKey } from '../wire/search-key.ts';
import { type Needle, needleOf } from '../../../mail/search/fold.ts';
import type { KnownTexts } from './indexed.ts';
import type { MessageText } from './text.ts';

const DAY_MS = 24 * 60 * 60 * 1000;

/** What a key needs of a row besides its flags and numbers. */
export type Need = 'thread' | 'content';

/** A search-key made ready: what it needs, what it costs (to ask the cheap ones first), and its test. */
export interface Matcher {
  readonly needs: ReadonlySet<Need>;
  readonly cost: number;
  readonly test: (row: MessageRow, text: () => MessageText) => boolean | Promise<boolean>;
}

export interface MatchContext {
  readonly view: MailboxView;
  readonly saved: readonly number[];
  readonly charset: string;
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** What the index has said of keys. */
  readonly known?: KnownTexts;
}

const NONE: ReadonlySet<Need> = new Set();
const CONTENT: ReadonlySet<Need> = new Set(['content']);

function ofRow(test: (row: MessageRow) => boolean): Matcher {
  return { needs: NONE, cost: 1, test };
}

function ofText(cost: number, test: (text: MessageText) => Promise<boolean>): Matcher {
  return { needs: CONTENT, cost, test: (_, text) => test(text()) };
}

/** Make a key ready. */
export function matcher(key: SearchKey, context: MatchContext): Matcher {
  const known = context.known?.get(key);
  if (known === undefined) return reader(key, context);
  const other = reader(key, context);
  return { ...other, cost: 2, test: (row, text) => known(row.emailId) ?? other.test(row, text) };
}

/** A key that looks at the message itself. */
function reader(key: SearchKey, context: MatchContext): Matcher {
  switch (key.kind) {
    case 'all':
      return ofRow(() => true);
    case 'filter':
      throw new Error('a named search was not looked up');
    case 'never':
      return ofRow(() => false);
    case 'flag':
      return ofRow((row) => ((row.flags & key.bit) !== 0) === key.set);
    case 'keyword':
      return keywordMatcher(key.keyword, key.set);
    case 'recent':
      return ofRow((row) => context.view.isRecent(row.uid) === key.set);
    case 'new':
      return ofRow((row) => context.view.isRecent(row.uid) && (row.flags & Flag.Seen) === 0);
    case 'younger':
      return ofRow((row) => row.receivedAt >= context.now - key.seconds * 1000);
    case 'older':
      return ofRow((row) => row.receivedAt <= context.now - key.seconds * 1000);
    case 'larger':
      return ofRow((row) => row.size > key.octets);
    case 'smaller':
      return ofRow((row) => row.size < key.octets);
    case 'modseq':
      return ofRow((row) => row.modseq >= key.modseq);
    case 'emailid':
      return ofRow((row) => `M${row.emailId}` === key.id);
    case 'threadid':
      return { needs: new Set(['thread']), cost: 1, test: (row) => `T${row.threadId}` === key.id };
    case 'seq':
    case 'uid': {
      const inside = insideOf(setRanges(key, context));
      return ofRow((row) => inside(row.uid));
    }
    case 'before':
    case 'on':
    case 'since':
      return dateMatcher(key);
    case 'header':
    case 'body':
    case 'text':
      return textMatcher(key, needleOf(decodeCharset(key.text, context.charset)));
    default:
      return combined(key, context);
  }
}

/** Clients search 1:* in a mailbox that may be empty: what is not there does not match, and is no fault. */
export function setRanges(
  key: Extract<SearchKey, { kind: 'seq' | 'uid' }>,
  { view, saved }: MatchContext,
): UidRange[] {
  return view.ranges(key.set, key.kind === 'uid', saved, true);
}

function combined(key: Extract<SearchKey, { kind: 'and' | 'or' | 'not' }>, context: MatchContext): Matcher {
  if (key.kind === 'not') {
    const inner = matcher(key.key, context);
    return {
      ...inner,
      test: (row, text) => {
        const result = inner.test(row, text);
        return typeof result === 'boolean' ? !result : result.then((is) => !is);
      },
    };
  }
  const keys = key.kind === 'and' ? key.keys : [key.a, key.b];
  const parts = keys.map((each) => matcher(each, context)).toSorted((a, b) => a.cost - b.cost);
  const needs = new Set(parts.flatMap((part) => [...part.needs]));
  const cost = parts.reduce((sum, part) => sum + part.cost, 0);
  // All but one answer decide: false for "and", true for "or".
  const decides = key.kind === 'or';
  const test: Matcher['test'] = async (row, text) => {
    for (const part of parts) {
      const result = part.test(row, text);
      if ((typeof result === 'boolean' ? result : await result) === decides) return decides;
    }
    return !decides;
  };
  return { needs, cost, test };
}

/** Whether a UID lies in ascending, disjoint ranges. */
export function insideOf(ranges: readonly UidRange[]): (uid: number) => boolean {
  return (uid) => {
    let low = 0;
    let high = ranges.length - 1;
    while (low <= high) {
      const middle = (low + high) >>> 1;
      const range = ranges[middle];
      if (range === undefined) return false;
      if (uid < range.from) high = middle - 1;
      else if (uid > range.to) low = middle + 1;
      else return true;
    }
    return false;
  };
}

function keywordMatcher(keyword: string, set: boolean): Matcher {
  const wanted = keyword.toLowerCase();
  return ofRow((row) => row.keywords.some((each) => each.toLowerCase() === wanted) === set);
}

/** RFC 9051 section 6.4.4: dates are compared without regard to time and zone. INTERNALDATE is told in UTC. */
function dateMatcher(key: Extract<SearchKey, { kind: 'before' | 'on' | 'since' }>): Matcher {
  const compare = (day: number): boolean => {
    if (key.kind === 'before') return day < key.day;
    return key.kind === 'on' ? day === key.day : day >= key.day;
  };
  if (key.of === 'received') return ofRow((row) => compare(Math.floor(row.receivedAt / DAY_MS)));
  if (key.of === 'saved') return ofRow((row) => compare(Math.floor(row.savedAt / DAY_MS)));
  return ofText(10, async (text) => {
    const value = (await text.header()).first('date');
    const sent = value === undefined ? undefined : parseDate(value);
    if (sent === undefined) return false;
    return compare(Math.floor((sent.ms + sent.zone * 60_000) / DAY_MS));
  });
}

function textMatcher(key: Extract<SearchKey, { kind: 'header' | 'body' | 'text' }>, needle: Needle): Matcher {
  if (key.kind === 'header') return ofText(10, (text) => text.inField(key.field, needle));
  if (needle.text === '') return ofRow(() => true);
  if (key.kind === 'body') return ofText(100, (text) => text.inBody(needle));
  return ofText(100, async (text) => (await text.inHeader(needle)) || text.inBody(needle));
}
