/** From the tree of a script to one whose commands, tests and arguments are what the tables say. */
import { COMMANDS } from './commands.ts';
import { withImplied } from './extensions.ts';
import type { RawArgument, RawNode, RawString } from './parser.ts';
import { type Node, type Str, stringsOf, type Value } from './program.ts';
import type { ArgSpec, CheckContext, Spec, TagSpec } from './spec.ts';
import { suggestion } from './suggest.ts';
import { decodeCharacters, piecesOf } from './strings.ts';
import { TESTS } from './tests.ts';
import type { Position } from './types.ts';

export interface CheckOptions {
  readonly extensions: readonly string[];
  readonly regexLength: number;
  error(at: Position, message: string): void;
  warn(at: Position, message: string): void;
}

interface Checker {
  readonly options: CheckOptions;
  readonly available: ReadonlySet<string>;
  /** What the script may use; ihave adds to it (RFC 5463 4). */
  readonly requires: Set<string>;
  /** The node that is checked is wrong, which only matters when it runs: the script uses ihave. */
  invalid: string | undefined;
  /** Errors are kept for the run. */
  lenient: boolean;
  loops: (string | undefined)[];
}

/** Check a script; errors go to the options. `written` is what it names in require, `requires` all that it may use. */
export function check(
  raw: readonly RawNode[],
  options: CheckOptions,
): { nodes: Node[]; requires: Set<string>; written: string[] } {
  const checker: Checker = {
    options,
    available: new Set(options.extensions),
    requires: new Set(),
    invalid: undefined,
    lenient: false,
    loops: [],
  };
  const head = raw.findIndex((node) => node.name !== 'require');
  const count = head === -1 ? raw.length : head;
  const written = requirements(checker, raw.slice(0, count));
  for (const name of withImplied(written)) checker.requires.add(name);
  checker.lenient = checker.requires.has('ihave');
  return { nodes: commandList(checker, raw.slice(count)), requires: checker.requires, written };
}

/** The names in the `require` commands at the beginning (RFC 5228 3.2), without those that there are not. */
function requirements(checker: Checker, head: readonly RawNode[]): string[] {
  const names: string[] = [];
  for (const node of head) {
    for (const name of stringsOf(command(checker, node)?.args[0])) {
      if (checker.available.has(name.text)) names.push(name.text);
      else checker.options.error(name, unknownExtension(checker, name.text));
    }
  }
  return [...new Set(names)];
}

function unknownExtension(checker: Checker, name: string): string {
  return `there is no extension ${JSON.stringify(name.slice(0, 60))}${suggestion(name, [...checker.available])}`;
}

function problem(checker: Checker, at: Position, message: string): void {
  if (checker.lenient) checker.invalid ??= message;
  else checker.options.error(at, message);
}

const BRANCHES = ['elsif', 'else'];

function commandList(checker: Checker, raw: readonly RawNode[]): Node[] {
  const nodes: Node[] = [];
  let before: string | undefined;
  for (const one of raw) {
    if (one.name === 'require') {
      checker.options.error(
        one,
        'found "require" after other commands: it must stand at the beginning of the script',
      );
    } else if (BRANCHES.includes(one.name) && before !== 'if' && before !== 'elsif') {
      checker.options.error(one, `found "${one.name}" where no "if" or "elsif" stands before it`);
    } else {
      const node = command(checker, one);
      if (node !== undefined) nodes.push(node);
    }
    before = one.name;
  }
  return nodes;
}

