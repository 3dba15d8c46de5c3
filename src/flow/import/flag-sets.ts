import { keepableFlagSet } from '../../data/mailstore/flags.ts';
import type { FlagSet } from '../../data/mailstore/types.ts';

/** Characters of a keyword. */
const KEYWORD = 100;

/** What of a message's marks can be kept here, always in the same order. */
export function tidyFlags({ flags, keywords }: FlagSet): { flags: number; keywords: string[] } {
  const kept = keepableFlagSet({ flags, keywords: keywords.filter((word) => word.length <= KEYWORD) });
  return { flags: kept.flags, keywords: [...kept.keywords].toSorted() };
}

/** Whether two messages are marked the same; keywords are compared without case. */
export function sameFlags(a: FlagSet, b: FlagSet): boolean {
  return a.flags === b.flags && wordsOf(a) === wordsOf(b);
}

function wordsOf({ keywords }: FlagSet): string {
  return keywords
    .map((word) => word.toLowerCase())
    .toSorted()
    .join(' ');
}
