import { type Said, verbatim } from '../../base/words.ts';

/** Sentences that a text may have here; what has more is not taken apart. */
const SENTENCES_MAX = 12;

type Find = (text: string) => Said | undefined;

/**
 * The sentences of a text that was put together of several, each with its code; the text as it is where one of them is not
 * known. A full stop may stand within one (a fact, "p=none; ..."): the shortest that leave only known ones are taken.
 */
export function sentencesOf(find: Find, text: string): readonly Said[] {
  const whole = find(text);
  const ends = [...text.matchAll(/[.;:"] (?=\S)/g)].map(({ index }) => index + 1);
  if (ends.length === 0 || ends.length > SENTENCES_MAX) return [whole ?? verbatim(text)];
  const places = [0, ...ends.map((end) => end + 1), text.length + 1];
  // From the end: what can be said of the text from each place on.
  const rest: (readonly Said[] | undefined)[] = places.map(() => undefined);
  rest[places.length - 1] = [];
  for (let from = places.length - 2; from >= 0; from--) {
    for (let to = from + 1; to < places.length && rest[from] === undefined; to++) {
      const after = rest[to];
      const said = after && find(text.slice(places[from], (places[to] ?? 0) - 1));
      if (after !== undefined && said !== undefined) rest[from] = [said, ...after];
    }
  }
  return rest[0] ?? [whole ?? verbatim(text)];
}
