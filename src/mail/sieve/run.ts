/** The state of one run of a script, and what every test and action needs of it. */
import { BREATH_STEPS, MAX_LOG, MAX_LOG_TEXT, STEP_CHARACTERS } from './limits.ts';
import { type Node, type Program, type Str, stringsOf, type Value } from './program.ts';
import type { Folded } from './glob.ts';
import type { Pattern } from './regex.ts';
import { cut } from './strings.ts';
import type {
  Compile,
  HeaderEdit,
  MessageEdits,
  Position,
  SieveAction,
  SieveEnvelope,
  SieveField,
  SieveLimits,
  SieveMessage,
  SievePart,
  SieveWorld,
} from './types.ts';

/** A script that runs: the one that was given or an included one (RFC 6609). */
export interface Scope {
  /** '' for the script that was given. */
  readonly script: string;
  readonly program: Program;
  readonly variables: Map<string, string>;
  /** Names of variables that `global` shares (RFC 6609 3.4.1). */
  readonly globals: Set<string>;
  /** Match variables (RFC 5229 3.2). */
  matched: readonly string[];
  /** The included scripts that this one stands in, itself the last, by place and name. */
  readonly within: readonly string[];
}

/** A part that was replaced; its place in octets from the end of the message. */
export interface Splice {
  readonly start: number;
  readonly end: number;
  readonly octets: Buffer;
}

/** The message as actions left it. */
export interface Draft {
  /** The top header as tests see it. */
  fields: readonly SieveField[];
  header: readonly HeaderEdit[];
  splices: readonly Splice[];
  /** The whole message, once all of it was replaced or enclosed; header edits and splices count from there. */
  content: Buffer | undefined;
  /** What `snapshot` gave since the last change. */
  shot: Draft | undefined;
}

export interface Pending {
  readonly action: SieveAction;
  /** The message it is done with; undefined: as it came. */
  readonly draft: Draft | undefined;
}

export interface Run {
  /** Replaced when replace or enclose make another of it. */
  message: SieveMessage;
  readonly envelope: SieveEnvelope;
  readonly world: SieveWorld;
  readonly limits: SieveLimits;
  /** For scripts that are included. */
  readonly compile: Compile;
  scope: Scope;
  readonly sharedVariables: Map<string, string>;
  readonly draft: Draft;
  readonly pending: Pending[];
  /** The message as it was when it was first enclosed; its draft undefined: as it came. */
  beforeEnclose: { readonly draft: Draft | undefined } | undefined;
  /** Whether an action has cancelled the implicit keep. */
  keepCancelled: boolean;
  /** The internal variable of imap4flags. */
  flags: readonly string[];
  /** The part that foreverypart stands at. */
  part: SievePart | undefined;
  readonly remember: Map<string, number>;
  /** Answers of duplicate in this run: the same question has the same answer. */
  readonly asked: Map<string, boolean>;
  /** Scripts that were included, by place and name: what `once` and a second include want to know. */
  readonly included: Map<string, Program>;
  /** Patterns of :regex that were used: a loop uses them often. */
  readonly patterns: Map<string, Pattern>;
  /** Long values as comparators see them, the last few. */
  readonly folded: FoldedValue[];
  includes: number;
  readonly log: { readonly script: string; readonly line: number; readonly text: string }[];
  steps: number;
  breathedAt: number;
  /** What runs now, for errors. */
  at: Position;
}

/** A value and what a comparator made of it. */
export interface FoldedValue {
  readonly comparator: string;
  readonly value: string;
  readonly folded: Folded;
}

/** The script cannot go on: what it decided is dropped, the message is kept. */
export class ScriptFailure extends Error {
  readonly at: Position;
  readonly script: string;

  constructor(at: Position, script: string, message: string) {
    super(message);
    this.at = at;
    this.script = script;
  }
}

export function fail(run: Run, message: string): never {
  throw new ScriptFailure(run.at, run.scope.script, message);
}

/** Counts work: one step, plus what `characters` are worth. */
export function spend(run: Run, characters = 0, perStep = STEP_CHARACTERS): void {
  run.steps += 1 + Math.floor(characters / perStep);
  if (run.steps > run.limits.steps) fail(run, `the script takes more than ${run.limits.steps} steps`);
}

/** Lets others run when a script has been at it for a while. */
export async function breathe(run: Run): Promise<void> {
  if (run.steps - run.breathedAt < BREATH_STEPS) return;
  run.breathedAt = run.steps;
  await new Promise<void>((resolve) => setImmediate(resolve));
}

export function note(run: Run, at: Position, what: string): void {
  if (run.log.length > MAX_LOG) return;
  const full = run.log.length === MAX_LOG;
  const line = full
    ? '... more was done than is noted here'
    : cut(what.replace(/[\r\n]+/g, ' '), MAX_LOG_TEXT);
  run.log.push({ script: run.scope.script, line: at.line, text: line });
}

const SHARED = 'global.';

/** The variables that a name stands for, and its name there. */
function placeOf(run: Run, name: string): { readonly where: Map<string, string>; readonly key: string } {
  if (name.startsWith(SHARED)) return { where: run.sharedVariables, key: name.slice(SHARED.length) };
  if (run.scope.globals.has(name)) return { where: run.sharedVariables, key: name };
  return { where: run.scope.variables, key: name };
}

/** A variable's value; unknown ones are empty (RFC 5229 3). Names in any case. */
export function variable(run: Run, name: string): string {
  const { where, key } = placeOf(run, name.toLowerCase());
  return where.get(key) ?? '';
}

/** Sets a variable; a value that is too long is cut (RFC 5229 4). */
export function setVariable(run: Run, name: string, value: string): void {
  const { where, key } = placeOf(run, name.toLowerCase());
  if (!where.has(key) && where.size >= run.limits.variables)
    fail(run, `the script has more than ${run.limits.variables} variables`);
  where.set(key, cut(value, run.limits.variableLength));
}

/** The value of a string: variables put in (RFC 5229 3). */
export function expand(run: Run, str: Str): string {
  if (str.pieces === undefined) return str.text;
  let out = '';
  // Ten times the length of a value is more than any string that means something has.
  const room = run.limits.variableLength * 10;
  for (const piece of str.pieces) {
    if (piece.kind === 'text') out += piece.text;
    else if (piece.kind === 'match') out += run.scope.matched[piece.index] ?? '';
    else out += variable(run, piece.name);
    if (out.length > room) break;
  }
  spend(run, out.length);
  return cut(out, room);
}

/** The strings of an argument. */
export function texts(run: Run, value: Value | undefined): string[] {
  return stringsOf(value).map((str) => expand(run, str));
}

/** The one string of an argument; '' when there is none. */
export function text(run: Run, value: Value | undefined): string {
  const first = stringsOf(value)[0];
  return first === undefined ? '' : expand(run, first);
}

/** The string of a tagged argument, or undefined when the tag is missing. */
export function tagText(run: Run, node: Node, name: string): string | undefined {
  const value = node.tags.get(name);
  return value === undefined ? undefined : text(run, value);
}

export function requires(run: Run, extension: string): boolean {
  return run.scope.program.requires.has(extension);
}

/** The message as it is now, for an action; undefined when nothing has changed. */
export function snapshot(run: Run): Draft | undefined {
  const { draft } = run;
  if (draft.header.length === 0 && draft.splices.length === 0 && draft.content === undefined)
    return undefined;
  draft.shot ??= { ...draft };
  return draft.shot;
}

export function editsOf(draft: Draft, content: Buffer | undefined): MessageEdits {
  return { header: draft.header, content };
}
