import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { errnoCode, errorText, Refusal } from '../base/errors.ts';

/** A data directory that is ours alone while we run. */
export interface DirectoryLock {
  release(): void;
}

/** Held by the kernel while the program lives, whatever kills it: nothing stale can be left. Not the mail's database. */
const LOCK_FILE = 'lock';
/** Says who holds the lock; only a message to a person depends on it. */
const PID_FILE = 'pid';

/** Take a data directory for this process. Throws a `Refusal` that names it when another process has it. */
export function lockDirectory(directory: string): DirectoryLock {
  let db: DatabaseSync;
  try {
    // SQLite's locks are the only ones Node offers that end with their process.
    db = new DatabaseSync(join(directory, LOCK_FILE), { timeout: 0 });
  } catch (error) {
    throw new Refusal('not-permitted', `cannot write in ${directory}: ${errorText(error)}`);
  }
  try {
    db.exec('BEGIN EXCLUSIVE');
    writeFileSync(join(directory, PID_FILE), `${process.pid}\n`, { mode: 0o600 });
  } catch (error) {
    db.close();
    if (errnoCode(error) !== 'ERR_SQLITE_ERROR') throw unwritable(directory, error);
    const holder = holderOf(directory);
    throw new Refusal(
      'conflict',
      `${directory} is in use by another Postern${holder === '' ? '' : ` (process ${holder})`}: stop that one first, or take another directory with --data`,
    );
  }
  return { release: () => db.close() };
}

function holderOf(directory: string): string {
  try {
    return readFileSync(join(directory, PID_FILE), 'latin1').trim().slice(0, 10);
  } catch {
    return '';
  }
}

/** One line about a directory that cannot be used, with the remedy where there is one. */
export function unwritable(directory: string, error: unknown): Refusal {
  switch (errnoCode(error)) {
    case 'EACCES':
    case 'EPERM':
      return new Refusal(
        'not-permitted',
        `cannot write in ${directory}: permission denied; choose another with --data`,
      );
    case 'EROFS':
      return new Refusal(
        'not-permitted',
        `cannot write in ${directory}: the file system is read-only; choose another with --data`,
      );
    case 'ENOTDIR':
    case 'EEXIST':
      return new Refusal('bad-input', `${directory} is not a directory; choose another with --data`);
    case 'ENOSPC':
      return new Refusal('storage-full', `cannot write in ${directory}: the disk is full`);
    default:
      return new Refusal('unavailable', `cannot use ${directory}: ${errorText(error)}`);
  }
}
