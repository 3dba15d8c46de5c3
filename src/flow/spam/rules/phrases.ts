/**
 * Phrases in the text of a message: all that any rule asks for are looked up in one pass, at the starts of words, so that
 * "fund" is not found in "refund". Rules name their phrases once, when they are loaded.
 */
import type { MessageFacts } from '../facts/types.ts';
import { plainText } from './common.ts';

/** Phrases by their first two characters. */
const index = new Map<number, string[]>();
const known = new Set<string>();
const found = new WeakMap<MessageFacts, ReadonlySet<string>>();

/** A list of phrases, lower case, separated by "|"; they may end within a word. White space around them does not count. */
export function phrases(list: string): readonly string[] {
  const all = list.split('|').map((phrase) => phrase.replace(/\s+/g, ' ').trim());
  for (const phrase of all) {
    if (known.has(phrase) || phrase === '') continue;
    known.add(phrase);
    const key = keyAt(phrase, 0);
    const bucket = index.get(key);
    if (bucket) bucket.push(phrase);
    else index.set(key, [phrase]);
  }
  return all;
}

/** Phrases of one character go by that alone. */
function keyAt(text: string, at: number): number {
  const first = text.charCodeAt(at);
  return isWord(first) ? (first << 16) | (text.charCodeAt(at + 1) || 0) : first;
}

function isWord(char: number): boolean {
  return (char >= 97 && char <= 122) || (char >= 48 && char <= 57) || char > 127;
}

/** The phrases of all rules that stand in the text. */
function phrasesOf(facts: MessageFacts): ReadonlySet<string> {
  const cached = found.get(facts);
  if (cached !== undefined) return cached;
  const text = plainText(facts);
  const here = new Set<string>();
  let inWord = false;
  for (let at = 0; at < text.length; at++) {
    const char = text.charCodeAt(at);
    const word = isWord(char);
    if (char !== 32 && !(word && inWord)) {
      for (const phrase of index.get(keyAt(text, at)) ?? [])
        if (text.startsWith(phrase, at)) here.add(phrase);
    }
    inWord = word;
  }
  found.set(facts, here);
  return here;
}

/** The first of `list`, made by `phrases`, that stands in the text. */
export function phraseIn(facts: MessageFacts, list: readonly string[]): string | undefined {
  const here = phrasesOf(facts);
  return list.find((phrase) => here.has(phrase));
}

/** How many of `groups` have a phrase in the text. */
export function groupsIn(facts: MessageFacts, groups: readonly (readonly string[])[]): number {
  const here = phrasesOf(facts);
  return groups.filter((group) => group.some((phrase) => here.has(phrase))).length;
}
