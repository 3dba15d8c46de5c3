import { Refusal } from '../../base/errors.ts';
import { Flag, type FlagSet, type StoreMode } from './types.ts';

/** Keywords of one message. IMAP sets no bound; clients use a handful. */
export const MAX_KEYWORDS = 100;
/** Octets of a keyword. */
export const MAX_KEYWORD_BYTES = 200;

/** The bits that mean something. */
export const ALL_FLAGS = Flag.Seen | Flag.Answered | Flag.Flagged | Flag.Deleted | Flag.Draft;

const NO_KEYWORDS: readonly string[] = [];

/** Keywords as they stand in a row. */
export function parseKeywords(text: string | null): readonly string[] {
  return text === null ? NO_KEYWORDS : text.split(' ');
}

export function formatKeywords(keywords: readonly string[]): string | null {
  return keywords.length === 0 ? null : keywords.join(' ');
}

/** Visible ASCII without space: a keyword is an atom (RFC 9051 section 9), which the server's parser has checked closer. */
function isKeyword(keyword: string): boolean {
  if (keyword.length === 0 || keyword.length > MAX_KEYWORD_BYTES) return false;
  for (let i = 0; i < keyword.length; i++) {
    const code = keyword.charCodeAt(i);
    if (code <= 0x20 || code >= 0x7f) return false;
  }
  return true;
}

/** Each keyword once, without regard to case, as first written. */
function distinct(keywords: Iterable<string>): string[] {
  const seen = new Map<string, string>();
  for (const keyword of keywords) {
    const key = keyword.toLowerCase();
    if (!seen.has(key)) seen.set(key, keyword);
  }
  return [...seen.values()];
}

/**
 * The set with unknown bits cleared and keywords made distinct.
 * @throws Refusal 'bad-input' for what is no keyword, 'limit' for too many or too long ones.
 */
export function checkFlagSet(set: FlagSet): FlagSet {
  const keywords = distinct(set.keywords);
  for (const keyword of keywords) {
    if (keyword.length > MAX_KEYWORD_BYTES) {
      throw new Refusal('limit', `A keyword may have at most ${MAX_KEYWORD_BYTES} octets.`, {
        imapCode: 'LIMIT',
      });
    }
    if (!isKeyword(keyword))
      throw new Refusal('bad-input', 'A keyword must be visible ASCII without spaces.');
  }
  if (keywords.length > MAX_KEYWORDS) throw tooManyKeywords();
  return { flags: set.flags & ALL_FLAGS, keywords };
}

/** The same for mail that must not be lost over its keywords: those that cannot be kept are left out. */
export function keepableFlagSet(set: FlagSet): FlagSet {
  const keywords = distinct(set.keywords.filter(isKeyword)).slice(0, MAX_KEYWORDS);
  return { flags: set.flags & ALL_FLAGS, keywords };
}

function tooManyKeywords(): Refusal {
  return new Refusal('limit', `A message may have at most ${MAX_KEYWORDS} keywords.`, { imapCode: 'LIMIT' });
}

/** The change a STORE makes to system flags: new = (old & keep) | add. */
export function flagMasks(mode: StoreMode, flags: number): { keep: number; add: number } {
  if (mode === 'add') return { keep: ALL_FLAGS, add: flags };
  if (mode === 'remove') return { keep: ALL_FLAGS & ~flags, add: 0 };
  return { keep: 0, add: flags };
}

/**
 * The change a STORE makes to keywords, from row text to row text. The same text comes back when nothing changes, case
 * of what was there included. Many messages share few texts, so answers are remembered for the length of a request.
 * @throws Refusal 'limit' when a message would get too many.
 */
export function keywordChange(
  mode: StoreMode,
  keywords: readonly string[],
): (text: string | null) => string | null {
  if (keywords.length === 0 && mode !== 'replace') return (text) => text;
  const wanted = new Set(keywords.map((keyword) => keyword.toLowerCase()));
  const remembered = new Map<string | null, string | null>();
  const change = (text: string | null): string | null => {
    const old = parseKeywords(text);
    const kept = old.filter((keyword) => {
      if (mode === 'add') return true;
      return wanted.has(keyword.toLowerCase()) === (mode === 'replace');
    });
    const next = mode === 'remove' ? kept : distinct([...kept, ...keywords]);
    if (next.length > MAX_KEYWORDS) throw tooManyKeywords();
    return next.length === old.length && kept.length === old.length ? text : formatKeywords(next);
  };
  return (text) => {
    let next = remembered.get(text);
    if (next === undefined) {
      next = change(text);
      remembered.set(text, next);
    }
    return next;
  };
}

/** What a message adds to its mailbox's counters. */
export function countsOf(flags: number): { unseen: number; deleted: number } {
  return { unseen: flags & Flag.Seen ? 0 : 1, deleted: flags & Flag.Deleted ? 1 : 0 };
}
