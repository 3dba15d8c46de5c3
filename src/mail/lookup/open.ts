import { indexedTable, parseIndexed } from './indexed.ts';
import { parsePatterns } from './patterns.ts';
import { splitList, stripBraces } from './spec.ts';
import {
  type LookupTable,
  TABLE_BYTES,
  type TableProblem,
  type TableResult,
  RESULT_LENGTH,
} from './types.ts';

/** Tables whose file is the text from which Postfix makes a database; that database is not read. */
const INDEXED: ReadonlySet<string> = new Set(['texthash', 'hash', 'lmdb', 'btree', 'dbm', 'cdb']);
/** Tables inside each other (unionmap, pipemap). */
const DEPTH = 5;

/** Gets the text of a file, or why that is not possible (a sentence without the name). */
export type ReadText = (path: string) => Promise<{ readonly text: string } | { readonly problem: string }>;

/**
 * Open a table by its name as Postfix writes it: `pcre:/path`, `regexp:/path`, `texthash:/path` (`hash:`, `lmdb:` and
 * other indexed types by the text they are made from), `inline:{k=v, {k=v v}}`, `static:value`, `pcre:{{rule}, {rule}}`,
 * `unionmap:{table, table}`, `pipemap:{table, table}`. Never throws for what stands in a table.
 */
export async function openTable(name: string, readText: ReadText, depth = 0): Promise<TableResult> {
  const colon = name.indexOf(':');
  const type = name.slice(0, Math.max(0, colon)).toLowerCase();
  const place = name.slice(colon + 1).trim();
  if (colon < 1 || place === '')
    return refused(name, 'a table is named TYPE:PLACE', 'For instance pcre:/etc/postfix/users');
  if (depth > DEPTH) return refused(name, `more than ${DEPTH} tables inside each other`, '');
  if (type === 'static') return whole({ name, patterns: true, size: 1, query: staticQuery(place) });
  if (type === 'inline') return openInline(name, place);
  if (type === 'unionmap' || type === 'pipemap') return openSeveral(name, type, place, readText, depth);
  const patterns = type === 'pcre' || type === 'regexp';
  if (!patterns && !INDEXED.has(type)) {
    return refused(
      name,
      `tables of type "${type.slice(0, 40)}" are not read here`,
      'Types are pcre, regexp, texthash, hash, lmdb, inline, static, unionmap and pipemap',
    );
  }
  const text = await textOf(name, place, patterns, readText);
  if ('table' in text) return text;
  return patterns ? parsePatterns(type, name, text.text) : parseIndexed(name, text.text);
}

/** Read the text of a table that is kept elsewhere: stored with the settings, piped in. */
export function parseTable(type: string, name: string, text: string): Promise<TableResult> {
  if (Buffer.byteLength(text) > TABLE_BYTES) return Promise.resolve(tooLarge(name));
  if (type === 'pcre' || type === 'regexp') return parsePatterns(type, name, text);
  return parseIndexed(name, text);
}

async function textOf(
  name: string,
  place: string,
  patterns: boolean,
  readText: ReadText,
): Promise<{ readonly text: string } | TableResult> {
  if (patterns && place.startsWith('{')) {
    const inner = stripBraces(place);
    const rules = inner === undefined ? undefined : splitList(inner);
    if (rules === undefined || rules.length === 0)
      return refused(name, 'the rules are not written as {{rule}, {rule}}', '');
    return { text: `${rules.map((rule) => stripBraces(rule) ?? rule).join('\n')}\n` };
  }
  const read = await readText(place);
  if ('problem' in read) return refused(name, read.problem, '');
  return Buffer.byteLength(read.text) > TABLE_BYTES ? tooLarge(name) : read;
}

function staticQuery(place: string): () => Promise<string> {
  const value = (stripBraces(place) ?? place).slice(0, RESULT_LENGTH);
  return async () => value;
}

function openInline(name: string, place: string): TableResult {
  const inner = stripBraces(place);
  const items = inner === undefined ? undefined : splitList(inner);
  const wanted = 'Write inline:{key=value, {key = value with spaces}}';
  if (items === undefined || items.length === 0) return refused(name, 'it has no entries in braces', wanted);
  const entries = new Map<string, string>();
  for (const item of items) {
    const entry = stripBraces(item) ?? item;
    const equals = entry.indexOf('=');
    if (equals < 1) return refused(name, `"${entry.slice(0, 60)}" has no "="`, wanted);
    entries.set(entry.slice(0, equals).trim().toLowerCase(), entry.slice(equals + 1).trim());
  }
  return whole(indexedTable(name, entries));
}

async function openSeveral(
  name: string,
  type: 'unionmap' | 'pipemap',
  place: string,
  readText: ReadText,
  depth: number,
): Promise<TableResult> {
  const inner = stripBraces(place);
  const names = inner === undefined ? undefined : splitList(inner);
  if (names === undefined || names.length === 0)
    return refused(name, 'it has no tables in braces', `Write ${type}:{table, table}`);
  const problems: TableProblem[] = [];
  const tables: LookupTable[] = [];
  for (const each of names) {
    const opened = await openTable(each, readText, depth + 1);
    problems.push(...opened.problems);
    if (opened.table !== undefined) tables.push(opened.table);
  }
  if (tables.length < names.length) return { table: undefined, problems };
  return {
    problems,
    table: {
      name,
      patterns: tables.every(({ patterns }) => patterns),
      size: tables.reduce((sum, { size }) => sum + size, 0),
      query: type === 'unionmap' ? (key) => union(tables, key) : (key) => pipe(tables, key),
    },
  };
}

async function union(tables: readonly LookupTable[], key: string): Promise<string | undefined> {
  const found: string[] = [];
  for (const table of tables) {
    const result = await table.query(key);
    if (result !== undefined) found.push(result);
  }
  return found.length === 0 ? undefined : found.join(',').slice(0, RESULT_LENGTH);
}

async function pipe(tables: readonly LookupTable[], key: string): Promise<string | undefined> {
  let result: string | undefined = key;
  for (const table of tables) {
    if (result === undefined) return undefined;
    result = await table.query(result);
  }
  return result;
}

function whole(table: LookupTable): TableResult {
  return { table, problems: [] };
}

function tooLarge(name: string): TableResult {
  return refused(name, `the table is larger than ${TABLE_BYTES / 1024 / 1024} MiB`, 'Split it');
}

function refused(source: string, message: string, remedy: string): TableResult {
  return { table: undefined, problems: [{ source, line: 0, kind: 'error', message, remedy }] };
}
