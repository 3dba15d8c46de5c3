import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readYaml } from './yaml.ts';

/**
 * Renders a chart as `helm template` does, for the part of Go's template language that our chart keeps to: if, else,
 * range, define, include, pipelines and a few functions. Anything else is an error, so that the chart stays within it.
 */

export type Value =
  | string
  | number
  | boolean
  | null
  | undefined
  | readonly Value[]
  | { readonly [name: string]: Value };
type Record_ = Readonly<Record<string, Value>>;

type Node =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'action'; readonly words: readonly Word[] }
  | {
      readonly kind: 'if' | 'range';
      readonly words: readonly Word[];
      readonly body: Node[];
      readonly other: Node[];
    };
type Word = { readonly text: string; readonly inner?: readonly Word[] };
type Templates = Map<string, readonly Node[]>;

/** The manifests of a chart: file name to text. `values` go over those of values.yaml, maps key by key. */
export function renderChart(directory: string, values: Record_, release = 'postern'): Map<string, string> {
  const chart = readYaml(readFileSync(join(directory, 'Chart.yaml'), 'utf8')) as Record_;
  const defaults = readYaml(readFileSync(join(directory, 'values.yaml'), 'utf8')) as Record_;
  const scope: Record_ = {
    Values: merged(defaults, values),
    Chart: { Name: chart.name, AppVersion: chart.appVersion, Version: chart.version },
    Release: { Name: release, Service: 'Helm', Namespace: 'default' },
  };
  const templates: Templates = new Map();
  const files = readdirSync(join(directory, 'templates')).sort();
  const parsed = files.map((name) => {
    return [name, parse(readFileSync(join(directory, 'templates', name), 'utf8'), templates)] as const;
  });
  const shown = parsed.filter(([name]) => !name.startsWith('_'));
  return new Map(shown.map(([name, nodes]) => [name, render(nodes, scope, templates)]));
}

function isMap(value: Value): value is Record_ {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function merged(below: Record_, above: Record_): Record_ {
  const all: Record<string, Value> = { ...below };
  for (const [name, value] of Object.entries(above)) {
    if (!(name in below)) throw new Error(`values.yaml does not know ${name}`);
    const old = below[name];
    all[name] = isMap(old) && isMap(value) && Object.keys(old).length > 0 ? merged(old, value) : value;
  }
  return all;
}

/** Text and actions in turn; "{{-" and "-}}" take the white space beside them. */
function tokens(source: string): { readonly text: string; readonly action: boolean }[] {
  const found: { text: string; action: boolean }[] = [];
  let at = 0;
  let trim = false;
  for (const match of source.matchAll(/\{\{(-?)([\s\S]*?)(-?)\}\}/g)) {
    let text = source.slice(at, match.index);
    if (trim) text = text.trimStart();
    if (match[1] === '-') text = text.trimEnd();
    found.push({ text, action: false }, { text: (match[2] ?? '').trim(), action: true });
    trim = match[3] === '-';
    at = match.index + match[0].length;
  }
  const rest = source.slice(at);
  found.push({ text: trim ? rest.trimStart() : rest, action: false });
  return found;
}

function parse(source: string, templates: Templates): Node[] {
  const top: Node[] = [];
  const open: { readonly into: Node[]; readonly end: () => void; node?: Extract<Node, { other: Node[] }> }[] =
    [];
  let into = top;
  const leave =
    (before: Node[]): (() => void) =>
    () =>
      (into = before);
  for (const { text, action } of tokens(source)) {
    if (!action) {
      if (text !== '') into.push({ kind: 'text', text });
      continue;
    }
    const [first = '', ...rest] = wordsOf(text);
    if (first === undefined || text === '') throw new Error('an empty action');
    const name = typeof first === 'string' ? first : first.text;
    if (name === 'if' || name === 'range') {
      const node = { kind: name, words: rest, body: [], other: [] } satisfies Node;
      into.push(node);
      open.push({ into, end: leave(into), node });
      into = node.body;
    } else if (name === 'define') {
      const body: Node[] = [];
      templates.set(JSON.parse(rest[0]?.text ?? '') as string, body);
      open.push({ into, end: leave(into) });
      into = body;
    } else if (name === 'else') {
      const node = open.at(-1)?.node;
      if (node === undefined || rest.length > 0) throw new Error(`not understood: ${text}`);
      into = node.other;
    } else if (name === 'end') {
      const last = open.pop();
      if (last === undefined) throw new Error('one "end" too many');
      last.end();
    } else into.push({ kind: 'action', words: wordsOf(text) });
  }
  if (open.length > 0) throw new Error('an "end" is missing');
  return top;
}

/** Words of an action; what stands in parentheses is one word. */
function wordsOf(text: string): Word[] {
  const stack: Word[][] = [[]];
  for (const [word] of text.matchAll(/"(?:[^"\\]|\\.)*"|[()|]|[^\s()|"]+/g)) {
    if (word === '(') stack.push([]);
    else if (word === ')') {
      const inner = stack.pop() ?? [];
      stack.at(-1)?.push({ text: '()', inner });
    } else stack.at(-1)?.push({ text: word });
  }
  const [words] = stack;
  if (words === undefined || stack.length !== 1) throw new Error(`parentheses do not match: ${text}`);
  return words;
}

