/** Command lines as Go's `flag` package reads them: `-x value`, `-x=value`, `--x`, and `-b` or `-b=false` for what is on or off. */

export interface GoFlag {
  readonly name: string;
  /** `switch` takes a value behind "=" only. */
  readonly kind: 'text' | 'switch';
}

/** A command line that cannot be read; Go's programs show their usage and exit 2. */
export class FlagError extends Error {
  override readonly name = 'FlagError';
}

export interface GoFlags {
  /** What each flag was given; the last one counts. Switches: 'true' or 'false'. */
  readonly values: ReadonlyMap<string, string>;
  /** What stands behind the flags: from the first argument that is none, or behind "--". */
  readonly rest: readonly string[];
}

/** Read a command line. Throws a `FlagError` of one line. */
export function readGoFlags(args: readonly string[], known: readonly GoFlag[]): GoFlags {
  const values = new Map<string, string>();
  let at = 0;
  for (; at < args.length; at++) {
    const arg = args[at] ?? '';
    if (arg.length < 2 || !arg.startsWith('-')) break;
    if (arg === '--') {
      at++;
      break;
    }
    const [, name = '', value] = /^--?([^=]*)(?:=(.*))?$/s.exec(arg) ?? [];
    if (name === '' || name.startsWith('-')) throw new FlagError(`bad flag syntax: ${arg}`);
    const flag = known.find((row) => row.name === name);
    if (flag === undefined) throw new FlagError(`flag provided but not defined: -${name}`);
    if (flag.kind === 'switch') values.set(name, String(switchValue(value ?? 'true', `-${name}`)));
    else if (value !== undefined) values.set(name, value);
    else if (at + 1 < args.length) values.set(name, args[++at] ?? '');
    else throw new FlagError(`flag needs an argument: -${name}`);
  }
  return { values, rest: args.slice(at) };
}

/** Go's strconv.ParseBool. */
export function switchValue(text: string, what: string): boolean {
  if (['1', 't', 'T', 'true', 'TRUE', 'True'].includes(text)) return true;
  if (['0', 'f', 'F', 'false', 'FALSE', 'False'].includes(text)) return false;
  throw new FlagError(`invalid boolean value ${JSON.stringify(text)} for ${what}: it takes true or false`);
}
