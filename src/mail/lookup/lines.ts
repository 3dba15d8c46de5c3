/** A line of a table with what continues it, and where it begins. */
export interface LogicalLine {
  /** Number of its first line, from 1. */
  readonly line: number;
  readonly text: string;
}

/**
 * The logical lines of a table (pcre_table(5), "multi-line text"): lines that are empty or begin with "#" are left out
 * wherever they stand, a line that begins with white space continues the one before. `stray` are the numbers of lines
 * that continue nothing.
 */
export function logicalLines(text: string): { lines: LogicalLine[]; stray: number[] } {
  const lines: { line: number; text: string }[] = [];
  const stray: number[] = [];
  let number = 0;
  for (const each of text.split('\n')) {
    number++;
    const line = each.endsWith('\r') ? each.slice(0, -1) : each;
    const begin = line.trimStart();
    if (begin === '' || begin.startsWith('#')) continue;
    const last = lines.at(-1);
    if (begin.length === line.length) lines.push({ line: number, text: line });
    else if (last === undefined) stray.push(number);
    else last.text += line;
  }
  return { lines, stray };
}
