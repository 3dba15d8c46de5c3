import { mkdirSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { errnoCode } from './errors.ts';

/**
 * Make a directory and what is missing above it; it may exist. Synchronous: for the start of the program. One level at
 * a time: the recursive mkdir of Node never returns where a file system denies by "not found", as /proc does. Throws
 * the system's error (ENOENT, EACCES, EROFS, ENOTDIR).
 */
export function makeDirectory(path: string, mode = 0o700): void {
  const missing: string[] = [];
  for (let at = resolve(path); !exists(at) && at !== dirname(at); at = dirname(at)) missing.push(at);
  for (const at of missing.toReversed()) {
    try {
      mkdirSync(at, { mode });
    } catch (error) {
      if (errnoCode(error) !== 'EEXIST') throw error;
    }
  }
}

function exists(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false }) !== undefined;
}