/** Checks one command or test; `checker.invalid` collects what is wrong when that may wait for the run. */
function checked(checker: Checker, raw: RawNode, spec: Spec): Node {
  const outer = checker.invalid;
  checker.invalid = undefined;
  allowed(checker, raw, `"${raw.name}"`, spec.ext);
  const { tags, args } = argumentsOf(checker, raw, spec);
  const tests = testsOf(checker, raw, spec);
  const invalid = checker.invalid;
  checker.invalid = outer;
  const block = blockOf(checker, raw, spec);
  const node: Node = {
    name: raw.name,
    line: raw.line,
    column: raw.column,
    tags,
    args,
    tests,
    block,
    invalid,
  };
  if (invalid === undefined) spec.check?.(node, contextOf(checker));
  if (raw.name === 'break') checkBreak(checker, node);
  if (raw.name === 'extracttext' && checker.loops.length === 0)
    checker.options.error(node, 'found "extracttext" outside foreverypart'); // RFC 5703 8
  return node;
}

function contextOf(checker: Checker): CheckContext {
  return {
    requires: checker.requires,
    regexLength: checker.options.regexLength,
    error: checker.options.error,
    warn: checker.options.warn,
  };
}

function allowed(checker: Checker, at: Position, what: string, ext: readonly string[] | undefined): void {
  if (ext === undefined || ext.some((name) => checker.requires.has(name))) return;
  const name = ext[0] ?? '';
  if (ext.some((one) => checker.available.has(one)))
    problem(checker, at, `${what} needs an extension: add require "${name}"`);
  else problem(checker, at, `${what} is of the extension "${name}", which is not available here`);
}

function unknown(checker: Checker, raw: RawNode, kind: 'command' | 'test'): Node | undefined {
  const table = kind === 'command' ? COMMANDS : TESTS;
  const other = kind === 'command' ? TESTS : COMMANDS;
  const text = Object.hasOwn(other, raw.name)
    ? kind === 'command'
      ? `"${raw.name}" is a test, found where a command was expected; tests stand after if, elsif, not, allof and anyof`
      : `"${raw.name}" is a command, found where a test was expected`
    : `there is no ${kind} "${raw.name.slice(0, 60)}"${suggestion(raw.name, Object.keys(table))}`;
  if (!checker.lenient) {
    checker.options.error(raw, text);
    return undefined;
  }
  return { ...emptyNode(raw), invalid: text };
}

function emptyNode(raw: RawNode): Node {
  return {
    name: raw.name,
    line: raw.line,
    column: raw.column,
    tags: new Map(),
    args: [],
    tests: [],
    block: [],
    invalid: undefined,
  };
}

function command(checker: Checker, raw: RawNode): Node | undefined {
  const spec = Object.hasOwn(COMMANDS, raw.name) ? COMMANDS[raw.name] : undefined;
  return spec === undefined ? unknown(checker, raw, 'command') : checked(checker, raw, spec);
}

function test(checker: Checker, raw: RawNode): Node {
  const spec = Object.hasOwn(TESTS, raw.name) ? TESTS[raw.name] : undefined;
  if (spec === undefined) return unknown(checker, raw, 'test') ?? emptyNode(raw);
  const node = checked(checker, raw, spec);
  if (raw.name === 'ihave') learn(checker, node);
  return node;
}

/** RFC 5463 4: what a test has found may be used from there on. */
function learn(checker: Checker, node: Node): void {
  const names = node.args[0]?.kind === 'strings' ? node.args[0].items.map((item) => item.text) : [];
  if (!names.every((name) => checker.available.has(name))) return;
  for (const name of withImplied(names)) checker.requires.add(name);
}

function testsOf(checker: Checker, raw: RawNode, spec: Spec): Node[] {
  const { tests } = raw;
  if (spec.tests === undefined) {
    const first = tests[0];
    if (first === undefined) return [];
    // A test was read because nothing ended the command.
    const expected = raw.block === undefined ? '";"' : 'a block';
    checker.options.error(first, `found "${first.name}" where ${expected} was expected after "${raw.name}"`);
    return [];
  }
  if (spec.tests === 'one' && (tests.length !== 1 || raw.testList))
    checker.options.error(
      tests[1] ?? raw,
      `"${raw.name}" needs one test${tests.length > 1 ? '; allof and anyof join several' : ''}`,
    );
  else if (spec.tests === 'many' && !raw.testList)
    checker.options.error(raw, `"${raw.name}" needs tests in parentheses`);
  return tests.map((one) => test(checker, one));
}

