import { parseKeywords } from '../mailstore/flags.ts';
import { Flag } from '../mailstore/types.ts';

/** Keywords of emails (RFC 8621 section 4.1.1), put together from those of their placements. */

export interface Marked {
  readonly flags: number;
  readonly keywords: string | null;
}

const SYSTEM = new Map<string, number>([
  ['$seen', Flag.Seen],
  ['$answered', Flag.Answered],
  ['$flagged', Flag.Flagged],
  ['$draft', Flag.Draft],
]);

/** The bit that stands for a keyword in lower case; undefined for one that is kept as text. */
export function flagOf(keyword: string): number | undefined {
  return SYSTEM.get(keyword);
}

/**
 * Whether an email has a keyword (lower case). It has one set of them, placements have one each, which an IMAP client may
 * make differ: read is what is read everywhere, anything else counts where it stands.
 */
export function hasKeyword(places: readonly Marked[], keyword: string): boolean {
  return keywordTest(keyword)(places);
}

/** The same as a function, for many emails. */
export function keywordTest(keyword: string): (places: readonly Marked[]) => boolean {
  const bit = flagOf(keyword);
  if (bit === undefined) return (places) => places.some(({ keywords }) => isAmong(keyword, keywords));
  return (places) => {
    const [first] = places;
    if (first === undefined) return false;
    if (places.length === 1) return (first.flags & bit) !== 0;
    return bit === Flag.Seen
      ? places.every(({ flags }) => (flags & bit) !== 0)
      : places.some(({ flags }) => (flags & bit) !== 0);
  };
}

function isAmong(keyword: string, keywords: string | null): boolean {
  return keywords !== null && parseKeywords(keywords).some((each) => each.toLowerCase() === keyword);
}

/** All keywords of an email, in lower case. */
export function keywordsOf(places: readonly Marked[]): string[] {
  const found = [...SYSTEM.keys()].filter((keyword) => hasKeyword(places, keyword));
  const others = new Set<string>();
  for (const { keywords } of places) {
    for (const keyword of parseKeywords(keywords)) others.add(keyword.toLowerCase());
  }
  return [...found, ...others];
}