function render(nodes: readonly Node[], dot: Value, templates: Templates): string {
  return nodes
    .map((node) => {
      if (node.kind === 'text') return node.text;
      const value = evaluate(node.words, dot, templates);
      if (node.kind === 'action') return shown(value);
      if (node.kind === 'if') return render(truthy(value) ? node.body : node.other, dot, templates);
      if (!Array.isArray(value)) throw new Error('range is for lists');
      return value.map((item: Value) => render(node.body, item, templates)).join('');
    })
    .join('');
}

function shown(value: Value): string {
  if (value === undefined || value === null) throw new Error('an action without a value');
  if (typeof value === 'object') throw new Error('a map or list where text should be');
  return String(value);
}

function truthy(value: Value): boolean {
  if (isMap(value)) return Object.keys(value).length > 0;
  return Array.isArray(value) ? value.length > 0 : Boolean(value);
}

function evaluate(words: readonly Word[], dot: Value, templates: Templates): Value {
  let value: Value;
  let piped: Value[] = [];
  let stage: Word[] = [];
  for (const word of [...words, { text: '|' }]) {
    if (word.text !== '|') {
      stage.push(word);
      continue;
    }
    value = call(stage, piped, dot, templates);
    piped = [value];
    stage = [];
  }
  return value;
}

function call(stage: readonly Word[], piped: readonly Value[], dot: Value, templates: Templates): Value {
  const [head, ...rest] = stage;
  if (head === undefined) throw new Error('an empty part of a pipeline');
  const named = head.inner === undefined ? functions[head.text] : undefined;
  if (named === undefined) {
    if (rest.length > 0 || piped.length > 0) throw new Error(`no such function: ${head.text}`);
    return operand(head, dot, templates);
  }
  const args = [...rest.map((word) => operand(word, dot, templates)), ...piped];
  return named(args, templates);
}

function operand(word: Word, dot: Value, templates: Templates): Value {
  const { text, inner } = word;
  if (inner !== undefined) return evaluate(inner, dot, templates);
  if (text.startsWith('"')) return JSON.parse(text) as string;
  if (/^-?\d+$/.test(text)) return Number(text);
  if (text === '.') return dot;
  if (!/^(\.\w+)+$/.test(text)) throw new Error(`not understood: ${text}`);
  let value: Value = dot;
  for (const name of text.slice(1).split('.')) {
    if (!isMap(value) || !(name in value)) throw new Error(`there is no ${text}`);
    value = value[name];
  }
  return value;
}

const text = (value: Value): string => (typeof value === 'string' ? value : shown(value));
const indented = (body: string, columns: Value): string =>
  body.replaceAll(/^(?=.)/gm, ' '.repeat(Number(columns)));

const functions: Readonly<Record<string, (args: readonly Value[], templates: Templates) => Value>> = {
  include: ([name, dot], templates) => {
    const body = templates.get(text(name));
    if (body === undefined) throw new Error(`no template ${text(name)}`);
    return render(body, dot, templates);
  },
  nindent: ([columns, body]) => `\n${indented(text(body), columns)}`,
  quote: ([value]) => JSON.stringify(text(value)),
  default: ([other, value]) => (truthy(value) ? value : other),
  required: ([message, value]) => {
    if (!truthy(value)) throw new Error(text(message));
    return value;
  },
  printf: ([format, ...values]) =>
    values.reduce<string>((done, one) => done.replace('%s', () => text(one)), text(format)),
  and: (args) => args.find((one) => !truthy(one)) ?? args.at(-1),
  not: ([value]) => !truthy(value),
  ne: ([one, other]) => one !== other,
  toJson: ([value]) => JSON.stringify(value),
  toYaml: ([value]) => yamlOf(value),
  sha256sum: ([value]) => createHash('sha256').update(text(value)).digest('hex'),
};

/** Like Helm's: lists stand no deeper than their key. */
function yamlOf(value: Value): string {
  if (Array.isArray(value)) {
    if (value.length === 0) return '[]';
    return value.map((item: Value) => `- ${yamlOf(item).replaceAll('\n', '\n  ')}`).join('\n');
  }
  if (!isMap(value)) return JSON.stringify(value);
  const entries = Object.entries(value);
  if (entries.length === 0) return '{}';
  return entries
    .map(([name, one]) => {
      const below = yamlOf(one);
      const deep = truthy(one) && typeof one === 'object';
      return deep ? `${name}:\n${Array.isArray(one) ? below : indented(below, 2)}` : `${name}: ${below}`;
    })
    .join('\n');
}
