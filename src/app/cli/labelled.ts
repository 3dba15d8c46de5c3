import { existsSync, readdirSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { UsageError } from './command.ts';
import { mailPaths } from './mail-files.ts';
import { plain } from './plain-text.ts';

/** Which messages named on a command line are good and which are spam. */

export interface Labelled {
  readonly path: string;
  readonly label: 'ham' | 'spam';
}

export interface Named {
  /** Positional arguments: paths, perhaps with "ham" or "spam" before them. */
  readonly args: readonly string[];
  readonly ham: readonly string[];
  readonly spam: readonly string[];
}

/**
 * `--ham PATH` and `--spam PATH` say it. A path without them goes by its own name or that of a folder above it ("ham",
 * "hard-ham", "spam", "Junk"), or holds such folders; the word ham or spam in front says it of all that follow.
 */
export async function labelled({ args, ham, spam }: Named): Promise<Labelled[]> {
  const [first, ...rest] = args;
  const word =
    (first === 'ham' || first === 'spam') && rest.length > 0 && !existsSync(first) ? first : undefined;
  const found: Labelled[] = [];
  const add = async (paths: readonly string[], label: Labelled['label']): Promise<void> => {
    for (const path of await mailPaths(paths)) found.push({ path, label });
  };
  await add(ham, 'ham');
  await add(spam, 'spam');
  if (word !== undefined) await add(rest, word);
  else for (const path of args) for (const [inner, label] of byName(path)) await add([inner], label);
  if (found.length === 0)
    throw new UsageError(
      'name messages, or folders of them: --ham PATH for good mail, --spam PATH for the other',
    );
  return found;
}

function byName(path: string): [string, Labelled['label']][] {
  for (let name = path; ; name = dirname(name)) {
    const label = labelOf(basename(name));
    if (label !== undefined) return [[path, label]];
    if (dirname(name) === name || name === '.') break;
  }
  const inside =
    existsSync(path) && statSync(path).isDirectory()
      ? readdirSync(path).flatMap((name): [string, Labelled['label']][] => {
          const label = labelOf(name);
          return label === undefined ? [] : [[join(path, name), label]];
        })
      : [];
  if (inside.length > 0) return inside.toSorted(([a], [b]) => (a < b ? -1 : 1));
  throw new UsageError(`is "${plain(path)}" good mail or spam? Write --ham or --spam before it`);
}

function labelOf(name: string): Labelled['label'] | undefined {
  if (/^(?:\.?(?:easy|hard)[-_]?)?ham(?:[-_]?\d+)?$/i.test(name)) return 'ham';
  return /^\.?(?:spam|junk)(?:[-_]?\d+)?$/i.test(name) ? 'spam' : undefined;
}
