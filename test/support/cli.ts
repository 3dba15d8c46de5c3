import { PassThrough } from 'node:stream';
import type { CliIo } from '../../src/app/cli/command.ts';
import { runCli } from '../../src/app/cli/run.ts';
import { systemClock } from '../../src/base/clock.ts';

export interface CliAnswer {
  readonly status: number;
  readonly out: string;
  readonly err: string;
}

/** What differs from a terminal of 80 columns in UTC, without environment, home and typing. */
export interface CliPlace extends Partial<CliIo> {
  /** What comes by standard input, to its end; without it nobody types anything. */
  readonly input?: string;
  /** Data directory of the server that is meant. */
  readonly data?: string;
}

/** Run one command line in this process, "postern" left out. */
export async function runCommand(words: readonly string[], place: CliPlace = {}): Promise<CliAnswer> {
  const { input, data, ...more } = place;
  const answer = { out: '', err: '' };
  const stdin = new PassThrough();
  if (input !== undefined) stdin.end(input);
  const io: CliIo = {
    out: (text) => (answer.out += text),
    err: (text) => (answer.err += text),
    stdin: Object.assign(stdin, { isTTY: false }),
    env: {},
    cwd: '/nonexistent',
    clock: systemClock,
    systemDataDirectory: '/nonexistent',
    timeZone: 'UTC',
    width: 80,
    ...more,
  };
  const status = await runCli(data === undefined ? words : [...words, '--data', data], io);
  return { status, ...answer };
}
