import { existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Refusal } from '../base/errors.ts';
import { makeDirectory } from '../base/files.ts';
import { unwritable } from './lock.ts';

/**
 * A try-out has passwords that everybody knows and a certificate that nobody signed. Its data directory carries a mark,
 * so that a public server never starts on it and `--fresh` never deletes anything else.
 */
const MARKER = 'TRY-OUT';
const TEXT =
  'This directory belongs to a Postern try-out (npm start): its passwords are public, and `--fresh` deletes it.\n' +
  '`postern serve` refuses it. Start a real server with `postern init`.\n';

export function isTryOut(directory: string): boolean {
  return existsSync(join(directory, MARKER));
}

/**
 * Make a directory ready for a try-out. Throws a `Refusal` when it cannot be written, or when it holds other things
 * than a try-out's.
 */
export function prepareTryOut(directory: string): void {
  let entries: string[];
  try {
    makeDirectory(directory);
    entries = readdirSync(directory);
  } catch (error) {
    throw unwritable(directory, error);
  }
  if (isTryOut(directory)) return;
  if (entries.length > 0) {
    throw new Refusal(
      'conflict',
      `${directory} holds other files and is no try-out's directory; choose an empty or new one with --data`,
    );
  }
  try {
    writeFileSync(join(directory, MARKER), TEXT, { mode: 0o600 });
  } catch (error) {
    throw unwritable(directory, error);
  }
}

/** Before `--fresh` deletes: a directory that exists and is no try-out's is refused. */
export function requireTryOut(directory: string): void {
  if (!existsSync(directory) || isTryOut(directory)) return;
  throw new Refusal(
    'conflict',
    `${directory} is not the directory of a try-out, so --fresh will not delete it`,
  );
}

/** Delete what a try-out kept; the mark goes last, so that a deletion cut short can be finished. `keep`: files in use. */
export function emptyTryOut(directory: string, keep: readonly string[]): void {
  for (const name of readdirSync(directory)) {
    if (name !== MARKER && !keep.includes(name))
      rmSync(join(directory, name), { recursive: true, force: true });
  }
}