function blockOf(checker: Checker, raw: RawNode, spec: Spec): Node[] {
  if (raw.block === undefined) {
    if (spec.block) checker.options.error(raw, `"${raw.name}" needs a block in braces`);
    return [];
  }
  if (!spec.block) {
    checker.options.error(raw, `found a block after "${raw.name}", which has none: ";" was expected`);
    return [];
  }
  const isLoop = raw.name === 'foreverypart';
  if (isLoop) checker.loops.push(loopName(raw));
  const nodes = commandList(checker, raw.block);
  if (isLoop) checker.loops.pop();
  return nodes;
}

function loopName(raw: RawNode): string | undefined {
  const at = raw.args.findIndex((arg) => arg.kind === 'tag' && arg.name === 'name');
  const value = at === -1 ? undefined : raw.args[at + 1];
  return value?.kind === 'strings' ? value.items[0]?.value : undefined;
}

function checkBreak(checker: Checker, node: Node): void {
  const name = node.tags.get('name');
  const wanted = name?.kind === 'strings' ? name.items[0]?.text : undefined;
  if (checker.loops.length === 0) checker.options.error(node, 'found "break" outside foreverypart');
  else if (wanted !== undefined && !checker.loops.includes(wanted))
    checker.options.error(name ?? node, `no foreverypart around this is named ${JSON.stringify(wanted)}`);
}

interface Taken {
  readonly tags: Map<string, Value | undefined>;
  readonly args: (Value | undefined)[];
}

/** Tagged arguments stand before positional ones (RFC 5228 2.6.2). */
function argumentsOf(checker: Checker, raw: RawNode, spec: Spec): Taken {
  const tags = new Map<string, Value | undefined>();
  const rest: Exclude<RawArgument, { kind: 'tag' }>[] = [];
  for (let at = 0; at < raw.args.length; at++) {
    const arg = raw.args[at];
    if (arg === undefined) break;
    if (arg.kind !== 'tag') {
      rest.push(arg);
      continue;
    }
    const row = tagRow(checker, raw, spec, arg);
    if (row === undefined) {
      // An unknown tag may have had a value of its own: what follows cannot be judged.
      if (checker.lenient) return { tags, args: [] };
      continue;
    }
    if (rest.length > 0)
      checker.options.error(
        arg,
        `found ":${arg.name}" after the arguments of "${raw.name}": tags stand before them`,
      );
    if (tags.has(arg.name)) checker.options.error(arg, `":${arg.name}" stands twice`);
    checkGroup(checker, spec, tags, arg, row);
    allowed(checker, arg, `":${arg.name}"`, row.ext);
    let value: Value | undefined;
    if (row.value !== undefined) {
      value = tagValue(checker, arg, row.value, raw.args[at + 1]);
      if (value !== undefined || raw.args[at + 1]?.kind !== 'tag') at++;
    }
    tags.set(arg.name, value);
  }
  checkNeeds(checker, raw, spec, tags);
  return { tags, args: positional(checker, raw, spec, rest) };
}

function tagRow(
  checker: Checker,
  raw: RawNode,
  spec: Spec,
  arg: RawArgument & { kind: 'tag' },
): TagSpec | undefined {
  const rows = spec.tags ?? {};
  const row = Object.hasOwn(rows, arg.name) ? rows[arg.name] : undefined;
  if (row === undefined)
    problem(
      checker,
      arg,
      `"${raw.name}" has no argument ":${arg.name.slice(0, 60)}"${suggestion(arg.name, Object.keys(rows), ':')}`,
    );
  return row;
}

