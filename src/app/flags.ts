import { parseArgs, type ParseArgsOptionsConfig } from 'node:util';
import { errorText, Refusal } from '../base/errors.ts';
import { suggest } from './config-load.ts';

/** What a command was given. */
export interface Flags {
  readonly text: Readonly<Record<string, string>>;
  readonly on: ReadonlySet<string>;
}

/**
 * Read a command's flags. Throws a `Refusal` of one line for what it does not know. `command` is what the person typed
 * in front of them ("npm start --", "postern serve").
 */
export function readFlags(
  command: string,
  args: readonly string[],
  known: { readonly text?: readonly string[]; readonly on?: readonly string[] },
): Flags {
  const options: ParseArgsOptionsConfig = {};
  for (const name of known.text ?? []) options[name] = { type: 'string' };
  for (const name of [...(known.on ?? []), 'help']) options[name] = { type: 'boolean' };
  let values: Record<string, unknown>;
  try {
    ({ values } = parseArgs({ args: [...args], options, allowPositionals: false }));
  } catch (error) {
    throw new Refusal(
      'bad-input',
      `${flagProblem(error, args, Object.keys(options))}; "${command} --help" lists what there is`,
    );
  }
  const text: Record<string, string> = {};
  const on = new Set<string>();
  for (const [name, value] of Object.entries(values)) {
    if (typeof value === 'string') text[name] = value;
    else if (value === true) on.add(name);
  }
  return { text, on };
}

function flagProblem(error: unknown, args: readonly string[], known: readonly string[]): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  const flags = args.filter((arg) => arg.startsWith('-')).map((arg) => arg.split('=')[0] ?? arg);
  if (code === 'ERR_PARSE_ARGS_UNKNOWN_OPTION') {
    const unknown = flags.find((flag) => !known.includes(flag.slice(2))) ?? '';
    return `unknown option ${unknown}${suggest(
      unknown,
      known.map((name) => `--${name}`),
    )}`;
  }
  if (code === 'ERR_PARSE_ARGS_UNEXPECTED_POSITIONAL') {
    const word = /'([^']*)'/.exec(errorText(error))?.[1] ?? '';
    return `unexpected argument "${word}"`;
  }
  const named = /'(?:-\w, )?(--[\w-]+)/.exec(errorText(error))?.[1];
  return named === undefined ? errorText(error) : `the option ${named} is incomplete or takes no value`;
}
