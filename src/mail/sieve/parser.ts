/** The tree of a Sieve script (RFC 5228 8.2), before anybody knows what its commands mean. */
import { lex, type Report, type Token } from './lexer.ts';
import type { Position } from './types.ts';

export interface RawString extends Position {
  readonly value: string;
}

export type RawArgument =
  | (Position & { readonly kind: 'tag'; readonly name: string })
  | (Position & { readonly kind: 'number'; readonly value: number })
  | (Position & { readonly kind: 'strings'; readonly items: readonly RawString[]; readonly list: boolean });

/** A command or a test. */
export interface RawNode extends Position {
  readonly name: string;
  readonly args: readonly RawArgument[];
  readonly tests: readonly RawNode[];
  /** The tests stand in parentheses. */
  readonly testList: boolean;
  readonly block: readonly RawNode[] | undefined;
}

/** Thrown inside this file: the command cannot be read on. */
class Unreadable extends Error {}

interface Reader {
  readonly tokens: readonly Token[];
  readonly report: Report;
  readonly nesting: number;
  pos: number;
  depth: number;
  stopped: boolean;
}

/** The commands of a script. Errors go to `report`; commands that could not be read are left out. */
export function parse(text: string, nesting: number, report: Report): RawNode[] {
  let failed = 0;
  const counted: Report = (at, message) => {
    failed++;
    report(at, message);
  };
  const reader: Reader = {
    tokens: lex(text, counted),
    report: counted,
    nesting,
    pos: 0,
    depth: 0,
    stopped: false,
  };
  // Without the words that could not be read, the rest would be called wrong for no reason.
  return failed > 0 ? [] : commands(reader, false);
}

function peek(reader: Reader): Token {
  return reader.tokens[reader.pos] ?? { kind: 'end', line: 1, column: 1 };
}

function take(reader: Reader): Token {
  const token = peek(reader);
  if (token.kind !== 'end') reader.pos++;
  return token;
}

function isSpecial(token: Token, text: string): boolean {
  return token.kind === 'special' && token.text === text;
}

/** What stands there, for a person. */
function shown(token: Token): string {
  switch (token.kind) {
    case 'end':
      return 'the end of the script';
    case 'string':
      return 'a string';
    case 'number':
      return 'a number';
    case 'tag':
      return `":${token.text}"`;
    default:
      return `"${token.text}"`;
  }
}

function fail(reader: Reader, token: Token, expected: string): never {
  reader.report(token, `found ${shown(token)} where ${expected} was expected`);
  throw new Unreadable();
}

function commands(reader: Reader, inBlock: boolean): RawNode[] {
  const nodes: RawNode[] = [];
  while (!reader.stopped) {
    const token = peek(reader);
    if (token.kind === 'end') break;
    if (isSpecial(token, '}')) {
      if (inBlock) break;
      reader.report(token, 'found "}" where a command was expected: no block is open');
      reader.pos++;
      continue;
    }
    try {
      nodes.push(command(reader));
    } catch (error) {
      if (!(error instanceof Unreadable)) throw error;
      skipCommand(reader);
    }
  }
  return nodes;
}

/** Goes behind the next ";", into the block of a command whose head is wrong, or up to the end of the block. */
function skipCommand(reader: Reader): void {
  while (!reader.stopped) {
    const token = peek(reader);
    if (token.kind === 'end' || isSpecial(token, '}')) return;
    if (isSpecial(token, '{')) {
      try {
        block(reader);
      } catch (error) {
        if (!(error instanceof Unreadable)) throw error;
      }
      return;
    }
    reader.pos++;
    if (isSpecial(token, ';')) return;
  }
}

function deeper<T>(reader: Reader, token: Token, what: () => T): T {
  if (reader.depth >= reader.nesting) {
    reader.report(token, `blocks and tests are nested more than ${reader.nesting} deep here`);
    reader.stopped = true;
    throw new Unreadable();
  }
  reader.depth++;
  try {
    return what();
  } finally {
    reader.depth--;
  }
}

function command(reader: Reader): RawNode {
  const name = take(reader);
  if (name.kind !== 'identifier') fail(reader, name, 'a command');
  const { args, tests, testList } = argumentsOf(reader);
  const next = peek(reader);
  const node = { name: name.text, line: name.line, column: name.column, args, tests, testList };
  if (isSpecial(next, ';')) {
    reader.pos++;
    return { ...node, block: undefined };
  }
  if (isSpecial(next, '{')) return { ...node, block: block(reader) };
  return fail(reader, next, `";" after "${name.text}"`);
}

function block(reader: Reader): RawNode[] {
  const open = take(reader);
  return deeper(reader, open, () => {
    const nodes = commands(reader, true);
    const close = peek(reader);
    if (reader.stopped) throw new Unreadable();
    if (!isSpecial(close, '}')) {
      reader.report(
        close,
        `found ${shown(close)} where "}" was expected: the block of line ${open.line} is not closed`,
      );
      reader.stopped = true;
      throw new Unreadable();
    }
    reader.pos++;
    return nodes;
  });
}

interface Arguments {
  readonly args: RawArgument[];
  readonly tests: RawNode[];
  readonly testList: boolean;
}

function argumentsOf(reader: Reader): Arguments {
  const args: RawArgument[] = [];
  for (;;) {
    const token = peek(reader);
    const at = { line: token.line, column: token.column };
    if (token.kind === 'tag') args.push({ kind: 'tag', name: token.text, ...at });
    else if (token.kind === 'number') args.push({ kind: 'number', value: token.value, ...at });
    else if (token.kind === 'string')
      args.push({ kind: 'strings', items: [{ value: token.value, ...at }], list: false, ...at });
    else if (isSpecial(token, '[')) {
      args.push(stringList(reader));
      continue;
    } else if (token.kind === 'identifier') {
      return { args, tests: [deeper(reader, token, () => test(reader))], testList: false };
    } else if (isSpecial(token, '(')) {
      return { args, tests: deeper(reader, token, () => listOfTests(reader)), testList: true };
    } else return { args, tests: [], testList: false };
    reader.pos++;
  }
}

function test(reader: Reader): RawNode {
  const name = take(reader);
  if (name.kind !== 'identifier') fail(reader, name, 'a test');
  const at = { line: name.line, column: name.column };
  return { name: name.text, ...at, ...argumentsOf(reader), block: undefined };
}

function listOfTests(reader: Reader): RawNode[] {
  reader.pos++;
  const tests: RawNode[] = [];
  for (;;) {
    tests.push(test(reader));
    const next = take(reader);
    if (isSpecial(next, ')')) return tests;
    if (!isSpecial(next, ',')) {
      if (next.kind !== 'end') reader.pos--;
      fail(reader, next, '"," or ")" after a test');
    }
  }
}

function stringList(reader: Reader): RawArgument {
  const open = take(reader);
  const items: RawString[] = [];
  for (;;) {
    const token = peek(reader);
    if (token.kind !== 'string') fail(reader, token, 'a string of the list');
    items.push({ value: token.value, line: token.line, column: token.column });
    reader.pos++;
    const next = peek(reader);
    if (isSpecial(next, ']')) {
      reader.pos++;
      return { kind: 'strings', items, list: true, line: open.line, column: open.column };
    }
    if (!isSpecial(next, ',')) fail(reader, next, '"," or "]" after a string of the list');
    reader.pos++;
  }
}
