import { systemClock } from '../../base/clock.ts';
import type { CliIo } from './command.ts';
import { WIDTH } from './plain-text.ts';
import { runCli } from './run.ts';
import { commandTable } from './table.ts';

export { runCli } from './run.ts';
export { commandTable } from './table.ts';

/** Where a server set up by `postern init` keeps its data. */
const SYSTEM_DATA_DIRECTORY = '/var/lib/postern';

/** This process as a command line. */
export function processIo(): CliIo {
  return {
    out: (text) => void process.stdout.write(text),
    err: (text) => void process.stderr.write(text),
    stdin: process.stdin,
    env: process.env,
    cwd: process.cwd(),
    clock: systemClock,
    systemDataDirectory: SYSTEM_DATA_DIRECTORY,
    width: Math.max(WIDTH, process.stdout.columns ?? WIDTH),
  };
}

/** First words of the command line that are ours, with how to run the words behind them. Resolves with the exit status. */
export const cliCommands: Readonly<Record<string, (args: readonly string[]) => Promise<number>>> =
  Object.fromEntries(
    [...new Set(commandTable.flatMap(({ words }) => words.slice(0, 1)))].map((first) => [
      first,
      (args: readonly string[]) => runCli([first, ...args], processIo()),
    ]),
  );
