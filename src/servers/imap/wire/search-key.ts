import { knownCharset } from '../../../mail/charset.ts';
import { Flag, MAX_UID } from '../../../data/mailstore/types.ts';
import { Refusal } from '../../../base/errors.ts';
import { date } from './dates.ts';
import type { Decoder } from './decoder.ts';
import type { SequenceSet } from './sequence-set.ts';

/** A search-key (RFC 9051 section 6.4.4). Days are days since the epoch; texts are in the charset of the command. */
export type SearchKey =
  | { readonly kind: 'all' }
  | { readonly kind: 'flag'; readonly bit: number; readonly set: boolean }
  | { readonly kind: 'keyword'; readonly keyword: string; readonly set: boolean }
  | { readonly kind: 'recent'; readonly set: boolean }
  | { readonly kind: 'new' }
  | { readonly kind: 'before' | 'on' | 'since'; readonly of: DateOf; readonly day: number }
  /** WITHIN (RFC 5032): received at most (younger) or at least (older) so many seconds ago. */
  | { readonly kind: 'younger' | 'older'; readonly seconds: number }
  | { readonly kind: 'larger' | 'smaller'; readonly octets: number }
  | { readonly kind: 'header'; readonly field: string; readonly text: Buffer }
  | { readonly kind: 'body' | 'text'; readonly text: Buffer }
  | { readonly kind: 'modseq'; readonly modseq: number }
  | { readonly kind: 'emailid' | 'threadid'; readonly id: string }
  | { readonly kind: 'seq' | 'uid'; readonly set: SequenceSet }
  | { readonly kind: 'never' }
  /** A search that is kept under a name (RFC 5466). */
  | { readonly kind: 'filter'; readonly name: string }
  | { readonly kind: 'and'; readonly keys: readonly SearchKey[] }
  | { readonly kind: 'or'; readonly a: SearchKey; readonly b: SearchKey }
  | { readonly kind: 'not'; readonly key: SearchKey };

export type DateOf = 'received' | 'sent' | 'saved';

/** What is searched for. */
export interface SearchCriteria {
  readonly charset: string;
  readonly key: SearchKey;
}

type Read = (d: Decoder) => SearchKey;

function flag(bit: number, set: boolean): Read {
  return () => ({ kind: 'flag', bit, set });
}

function keyword(set: boolean): Read {
  return (d) => {
    d.sp();
    return { kind: 'keyword', keyword: d.atom('a keyword'), set };
  };
}

function text(kind: 'body' | 'text'): Read {
  return (d) => {
    d.sp();
    return { kind, text: d.astring('a text') };
  };
}

function field(name: string): Read {
  return (d) => {
    d.sp();
    return { kind: 'header', field: name, text: d.astring('a text') };
  };
}

function when(kind: 'before' | 'on' | 'since', of: DateOf): Read {
  return (d) => {
    d.sp();
    return { kind, of, day: date(d) };
  };
}

function size(kind: 'larger' | 'smaller'): Read {
  return (d) => {
    d.sp();
    return { kind, octets: d.number64() };
  };
}

function age(kind: 'younger' | 'older'): Read {
  return (d) => {
    d.sp();
    return { kind, seconds: d.nzNumber('a number of seconds') };
  };
}

function objectId(kind: 'emailid' | 'threadid'): Read {
  return (d) => {
    d.sp();
    return { kind, id: d.atom('an object id') };
  };
}

const KEYS: Readonly<Record<string, Read>> = {
  ALL: () => ({ kind: 'all' }),
  ANSWERED: flag(Flag.Answered, true),
  UNANSWERED: flag(Flag.Answered, false),
  DELETED: flag(Flag.Deleted, true),
  UNDELETED: flag(Flag.Deleted, false),
  DRAFT: flag(Flag.Draft, true),
  UNDRAFT: flag(Flag.Draft, false),
  FLAGGED: flag(Flag.Flagged, true),
  UNFLAGGED: flag(Flag.Flagged, false),
  SEEN: flag(Flag.Seen, true),
  UNSEEN: flag(Flag.Seen, false),
  KEYWORD: keyword(true),
  UNKEYWORD: keyword(false),
  // RFC 3501 section 6.4.4 only.
  RECENT: () => ({ kind: 'recent', set: true }),
  OLD: () => ({ kind: 'recent', set: false }),
  NEW: () => ({ kind: 'new' }),
  BCC: field('bcc'),
  CC: field('cc'),
  FROM: field('from'),
  SUBJECT: field('subject'),
  TO: field('to'),
  HEADER(d) {
    d.sp();
    const name = d.astring('a header field name').toString('latin1').toLowerCase();
    d.sp();
    return { kind: 'header', field: name, text: d.astring('a text') };
  },
  BODY: text('body'),
  TEXT: text('text'),
  BEFORE: when('before', 'received'),
  ON: when('on', 'received'),
  SINCE: when('since', 'received'),
  SENTBEFORE: when('before', 'sent'),
  SENTON: when('on', 'sent'),
  SENTSINCE: when('since', 'sent'),
  // RFC 8514.
  SAVEDBEFORE: when('before', 'saved'),
  SAVEDON: when('on', 'saved'),
  SAVEDSINCE: when('since', 'saved'),
  SAVEDATESUPPORTED: () => ({ kind: 'all' }),
  // RFC 5032.
  YOUNGER: age('younger'),
  OLDER: age('older'),
  LARGER: size('larger'),
  SMALLER: size('smaller'),
  // RFC 8474.
  EMAILID: objectId('emailid'),
  THREADID: objectId('threadid'),
  MODSEQ: modseq,
  UID(d) {
    d.sp();
    return { kind: 'uid', set: d.sequenceSet() };
  },
  // RFC 9738 section 3.2: above this one, and below it.
  UIDAFTER(d) {
    d.sp();
    const uid = d.nzNumber('a UID');
    return uid === MAX_UID ? { kind: 'never' } : { kind: 'uid', set: [{ from: uid + 1, to: MAX_UID }] };
  },
  UIDBEFORE(d) {
    d.sp();
    const uid = d.nzNumber('a UID');
    return uid === 1 ? { kind: 'never' } : { kind: 'uid', set: [{ from: 1, to: uid - 1 }] };
  },
  // RFC 5466 section 4: an atom without "/".
  FILTER(d) {
    d.sp();
    const name = d.atom('the name of a filter');
    return name.includes('/')
      ? d.fail('no "/" in the name of a filter, before this')
      : { kind: 'filter', name };
  },
  NOT(d) {
    d.sp();
    d.enter();
    const key = searchKey(d);
    d.leave();
    return { kind: 'not', key };
  },
  OR(d) {
    d.sp();
    d.enter();
    const a = searchKey(d);
    d.sp();
    const b = searchKey(d);
    d.leave();
    return { kind: 'or', a, b };
  },
};

