/** How a text is set: what wrote it (a person's program, a template, a script) shows in its lines. */
import { classifierLimits } from './limits.ts';
import type { FeatureSink } from './sink.ts';
import { magnitude } from './text.ts';

/** Characters to which programs for mail break lines (RFC 5322 2.1.1). */
const BROKEN_AT = 78;
/** Characters of one step of the mean length of lines, and the most steps. */
const MEAN_STEP = 8;
const MEAN_STEPS = 20;

/** `text`: without what a list added. */
export function layoutFeatures(text: string, sink: FeatureSink): void {
  const { filled, long, indented, ended, gap, longest, total } = measured(text);
  const share = (n: number): number => (filled === 0 ? 0 : Math.ceil((4 * n) / filled));
  sink.add('layout', `gap ${magnitude(gap)}`);
  sink.add('layout', `longest line ${magnitude(longest)}`);
  sink.add(
    'layout',
    `mean line ${Math.min(MEAN_STEPS, Math.floor(total / Math.max(1, filled) / MEAN_STEP))}`,
  );
  sink.add('layout', `long lines ${share(long)}`);
  sink.add('layout', `indented lines ${share(indented)}`);
  sink.add('layout', `lines that end a sentence ${share(ended)}`);
  sink.add('layout', `lines ${magnitude(filled)}`);
}

interface Lines {
  /** Lines that are not blank; of these too long for mail, indented, ending as sentences do. */
  filled: number;
  long: number;
  indented: number;
  ended: number;
  /** Most blank lines in a row. */
  gap: number;
  /** Characters of the longest line, and of all. */
  longest: number;
  total: number;
}

function measured(text: string): Lines {
  const lines = { filled: 0, long: 0, indented: 0, ended: 0, gap: 0, longest: 0, total: 0 };
  let blank = 0;
  for (const line of text
    .slice(0, classifierLimits.wordChars)
    .trimEnd()
    .split('\n', classifierLimits.layoutLines)) {
    const words = line.trim();
    if (words === '') {
      lines.gap = Math.max(lines.gap, ++blank);
      continue;
    }
    blank = 0;
    lines.filled++;
    lines.total += words.length;
    lines.longest = Math.max(lines.longest, words.length);
    if (words.length > BROKEN_AT) lines.long++;
    if (line[0] === ' ' || line[0] === '\t') lines.indented++;
    if ('.!?:'.includes(words.at(-1) ?? ' ')) lines.ended++;
  }
  return lines;
}
