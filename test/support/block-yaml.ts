/**
 * Reads the YAML that block mappings, block sequences and scalars on one line make; enough to see that what we write
 * means what it should. Plain scalars follow YAML 1.1, the stricter of the two.
 */
export function readBlockYaml(text: string): unknown {
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  const reader = { lines, at: 0 };
  const value = readBlock(reader, 0);
  if (reader.at < lines.length) throw new Error(`not understood: ${lines[reader.at]}`);
  return value;
}

interface Reader {
  /** Lines are changed as they are read: "- a: b" becomes "  a: b" once its dash is seen. */
  readonly lines: string[];
  at: number;
}

function indentOf(line: string): number {
  return line.length - line.trimStart().length;
}

function readBlock(reader: Reader, least: number): unknown {
  const line = reader.lines[reader.at] ?? '';
  const indent = indentOf(line);
  if (indent < least) throw new Error(`nothing behind a key: ${line}`);
  if (line.startsWith('- ', indent)) return readList(reader, indent);
  return keyOf(line.trim()) === undefined ? readScalar(reader) : readMap(reader, indent);
}

function readScalar(reader: Reader): unknown {
  return scalar((reader.lines[reader.at++] ?? '').trim());
}

function readList(reader: Reader, indent: number): unknown[] {
  const items: unknown[] = [];
  for (;;) {
    const line = reader.lines[reader.at];
    if (line === undefined || indentOf(line) !== indent || !line.startsWith('- ', indent)) return items;
    reader.lines[reader.at] = `${' '.repeat(indent + 2)}${line.slice(indent + 2)}`;
    items.push(readBlock(reader, indent + 2));
  }
}

function readMap(reader: Reader, indent: number): Record<string, unknown> {
  const map: Record<string, unknown> = {};
  for (;;) {
    const line = reader.lines[reader.at];
    if (line === undefined || indentOf(line) !== indent) return map;
    const found = keyOf(line.trim());
    if (found === undefined) throw new Error(`no key: ${line}`);
    reader.at++;
    const name = String(scalar(found.key));
    if (name in map) throw new Error(`twice: ${name}`);
    map[name] = found.rest === '' ? readBlock(reader, indent + 1) : scalar(found.rest);
  }
}

function keyOf(text: string): { key: string; rest: string } | undefined {
  const match = /^("(?:[^"\\]|\\.)*"|[^"][^ ]*?):(?: (.*))?$/.exec(text);
  return match === null ? undefined : { key: match[1] ?? '', rest: match[2] ?? '' };
}

function scalar(text: string): unknown {
  if (text.startsWith('"')) return JSON.parse(text);
  if (text === '[]') return [];
  if (text === '{}') return {};
  if (/^(?:true|yes|on|y)$/i.test(text)) return true;
  if (/^(?:false|no|off|n)$/i.test(text)) return false;
  if (/^(?:null|~)$/i.test(text)) return null;
  if (/^-?(?:0|[1-9][0-9]*)$/.test(text)) return Number(text);
  if (/^[-+.]?[0-9]/.test(text)) throw new Error(`a number or date: ${text}`);
  if (/^[-?:,[\]{}#&*!|>'"%@`]|: | #|:$/.test(text)) throw new Error(`no plain scalar: ${text}`);
  return text;
}
