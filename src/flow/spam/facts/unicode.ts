/** Writing systems, look-alikes and invisible characters of a text, in one pass over its code points. */
import type { Script, UnicodeFacts } from './types.ts';

/** First code points of ranges and the script of their letters, in order. Enough to tell neighbours apart, no more. */
const RANGES: readonly (readonly [from: number, script: Script | undefined])[] = [
  [0x00c0, 'latin'],
  [0x00d7, undefined],
  [0x00d8, 'latin'],
  [0x00f7, undefined],
  [0x00f8, 'latin'],
  [0x02b0, undefined],
  [0x0370, 'greek'],
  [0x0400, 'cyrillic'],
  [0x0530, 'armenian'],
  [0x0590, 'hebrew'],
  [0x0600, 'arabic'],
  [0x0780, 'other'],
  [0x0900, 'indic'],
  [0x0e00, 'thai'],
  [0x0e80, 'other'],
  [0x1100, 'hangul'],
  [0x1200, 'other'],
  [0x1ab0, undefined],
  [0x1b00, 'other'],
  [0x1c80, 'cyrillic'],
  [0x1c90, 'other'],
  [0x1d00, 'latin'],
  [0x1dc0, undefined],
  [0x1e00, 'latin'],
  [0x1f00, 'greek'],
  [0x2000, undefined],
  [0x2c00, 'other'],
  [0x2c60, 'latin'],
  [0x2c80, 'other'],
  [0x2de0, 'cyrillic'],
  [0x2e00, undefined],
  [0x3040, 'kana'],
  [0x3100, 'han'],
  [0x3130, 'hangul'],
  [0x3190, 'han'],
  [0x31f0, 'kana'],
  [0x3200, undefined],
  [0x3400, 'han'],
  [0x4dc0, undefined],
  [0x4e00, 'han'],
  [0xa000, 'other'],
  [0xa640, 'cyrillic'],
  [0xa6a0, 'other'],
  [0xa720, 'latin'],
  [0xa800, 'other'],
  [0xac00, 'hangul'],
  [0xd800, undefined],
  [0xf900, 'han'],
  [0xfb00, 'latin'],
  [0xfb13, 'armenian'],
  [0xfb1d, 'hebrew'],
  [0xfb50, 'arabic'],
  [0xfe00, undefined],
  [0xfe70, 'arabic'],
  [0xfeff, undefined],
  [0xff66, 'kana'],
  [0xffa0, 'hangul'],
  [0xffe0, undefined],
  [0x10000, 'other'],
  [0x1b000, 'kana'],
  [0x1bc00, 'other'],
  [0x1d000, undefined],
  [0x1e800, 'other'],
  [0x1f000, undefined],
  [0x20000, 'han'],
  [0x30000, 'han'],
  [0x32000, undefined],
];

/** Letters of other scripts that look like Latin ones, and what they look like. */
const LOOKALIKES = new Map<number, string>();
for (const [others, latin] of [
  ['аеорсухіјѕԁһӏԛԝѵгпкмтв', 'aeopcyxijsdhlqwvrnkmtb'],
  ['АВЕКМНОРСТУХІЈЅԌҮ', 'ABEKMHOPCTYXIJSGY'],
  ['αοενικρτυχγωη', 'aoevikptuxywn'],
  ['ΑΒΕΖΗΙΚΜΝΟΡΤΥΧ', 'ABEZHIKMNOPTYX'],
  ['օսոհցք', 'ounhgp'],
] as const) {
  const letters = [...latin];
  for (const [i, char] of [...others].entries()) LOOKALIKES.set(char.codePointAt(0) ?? 0, letters[i] ?? '');
}

const MIXABLE = new Set<Script>(['cyrillic', 'greek', 'armenian']);
/** Letters of a word that count. */
const MAX_WORD = 60;

function scriptOf(code: number): Script | undefined {
  let low = 0;
  let high = RANGES.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((RANGES[middle]?.[0] ?? 0) <= code) low = middle;
    else high = middle - 1;
  }
  return RANGES[low]?.[1];
}

function isZeroWidth(code: number): boolean {
  return (
    (code >= 0x200b && code <= 0x200d) ||
    (code >= 0x2060 && code <= 0x2064) ||
    code === 0xfeff ||
    code === 0x034f ||
    code === 0x180e ||
    (code >= 0xe0000 && code <= 0xe007f)
  );
}

function isBidi(code: number): boolean {
  return (code >= 0x202a && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069);
}

function isCombining(code: number): boolean {
  return (
    (code >= 0x0300 && code <= 0x036f) ||
    (code >= 0x1ab0 && code <= 0x1aff) ||
    (code >= 0x20d0 && code <= 0x20ff)
  );
}

function isLetterLike(code: number): boolean {
  return (
    (code >= 0x1d400 && code <= 0x1d7ff) ||
    (code >= 0x1f110 && code <= 0x1f189) ||
    (code >= 0x24b6 && code <= 0x24e9) ||
    (code >= 0x210a && code <= 0x2115) ||
    (code >= 0x2118 && code <= 0x211d)
  );
}

function isEmoji(code: number): boolean {
  return (
    (code >= 0x1f300 && code <= 0x1faff) ||
    (code >= 0x2600 && code <= 0x27bf) ||
    (code >= 0x1f1e6 && code <= 0x1f1ff)
  );
}

