/** What the classifier does not go beyond. */
export const classifierLimits = {
  /** Characters of subject and text whose n-grams count. */
  gramChars: 8_000,
  /** Characters at the beginning and at the end of the text whose n-grams count once more. */
  beginChars: 200,
  endChars: 400,
  /** Characters of text, and words among them, that are read for words and pairs. */
  wordChars: 20_000,
  words: 1_500,
  /** Characters of one word; a longer one counts by its length only. */
  wordLength: 30,
  /** Links that are looked at, and words of one link. */
  urls: 60,
  urlWords: 12,
  /** Characters of a link's path whose n-grams count. */
  pathChars: 90,
  /** Lines of text whose length and shape count. */
  layoutLines: 600,
  /** Characters read of a header value. */
  headerChars: 200,
  /** Features of a view; what is beyond is left out. */
  perView: 6_000,
} as const;
