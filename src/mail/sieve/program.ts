/** A checked script: what the interpreter walks through. */
import type { Piece } from './strings.ts';
import type { Position } from './types.ts';

/** A string of a script; `pieces` where it holds references to variables (RFC 5229 3). */
export interface Str extends Position {
  readonly text: string;
  readonly pieces: readonly Piece[] | undefined;
}

export type Value =
  | (Position & { readonly kind: 'number'; readonly value: number })
  | (Position & { readonly kind: 'strings'; readonly items: readonly Str[] });

/** A command or a test with the arguments it may have, each of the type that its table row asks for. */
export interface Node extends Position {
  readonly name: string;
  /** Tagged arguments by name without colon; undefined for those without a value. */
  readonly tags: ReadonlyMap<string, Value | undefined>;
  /** Positional arguments; a gap where an optional one is missing. */
  readonly args: readonly (Value | undefined)[];
  readonly tests: readonly Node[];
  readonly block: readonly Node[];
  /** Set in scripts that use ihave (RFC 5463 4): reaching this node is an error of the run. */
  readonly invalid: string | undefined;
}

export interface Program {
  readonly nodes: readonly Node[];
  readonly requires: ReadonlySet<string>;
  /** Extensions that scripts may use here; included ones too. */
  readonly extensions: readonly string[];
}

/** The strings of an argument; none when it is missing or a number. */
export function stringsOf(value: Value | undefined): readonly Str[] {
  return value?.kind === 'strings' ? value.items : [];
}

export function numberOf(value: Value | undefined): number | undefined {
  return value?.kind === 'number' ? value.value : undefined;
}