interface Counts {
  letters: number;
  mixedWords: number;
  confusableWords: number;
  zeroWidth: number;
  bidi: number;
  fullwidth: number;
  mathematical: number;
  stacked: number;
  emoji: number;
  replacement: number;
  controls: number;
  upper: number;
  digits: number;
}

/** The word under way: which scripts it has, whether all that is not Latin looks like it. */
class Word {
  latin = false;
  mixable = false;
  lookalikes = true;
  length = 0;
  /** Zero-width characters since the last letter. */
  gap = 0;

  letter(script: Script, code: number): void {
    this.length++;
    if (script === 'latin') this.latin = true;
    else if (MIXABLE.has(script)) {
      this.mixable = true;
      if (this.length <= MAX_WORD && !LOOKALIKES.has(code)) this.lookalikes = false;
    }
  }

  end(counts: Counts): void {
    if (this.latin && this.mixable) {
      counts.mixedWords++;
      if (this.lookalikes) counts.confusableWords++;
    }
    this.latin = false;
    this.mixable = false;
    this.lookalikes = true;
    this.length = 0;
    this.gap = 0;
  }
}

/** What is known so far of a text. */
class Tally {
  readonly counts: Counts = {
    letters: 0,
    mixedWords: 0,
    confusableWords: 0,
    zeroWidth: 0,
    bidi: 0,
    fullwidth: 0,
    mathematical: 0,
    stacked: 0,
    emoji: 0,
    replacement: 0,
    controls: 0,
    upper: 0,
    digits: 0,
  };
  readonly scripts = new Map<Script, number>();
  readonly word = new Word();
  latin = 0;
  #marks = 0;

  ascii(unit: number): void {
    const { counts, word } = this;
    const lower = unit | 32;
    this.#marks = 0;
    if (lower >= 97 && lower <= 122) {
      this.latin++;
      word.latin = true;
      word.length++;
      if (word.gap > 0) this.#closeGap();
      if (unit < 97) counts.upper++;
      return;
    }
    if (word.length > 0) word.end(counts);
    if (unit >= 48 && unit <= 57) counts.digits++;
    else if (unit < 32 && unit !== 9 && unit !== 10 && unit !== 13) counts.controls++;
  }

  other(code: number): void {
    const { counts, word } = this;
    if (isCombining(code)) {
      if (++this.#marks > 2) counts.stacked++;
      return;
    }
    this.#marks = 0;
    if (isZeroWidth(code)) {
      if (word.length > 0) word.gap++; // does not end a word
      return;
    }
    const script = special(code, counts) ? undefined : scriptOf(code);
    if (script === undefined) {
      word.end(counts);
      return;
    }
    word.letter(script, code);
    this.scripts.set(script, (this.scripts.get(script) ?? 0) + 1);
    const isAlphabet = script === 'latin' || MIXABLE.has(script);
    if (word.gap > 0 && isAlphabet) this.#closeGap();
    word.gap = 0;
    if (isAlphabet && isUpper(code)) counts.upper++;
  }

  #closeGap(): void {
    this.counts.zeroWidth += this.word.gap;
    this.word.gap = 0;
  }
}

/** Counts over `text`. Linear time; plain ASCII takes a short way. */
export function unicodeFacts(text: string): UnicodeFacts {
  const tally = new Tally();
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit < 128) {
      tally.ascii(unit);
      continue;
    }
    const code = text.codePointAt(i) ?? unit;
    if (code > 0xffff) i++;
    tally.other(code);
  }
  const { counts, scripts, latin, word } = tally;
  word.end(counts);
  if (latin > 0) scripts.set('latin', (scripts.get('latin') ?? 0) + latin);
  for (const count of scripts.values()) counts.letters += count;
  return { ...counts, scripts: shares(scripts, counts.letters) };
}

/** Counts a code point that is something else than a letter; false for letters. */
function special(code: number, counts: Counts): boolean {
  if (isBidi(code)) counts.bidi++;
  else if (code >= 0xff01 && code <= 0xff5e) {
    if ((code >= 0xff21 && code <= 0xff3a) || code >= 0xff41) counts.fullwidth++;
  } else if (isLetterLike(code)) counts.mathematical++;
  else if (isEmoji(code)) counts.emoji++;
  else if (code === 0xfffd) counts.replacement++;
  else if (code >= 0x80 && code <= 0x9f) counts.controls++;
  else return false;
  return true;
}

function isUpper(code: number): boolean {
  return (
    (code >= 0xc0 && code <= 0xde) || (code >= 0x391 && code <= 0x3a9) || (code >= 0x400 && code <= 0x42f)
  );
}

function shares(scripts: Map<Script, number>, letters: number): UnicodeFacts['scripts'] {
  const result: Partial<Record<Script, number>> = {};
  for (const [script, count] of scripts) result[script] = count / letters;
  return result;
}

/** `text` with what stands in for Latin letters and invisible characters put back: for comparing names and words. */
export function plainLatin(text: string): string {
  let out = '';
  for (const char of text.normalize('NFKC')) {
    const code = char.codePointAt(0) ?? 0;
    if (isZeroWidth(code) || isBidi(code) || code === 0xad) continue;
    out += LOOKALIKES.get(code) ?? char;
  }
  return out;
}
