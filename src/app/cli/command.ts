import type { Clock } from '../../base/clock.ts';
import type { AdminClient } from './client.ts';

/** What the command line has of the world; tests bring their own. */
export interface CliIo {
  out(text: string): void;
  /** Prompts and errors: what is not the answer. */
  err(text: string): void;
  readonly stdin: NodeJS.ReadableStream & { isTTY?: boolean; setRawMode?(on: boolean): unknown };
  readonly env: { readonly [name: string]: string | undefined };
  readonly cwd: string;
  readonly clock: Clock;
  /** Where a server keeps its data unless told otherwise. */
  readonly systemDataDirectory: string;
  readonly timeZone?: string;
  /** Columns of the terminal. */
  readonly width: number;
}

export interface Argument {
  readonly name: string;
  readonly help: string;
  readonly optional?: boolean;
  /** One or more, at the end. */
  readonly many?: boolean;
}

export interface Option {
  /** Name of the value; without it the option is a switch. */
  readonly value?: string;
  readonly help: string;
  /** May be given several times. */
  readonly many?: boolean;
}

/** What a command was given. */
export interface Call {
  readonly admin: AdminClient;
  readonly io: CliIo;
  /** Positional arguments in order; all that the command's table demands are there. */
  readonly args: readonly string[];
  /** The argument at a place that the table says is not optional. */
  arg(index: number): string;
  /** The value of an option, undefined when it was not given. */
  text(option: string): string | undefined;
  /** All values of an option that may be given several times. */
  texts(option: string): readonly string[];
  on(option: string): boolean;
}

/** `value` is what --json prints; `text` what a person reads. */
export interface Outcome {
  readonly value: unknown;
  text(): string;
  /** All was printed while it ran: nothing more is. */
  readonly printed?: boolean;
  /** Exit status; 0 unless an answer such as "none" is for scripts to tell apart. */
  readonly status?: number;
}

/** One row of the table: a command, its help, its entry in the reference, and what it does. */
export interface CliCommand {
  /** ['account', 'add']. */
  readonly words: readonly string[];
  readonly summary: string;
  /** More about it, in whole sentences. */
  readonly details?: string;
  readonly args: readonly Argument[];
  readonly options: { readonly [name: string]: Option };
  /** One line that works as it stands, without "postern". */
  readonly example: string;
  /** Works without a server; one is only looked for when `admin` is first called. */
  readonly offline?: boolean;
  run(call: Call): Promise<Outcome>;
}

/** The person typed something that cannot be meant: one line with the remedy, exit status 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** An outcome that is a sentence. */
export function said(sentence: string, value: unknown = { ok: true }): Outcome {
  return { value, text: () => `${sentence}\n` };
}
