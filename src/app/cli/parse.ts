import { parseArgs, type ParseArgsOptionsConfig } from 'node:util';
import { errorText } from '../../base/errors.ts';
import { type CliCommand, UsageError } from './command.ts';
import { usage } from './help.ts';
import { plain } from './plain-text.ts';
import { COMMON_OPTIONS } from './table.ts';

export interface ParsedLine {
  readonly args: readonly string[];
  readonly values: Readonly<Record<string, string | boolean | readonly string[] | undefined>>;
}

/** Arguments and options of a command by its table. Throws `UsageError`: one line with the remedy. */
export function parseLine(command: CliCommand, words: readonly string[]): ParsedLine {
  const table = { ...command.options, ...COMMON_OPTIONS };
  const options: ParseArgsOptionsConfig = { help: { type: 'boolean', short: 'h' } };
  for (const [name, { value, many = false }] of Object.entries(table)) {
    if (name !== 'help') options[name] = { type: value === undefined ? 'boolean' : 'string', multiple: many };
  }
  const parsed = attempt(command, words, options);
  const values = parsed.values as ParsedLine['values'];
  if (values['help'] === true) return { args: [], values };
  checkCount(command, parsed.positionals);
  return { args: parsed.positionals, values };
}

function attempt(
  command: CliCommand,
  words: readonly string[],
  options: ParseArgsOptionsConfig,
): { values: object; positionals: string[] } {
  try {
    return parseArgs({ args: [...words], options, allowPositionals: true, strict: true });
  } catch (error) {
    const name = /'(?:-\w, )?(--?[^' <]+)/.exec(errorText(error))?.[1] ?? '';
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'ERR_PARSE_ARGS_UNKNOWN_OPTION')
      throw wrong(command, unknownOption(name, Object.keys(options)));
    const value = options[name.slice(2)]?.type === 'string';
    throw wrong(
      command,
      value
        ? `${plain(name)} needs a value (a value that begins with - is written ${plain(name)}=-x)`
        : `${plain(name)} takes no value`,
    );
  }
}

function unknownOption(name: string, known: readonly string[]): string {
  // A secret in the command line is in everybody's list of processes and in the shell's history.
  if (/^--pass(word|wd)?$/.test(name)) {
    return 'a password is not taken from the command line: leave it out to be asked, or use --password-stdin';
  }
  const near = known.find((one) => distance(one, name.replace(/^-+/, '')) <= 2);
  return `unknown option ${plain(name)}${near === undefined ? '' : ` (did you mean --${near}?)`}`;
}

function checkCount(command: CliCommand, given: readonly string[]): void {
  const needed = command.args.filter(({ optional }) => optional !== true);
  const missing = needed[given.length];
  if (missing !== undefined) throw wrong(command, `${missing.name} is missing (${missing.help})`);
  const many = command.args.some((arg) => arg.many === true);
  if (!many && given.length > command.args.length) {
    throw wrong(command, `"${plain(given[command.args.length] ?? '')}" is too much`);
  }
}

function wrong(command: CliCommand, problem: string): UsageError {
  return new UsageError(`${problem}. Usage: ${usage(command)}; more with --help`);
}

/** Edits between two short words (Levenshtein). */
export function distance(a: string, b: string): number {
  if (Math.abs(a.length - b.length) > 2 || a.length > 40) return Number.POSITIVE_INFINITY;
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1] ? 0 : 1;
      next.push(Math.min((row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, (row[j - 1] ?? 0) + same));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