/** MODSEQ [entry-name SP entry-type SP] mod-sequence-valzer (RFC 7162 section 3.1.5); entries are not told apart. */
function modseq(d: Decoder): SearchKey {
  d.sp();
  if (d.peek() === '"') {
    d.string();
    d.sp();
    d.atom('priv, shared or all');
    d.sp();
  }
  return { kind: 'modseq', modseq: d.number64('a mod-sequence') };
}

function searchKey(d: Decoder): SearchKey {
  if (d.atList) {
    const keys = d.list(() => searchKey(d));
    return keys.length === 1 && keys[0] !== undefined ? keys[0] : { kind: 'and', keys };
  }
  if (d.atSequenceSet) return { kind: 'seq', set: d.sequenceSet() };
  const name = d.keyword('a search key');
  const read = Object.hasOwn(KEYS, name) ? KEYS[name] : undefined;
  return read === undefined ? d.fail('a search key that is known before this') : read(d);
}

/** The charset that SORT and THREAD name in any case (RFC 5256 section 3), and the space behind it. */
export function positionalCharset(d: Decoder): string {
  const charset = d.astring('a charset').toString('latin1');
  d.sp();
  return charset;
}

/** search-keys to the end of the command. Refusal BADCHARSET for a character set we cannot read. */
export function searchCriteria(d: Decoder, charset: string): SearchCriteria {
  const keys = [searchKey(d)];
  while (d.skip(' ')) keys.push(searchKey(d));
  d.end();
  if (charset !== '' && !/^us-ascii$/i.test(charset) && !knownCharset(charset)) throw badCharset();
  return { charset, key: keys.length === 1 && keys[0] !== undefined ? keys[0] : { kind: 'and', keys } };
}

/** What follows SEARCH and its RETURN. Refusal BADCHARSET for a character set we cannot read. `utf8`: none may be named. */
export function searchProgram(d: Decoder, utf8 = false): SearchCriteria {
  if (utf8 && d.skip('CHARSET ')) d.fail('no CHARSET, for UTF8=ACCEPT is enabled, before this');
  const charset = d.skip('CHARSET ') ? positionalCharset(d) : '';
  return searchCriteria(d, charset);
}

function some(key: SearchKey, test: (key: SearchKey) => boolean): boolean {
  if (key.kind === 'and') return key.keys.some((each) => some(each, test));
  if (key.kind === 'or') return some(key.a, test) || some(key.b, test);
  return key.kind === 'not' ? some(key.key, test) : test(key);
}

/** Whether messages are named by number: "$" is none (RFC 9586 section 3.1). */
export function hasNumbers(key: SearchKey): boolean {
  return some(key, (each) => each.kind === 'seq' && each.set !== '$');
}

/** Whether "$" is used, which belongs to the selected mailbox. */
export function usesSaved(key: SearchKey): boolean {
  return some(key, (each) => (each.kind === 'seq' || each.kind === 'uid') && each.set === '$');
}

/** Whether searches are named that are kept elsewhere. */
export function usesFilter(key: SearchKey): boolean {
  return some(key, (each) => each.kind === 'filter');
}

export function usesModseq(key: SearchKey): boolean {
  return some(key, (each) => each.kind === 'modseq');
}

function badCharset(): Refusal {
  return new Refusal('bad-input', 'This character set is not known here', {
    imapCode: 'BADCHARSET (US-ASCII UTF-8)',
  });
}