function checkGroup(
  checker: Checker,
  spec: Spec,
  tags: ReadonlyMap<string, unknown>,
  arg: RawArgument & { kind: 'tag' },
  row: TagSpec,
): void {
  if (row.group === undefined) return;
  for (const other of tags.keys()) {
    if (other !== arg.name && spec.tags?.[other]?.group === row.group)
      checker.options.error(arg, `":${arg.name}" and ":${other}" cannot stand together`);
  }
}

function checkNeeds(checker: Checker, raw: RawNode, spec: Spec, tags: ReadonlyMap<string, unknown>): void {
  for (const name of tags.keys()) {
    for (const needed of spec.tags?.[name]?.needs ?? []) {
      if (!tags.has(needed)) checker.options.error(raw, `":${name}" of "${raw.name}" needs ":${needed}" too`);
    }
  }
}

function tagValue(
  checker: Checker,
  tag: RawArgument & { kind: 'tag' },
  spec: ArgSpec,
  raw: RawArgument | undefined,
): Value | undefined {
  if (raw === undefined || raw.kind === 'tag') {
    checker.options.error(tag, `":${tag.name}" needs ${spec.what} after it`);
    return undefined;
  }
  return argument(checker, raw, spec);
}

const NOUNS = { string: 'a string', strings: 'a string or a list of strings', number: 'a number' } as const;

function positional(
  checker: Checker,
  raw: RawNode,
  spec: Spec,
  given: readonly Exclude<RawArgument, { kind: 'tag' }>[],
): (Value | undefined)[] {
  const wanted = spec.args ?? [];
  const skipFirst = spec.optional === 'first' && given.length < wanted.length;
  const specs = skipFirst ? wanted.slice(1) : wanted;
  const args: (Value | undefined)[] = skipFirst ? [undefined] : [];
  for (const [index, arg] of specs.entries()) {
    const one = given[index];
    if (one !== undefined) args.push(argument(checker, one, arg));
    else if (spec.optional !== 'last' || index !== wanted.length - 1) {
      checker.options.error(raw, `"${raw.name}" needs ${arg.what} (${NOUNS[arg.type]})`);
      break;
    }
  }
  const extra = given[specs.length];
  if (extra !== undefined)
    checker.options.error(
      extra,
      `found ${extra.kind === 'number' ? 'a number' : 'a string'} where the arguments of "${raw.name}" should end`,
    );
  return args;
}

function argument(
  checker: Checker,
  raw: Exclude<RawArgument, { kind: 'tag' }>,
  spec: ArgSpec,
): Value | undefined {
  const at = { line: raw.line, column: raw.column };
  if (raw.kind === 'number' || spec.type === 'number') {
    if (raw.kind === 'number' && spec.type === 'number') return { kind: 'number', value: raw.value, ...at };
    const found = raw.kind === 'number' ? 'a number' : raw.list ? 'a list' : 'a string';
    checker.options.error(raw, `found ${found} where ${spec.what} (${NOUNS[spec.type]}) was expected`);
    return undefined;
  }
  if (spec.type === 'string' && raw.list) {
    checker.options.error(raw, `found a list where ${spec.what} (a string) was expected`);
    return undefined;
  }
  return { kind: 'strings', items: raw.items.map((item) => string(checker, item, spec)), ...at };
}

function string(checker: Checker, raw: RawString, spec: ArgSpec): Str {
  const at = { line: raw.line, column: raw.column };
  let text = raw.value;
  if (checker.requires.has('encoded-character')) {
    const decoded = decodeCharacters(text);
    if ('problem' in decoded) checker.options.error(at, decoded.problem);
    else text = decoded.text;
  }
  const pieces = checker.requires.has('variables') ? piecesOf(text) : undefined;
  if (spec.constant && pieces !== undefined)
    checker.options.error(at, `found a variable in ${spec.what}, which must be constant`);
  if (pieces === undefined) {
    const wrong = spec.check?.(text);
    if (wrong !== undefined) (spec.soft ? checker.options.warn : checker.options.error)(at, wrong);
  }
  return { text, pieces, ...at };
}
