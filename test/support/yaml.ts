/**
 * Reads the YAML that people write by hand for Docker and Kubernetes: block maps and lists, comments, text after "|",
 * scalars on one line, empty and flat flow lists. Not the whole of YAML; what it does not know is an error.
 */

export type Yaml = string | number | boolean | null | Yaml[] | { [name: string]: Yaml };

interface Line {
  readonly indent: number;
  readonly text: string;
  readonly number: number;
}

interface Reader {
  readonly raw: readonly string[];
  readonly lines: Line[];
  at: number;
}

/** One document. Throws what it does not understand, with the line. */
export function readYaml(source: string): Yaml {
  const raw = source.split('\n');
  const lines = raw.flatMap((whole, number): Line[] => {
    if (/^\s*(#|$)/.test(whole)) return [];
    if (whole.includes('\t')) throw new Error(`line ${number + 1}: a tab`);
    const body = whole.trimStart();
    return [{ indent: whole.length - body.length, text: body.trimEnd(), number }];
  });
  if (lines.length === 0) return null;
  const reader: Reader = { raw, lines, at: 0 };
  const value = block(reader, lines[0]?.indent ?? 0);
  const rest = reader.lines[reader.at];
  if (rest !== undefined) throw new Error(`line ${rest.number + 1}: not understood: ${rest.text}`);
  return value;
}

/** The documents of a file, without empty ones. */
export function readDocuments(source: string): Yaml[] {
  return source
    .split(/^---$/m)
    .map(readYaml)
    .filter((value) => value !== null);
}

function block(reader: Reader, indent: number): Yaml {
  const line = reader.lines[reader.at];
  if (line === undefined) return null;
  if (isItem(line.text)) return list(reader, indent);
  if (keyOf(line.text) !== undefined) return map(reader, indent);
  reader.at++;
  return scalar(line.text, line);
}

const isItem = (text: string): boolean => text === '-' || text.startsWith('- ');

function list(reader: Reader, indent: number): Yaml[] {
  const items: Yaml[] = [];
  for (;;) {
    const line = reader.lines[reader.at];
    if (line === undefined || line.indent !== indent || !isItem(line.text)) return items;
    const rest = line.text.slice(1).trimStart();
    if (rest === '|') {
      reader.at++;
      items.push(literal(reader, line));
      continue;
    }
    // "- a: 1" is the first line of a block that stands deeper.
    const inner = indent + line.text.length - rest.length;
    reader.lines[reader.at] = { indent: inner, text: rest, number: line.number };
    items.push(block(reader, inner));
  }
}

function map(reader: Reader, indent: number): { [name: string]: Yaml } {
  const found: { [name: string]: Yaml } = {};
  for (;;) {
    const line = reader.lines[reader.at];
    if (line === undefined || line.indent !== indent || isItem(line.text)) return found;
    const pair = keyOf(line.text);
    if (pair === undefined) throw new Error(`line ${line.number + 1}: no key: ${line.text}`);
    if (Object.hasOwn(found, pair.key))
      throw new Error(`line ${line.number + 1}: ${pair.key} stands there twice`);
    reader.at++;
    found[pair.key] = pair.rest === '|' ? literal(reader, line) : value(reader, indent, pair.rest, line);
  }
}

function value(reader: Reader, indent: number, rest: string, line: Line): Yaml {
  if (rest !== '') return scalar(rest, line);
  const next = reader.lines[reader.at];
  const deeper =
    next !== undefined && (next.indent > indent || (next.indent === indent && isItem(next.text)));
  return deeper ? block(reader, next.indent) : null;
}

/** What stands deeper than the line with "|", as it is. */
function literal(reader: Reader, head: Line): string {
  const first = reader.raw.slice(head.number + 1).find((text) => text.trim() !== '') ?? '';
  const indent = first.length - first.trimStart().length;
  const body: string[] = [];
  let number = head.number + 1;
  for (; number < reader.raw.length; number++) {
    const text = reader.raw[number] ?? '';
    if (text.trim() !== '' && text.length - text.trimStart().length < Math.max(indent, head.indent + 1))
      break;
    body.push(text.slice(indent));
  }
  while ((reader.lines[reader.at]?.number ?? Infinity) < number) reader.at++;
  return `${body.join('\n').trimEnd()}\n`;
}

function keyOf(text: string): { readonly key: string; readonly rest: string } | undefined {
  const [, quoted, plain, rest = ''] = /^(?:"([^"\\]*)"|([\w$][^\s:"]*)):(?:\s+(.*))?$/.exec(text) ?? [];
  const key = quoted ?? plain;
  return key === undefined ? undefined : { key, rest: rest.startsWith('#') ? '' : rest };
}

function scalar(text: string, line: Line): Yaml {
  if (/^"(?:[^"\\]|\\.)*"$/.test(text)) return JSON.parse(text) as string;
  if (/^'[^']*'$/.test(text)) return text.slice(1, -1);
  if (text === '{}') return {};
  const [, inside] = /^\[([^[\]{}"]*)\]$/.exec(text) ?? [];
  if (inside !== undefined)
    return inside === '' ? [] : inside.split(',').map((one) => scalar(one.trim(), line));
  if (/^["'[{&*!|>%@`]/.test(text) || / #|: /.test(text))
    throw new Error(`line ${line.number + 1}: quote this: ${text}`);
  if (/^(true|false)$/.test(text)) return text === 'true';
  if (/^(null|~)$/.test(text)) return null;
  // YAML 1.1 reads these as booleans, to the surprise of everybody.
  if (/^(yes|no|on|off|y|n)$/i.test(text)) throw new Error(`line ${line.number + 1}: quote this: ${text}`);
  return /^-?\d+(\.\d+)?$/.test(text) ? Number(text) : text;
}
