import type { CliCommand } from './command.ts';
import { wrap, WIDTH } from './plain-text.ts';
import { COMMON_OPTIONS } from './table.ts';

/** "postern account add ADDRESS [options]". */
export function usage(command: CliCommand): string {
  const args = command.args.map(({ name, optional, many }) => {
    const text = many === true ? `${name}...` : name;
    return optional === true ? `[${text}]` : text;
  });
  const options = Object.keys(command.options).length === 0 ? [] : ['[options]'];
  return ['postern', ...command.words, ...args, ...options].join(' ');
}

export function optionName(
  name: string,
  { value, many }: { readonly value?: string; readonly many?: boolean },
): string {
  return value === undefined ? `--${name}` : `--${name} ${value}${many === true ? '...' : ''}`;
}

/** What `--help` of one command shows. */
export function commandHelp(command: CliCommand): string {
  const options = Object.entries({ ...command.options, ...COMMON_OPTIONS });
  const rows: [string, string][] = [
    ...command.args.map(({ name, help }) => [name, help] as [string, string]),
    ...options.map(([name, option]) => [optionName(name, option), option.help] as [string, string]),
  ];
  const details = command.details === undefined ? [] : ['', ...wrap(command.details, WIDTH)];
  return `${[`Usage: ${usage(command)}`, '', ...wrap(capital(command.summary), WIDTH), ...details, '', listing(rows)].join('\n')}\nExample: postern ${command.example}\n`;
}

/** What a word alone shows that begins several commands. */
export function groupHelp(commands: readonly CliCommand[]): string {
  const rows = commands.map((command) => [command.words.slice(1).join(' '), command.summary] as const);
  const name = commands[0]?.words[0] ?? '';
  return `Usage: postern ${name} COMMAND\n\n${listing(rows)}\nHelp on one of them: postern ${name} COMMAND --help\n`;
}

function listing(rows: readonly (readonly [name: string, help: string])[]): string {
  const indent = Math.max(...rows.map(([name]) => name.length)) + 4;
  return rows
    .flatMap(([name, help]) =>
      wrap(help, WIDTH - indent).map(
        (line, i) => (i === 0 ? `  ${name}`.padEnd(indent) : ' '.repeat(indent)) + line,
      ),
    )
    .map((line) => `${line}\n`)
    .join('');
}

function capital(text: string): string {
  return `${text.slice(0, 1).toUpperCase()}${text.slice(1)}.`;
}
