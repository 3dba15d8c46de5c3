/** A guess at the language by its commonest words. Only to compare with what a reader usually gets, never to judge by. */
import type { LanguageFacts } from './types.ts';

const COMMON: Record<string, string> = {
  en: 'the and of to in is you that for it your with this are on be have we not or if from our',
  de: 'der die und das ist sie nicht ein eine zu den mit für auf dem wir ich von sich im haben bitte ihre',
  fr: 'le la les des et est une vous que pour dans pas sur avec nous votre qui du au ce je cette',
  es: 'el los las que de una por para con su usted más es como pero este esta nos y del se lo',
  it: 'il che di non una per con sono gli della è si più questo anche del nel le alla vi',
  pt: 'o os que não uma para com você em do da dos mais por seu sua um como no na',
  nl: 'de het een van en dat niet is op voor met zijn je wij deze aan bij u ook naar uw',
  pl: 'i w na nie się z do jest to że dla od przez oraz po jak za jego ze',
  sv: 'och att det som en på är av för med den till inte om ett har du vi kan',
  tr: 've bir bu için ile da de çok daha olan ne gibi kadar olarak en sonra',
  ru: 'и в не на что с я по это как для вы но от из мы за так же у к',
};
const MAX_CHARS = 3000;
const MAX_WORDS = 400;
const MIN_WORDS = 8;

const languages = Object.keys(COMMON);
/** Word to the indices of the languages it is common in. */
const byWord = new Map<string, number[]>();
for (const [index, language] of languages.entries()) {
  for (const word of (COMMON[language] ?? '').split(' ')) {
    const list = byWord.get(word);
    if (list) list.push(index);
    else byWord.set(word, [index]);
  }
}

/** Looks at the first 3,000 characters of `text`. */
export function languageFacts(text: string): LanguageFacts {
  const words = text
    .slice(0, MAX_CHARS)
    .toLowerCase()
    .split(/[^\p{L}]+/u, MAX_WORDS);
  const hits = languages.map(() => 0);
  let count = 0;
  for (const word of words) {
    if (word === '') continue;
    count++;
    if (word.length > 6) continue;
    for (const index of byWord.get(word) ?? []) hits[index] = (hits[index] ?? 0) + 1;
  }
  let best = -1;
  for (const [index, value] of hits.entries()) if (value > (hits[best] ?? 0)) best = index;
  const share = count === 0 || best === -1 ? 0 : (hits[best] ?? 0) / count;
  const guess = count >= MIN_WORDS && share >= 0.06 ? languages[best] : undefined;
  return { guess, share, words: count };
}
