import type { Label } from './types.ts';

/** Keywords that tell what a person thinks of a message; Thunderbird sets the ones without the dollar sign. */
const MEANINGS: ReadonlyMap<string, Label> = new Map([
  ['$junk', 'spam'],
  ['junk', 'spam'],
  ['$notjunk', 'ham'],
  ['notjunk', 'ham'],
  ['nonjunk', 'ham'],
]);

/** Whether a change of these keywords can change what a message is held to be. */
export function mayJudge(keywords: readonly string[]): boolean {
  return keywords.some((keyword) => MEANINGS.has(keyword.toLowerCase()));
}

/** What the keywords of a message say it is. $Junk and $NotJunk together say nothing (RFC 9051 section 2.3.2). */
export function judgedBy(keywords: readonly string[]): Label | undefined {
  let found: Label | undefined;
  for (const keyword of keywords) {
    const meaning = MEANINGS.get(keyword.toLowerCase());
    if (meaning === undefined || meaning === found) continue;
    if (found !== undefined) return undefined;
    found = meaning;
  }
  return found;
}
