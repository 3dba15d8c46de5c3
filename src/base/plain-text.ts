/** Text for a terminal: whatever it repeats may come from strangers. */

/** Columns of output that has no terminal to ask. */
export const WIDTH = 80;

/**
 * Characters that do something instead of showing something: C0 and C1 controls (terminal escapes begin with them),
 * line separators, and those that turn the direction of text around or take no space.
 */
const ACTIVE =
  // oxlint-disable-next-line no-control-regex -- controls are what it looks for
  /[\x00-\x1f\x7f-\x9f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]|[\u{e0000}-\u{e007f}]/gu;

/** The text on one line with everything active in it replaced by U+FFFD. */
export function plain(text: string): string {
  return text.toWellFormed().replace(ACTIVE, '\ufffd');
}

/** JSON that is as harmless to look at: what JSON leaves as it is and a terminal obeys is written as \u escapes. */
export function plainJson(value: unknown): string {
  return JSON.stringify(value, undefined, 2).replace(ACTIVE, (char) =>
    char === '\n' ? char : [...Array(char.length).keys()].map((i) => escapeUnit(char.charCodeAt(i))).join(''),
  );
}

function escapeUnit(unit: number): string {
  return `\\u${unit.toString(16).padStart(4, '0')}`;
}

/** At most `width` characters, the end of longer text replaced by an ellipsis. */
export function fit(text: string, width: number): string {
  const chars = [...text];
  return chars.length <= width ? text : `${chars.slice(0, Math.max(0, width - 1)).join('')}…`;
}

/** Break text into lines of at most `width` characters, between words where it can; words that are longer are cut. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && length(line) + 1 + length(word) > width) {
      lines.push(line);
      line = '';
    }
    let rest = line === '' ? word : `${line} ${word}`;
    while (length(rest) > width) {
      const chars = [...rest];
      lines.push(chars.slice(0, width).join(''));
      rest = chars.slice(width).join('');
    }
    line = rest;
  }
  lines.push(line);
  return lines;
}

function length(text: string): number {
  return [...text].length;
}

/** The least a column is squeezed to. */
const COLUMN_MIN = 6;

export interface Column {
  readonly title: string;
  readonly right?: boolean;
  /** Never cut: ids and addresses that a person copies. The table gets wider instead. */
  readonly whole?: boolean;
}

/** A table in at most `width` columns: the widest ones that may be cut are. */
export function table(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  width = WIDTH,
): string {
  const cells = [columns.map(({ title }) => title), ...rows.map((row) => row.map(plain))];
  const widths = columns.map((_, i) => Math.max(...cells.map((row) => length(row[i] ?? ''))));
  const room = width - 2 * (columns.length - 1);
  for (let over = sum(widths) - room; over > 0; over--) {
    const widest = widestOf(columns, widths);
    if (widest === undefined) break;
    widths[widest] = (widths[widest] ?? 0) - 1;
  }
  return cells.map((row) => `${tableLine(columns, widths, row)}\n`).join('');
}

function tableLine(columns: readonly Column[], widths: readonly number[], row: readonly string[]): string {
  const parts = columns.map(({ right }, i) => {
    const space = widths[i] ?? 0;
    const text = fit(row[i] ?? '', space);
    const gap = ' '.repeat(space - length(text));
    return right === true ? gap + text : text + gap;
  });
  return parts.join('  ').trimEnd();
}

function widestOf(columns: readonly Column[], widths: readonly number[]): number | undefined {
  let widest: number | undefined;
  columns.forEach(({ whole }, i) => {
    const mine = widths[i] ?? 0;
    if (whole !== true && mine > COLUMN_MIN && mine > (widest === undefined ? 0 : (widths[widest] ?? 0)))
      widest = i;
  });
  return widest;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}

/** Names and values below each other. Values are made plain and wrapped. */
export function facts(pairs: readonly (readonly [name: string, value: string])[], width = WIDTH): string {
  const indent = Math.max(...pairs.map(([name]) => name.length)) + 2;
  return pairs
    .map(([name, value]) => {
      const [first = '', ...rest] = wrap(plain(value), width - indent);
      return [name.padEnd(indent) + first, ...rest.map((line) => ' '.repeat(indent) + line)].join('\n');
    })
    .map((text) => `${text.trimEnd()}\n`)
    .join('');
}
