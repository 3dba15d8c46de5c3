import { type Token, tokensOf } from '../../mail/search/tokens.ts';
import { allBits, andBits, type Bits, isFull, noBits, orBits, withoutBits } from './bits.ts';
import { matchingTokens, orLiterals, orTokens } from './dictionary.ts';
import { sectionOf, SECTIONS } from './format.ts';
import { QUERY_CHARS, QUERY_TEXTS, QUERY_TOKENS } from './limits.ts';
import { orNamed, orNamesWith, orPhrase } from './phrase.ts';
import type { Section, Segment } from './segment.ts';
import type { SearchQuery } from './types.ts';

/** The emails of a segment that match, by their places in its list of ids. */
export function runQuery(segment: Segment, query: SearchQuery): Bits {
  const { emails } = segment;
  switch (query.kind) {
    case 'not': {
      const bits = allBits(emails);
      withoutBits(bits, runQuery(segment, query.of));
      return bits;
    }
    case 'and': {
      const bits = allBits(emails);
      for (const each of query.of) andBits(bits, runQuery(segment, each));
      return bits;
    }
    case 'or': {
      const bits = noBits(emails);
      for (const each of query.of) orBits(bits, runQuery(segment, each));
      return bits;
    }
    case 'has':
      return runNeedle(segment, query);
  }
}

function runNeedle(segment: Segment, { field, text }: Extract<SearchQuery, { kind: 'has' }>): Bits {
  const { emails } = segment;
  const found = noBits(emails);
  if (typeof field === 'object') {
    orHeader(found, segment, field.header, text);
    return found;
  }
  if (text === '') return allBits(emails);
  const tokens = tokensOf(text);
  for (const name of field === 'body' ? (['body'] as const) : SECTIONS) {
    const section = segment.section(name);
    if (section === undefined) continue;
    if (isFull(found, emails)) break;
    const [only] = tokens;
    if (tokens.length !== 1 || only === undefined)
      orPhrase(found, section, emails, tokens, { withNames: true });
    else {
      orNamesWith(found, section, only);
      orToken(found, section, emails, only);
    }
  }
  return found;
}

/** Add the emails of a section that have a token with this one in it. */
function orToken(into: Bits, section: Section, emails: number, { text, word }: Token): void {
  orTokens(into, section, emails, matchingTokens(section, text, word ? 'contains' : 'is'));
  if (word) orLiterals(into, section, text, 'contains');
}

function orHeader(found: Bits, segment: Segment, name: string, text: string): void {
  const section = segment.section(sectionOf(name));
  const number = section?.names().indexOf(name) ?? -1;
  if (section === undefined || number === -1) return;
  if (text === '') {
    orNamed(found, section, number);
    return;
  }
  const tokens = tokensOf(text);
  const [only] = tokens;
  if (section.name !== 'other') {
    if (tokens.length === 1 && only !== undefined) orToken(found, section, segment.emails, only);
    else orPhrase(found, section, segment.emails, tokens, { withNames: false });
    return;
  }
  const within = noBits(segment.emails);
  orNamed(within, section, number);
  orPhrase(found, section, segment.emails, tokens, { withNames: false, only: number, within });
}

/**
 * Whether the index is to be asked at all. It keeps half a surrogate pair as U+FFFD, and cannot tell the two apart. A
 * query is answered in one go, so what has very many parts is left to a scan, which lets others have a turn.
 */
export function isSuited(query: SearchQuery): boolean {
  const texts = [...textsOf(query)];
  return (
    texts.length <= QUERY_TEXTS &&
    texts.every(
      (text) =>
        text.length <= QUERY_CHARS &&
        text.isWellFormed() &&
        !text.includes('\ufffd') &&
        tokensOf(text).length <= QUERY_TOKENS,
    )
  );
}

function* textsOf(query: SearchQuery): Generator<string, void> {
  if (query.kind === 'has') yield query.text;
  else if (query.kind === 'not') yield* textsOf(query.of);
  else for (const each of query.of) yield* textsOf(each);
}
