/** Letters that are not what they seem. */
import type { UnicodeFacts } from '../facts/types.ts';
import type { Rule } from './types.ts';

function share(facts: UnicodeFacts, ...names: (keyof UnicodeFacts['scripts'])[]): number {
  return names.reduce((sum, name) => sum + (facts.scripts[name] ?? 0), 0);
}

export const unicodeRules: readonly Rule[] = [
  {
    name: 'LOOKALIKE_LETTERS',
    score: 2,
    explain:
      'Words are written with foreign letters that look like Latin ones, which hides them from filters',
    test: ({ unicode: { text } }) => text.confusableWords > 1,
  },
  {
    name: 'MIXED_ALPHABETS',
    score: 0.8,
    explain: 'Words mix letters of different alphabets',
    test: ({ unicode: { text } }) => text.mixedWords - text.confusableWords > 3,
  },
  {
    name: 'ZERO_WIDTH',
    score: 1.5,
    explain: 'Words are cut by invisible characters, which hides them from filters',
    test: ({ unicode: { text } }) => text.zeroWidth > 4,
  },
  {
    name: 'TEXT_TURNED_AROUND',
    score: 1,
    explain: 'Marks turn pieces of the text around',
    test: ({ unicode: { text } }) => text.bidi > 3 && share(text, 'arabic', 'hebrew') === 0,
  },
  {
    name: 'STYLED_LETTERS',
    score: 1.2,
    explain: 'Text is written with mathematical letters, which hides it from filters',
    test: ({ unicode: { text } }) => text.mathematical > 15,
  },
  {
    name: 'WIDE_LETTERS',
    score: 1,
    explain: 'Text is written with letters made for Chinese type, which hides it from filters',
    test: ({ unicode: { text } }) => text.fullwidth > 15 && share(text, 'han', 'kana', 'hangul') < 0.05,
  },
  {
    name: 'STACKED_MARKS',
    score: 0.8,
    explain: 'Letters carry heaps of accents',
    test: ({ unicode: { text } }) =>
      text.stacked > 15 && share(text, 'thai', 'indic', 'other', 'arabic', 'hebrew') < 0.2,
  },
  {
    name: 'MANY_PICTURE_CHARACTERS',
    score: 0.4,
    explain: 'The text is strewn with little pictures',
    test: ({ unicode: { text }, language }) => text.emoji > 15 && text.emoji > language.words / 15,
  },
  {
    name: 'FOREIGN_LANGUAGE',
    score: 0.8,
    outside: true,
    explain: 'It is in a language that you do not get mail in',
    test: ({ language }, { languages }) =>
      language.guess !== undefined &&
      languages !== undefined &&
      languages.size > 0 &&
      !languages.has(language.guess) &&
      language.guess,
  },
  {
    name: 'FOREIGN_SCRIPT',
    score: 1.2,
    outside: true,
    explain: 'It is in a script that you do not get mail in',
    test: ({ unicode: { text } }, { languages }) => {
      if (languages === undefined || languages.size === 0 || text.letters < 30) return false;
      const foreign = Object.entries(text.scripts).find(
        ([name, part]) =>
          part > 0.3 && !(LANGUAGES_OF[name] ?? ['']).some((one) => one === '' || languages.has(one)),
      );
      return foreign?.[0] ?? false;
    },
  },
];

/** Languages that use a script; a script that is not here is never foreign. */
const LANGUAGES_OF: Record<string, readonly string[]> = {
  cyrillic: ['ru', 'uk', 'bg', 'sr', 'mk', 'be', 'kk'],
  greek: ['el'],
  han: ['zh', 'ja'],
  kana: ['ja'],
  hangul: ['ko'],
  arabic: ['ar', 'fa', 'ur'],
  hebrew: ['he', 'yi'],
  thai: ['th'],
  indic: ['hi', 'bn', 'ta', 'te', 'mr', 'gu', 'kn', 'ml', 'pa'],
};
