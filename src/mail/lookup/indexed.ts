import { logicalLines } from './lines.ts';
import { sourceOf } from './patterns.ts';
import {
  BREATH,
  breathe,
  INDEXED_KEYS,
  RESULT_LENGTH,
  type LookupTable,
  type TableProblem,
  type TableResult,
} from './types.ts';

/** Lines read between two breaths: they are cheaper than patterns. */
const LINES_AT_ONCE = 16 * BREATH;

/**
 * The source text of texthash:, hash:, lmdb: and other indexed tables (postmap(1)): "key value" on a line; keys without
 * regard to case; the first of two lines with one key holds.
 */
export async function parseIndexed(name: string, text: string): Promise<TableResult> {
  const source = sourceOf(name);
  const problems: TableProblem[] = [];
  const ignored = (line: number, message: string, remedy = ''): void =>
    void problems.push({ source, line, kind: 'ignored', message, remedy });
  const { lines, stray } = logicalLines(text);
  for (const line of stray) ignored(line, 'a line that begins with white space continues nothing');
  const entries = new Map<string, string>();
  for (const [index, { line, text: entry }] of lines.entries()) {
    if (index % LINES_AT_ONCE === LINES_AT_ONCE - 1) await breathe();
    if (entries.size >= INDEXED_KEYS) {
      const message = `the table has more than ${INDEXED_KEYS} keys`;
      problems.push({ source, line, kind: 'error', message, remedy: 'Split it into several tables' });
      return { table: undefined, problems };
    }
    const { key, value } = splitEntry(entry);
    if (value === '') ignored(line, 'a line is "key value"; this one has no value');
    else if (entries.has(fold(key))) ignored(line, `"${key}" stands here twice; the first one holds`);
    else {
      if (key.endsWith(':'))
        ignored(line, 'a key that ends in ":" looks like a line of an alias file', 'Write "key value"');
      entries.set(fold(key), value.slice(0, RESULT_LENGTH));
    }
  }
  return { table: indexedTable(name, entries), problems };
}

export function indexedTable(name: string, entries: ReadonlyMap<string, string>): LookupTable {
  return { name, patterns: false, size: entries.size, query: async (key) => entries.get(fold(key)) };
}

/** At the first white space that is neither in quotes nor behind a backslash; both stay in the key, as in Postfix. */
function splitEntry(text: string): { key: string; value: string } {
  let quoted = false;
  let at = 0;
  for (; at < text.length; at++) {
    const char = text.charAt(at);
    if (char === '\\') at++;
    else if (char === '"') quoted = !quoted;
    else if (!quoted && /\s/.test(char)) break;
  }
  return { key: text.slice(0, at), value: text.slice(at).trim() };
}

export function fold(key: string): string {
  return key.toLowerCase();
}
