import { errorText, Refusal } from '../../base/errors.ts';
import type { AdminClient } from './client.ts';
import { type CliCommand, type CliIo, UsageError } from './command.ts';
import { fileProblem } from './file-words.ts';
import { findServer } from './find-server.ts';
import { commandHelp, groupHelp } from './help.ts';
import { distance, parseLine } from './parse.ts';
import { plain, plainJson } from './plain-text.ts';
import { commandTable } from './table.ts';

/** Exit statuses: done, refused by the server (or none there), not understood. */
const DONE = 0;
const REFUSED = 1;
const USAGE = 2;

/** Run one command line (without "postern"). Resolves with the exit status; never throws. */
export async function runCli(words: readonly string[], io: CliIo): Promise<number> {
  const json = words.includes('--json');
  try {
    return await run(words, io);
  } catch (error) {
    if (error instanceof UsageError) return fail(io, error.message, USAGE);
    if (error instanceof Refusal) {
      if (json) io.out(`${plainJson({ error: { kind: error.kind, message: error.message } })}\n`);
      return fail(io, error.message, REFUSED);
    }
    const file = fileProblem(error);
    if (file !== undefined) return fail(io, file, REFUSED);
    return fail(io, `this is a fault of the program: ${errorText(error)}`, REFUSED);
  }
}

function fail(io: CliIo, message: string, status: number): number {
  const lines = message.split('\n').map((line, i) => `${i === 0 ? 'postern: ' : '  '}${plain(line)}\n`);
  io.err(lines.join(''));
  return status;
}

async function run(words: readonly string[], io: CliIo): Promise<number> {
  const group = commandTable.filter((command) => command.words[0] === words[0]);
  const command = group.find((one) => one.words.every((word, i) => words[i] === word));
  if (command === undefined) return noCommand(words, group, io);
  const { args, values } = parseLine(command, words.slice(command.words.length));
  if (values['help'] === true) {
    io.out(commandHelp(command));
    return DONE;
  }
  const text = (name: string): string | undefined => {
    const value = values[name];
    return typeof value === 'string' ? value : undefined;
  };
  const texts = (name: string): readonly string[] => {
    const value = values[name];
    return Array.isArray(value) ? value : [];
  };
  const outcome = await command.run({
    admin:
      command.offline === true
        ? lazily(() => findServer(io, text('data')))
        : await findServer(io, text('data')),
    io,
    args,
    arg: (index) => args[index] ?? '',
    text,
    texts,
    on: (name) => values[name] === true,
  });
  if (outcome.printed !== true)
    io.out(values['json'] === true ? `${plainJson(outcome.value)}\n` : outcome.text());
  return outcome.status ?? DONE;
}

/** A client that looks for its server at the first call. */
function lazily(find: () => Promise<AdminClient>): AdminClient {
  let found: Promise<AdminClient> | undefined;
  return {
    call: async (row, input) => (await (found ??= find())).call(row, input),
    stream: async (request) => (await (found ??= find())).stream(request),
  };
}

function noCommand(words: readonly string[], group: readonly CliCommand[], io: CliIo): number {
  const [first = '', second] = words;
  if (group.length === 0)
    throw new UsageError(`there is no command "${plain(first)}"; "postern --help" lists them`);
  const wantsHelp = second === '--help' || second === '-h' || second === 'help';
  // "postern domain --data DIR" names no command either.
  if (second === undefined || wantsHelp || second.startsWith('-')) {
    const help = groupHelp(group);
    if (wantsHelp) io.out(help);
    else io.err(help);
    return wantsHelp ? DONE : USAGE;
  }
  // As t-lo's user.sh, whose verbs these are: scripts look at the words and the status.
  if (first === 'user') {
    io.err(`Unknown command '${plain(second)}'.\n\n${groupHelp(group)}`);
    return REFUSED;
  }
  const near = group.find((one) => distance(one.words[1] ?? '', second) <= 2);
  const hint = near === undefined ? '' : `; did you mean "postern ${near.words.join(' ')}"?`;
  const all = [...new Set(group.map((one) => one.words[1]))].join(', ');
  throw new UsageError(`there is no "postern ${plain(first)} ${plain(second)}"${hint} (${first} has ${all})`);
}
